//! What needs a look inside: steps of the schema, a full disk, a log that grows.

use std::path::Path;

use rusqlite::Connection;

use super::migrate::{STEPS, Step};
use super::{Mode, SqliteJournal};
use crate::port::{Durability, Entry, Journal, JournalError};
use crate::suite::make::{account, acked, alert, attempt, day, id, learnt, note, place, state};

const SECOND: Step = Step {
    name: "second",
    sql: "ALTER TABLE note ADD COLUMN length INTEGER;
          CREATE TABLE extra (seq INTEGER PRIMARY KEY) STRICT;
          INSERT INTO extra SELECT seq FROM note;",
};

fn open(path: &Path, steps: &[Step]) -> Result<SqliteJournal, JournalError> {
    SqliteJournal::open_with(path, Mode::Durable, steps)
}

fn with_second(second: Step) -> Vec<Step> {
    STEPS.iter().copied().chain([second]).collect()
}

fn backups(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".bak"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_migration_takes_a_backup_and_keeps_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let entries = [Entry::Intent(place(4, "a")), attempt(id(4, "a")), note("x"), state("s", "k", Some(b"v"))];
    open(&path, STEPS).and_then(|mut j| j.commit(&entries, Durability::Synced)).expect("version 1");
    assert_eq!(backups(folder.path()), Vec::<String>::new());

    let steps = with_second(SECOND);
    let mut journal = open(&path, &steps).expect("version 2");
    let backup = format!("journal.v{}-4.bak", STEPS.len());
    assert_eq!(backups(folder.path()), std::slice::from_ref(&backup));
    assert_eq!(journal.entries(0, 9).expect("entries").len(), 4);
    journal.commit(&[note("y")], Durability::Synced).expect("and it goes on");
    drop(journal);
    let file = Connection::open(&path).expect("the file");
    let kept = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!(kept("SELECT count(*) FROM extra"), 1);
    let newest = steps.len() as i64;
    assert_eq!(kept("PRAGMA user_version"), newest);
    assert_eq!(kept("SELECT count(*) FROM schema_step WHERE length(blake3) = 64"), newest);

    // Opening it again does nothing; the older program refuses, and the backup is what it can use.
    drop(open(&path, &steps).expect("version 2 again"));
    assert_eq!(backups(folder.path()).len(), 1);
    let newer = open(&path, STEPS).expect_err("it is newer");
    assert!(matches!(newer, JournalError::Newer { found, known, .. } if found == known + 1), "{newer}");
    assert!(matches!(SqliteJournal::open_read_only(&path), Err(JournalError::Newer { .. })));
    let backup = SqliteJournal::open(folder.path().join(backup)).expect("the backup opens");
    assert_eq!(backup.entries(0, 9).expect("entries").len(), 4);
    assert_eq!(backup.replay(&account(), day(4)).expect("a replay").len(), 2);
}

#[test]
fn evidence_of_the_first_schema_is_kept_and_the_new_fact_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let order = id(4, "a");
    let before = [Entry::Intent(place(4, "a")), attempt(order), learnt(order, acked())];
    open(&path, &STEPS[..1]).and_then(|mut j| j.commit(&before, Durability::Synced)).expect("version 1");
    let mut journal = open(&path, STEPS).expect("brought up to date");
    let unsent = learnt(order, model::Fact::Unsent { why: "invalid session token".into() });
    journal.commit(std::slice::from_ref(&unsent), Durability::Synced).expect("the new fact");
    let entries: Vec<Entry> =
        journal.entries(0, 9).expect("entries").into_iter().map(|recorded| recorded.entry).collect();
    assert_eq!(entries, [&before[..], &[unsent]].concat());
    drop(journal);
    let file = Connection::open(&path).expect("the file");
    for forbidden in ["UPDATE evidence SET at_ns = 0", "DELETE FROM evidence"] {
        let error = file.execute(forbidden, []).expect_err("it stays");
        assert!(error.to_string().contains("evidence is never"), "{error}");
    }
    let violations: i64 = file
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(violations, 0);
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    open(&path, STEPS).and_then(|mut j| j.commit(&[note("x")], Durability::Synced)).expect("version 1");
    let broken = Step { name: "broken", sql: "CREATE TABLE extra (x) ; INSERT INTO nowhere VALUES (1);" };
    let error = open(&path, &with_second(broken)).expect_err("the step fails");
    assert!(error.to_string().contains("nowhere"), "{error}");
    let journal = open(&path, STEPS).expect("version 1 still");
    assert_eq!(journal.entries(0, 9).expect("entries").len(), 1);
    let tables: i64 = journal
        .connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(tables, 0);
}

