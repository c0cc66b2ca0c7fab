//! Checkpoints, at times of our choosing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Mode, SqliteJournal};
use crate::port::JournalError;

const MIB: u64 = 1 << 20;
/// From so many entries on an idle moment is used to empty the log.
const IDLE_ENTRIES: i64 = 256;
/// From this size on it is emptied whatever waits: the one case in which a commit is followed by more
/// work on the disk.
const FORCED_BYTES: u64 = 64 * MIB;
/// What a log shrinks to when it starts over.
pub(super) const KEPT_BYTES: u64 = 4 * MIB;

/// The log file, and when to see to it.
#[derive(Debug)]
pub(super) struct Wal {
    file: PathBuf,
    force_at: u64,
    /// The number after the last entry when the log was last emptied.
    emptied_at: i64,
}

impl Wal {
    pub(super) fn beside(journal: &Path) -> Self {
        let mut file: OsString = journal.as_os_str().to_owned();
        file.push("-wal");
        Self { file: file.into(), force_at: FORCED_BYTES, emptied_at: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |meta| meta.len())
    }
}

impl SqliteJournal {
    /// Bounds the log when `maintain` is never called. A failure shows at the next commit.
    pub(super) fn keep_log_short(&mut self) {
        if self.wal.bytes() < self.wal.force_at {
            return;
        }
        // The commit before this is done; what fails here is told by the next one.
        let _ = self.checkpoint();
        // A reader can hold the log: then the next try is for a log of twice the size.
        self.wal.force_at = FORCED_BYTES.max(self.wal.bytes().saturating_mul(2));
    }

    pub(super) fn checkpoint_when_idle(&mut self) -> Result<(), JournalError> {
        if self.next_seq - self.wal.emptied_at < IDLE_ENTRIES { Ok(()) } else { self.checkpoint() }
    }

    /// Moves the log into the file, as far as readers allow, and pays for the start of the next log: its
    /// header is synced with the small commit that follows.
    pub(super) fn checkpoint(&mut self) -> Result<(), JournalError> {
        self.wal.emptied_at = self.next_seq;
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .and_then(|()| if self.mode == Mode::Bulk { Ok(()) } else { self.set_syncs(true) })
            .and_then(|()| self.execute("UPDATE meta SET value = value + 1 WHERE name = 'checkpoints'"))
            .map_err(|e| self.failed(&e))
    }
}
