//! One writer at a time: what is read, changed and written back would otherwise undo what another wrote.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::{StoreError, io};

/// The right to write into a folder of market data, until it is dropped or the process ends. Reading needs
/// none: files are replaced whole.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

/// Takes the right to write into `dir`, which is made where it is missing.
///
/// # Errors
/// [`StoreError::Busy`] at once when another process or task has it.
pub fn lock(dir: &Path) -> Result<StoreLock, StoreError> {
    fs::create_dir_all(dir).map_err(io("create", dir))?;
    let path = dir.join("write.lock");
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(io("write", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(StoreLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(io("lock", &path)(source)),
    }
}
