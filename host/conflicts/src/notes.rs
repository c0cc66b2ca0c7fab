//! How units were before they were retired, kept where `migrate --undo` finds it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use crate::port::Retired;

/// A file of one JSON object a line, the oldest first; each is on the disk before its unit is changed.
#[derive(Debug, Clone)]
pub struct RetiredNotes {
    path: PathBuf,
}

impl RetiredNotes {
    /// Of this machine.
    #[cfg(not(windows))]
    pub fn of_this_machine() -> Self {
        Self::at(Path::new("/var/backups/tradeagent/retired.jsonl"))
    }

    /// Of this machine.
    #[cfg(windows)]
    pub fn of_this_machine() -> Self {
        let data =
            std::env::var_os("ProgramData").map_or_else(|| PathBuf::from("C:\\ProgramData"), PathBuf::from);
        Self::at(&data.join("tradeagent").join("retired.jsonl"))
    }

    /// In this file.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds one.
    ///
    /// # Errors
    /// When it cannot be kept: then the unit must not be changed.
    pub fn add(&self, retired: &Retired) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.path.display());
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut line = serde_json::to_vec(retired).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let mut file = File::options().create(true).append(true).open(&self.path).map_err(failed)?;
        file.write_all(&line).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// All of them: for a unit that was retired more than once, as it was the first time.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(&self) -> Result<Vec<Retired>, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", self.path.display());
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&error)),
        };
        let mut all: Vec<Retired> = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line.map_err(|error| failed(&error))?;
            let retired: Retired = serde_json::from_str(&line).map_err(|error| failed(&error))?;
            if !all.iter().any(|known| (&known.name, known.manager) == (&retired.name, retired.manager)) {
                all.push(retired);
            }
        }
        Ok(all)
    }

    /// Everything is put back: the file goes.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn clear(&self) -> Result<(), String> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(format!("{}: {error}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::Manager;

    #[test]
    fn what_was_first_is_what_is_put_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = RetiredNotes::at(&folder.path().join("deep/retired.jsonl"));
        assert_eq!(notes.read(), Ok(Vec::new()));
        let first = Retired {
            name: "a.timer".to_owned(),
            manager: Manager::System,
            was_up: true,
            was_enabled: true,
            moved: Some(("/etc/a".to_owned(), "/var/a".to_owned())),
            linked: None,
        };
        let again = Retired { was_up: false, moved: None, ..first.clone() };
        let of_user = Retired { manager: Manager::User(1000), ..again.clone() };
        for retired in [&first, &again, &of_user] {
            notes.add(retired).expect("kept");
        }
        assert_eq!(notes.read(), Ok(vec![first, of_user]));
        notes.clear().expect("gone");
        notes.clear().expect("gone already");
        assert_eq!(notes.read(), Ok(Vec::new()));
    }
}
