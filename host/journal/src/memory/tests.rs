//! What a bounded journal keeps.

use model::Status;

use super::{KEPT_ASIDE, MemoryJournal};
use crate::port::{Durability, Entry, Journal, JournalError, RunOutcome};
use crate::suite::make::{
    acked, alert, attempt, cancel, end, fill, id, learnt, note, place, seen, start, state,
};

fn put(journal: &mut MemoryJournal, entries: &[Entry]) {
    journal.commit(entries, Durability::Relaxed).expect("entries are taken");
}

/// One order from intent to its fill, as the desk commits it.
fn whole_order(journal: &mut MemoryJournal, key: &str) {
    let order = id(4, key);
    put(journal, &[Entry::Intent(place(4, key)), attempt(order)]);
    put(journal, &[learnt(order, acked())]);
    put(journal, &[learnt(order, seen(Status::Filled, 10)), fill(order, "T1", 10)]);
}

#[test]
fn a_bounded_journal_lets_go_of_what_is_done() {
    let mut journal = MemoryJournal::bounded();
    put(&mut journal, &[Entry::Intent(place(4, "open")), attempt(id(4, "open"))]);
    for number in 0..3_000 {
        whole_order(&mut journal, &number.to_string());
    }
    assert_eq!(journal.held(), 2);
    assert_eq!(journal.trail(id(4, "open")).expect("a trail").len(), 2);
    let counts = journal.counts();
    assert_eq!((counts.orders, counts.intents, counts.evidence, counts.ledger), (3_001, 3_001, 6_000, 3_000));
    // What is gone is still known.
    let again = journal.commit(&[Entry::Intent(place(4, "7"))], Durability::Synced);
    assert!(matches!(again, Err(JournalError::Duplicate(_))), "{again:?}");
    put(&mut journal, &[learnt(id(4, "7"), seen(Status::Filled, 10))]);
    put(&mut journal, &[learnt(id(4, "open"), seen(Status::Canceled, 0))]);
    assert_eq!(journal.held(), 0);
    assert_eq!(journal.log.len(), 0);
}

#[test]
fn a_late_cancel_of_an_order_that_is_gone_is_no_obstacle() {
    let mut journal = MemoryJournal::bounded();
    whole_order(&mut journal, "a");
    let late = cancel(4, "late", id(4, "a"));
    put(&mut journal, &[Entry::Intent(late.clone()), attempt(late.id)]);
    put(&mut journal, &[learnt(id(4, "a"), seen(Status::Filled, 10))]);
    assert_eq!((journal.counts().intents, journal.counts().attempts), (2, 2));
    assert_eq!(journal.held(), 0);
    let again = journal.commit(&[attempt(late.id)], Durability::Synced);
    assert!(matches!(again, Err(JournalError::Duplicate(_))), "{again:?}");
}

#[test]
fn a_bounded_journal_keeps_the_newest_of_the_rest() {
    let mut journal = MemoryJournal::bounded();
    put(&mut journal, &[state("s", "k", Some(b"v")), start("open", 0, 1)]);
    for number in 0..3_000_i64 {
        put(&mut journal, &[start("bar", number, 1), end("bar", number, RunOutcome::Done { report: None })]);
        put(&mut journal, &[alert(&number.to_string()), note("x"), state("s", "k", Some(b"w"))]);
    }
    assert!(journal.held() <= KEPT_ASIDE + 1, "{}", journal.held());
    assert_eq!(journal.state_get(&"s".into(), "k").expect("a value"), Some(b"w".to_vec()));
    assert_eq!(journal.last_runs(u32::MAX).expect("runs").len(), KEPT_ASIDE + 1);
    assert_eq!(journal.open_runs().expect("runs").len(), 1);
    let alerts = journal.last_alerts(u32::MAX).expect("alerts");
    assert_eq!(alerts[0].alert.key, "2999");
    assert!(alerts.len() <= KEPT_ASIDE);
    assert_eq!(journal.counts().run_ends, 3_000);
}
