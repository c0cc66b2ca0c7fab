//! What a migration has made and changed, written down before it does.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::{places, whole_file};

/// The file, in the folder of backups.
fn file() -> PathBuf {
    places::backups().join("migration.json")
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Files that were not there before.
    created: Vec<PathBuf>,
    /// The agent's folder: once its units are masked nothing else tells.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// Files whose permissions were changed, and the ones before.
    modes: Vec<(PathBuf, u32)>,
    /// What stood in the way and was renamed: its path, and the one it has now.
    #[serde(default)]
    renamed: Vec<(PathBuf, PathBuf)>,
}

impl Manifest {
    /// That of a migration that was begun, or an empty one.
    pub fn load() -> Result<Self, Failure> {
        let path = file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::general(anyhow!("{}: {error}", path.display()))),
        };
        serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be read", path.display()))
            .map_err(Failure::general)
    }

    fn save(&self) -> Result<(), Failure> {
        let bytes = serde_json::to_vec_pretty(self).context("the manifest as JSON")?;
        let path = file();
        whole_file::replace(&path, &bytes)
            .with_context(|| format!("{} cannot be written", path.display()))
            .map_err(Failure::general)
    }

    /// These are made, or about to be.
    pub fn created(&mut self, paths: Vec<PathBuf>) -> Result<(), Failure> {
        for path in paths {
            if !self.created.contains(&path) {
                self.created.push(path);
            }
        }
        self.save()
    }

    /// The permissions of `path` are about to change.
    #[cfg(unix)]
    pub fn changes_mode(&mut self, path: &Path, before: u32) -> Result<(), Failure> {
        if !self.modes.iter().any(|(known, _)| known == path) {
            self.modes.push((path.to_owned(), before));
        }
        self.save()
    }

    /// Renames what stands in the way.
    pub fn rename(&mut self, from: &Path, to: &Path) -> Result<(), Failure> {
        if !self.renamed.iter().any(|(known, _)| known == from) {
            self.renamed.push((from.to_owned(), to.to_owned()));
        }
        self.save()?;
        fs::rename(from, to)
            .with_context(|| format!("{} cannot be renamed to {}", from.display(), to.display()))?;
        Ok(())
    }

    /// Whether nothing was made or changed.
    pub fn is_empty(&self) -> bool {
        let Self { created, folder, modes, renamed } = self;
        created.is_empty() && folder.is_none() && modes.is_empty() && renamed.is_empty()
    }

    /// What was renamed has its name again. What is new in its place is renamed in its turn; says to what.
    pub fn name_back(&self, now: &str) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
        let mut moved = Vec::new();
        for (path, kept) in self.renamed.iter().filter(|(_, kept)| kept.exists()) {
            if path.exists() {
                let aside = PathBuf::from(format!("{}.undone-{now}", path.display()));
                fs::rename(path, &aside)
                    .with_context(|| format!("{} cannot be put aside", path.display()))?;
                moved.push((path.clone(), aside));
            }
            fs::rename(kept, path).with_context(|| format!("{} cannot be put back", path.display()))?;
        }
        Ok(moved)
    }

    /// Remembers the agent's folder.
    pub fn found(&mut self, folder: &Path) -> Result<(), Failure> {
        self.folder.get_or_insert_with(|| folder.to_owned());
        self.save()
    }

    /// Moves aside what was made, not away: the operator may have changed it since. Says where each went.
    pub fn put_aside_created(&self, now: &str) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
        let folder = places::backups().join(format!("undone-{now}"));
        let mut moved = Vec::new();
        for path in self.created.iter().filter(|path| path.exists()) {
            // Without root and drive: joined to a folder, a path with one would replace it.
            let below = path.components().filter(|part| matches!(part, Component::Normal(_)));
            let to = folder.join(below.collect::<PathBuf>());
            let parent = to.parent().context("a file in a folder")?;
            fs::create_dir_all(parent)
                .and_then(|()| fs::copy(path, &to))
                .and_then(|_| fs::remove_file(path))
                .with_context(|| format!("{} cannot be put aside", path.display()))?;
            moved.push((path.clone(), to));
        }
        Ok(moved)
    }

    /// Permissions as they were.
    pub fn restore_modes(&mut self) -> Result<(), Failure> {
        #[cfg(unix)]
        for (path, mode) in &self.modes {
            use std::os::unix::fs::PermissionsExt as _;
            if path.exists() {
                fs::set_permissions(path, fs::Permissions::from_mode(*mode))
                    .with_context(|| format!("the permissions of {} stay", path.display()))?;
            }
        }
        Ok(())
    }

    /// Everything is put back.
    pub fn finish(self) -> Result<(), Failure> {
        let path = file();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::general(anyhow!("{}: {error}", path.display())))
            }
            _ => Ok(()),
        }
    }
}
