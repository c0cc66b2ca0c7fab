//! What a commit costs on the disk, and what is left after a process was killed in the middle of it.
//!
//! The tests start this test program again as the process to be looked at: `helper` does nothing unless
//! it is told to by the environment.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use journal::suite::make::{acked, attempt, id, learnt, note, place};
use journal::{Durability, Entry, Journal, JournalError, SqliteJournal};
use model::clock::Rng;

const WHAT: &str = "JOURNAL_HELPER";
const FOLDER: &str = "JOURNAL_FOLDER";

/// This program again, as the helper `what`.
fn helper_command(what: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["helper", "--exact", "--nocapture"]).env(WHAT, what).env(FOLDER, folder);
    command
}

#[test]
fn helper() {
    let Ok(what) = std::env::var(WHAT) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the folder of the helper"));
    match what.as_str() {
        "count" => count(&folder),
        "fail" => fail(&folder),
        "commit" => commit_forever(&folder),
        other => panic!("{other} is no helper"),
    }
}

/// Runs a helper with counted fsyncs.
fn with_counted_syncs(what: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("sync_count.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sync_count.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(source)
        .status();
    assert!(built.expect("this test needs a C compiler named cc").success());
    let output = helper_command(what, folder.path())
        .env("LD_PRELOAD", &library)
        .env("SYNC_LOG", folder.path().join("syncs"))
        .env("SYNC_FAIL", folder.path().join("fail"))
        .output()
        .expect("the helper runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_synced_commit_is_one_fsync_and_a_relaxed_one_none() {
    with_counted_syncs("count");
}

#[test]
fn after_a_failed_fsync_nothing_more_is_written() {
    with_counted_syncs("fail");
}

fn order(number: u32) -> [Entry; 2] {
    let key = format!("k{number}");
    [Entry::Intent(place(4, &key)), attempt(id(4, &key))]
}

struct Syncs(PathBuf);

impl Syncs {
    fn so_far(&self) -> u64 {
        std::fs::metadata(&self.0).map_or(0, |log| log.len())
    }

    #[track_caller]
    fn check<T>(&self, expected: u64, what: impl FnOnce() -> T) -> T {
        let before = self.so_far();
        let answer = what();
        assert_eq!(self.so_far() - before, expected);
        answer
    }
}

fn count(folder: &Path) {
    let syncs = Syncs(folder.join("syncs"));
    let path = folder.join("journal");
    let mut journal = SqliteJournal::open(&path).expect("the journal opens");
    assert!(syncs.so_far() > 0, "the counter counts");
    let mut number = 0;
    let mut next = || {
        number += 1;
        order(number)
    };
    let mut both = |journal: &mut SqliteJournal| {
        for _ in 0..40 {
            let entries = next();
            syncs.check(1, || journal.commit(&entries, Durability::Synced)).expect("it is written");
            let (entries, more) = (next(), next());
            syncs.check(0, || journal.commit(&entries, Durability::Relaxed)).expect("it is written");
            syncs.check(0, || journal.commit(&more, Durability::Relaxed)).expect("it is written");
        }
    };
    // From the very first commit on.
    both(&mut journal);
    // After house-keeping, which takes the fsyncs of a new log upon itself.
    let before = syncs.so_far();
    for _ in 0..3 {
        journal.maintain().expect("house-keeping");
        both(&mut journal);
    }
    assert!(syncs.so_far() > before + 3 * 40, "house-keeping did something");
    // With a reader that holds the log.
    let reader = SqliteJournal::open_read_only(&path).expect("the journal is read");
    assert_eq!(reader.entries(0, 5).expect("entries").len(), 5);
    both(&mut journal);
    journal.maintain().expect("house-keeping");
    both(&mut journal);
    drop(reader);
    journal.maintain().expect("house-keeping");
    both(&mut journal);
    // However much is in it.
    let many: Vec<Entry> = (0..3_000).map(|n| note(&format!("{n} {}", "x".repeat(1_000)))).collect();
    syncs.check(1, || journal.commit(&many, Durability::Synced)).expect("it is written");
    // A refused one and an empty one have nothing to say to the disk.
    let known = order(1);
    let refused = syncs.check(0, || journal.commit(&known, Durability::Synced));
    assert!(matches!(refused, Err(JournalError::Duplicate(_))));
    syncs.check(0, || journal.trading_state()).expect("the switch");
    // The reopened journal goes on in the same way.
    drop(journal);
    let mut journal = SqliteJournal::open(&path).expect("the journal opens");
    both(&mut journal);
}

fn fail(folder: &Path) {
    let path = folder.join("journal");
    let mut journal = SqliteJournal::open(&path).expect("the journal opens");
    journal.commit(&order(1), Durability::Synced).expect("it is written");
    std::fs::write(folder.join("fail"), "").expect("the disk breaks");
    let broken = journal.commit(&order(2), Durability::Synced);
    assert!(matches!(broken, Err(JournalError::CannotWrite(_))), "{broken:?}");
    // The disk coming back does not help: what it holds is not known any more.
    std::fs::remove_file(folder.join("fail")).expect("the disk mends");
    for durability in [Durability::Synced, Durability::Relaxed] {
        let later = journal.commit(&order(3), durability).expect_err("nothing is written");
        assert!(later.to_string().contains("an earlier write failed"), "{later}");
    }
    assert!(journal.maintain().is_err());
    assert_eq!(journal.trail(id(4, "k1")).expect("reading goes on").len(), 2);
    drop(journal);
    let mut journal = SqliteJournal::open(&path).expect("the journal opens");
    assert_eq!(journal.trail(id(4, "k1")).expect("a trail").len(), 2);
    assert_eq!(journal.trail(id(4, "k3")).expect("a trail").len(), 0);
    journal.commit(&order(4), Durability::Synced).expect("it is written");
}

/// Orders one after another, the number of each told once its commit was acknowledged.
fn commit_forever(folder: &Path) {
    let mut journal = SqliteJournal::open(folder.join("journal")).expect("the journal opens");
    let first = journal.entries(0, u32::MAX).expect("entries").len() as u32;
    let mut out = std::io::stdout();
    for number in first.. {
        let [intent, attempt] = order(number);
        let learnt = learnt(id(4, &format!("k{number}")), acked());
        // Every third one rides on the process alone: it outlives a kill, too.
        let durability = if number % 3 == 0 { Durability::Relaxed } else { Durability::Synced };
        journal.commit(&[intent, attempt, learnt], durability).expect("it is written");
        writeln!(out, "kept {number}").expect("the parent listens");
        if number % 16 == 0 {
            journal.maintain().expect("house-keeping");
        }
    }
}

#[test]
fn what_was_acknowledged_outlives_a_kill_and_a_commit_is_never_half_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut chance = Rng::new(20_250_304);
    let mut kept = BTreeSet::new();
    for _ in 0..20 {
        let mut child =
            helper_command("commit", folder.path()).stdout(Stdio::piped()).spawn().expect("the helper runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let wanted = 1 + chance.below(40);
        let mut heard = 0;
        while heard < wanted {
            let line = lines.next().expect("the helper goes on").expect("a line");
            if let Some(number) = line.strip_prefix("kept ") {
                kept.insert(number.parse::<u32>().expect("a number"));
                heard += 1;
            }
        }
        // It is busy with one of the next commits by now.
        child.kill().expect("the helper is killed");
        child.wait().expect("the helper ends");
        for line in lines.map_while(Result::ok) {
            kept.extend(line.strip_prefix("kept ").and_then(|number| number.parse::<u32>().ok()));
        }
        let path = folder.path().join("journal");
        // The command line can read what the dead host left, before the next one puts it in order.
        let left = SqliteJournal::open_read_only(&path).and_then(|left| left.entries(0, u32::MAX));
        let journal = SqliteJournal::open(&path).expect("the journal opens");
        assert_eq!(left.expect("entries"), journal.entries(0, u32::MAX).expect("entries"));
        journal.verify().expect("it is whole");
        for number in &kept {
            let trail = journal.trail(id(4, &format!("k{number}"))).expect("a trail");
            assert_eq!(trail.len(), 3, "order {number} of {}", kept.len());
        }
        let entries = journal.entries(0, u32::MAX).expect("entries");
        assert_eq!(entries.len() % 3, 0, "half a commit is there");
        assert!(entries.iter().zip(1..).all(|(entry, seq)| entry.seq == seq));
    }
    assert!(kept.len() > 100, "{}", kept.len());
}
