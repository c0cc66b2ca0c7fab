//! A bounded, exclusive file of lines that is only ever appended to.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::DurableError;
use super::line::MAGIC;

/// The longest line, its end included.
const LINE_BYTES_MAX: usize = 64 * 1024;

pub(super) struct LineFile {
    path: PathBuf,
    file: File,
    /// Up to here the file consists of whole lines.
    bytes: u64,
    bytes_max: u64,
    /// Behind `bytes` stands a piece of a line that could not be removed: nothing may follow it.
    torn: bool,
}

/// One whole line.
pub(super) struct Entry<'a> {
    /// Counted from 1.
    pub number: u64,
    pub bytes: &'a [u8],
}

impl Entry<'_> {
    pub fn parse<T: DeserializeOwned>(&self, path: &Path) -> Result<T, DurableError> {
        serde_json::from_slice(self.bytes).map_err(|error| self.garbage(path, error))
    }

    pub fn garbage(&self, path: &Path, why: impl ToString) -> DurableError {
        DurableError::Garbage { path: path.to_owned(), line: self.number, why: why.to_string() }
    }
}

impl LineFile {
    /// Opens or makes the file, and locks it; the lock goes with the process.
    pub fn open(path: &Path, bytes_max: u64) -> Result<Self, DurableError> {
        let io = |doing| move |source| DurableError::io(path, doing, source);
        // A folder or a pipe would be opened, or waited for.
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(DurableError::NotABook { path: path.to_owned() });
        }
        let file = File::options().read(true).append(true).create(true).open(path).map_err(io("opened"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DurableError::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(DurableError::io(path, "locked", source)),
        }
        let bytes = file.metadata().map_err(io("read"))?.len();
        if bytes > bytes_max {
            return Err(DurableError::TooLarge { path: path.to_owned(), bytes, max: bytes_max });
        }
        Ok(Self { path: path.to_owned(), file, bytes, bytes_max, torn: false })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands every whole line to `each`, then drops a last one that was cut off.
    pub fn read(
        &mut self,
        each: &mut dyn FnMut(Entry<'_>) -> Result<(), DurableError>,
    ) -> Result<(), DurableError> {
        let mut reader = BufReader::new(&self.file);
        let (mut line, mut whole) = (Vec::new(), 0_u64);
        for number in 1.. {
            line.clear();
            let read = (&mut reader)
                .take(LINE_BYTES_MAX as u64)
                .read_until(b'\n', &mut line)
                .map_err(|source| DurableError::io(&self.path, "read", source))?;
            if read == 0 {
                break;
            }
            if line.pop_if(|last| *last == b'\n').is_some() {
                each(Entry { number, bytes: &line })?;
                whole += read as u64;
                continue;
            }
            let entry = Entry { number, bytes: &line };
            // Nothing of a file that is not ours is dropped.
            if number == 1 && !(line.starts_with(MAGIC) || MAGIC.starts_with(&line)) {
                return Err(DurableError::NotABook { path: self.path.clone() });
            }
            if read == LINE_BYTES_MAX {
                return Err(entry.garbage(&self.path, format!("it is longer than {LINE_BYTES_MAX} bytes")));
            }
            break;
        }
        if whole < self.bytes {
            self.file.set_len(whole).map_err(|source| DurableError::io(&self.path, "written", source))?;
            self.bytes = whole;
        }
        Ok(())
    }

    /// Appends one line and hands it to the operating system. After an error it is not in the file.
    pub fn append(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.torn {
            return Err(io::Error::other("an earlier write failed half-way: start the program anew"));
        }
        let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
        line.push(b'\n');
        if line.len() > LINE_BYTES_MAX {
            return Err(io::Error::other(format!("the call is longer than {LINE_BYTES_MAX} bytes")));
        }
        let bytes = self.bytes + line.len() as u64;
        if bytes > self.bytes_max {
            let full =
                format!("it is full ({} bytes at most): name another state_dir or remove it", self.bytes_max);
            return Err(io::Error::other(full));
        }
        if let Err(error) = self.file.write_all(&line) {
            self.torn = self.file.set_len(self.bytes).is_err();
            return Err(error);
        }
        self.bytes = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_write_that_cannot_be_undone_nothing_follows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("book");
        let mut file = LineFile::open(&path, 1_000).expect("a new file");
        file.append(&"first").expect("room");
        // A handle that can neither write nor cut.
        file.file = File::open(&path).expect("it is there");
        let error = file.append(&"second").expect_err("not writable").to_string();
        assert!(!error.contains("half-way"), "the system's own words first: {error}");
        file.file = File::options().append(true).open(&path).expect("writable again");
        let error = file.append(&"third").expect_err("torn").to_string();
        assert!(error.contains("half-way"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "\"first\"\n");
    }

    #[test]
    fn a_line_is_bounded_on_both_sides() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("book");
        let mut file = LineFile::open(&path, 1 << 20).expect("a new file");
        assert!(file.append(&"x".repeat(LINE_BYTES_MAX)).is_err(), "too long to be written");
        drop(file);
        std::fs::write(&path, [MAGIC, &vec![b' '; LINE_BYTES_MAX], b"\n"].concat()).expect("written");
        let mut file = LineFile::open(&path, 1 << 20).expect("opens");
        let error = file.read(&mut |_| Ok(())).expect_err("too long to be read").to_string();
        assert!(error.contains("longer than 65536 bytes"), "{error}");
    }
}
