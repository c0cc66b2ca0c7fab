//! What the operator is told when the file cannot be used.

use std::path::Path;

use journal::suite::make::{note, switch};
use journal::{Durability, Journal, JournalError, SqliteJournal, TradingState};

#[track_caller]
fn check(answer: Result<SqliteJournal, JournalError>, words: &[&str]) {
    let error = answer.expect_err("it does not open").to_string();
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_missing_folder_or_file_is_named() {
    let folder = folder();
    let path = folder.path().join("nowhere/journal");
    check(SqliteJournal::open(&path), &["there is no folder", "nowhere", "create it"]);
    check(SqliteJournal::open_read_only(&path), &["there is no such file"]);
    assert!(!path.exists() && !folder.path().join("nowhere").exists());
}

#[test]
fn another_file_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "buy low, sell high\n").expect("a text");
    for answer in [SqliteJournal::open(&path), SqliteJournal::open_read_only(&path)] {
        check(answer, &["notes.txt", "is not a database", "move the file away"]);
    }
    assert_eq!(std::fs::read_to_string(&path).expect("the text"), "buy low, sell high\n");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).expect("a database");
    other.execute_batch("CREATE TABLE trades (id INTEGER)").expect("a table");
    drop(other);
    check(SqliteJournal::open(&path), &["a database of another program"]);
    check(SqliteJournal::open_read_only(&path), &["a database of another program"]);
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let folder = folder();
    let path = folder.path().join("journal");
    let mut journal = SqliteJournal::open(&path).expect("the journal opens");
    journal.commit(&[switch(TradingState::CancelsOnly)], Durability::Relaxed).expect("the switch is set");
    check(SqliteJournal::open(&path), &["another process", "control socket"]);
    let mut reader = SqliteJournal::open_read_only(&path).expect("the journal is read");
    assert_eq!(reader.trading_state().expect("the switch"), TradingState::CancelsOnly);
    journal.commit(&[switch(TradingState::On)], Durability::Relaxed).expect("the switch is set");
    assert_eq!(reader.trading_state().expect("the switch"), TradingState::On);
    let refused = reader.commit(&[note("x")], Durability::Relaxed).expect_err("it only reads");
    assert!(refused.to_string().contains("for reading only"), "{refused}");
    drop(journal);
    SqliteJournal::open(&path).expect("the lock went with its holder");
}

#[test]
fn another_program_that_holds_the_write_lock_is_named() {
    let folder = folder();
    let path = folder.path().join("journal");
    let mut journal = SqliteJournal::open(&path).expect("the journal opens");
    let other = rusqlite::Connection::open(&path).expect("a browser");
    other.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
    let error = journal.commit(&[note("x")], Durability::Synced).expect_err("it cannot be written");
    assert!(error.to_string().contains("another program holds its write lock"), "{error}");
    other.execute_batch("ROLLBACK").expect("the lock is let go");
    journal.commit(&[note("x")], Durability::Synced).expect("and it goes on");
    assert_eq!(journal.entries(0, 9).expect("entries").len(), 1);
}

#[test]
fn rows_are_never_changed_by_hand() {
    let folder = folder();
    let path = folder.path().join("journal");
    SqliteJournal::open(&path).and_then(|mut j| j.commit(&[note("x")], Durability::Synced)).expect("a note");
    let by_hand = rusqlite::Connection::open(&path).expect("a browser");
    for sql in ["UPDATE note SET text = 'y'", "DELETE FROM note"] {
        let error = by_hand.execute_batch(sql).expect_err("the note stays");
        assert!(error.to_string().contains("never"), "{error}");
    }
    let (at, kind): (String, String) = by_hand
        .query_row("SELECT at_ist, kind FROM note", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("the note");
    assert_eq!((at.as_str(), kind.as_str()), ("2025-03-04T09:22:00.000", "host-start"));
}

#[test]
fn a_torn_file_is_damaged() {
    let folder = folder();
    let path = folder.path().join("journal");
    let mut journal = SqliteJournal::open(&path).expect("the journal opens");
    let notes: Vec<_> = (0..200).map(|n| note(&format!("{n} {}", "x".repeat(500)))).collect();
    journal.commit(&notes, Durability::Synced).expect("notes");
    journal.verify().expect("it is whole");
    drop(journal);
    let mut bytes = std::fs::read(&path).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    std::fs::write(&path, bytes).expect("the file is torn");
    let told = SqliteJournal::open(&path).and_then(|journal| {
        journal.verify()?;
        journal.entries(0, u32::MAX)
    });
    assert!(matches!(told, Err(JournalError::Damaged(_))), "{told:?}");
}

#[test]
fn a_batch_is_whole_after_a_flush() {
    let folder = folder();
    let path = folder.path().join("journal");
    let mut journal = SqliteJournal::open_bulk(&path).expect("the journal opens");
    journal.commit(&[note("1")], Durability::Synced).expect("a note");
    let seen = |path: &Path| {
        SqliteJournal::open_read_only(path).and_then(|j| j.entries(0, 9)).expect("entries").len()
    };
    assert_eq!((seen(&path), journal.entries(0, 9).expect("entries").len()), (0, 1));
    journal.flush().expect("a flush");
    assert_eq!(seen(&path), 1);
    journal.commit(&[note("2")], Durability::Synced).expect("a note");
    drop(journal);
    assert_eq!(seen(&path), 2);
}

/// A place where not even root can make a file.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_named() {
    check(
        SqliteJournal::open("/sys/journal"),
        &["cannot be written", "/sys/journal.lock", "cannot be created"],
    );
}