#[test]
fn a_step_that_was_changed_afterwards_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    drop(open(&path, STEPS).expect("version 1"));
    let mut changed = STEPS.to_vec();
    changed[0] = Step { name: "first", sql: "CREATE TABLE other (x)" };
    let error = open(&path, &changed).expect_err("it is another step");
    assert!(matches!(error, JournalError::Damaged(_)), "{error}");
}

#[test]
fn an_older_schema_is_not_read_without_its_migration() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    drop(open(&path, STEPS).expect("version 1"));
    let file = Connection::open(&path).expect("the file");
    let error = super::migrate::require(&file, &path, &with_second(SECOND)).expect_err("it is older");
    assert!(error.to_string().contains("start `tradeagent run` once"), "{error}");
}

#[test]
fn a_full_disk_refuses_the_commit_and_keeps_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let mut journal = open(&path, STEPS).expect("the journal opens");
    journal.commit(&[note("before")], Durability::Synced).expect("a note");
    let limit = |pages: i64| {
        let set = format!("PRAGMA max_page_count = {pages}");
        journal.connection.query_row(&set, [], |row| row.get::<_, i64>(0)).expect("a limit")
    };
    let full = limit(1);
    let big = [alert("k"), note(&"x".repeat(100_000))];
    let error = journal.commit(&big, Durability::Synced).expect_err("the disk is full");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert!(error.to_string().contains("free disk space"), "{error}");
    assert_eq!(journal.entries(0, 9).expect("entries").len(), 1);
    assert!(!journal.has_alert("k").expect("alerts"));
    // Space that was freed is used.
    let set = format!("PRAGMA max_page_count = {}", full + 1_000);
    journal.connection.query_row(&set, [], |_| Ok(())).expect("a limit");
    journal.commit(&big, Durability::Synced).expect("it is written");
    assert_eq!(journal.entries(0, 9).expect("entries").len(), 3);
}

#[test]
fn a_full_disk_ends_a_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let mut journal = SqliteJournal::open_bulk(&path).expect("the journal opens");
    journal.commit(&[note("before")], Durability::Relaxed).expect("a note");
    journal.connection.query_row("PRAGMA max_page_count = 1", [], |_| Ok(())).expect("a limit");
    let big = [note(&"x".repeat(100_000))];
    assert!(matches!(journal.commit(&big, Durability::Relaxed), Err(JournalError::CannotWrite(_))));
    // Either the batch is whole but for the refused commit, or nothing more is written.
    match journal.commit(&[note("after")], Durability::Relaxed) {
        Ok(()) => assert_eq!(journal.entries(0, 9).expect("entries").len(), 2),
        Err(error) => assert!(error.to_string().contains("an earlier write failed"), "{error}"),
    }
}

#[test]
fn the_log_stays_bounded_without_house_keeping() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let mut journal = open(&path, STEPS).expect("the journal opens");
    let big = note(&"x".repeat(400_000));
    let mut largest = 0;
    for _ in 0..200 {
        journal.commit(std::slice::from_ref(&big), Durability::Relaxed).expect("a note");
        largest = largest.max(journal.wal.bytes());
    }
    assert!((16 << 20..80 << 20).contains(&largest), "{largest}");
    assert!(journal.wal.bytes() < largest);
}
