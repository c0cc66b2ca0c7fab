//! From SQLite's codes to what the operator can do about them.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::port::JournalError;

/// A write that failed.
pub(super) fn cannot_write(error: &rusqlite::Error) -> JournalError {
    let reason = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::ReadOnly) => "the file or its folder is read-only".to_owned(),
        Some(ErrorCode::SystemIoFailure) => format!("the disk reports an error: {error}"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds its write lock; close every program that has the file open".to_owned()
        }
        Some(ErrorCode::CannotOpen) => format!("its files cannot be created: {error}"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            return JournalError::Damaged(error.to_string());
        }
        Some(ErrorCode::ConstraintViolation) => return JournalError::Inconsistent(error.to_string()),
        _ => error.to_string(),
    };
    JournalError::CannotWrite(reason)
}

/// An opening or a read that failed.
pub(super) fn cannot_read(path: &Path, error: &rusqlite::Error) -> JournalError {
    let reason = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            "it is not a database; move the file away or name another one in the config".to_owned()
        }
        Some(ErrorCode::DatabaseCorrupt) => return JournalError::Damaged(error.to_string()),
        Some(ErrorCode::CannotOpen) => {
            "it cannot be opened; see that it exists and that this user may read it and its folder".to_owned()
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program keeps it locked; close every program that has the file open".to_owned()
        }
        Some(ErrorCode::ReadOnly) => "its folder must be writable while the journal was not closed cleanly; \
             run the command as the user of the service"
            .to_owned(),
        _ => error.to_string(),
    };
    JournalError::CannotRead { path: path.to_owned(), reason }
}

/// Whether the row was refused because it, or what it has to be unique by, is there already.
pub(super) fn is_duplicate(error: &rusqlite::Error) -> bool {
    matches!(
        extended(error),
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
    )
}

/// Whether the row was refused because what it refers to is not there.
pub(super) fn is_missing(error: &rusqlite::Error) -> bool {
    extended(error) == Some(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}

/// Whether the operating system reported an error. After a failed fsync nothing about the file is known.
pub(super) fn is_io(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

fn extended(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
