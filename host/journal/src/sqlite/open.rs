//! The ways to open the file.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{cannot_read, cannot_write};
use super::migrate::{self, STEPS, Step};
use super::{Mode, SqliteJournal, read, wal};
use crate::port::JournalError;

/// How long a commit waits for another program that holds the write lock.
const BUSY: Duration = Duration::from_secs(2);
/// Memory for pages. Identities are hashes, so orders touch pages all over the file; negative means KiB.
const CACHE_KIB: i32 = -32 * 1024;
/// Statements kept prepared: more than there are.
const STATEMENTS: usize = 80;

impl SqliteJournal {
    /// Opens the journal for writing; makes it, or brings its schema up to date, when need be.
    ///
    /// One process at a time: a file `NAME.lock` beside it is locked for as long as the journal is open.
    /// On an older schema the file is copied to `NAME.v{version}-{seq}.bak` first.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        Self::open_with(path.as_ref(), Mode::Durable, STEPS)
    }

    /// Opens it for `simulate`: commits gather in one transaction until [`crate::Journal::flush`], and
    /// nothing is ever synced. Whatever [`crate::Durability`] asks for, a crash loses the open batch, and
    /// a power cut can lose the file.
    pub fn open_bulk(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        Self::open_with(path.as_ref(), Mode::Bulk, STEPS)
    }

    /// Opens it for reading, beside a running host or without one. Commits fail.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref();
        look_at(path)?.ok_or_else(|| JournalError::CannotRead {
            path: path.to_owned(),
            reason: "there is no such file; the host has not run with this config yet, or the path is wrong"
                .into(),
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(|e| cannot_read(path, &e))?;
        prepare(&mut connection).map_err(|e| cannot_read(path, &e))?;
        if first_read(&connection).is_err() && wal::Wal::beside(path).bytes() == 0 {
            // Without a log there is nobody to share with: a folder that cannot be written to is no
            // obstacle then.
            connection = open_immutable(path).map_err(|e| cannot_read(path, &e))?;
        }
        first_read(&connection).map_err(|e| cannot_read(path, &e))?;
        migrate::require(&connection, path, STEPS)?;
        Ok(Self::with(connection, path, Mode::ReadOnly, None, 0))
    }

    pub(super) fn open_with(path: &Path, mode: Mode, steps: &[Step]) -> Result<Self, JournalError> {
        let lock = lock(path)?;
        look_at(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(|e| cannot_read(path, &e))?;
        prepare(&mut connection).map_err(|e| cannot_read(path, &e))?;
        if connection.is_readonly("main").map_err(|e| cannot_read(path, &e))? {
            return Err(JournalError::CannotWrite(format!("{} is read-only", path.display())));
        }
        set_up_for_writing(&connection, path, mode)?;
        migrate::migrate(&mut connection, path, steps)?;
        let last = read::last_seq(&connection).map_err(|e| cannot_read(path, &e))?;
        let mut journal = Self::with(connection, path, mode, Some(lock), last as i64 + 1);
        journal.checkpoint()?;
        Ok(journal)
    }

    fn with(connection: Connection, path: &Path, mode: Mode, lock: Option<File>, next_seq: i64) -> Self {
        Self {
            connection,
            path: path.to_owned(),
            mode,
            _lock: lock,
            next_seq,
            syncs: true,
            poisoned: None,
            wal: wal::Wal::beside(path),
        }
    }
}

/// What goes for readers and writers.
fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(BUSY)?;
    // A schema that was tampered with runs no functions.
    connection.pragma_update(None, "trusted_schema", false)
}

fn first_read(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
}

fn set_up_for_writing(connection: &Connection, path: &Path, mode: Mode) -> Result<(), JournalError> {
    // The first look into the file: what is wrong with it shows here.
    first_read(connection).map_err(|e| cannot_read(path, &e))?;
    let failed = |e: rusqlite::Error| cannot_write(&e);
    let log: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    if !log.eq_ignore_ascii_case("wal") {
        return Err(JournalError::CannotWrite(format!(
            "the file system of {} allows no write-ahead log; put the journal on a local disk",
            path.display()
        )));
    }
    let synchronous = if mode == Mode::Bulk { "OFF" } else { "FULL" };
    connection
        .pragma_update(None, "synchronous", synchronous)
        .and_then(|()| connection.pragma_update(None, "foreign_keys", true))
        .and_then(|()| connection.pragma_update(None, "cache_size", CACHE_KIB))
        .and_then(|()| connection.pragma_update(None, "cell_size_check", true))
        .and_then(|()| connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(())))
        .and_then(|()| {
            connection.query_row(&format!("PRAGMA journal_size_limit = {}", wal::KEPT_BYTES), [], |_| Ok(()))
        })
        .map_err(failed)
}

/// Looks at what lies at `path` before SQLite does; `None` when nothing does.
fn look_at(path: &Path) -> Result<Option<()>, JournalError> {
    let unreadable = |reason: String| JournalError::CannotRead { path: path.to_owned(), reason };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(unreadable(format!("{error}; see that this user may read the file and its folder")));
        }
    };
    let mut head = Vec::with_capacity(16);
    std::io::Read::by_ref(&mut file)
        .take(16)
        .read_to_end(&mut head)
        .map_err(|e| unreadable(e.to_string()))?;
    if head.is_empty() || head == b"SQLite format 3\0" {
        Ok(Some(()))
    } else {
        Err(unreadable("it is not a database; move the file away or name another one in the config".into()))
    }
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".lock");
    let folder = path.parent().unwrap_or(path).display();
    let file =
        File::options().create(true).truncate(false).write(true).open(&name).map_err(|error| match error
            .kind()
        {
            std::io::ErrorKind::NotFound => JournalError::CannotRead {
                path: path.to_owned(),
                reason: format!("there is no folder {folder}; create it"),
            },
            _ => JournalError::CannotWrite(format!(
                "{} cannot be created: {error}",
                Path::new(&name).display()
            )),
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(JournalError::CannotWrite(format!(
            "{} cannot be locked: {error}; put the journal on a local disk",
            Path::new(&name).display()
        ))),
    }
}

fn open_immutable(path: &Path) -> rusqlite::Result<Connection> {
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(byte as char)
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let mut connection = Connection::open_with_flags(uri, flags)?;
    prepare(&mut connection)?;
    Ok(connection)
}
