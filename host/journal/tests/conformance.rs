//! The suite on every implementation, and equal answers for whatever is thrown at them.

use std::path::PathBuf;

use journal::suite::{self, Subject};
use journal::{Journal, MemoryJournal, SqliteJournal};

struct Memory;

impl Subject for Memory {
    fn fresh(&mut self) -> Box<dyn Journal> {
        Box::new(MemoryJournal::new())
    }
    fn reopen(&mut self, journal: Box<dyn Journal>) -> Box<dyn Journal> {
        journal
    }
}

struct File {
    folder: tempfile::TempDir,
    bulk: bool,
    count: u32,
}

impl File {
    fn new(bulk: bool) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), bulk, count: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(format!("{}.journal", self.count))
    }

    fn open(&self) -> Box<dyn Journal> {
        let journal =
            if self.bulk { SqliteJournal::open_bulk(self.path()) } else { SqliteJournal::open(self.path()) };
        Box::new(journal.expect("the journal opens"))
    }
}

impl Subject for File {
    fn fresh(&mut self) -> Box<dyn Journal> {
        self.count += 1;
        self.open()
    }
    fn reopen(&mut self, journal: Box<dyn Journal>) -> Box<dyn Journal> {
        drop(journal);
        self.open()
    }
}

#[test]
fn memory_passes_the_suite() {
    suite::run(&mut Memory);
}

#[test]
fn sqlite_passes_the_suite() {
    suite::run(&mut File::new(false));
}

#[test]
fn sqlite_in_bulk_passes_the_suite() {
    suite::run(&mut File::new(true));
}
