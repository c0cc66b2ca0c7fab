//! The schema and its versions: ordered steps, forward only.
//!
//! `PRAGMA user_version` says how many steps a file has taken; the hash of each is kept beside it, so
//! that a step that was changed after the fact is noticed. Before the first step on a file that has
//! content, the whole file is copied to `NAME.v{version}-{seq}.bak`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::error::{cannot_read, cannot_write};
use super::read::last_seq;
use crate::port::JournalError;

/// Written into every file: "trAJ".
const APPLICATION_ID: i32 = 0x7472_414A;

/// One step from a schema version to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// A short name.
    pub name: &'static str,
    /// What it does.
    pub sql: &'static str,
}

/// The steps up to the schema of this version. Never change one that was released: add another.
pub(super) const STEPS: &[Step] = &[
    Step { name: "first", sql: include_str!("001_first.sql") },
    Step { name: "unsent", sql: include_str!("002_unsent.sql") },
];

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No table in it.
    Empty,
    /// A journal that has taken so many steps.
    Version(usize),
}

/// Brings the schema up to the last of `steps`.
pub(super) fn migrate(connection: &mut Connection, path: &Path, steps: &[Step]) -> Result<(), JournalError> {
    let taken = match inspect(connection, path, steps)? {
        Found::Empty => {
            connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(|e| cannot_write(&e))?;
            0
        }
        Found::Version(taken) => taken,
    };
    if taken == steps.len() {
        return Ok(());
    }
    if taken > 0 {
        let seq = last_seq(connection).map_err(|e| cannot_read(path, &e))?;
        back_up(connection, &backup_path(path, taken, seq))?;
    }
    for (place, step) in steps.iter().enumerate().skip(taken) {
        take(connection, place + 1, step).map_err(|e| cannot_write(&e))?;
    }
    Ok(())
}

/// Checks that a file which may not be changed has exactly the schema of `steps`.
pub(super) fn require(connection: &Connection, path: &Path, steps: &[Step]) -> Result<(), JournalError> {
    match inspect(connection, path, steps)? {
        Found::Version(taken) if taken == steps.len() => Ok(()),
        Found::Version(taken) => Err(JournalError::CannotRead {
            path: path.to_owned(),
            reason: format!(
                "it has schema {taken}, written by an older version; start `tradeagent run` once to bring it to {}",
                steps.len()
            ),
        }),
        Found::Empty => Err(JournalError::CannotRead {
            path: path.to_owned(),
            reason: "nothing was ever written to it".into(),
        }),
    }
}

fn inspect(connection: &Connection, path: &Path, steps: &[Step]) -> Result<Found, JournalError> {
    let unreadable = |e: rusqlite::Error| cannot_read(path, &e);
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(unreadable)?;
    let version = number("user_version").map_err(unreadable)?;
    if tables == 0 && version == 0 {
        return Ok(Found::Empty);
    }
    if number("application_id").map_err(unreadable)? != i64::from(APPLICATION_ID) {
        return Err(JournalError::CannotRead {
            path: path.to_owned(),
            reason: "it is a database of another program; name another file in the config".into(),
        });
    }
    let taken = usize::try_from(version).unwrap_or(usize::MAX);
    if taken > steps.len() {
        return Err(JournalError::Newer {
            path: path.to_owned(),
            found: u32::try_from(version).unwrap_or(u32::MAX),
            known: steps.len() as u32,
        });
    }
    if taken == 0 {
        return Err(JournalError::Damaged(format!("{} has tables but no schema version", path.display())));
    }
    for (place, step) in steps.iter().enumerate().take(taken) {
        let kept: String = connection
            .query_row("SELECT blake3 FROM schema_step WHERE version = ?1", [place as i64 + 1], |row| {
                row.get(0)
            })
            .map_err(unreadable)?;
        if kept != hash(step) {
            return Err(JournalError::Damaged(format!(
                "step {} ({}) of the schema of {} is not the one this program knows",
                place + 1,
                step.name,
                path.display()
            )));
        }
    }
    Ok(Found::Version(taken))
}

/// One step, whole or not at all: the version goes with it.
fn take(connection: &mut Connection, version: usize, step: &Step) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_step (
             version INTEGER PRIMARY KEY, name TEXT NOT NULL, blake3 TEXT NOT NULL) STRICT",
    )?;
    transaction.execute_batch(step.sql)?;
    transaction.execute(
        "INSERT INTO schema_step (version, name, blake3) VALUES (?1, ?2, ?3)",
        (version as i64, step.name, hash(step)),
    )?;
    transaction.pragma_update(None, "user_version", version as i64)?;
    transaction.commit()
}

fn hash(step: &Step) -> String {
    blake3::hash(step.sql.as_bytes()).to_hex().to_string()
}

fn backup_path(path: &Path, version: usize, seq: u64) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(format!(".v{version}-{seq}.bak"));
    name.into()
}

/// Copies the file, log included. Written under another name first: a backup is whole or not there.
fn back_up(connection: &Connection, to: &Path) -> Result<(), JournalError> {
    let mut part: OsString = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let failed = |what: String| JournalError::CannotWrite(format!("no backup at {}: {what}", to.display()));
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error.to_string())),
        _ => {}
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(&part, flags).map_err(|e| failed(e.to_string()))?;
    // All pages in one step: nothing else writes meanwhile.
    let done = Backup::new(connection, &mut copy).and_then(|backup| backup.step(-1));
    done.map_err(|e| failed(e.to_string()))?;
    // The copy says that it has a log beside it; it has none, and opens as it lies there.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(|e| failed(e.to_string()))?;
    copy.close().map_err(|(_, e)| failed(e.to_string()))?;
    std::fs::File::options()
        .write(true)
        .open(&part)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&part, to))
        .map_err(|e| failed(e.to_string()))
}
