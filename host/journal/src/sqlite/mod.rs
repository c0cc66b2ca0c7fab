//! The journal as a SQLite file: write-ahead log, one table per kind of entry, one writer.
//!
//! How a commit costs exactly one fsync, or none: in WAL mode SQLite syncs the log once at the end of a
//! transaction with `synchronous=FULL` and not at all with `NORMAL`. It would sync more in two cases, and
//! both are moved out of commits: a checkpoint (the automatic ones are switched off, [`wal`] does them),
//! and the header of a log that starts over (each checkpoint is followed by a small commit of its own
//! which pays for that). A synced commit takes all relaxed ones before it along: it is the same log.
//!
//! A commit whose fsync failed may or may not be on the disk. The caller is told that it failed and sends
//! nothing; should the intent turn up after a restart, it is an order without an answer, and the
//! reconciler finds that it was never placed. Nothing more is written by this process.

mod error;
mod migrate;
mod open;
mod read;
mod wal;
mod write;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};

use model::{Account, Date, OrderId, RunId, StrategyName};
use rusqlite::Connection;

use crate::port::{AlertRow, Durability, Entry, Journal, JournalError, Recorded, RunRow, TradingState};

/// The journal in a file.
#[derive(Debug)]
pub struct SqliteJournal {
    connection: Connection,
    path: PathBuf,
    mode: Mode,
    /// Held for as long as the journal is open for writing.
    _lock: Option<File>,
    next_seq: i64,
    /// What `PRAGMA synchronous` says at present.
    syncs: bool,
    /// Why nothing more is written.
    poisoned: Option<String>,
    wal: wal::Wal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Each commit is a transaction, as durable as asked for.
    Durable,
    /// Commits gather in one transaction until `flush`; nothing is synced.
    Bulk,
    /// For the command line.
    ReadOnly,
}

impl SqliteJournal {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks through the whole file for damage. Takes seconds for each gigabyte.
    pub fn verify(&self) -> Result<(), JournalError> {
        let found: String = self
            .connection
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .map_err(|e| self.unreadable(&e))?;
        if found == "ok" { Ok(()) } else { Err(JournalError::Damaged(found)) }
    }

    fn writable(&self) -> Result<(), JournalError> {
        if let Some(why) = &self.poisoned {
            return Err(JournalError::CannotWrite(format!("an earlier write failed: {why}")));
        }
        if self.mode == Mode::ReadOnly {
            return Err(JournalError::CannotWrite("it was opened for reading only".into()));
        }
        Ok(())
    }

    /// Remembers a failure after which the content of the file is no longer known.
    fn failed(&mut self, error: &rusqlite::Error) -> JournalError {
        if error::is_io(error) {
            self.poisoned.get_or_insert_with(|| error.to_string());
        }
        error::cannot_write(error)
    }

    fn unreadable(&self, error: &rusqlite::Error) -> JournalError {
        if let rusqlite::Error::FromSqlConversionFailure(_, _, why) = error {
            return JournalError::Damaged(format!("a row of {} cannot be read: {why}", self.path.display()));
        }
        error::cannot_read(&self.path, error)
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Sets whether the end of a transaction waits for the disk. Costs nothing when it is so already.
    fn set_syncs(&mut self, syncs: bool) -> rusqlite::Result<()> {
        if self.syncs != syncs {
            self.connection.pragma_update(None, "synchronous", if syncs { "FULL" } else { "NORMAL" })?;
            self.syncs = syncs;
        }
        Ok(())
    }

    /// Writes all entries, numbered on from `next_seq`; answers with the number after the last.
    fn write_all(&self, entries: &[Entry]) -> Result<i64, JournalError> {
        let mut seq = self.next_seq;
        for entry in entries {
            if write::write(&self.connection, seq, entry)? {
                seq += 1;
            }
        }
        Ok(seq)
    }

    fn commit_durable(&mut self, entries: &[Entry], durability: Durability) -> Result<(), JournalError> {
        self.set_syncs(durability == Durability::Synced).map_err(|e| self.failed(&e))?;
        self.execute("BEGIN IMMEDIATE").map_err(|e| self.failed(&e))?;
        let written = self.write_all(entries);
        let outcome = match written {
            Ok(next) => match self.execute("COMMIT") {
                Ok(()) => {
                    self.next_seq = next;
                    return Ok(());
                }
                Err(error) => self.failed(&error),
            },
            Err(error) => error,
        };
        self.roll_back("ROLLBACK");
        Err(outcome)
    }

    fn commit_bulk(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        if self.connection.is_autocommit() {
            self.execute("BEGIN IMMEDIATE").map_err(|e| self.failed(&e))?;
        }
        self.execute("SAVEPOINT entries").map_err(|e| self.failed(&e))?;
        match self.write_all(entries) {
            Ok(next) => {
                self.execute("RELEASE entries").map_err(|e| self.failed(&e))?;
                self.next_seq = next;
                Ok(())
            }
            Err(error) => {
                if self.connection.is_autocommit() {
                    // SQLite gave up the whole batch, commits before this one included.
                    self.poisoned.get_or_insert_with(|| error.to_string());
                } else {
                    self.roll_back("ROLLBACK TO entries");
                    self.roll_back("RELEASE entries");
                }
                Err(error)
            }
        }
    }

    fn roll_back(&mut self, sql: &str) {
        // SQLite rolls back by itself after some errors.
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute(sql)
        {
            self.poisoned.get_or_insert_with(|| format!("a failed commit could not be taken back: {error}"));
        }
    }
}

impl Journal for SqliteJournal {
    fn commit(&mut self, entries: &[Entry], durability: Durability) -> Result<(), JournalError> {
        self.writable()?;
        match self.mode {
            Mode::Bulk => self.commit_bulk(entries),
            Mode::Durable | Mode::ReadOnly => {
                self.commit_durable(entries, durability)?;
                self.keep_log_short();
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        if self.mode == Mode::Bulk && !self.connection.is_autocommit() {
            self.writable()?;
            if let Err(error) = self.execute("COMMIT") {
                self.poisoned.get_or_insert_with(|| error.to_string());
                return Err(error::cannot_write(&error));
            }
            self.keep_log_short();
        }
        Ok(())
    }

    fn maintain(&mut self) -> Result<(), JournalError> {
        if self.mode == Mode::ReadOnly {
            return Ok(());
        }
        self.flush()?;
        self.writable()?;
        self.checkpoint_when_idle()
    }

    fn replay(&self, account: &Account, since: Date) -> Result<Vec<Recorded>, JournalError> {
        read::replay(&self.connection, account, since).map_err(|e| self.unreadable(&e))
    }

    fn trading_state(&self) -> Result<TradingState, JournalError> {
        read::trading_state(&self.connection).map_err(|e| self.unreadable(&e))
    }

    fn runs(&self, day: Date) -> Result<Vec<RunRow>, JournalError> {
        read::runs(&self.connection, day).map_err(|e| self.unreadable(&e))
    }

    fn last_runs(&self, limit: u32) -> Result<Vec<RunRow>, JournalError> {
        read::last_runs(&self.connection, limit).map_err(|e| self.unreadable(&e))
    }

    fn open_runs(&self) -> Result<Vec<RunRow>, JournalError> {
        read::open_runs(&self.connection).map_err(|e| self.unreadable(&e))
    }

    fn run(&self, id: &RunId) -> Result<Option<RunRow>, JournalError> {
        read::run(&self.connection, id).map_err(|e| self.unreadable(&e))
    }

    fn state_get(&self, strategy: &StrategyName, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        read::state_get(&self.connection, strategy, key).map_err(|e| self.unreadable(&e))
    }

    fn state_keys(&self, strategy: &StrategyName, prefix: &str) -> Result<Vec<String>, JournalError> {
        read::state_keys(&self.connection, strategy, prefix).map_err(|e| self.unreadable(&e))
    }

    fn state_size(&self, strategy: &StrategyName) -> Result<u64, JournalError> {
        read::state_size(&self.connection, strategy).map_err(|e| self.unreadable(&e))
    }

    fn has_alert(&self, key: &str) -> Result<bool, JournalError> {
        read::has_alert(&self.connection, key).map_err(|e| self.unreadable(&e))
    }

    fn undelivered(&self, channel: &str, limit: u32) -> Result<Vec<AlertRow>, JournalError> {
        read::undelivered(&self.connection, channel, limit).map_err(|e| self.unreadable(&e))
    }

    fn last_alerts(&self, limit: u32) -> Result<Vec<AlertRow>, JournalError> {
        read::last_alerts(&self.connection, limit).map_err(|e| self.unreadable(&e))
    }

    fn quarantine(&self) -> Result<Vec<(StrategyName, u32, String)>, JournalError> {
        read::quarantine(&self.connection).map_err(|e| self.unreadable(&e))
    }

    fn entries(&self, from_seq: u64, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        read::entries(&self.connection, from_seq, limit).map_err(|e| self.unreadable(&e))
    }

    fn trail(&self, order: OrderId) -> Result<Vec<Recorded>, JournalError> {
        read::trail(&self.connection, order).map_err(|e| self.unreadable(&e))
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        // A batch that nobody ended; whoever wants to know calls `flush`.
        let _ = self.flush();
    }
}
