//! The cases, each a rule in its name.

use model::{
    Account, Fact, Fill, LedgerKind, Price, Quantity, Report, RunId, Side, Skip, Status, StrategyName,
};

use super::Subject;
use super::make::{
    account, acked, alert, at, attempt, cancel, day, delivery, end, fill, id, learnt, line, modify, note,
    operator, place, place_for, seen, start, state, strikes, switch,
};
use crate::port::{
    Durability, Entry, Journal, JournalError, OperatorAction, Recorded, RunOutcome, TradingState,
};

type Case = fn(&mut dyn Subject);

pub(super) const CASES: &[(&str, Case)] = &[
    ("every kind of entry comes back as it went in", round_trip),
    ("a commit is whole or nothing", atomic),
    ("what is there once is not taken twice", unique),
    ("what refers to nothing is refused", dangling),
    ("a replay holds what the desk needs and nothing of other accounts", replay),
    ("orders of the day stay in the replay, done or not", replay_since),
    ("a trail tells one order from intent to ledger", trail),
    ("a slot runs once, an interrupted run goes on", runs),
    ("runs are listed in order", run_lists),
    ("a store keeps the last value of each key", store),
    ("an alert is told once and delivered per channel", alerts),
    ("strikes stand until they are cleared", quarantine),
    ("the switch outlives the process", trading),
    ("numbers rise and are never given out again", numbers),
];

fn put(journal: &mut dyn Journal, entries: &[Entry]) {
    journal.commit(entries, Durability::Relaxed).expect("entries are taken");
}

fn entries(journal: &dyn Journal) -> Vec<Recorded> {
    journal.entries(0, u32::MAX).expect("entries are read")
}

fn plain(recorded: Vec<Recorded>) -> Vec<Entry> {
    recorded.into_iter().map(|recorded| recorded.entry).collect()
}

#[track_caller]
fn refuse_duplicate(journal: &mut dyn Journal, entries: &[Entry]) {
    let answer = journal.commit(entries, Durability::Synced);
    assert!(matches!(answer, Err(JournalError::Duplicate(_))), "{answer:?}");
}

#[track_caller]
fn refuse_inconsistent(journal: &mut dyn Journal, entries: &[Entry]) {
    let answer = journal.commit(entries, Durability::Synced);
    assert!(matches!(answer, Err(JournalError::Inconsistent(_))), "{answer:?}");
}

/// One of everything, with the optional parts there and not there.
fn one_of_each() -> Vec<Entry> {
    let order = id(4, "a");
    let trade = Fill {
        trade_id: "T1".into(),
        quantity: Quantity::new(4),
        price: Price::from_paise(12_350),
        at: at(4, 1),
        session: day(4),
    };
    let report = Report {
        summary: "1 sold".into(),
        skipped: vec![Skip { subject: "TCS".into(), reason: "5 % under entry".into() }],
        figures: vec![("orders".into(), "1".into())],
    };
    vec![
        Entry::Intent(place(4, "a")),
        attempt(order),
        Entry::Intent(modify(4, "b", order)),
        Entry::Intent(cancel(4, "c", order)),
        learnt(order, acked()),
        learnt(order, Fact::Refused { code: "1041".into(), reason: "no".into() }),
        learnt(order, Fact::Unsent { why: "invalid session token".into() }),
        learnt(order, Fact::Unclear { why: "timeout".into() }),
        learnt(order, seen(Status::Other("half open".into()), 4)),
        learnt(order, seen(Status::PartiallyFilled, 4)),
        learnt(order, Fact::Filled(trade)),
        learnt(order, Fact::NotPlaced { why: "three empty reads".into() }),
        learnt(order, Fact::Parked { why: "no answer".into() }),
        fill(order, "T1", 4),
        line(Side::Sell, 1, LedgerKind::ReconciledFill { order, basis: "holdings".into() }),
        line(Side::Buy, 9, LedgerKind::Adopted { basis: "seed".into() }),
        line(Side::Sell, 1, LedgerKind::ExternalSale { basis: "holdings".into() }),
        line(Side::Buy, 9, LedgerKind::CorporateAction { basis: "bonus 1:1".into() }),
        start("sell", 0, 1),
        end("sell", 0, RunOutcome::Done { report: Some(report) }),
        start("buy", 1, 1),
        end("buy", 1, RunOutcome::Done { report: None }),
        start("buy", 2, 1),
        end("buy", 2, RunOutcome::Failed { reason: "no data".into() }),
        start("buy", 3, 1),
        end("buy", 3, RunOutcome::Trapped { reason: "unreachable".into() }),
        start("buy", 4, 1),
        end("buy", 4, RunOutcome::Interrupted),
        end("buy", 5, RunOutcome::Skipped { reason: "overlap".into() }),
        end("buy", 6, RunOutcome::Missed { reason: "down".into() }),
        state("sell", "low", Some(b"\x00\xff")),
        state("sell", "empty", Some(b"")),
        alert("k"),
        operator(OperatorAction::Resolve { order, verdict: "not placed".into() }),
        operator(OperatorAction::Unquarantine { strategy: StrategyName::from("sell") }),
        switch(TradingState::ExitsOnly),
        strikes("buy", 2, Some("memory")),
        strikes("buy", 0, None),
        note("{\"version\":\"0.1.0\"}"),
    ]
}

fn round_trip(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    let written = one_of_each();
    put(&mut *journal, &written);
    let id = journal.last_alerts(1).expect("alerts")[0].id;
    put(&mut *journal, &[delivery(id, "webhook", true)]);
    let mut expected = written.clone();
    expected.push(delivery(id, "webhook", true));
    assert_eq!(plain(entries(&*journal)), expected);
    let journal = subject.reopen(journal);
    assert_eq!(plain(entries(&*journal)), expected);
    let paged: Vec<Recorded> = (0..=expected.len() as u64 / 5)
        .flat_map(|page| journal.entries(page * 5 + 1, 5).expect("a page"))
        .collect();
    assert_eq!(plain(paged), expected);
}

fn atomic(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    put(&mut *journal, &[Entry::Intent(place(4, "a")), note("before"), state("s", "k", Some(b"1"))]);
    let before = entries(&*journal);
    let mut everything = one_of_each();
    everything[0] = Entry::Intent(place(4, "z"));
    everything.extend([state("s", "k", None), Entry::Intent(place(4, "a"))]);
    for entry in &mut everything {
        if let Entry::Attempt { intent, .. } = entry {
            *intent = id(4, "z");
        }
    }
    refuse_duplicate(&mut *journal, &everything);
    assert_eq!(entries(&*journal), before);
    assert_eq!(journal.trading_state().expect("the switch"), TradingState::On);
    assert_eq!(journal.last_runs(9).expect("runs"), vec![]);
    assert_eq!(journal.last_alerts(9).expect("alerts"), vec![]);
    assert_eq!(journal.quarantine().expect("strikes"), vec![]);
    assert_eq!(journal.state_get(&"s".into(), "k").expect("the value"), Some(b"1".to_vec()));
    // And it goes on as if nothing had been.
    put(&mut *journal, &[note("after")]);
    assert_eq!(entries(&*journal).last().map(|r| r.seq), before.last().map(|r| r.seq + 1));
}

fn unique(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    let order = id(4, "a");
    put(&mut *journal, &[Entry::Intent(place(4, "a")), attempt(order), fill(order, "T1", 4)]);
    let mut journal = subject.reopen(journal);
    refuse_duplicate(&mut *journal, &[Entry::Intent(place(4, "a"))]);
    refuse_duplicate(&mut *journal, &[Entry::Intent(place(4, "b")), Entry::Intent(place(4, "b"))]);
    refuse_duplicate(&mut *journal, &[attempt(order)]);
    refuse_duplicate(&mut *journal, &[fill(order, "T1", 4)]);
    refuse_duplicate(&mut *journal, &[fill(order, "T2", 1), fill(order, "T2", 1)]);
    put(&mut *journal, &[fill(order, "T2", 1), Entry::Attempt { intent: order, number: 2, at: at(4, 0) }]);
    refuse_duplicate(&mut *journal, &[Entry::Attempt { intent: order, number: 2, at: at(4, 0) }]);
    // Exchanges number their trades anew each day: the number alone says nothing.
    put(&mut *journal, &[Entry::Intent(place(5, "a")), fill(id(5, "a"), "T1", 4)]);
}

fn dangling(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    put(&mut *journal, &[Entry::Intent(place(4, "a")), note("no alert")]);
    refuse_inconsistent(&mut *journal, &[attempt(id(4, "b"))]);
    refuse_inconsistent(&mut *journal, &[learnt(id(4, "b"), acked())]);
    let Entry::Evidence(mut crossed) = learnt(id(4, "a"), acked()) else { unreachable!("it is evidence") };
    crossed.order = id(4, "b");
    refuse_inconsistent(&mut *journal, &[Entry::Evidence(crossed)]);
    refuse_inconsistent(&mut *journal, &[delivery(2, "webhook", true)]);
    assert_eq!(entries(&*journal).len(), 2);
    // Money is a fact, whatever is known about the order.
    put(&mut *journal, &[fill(id(4, "lost"), "T9", 1)]);
    refuse_duplicate(&mut *journal, &[fill(id(4, "lost"), "T9", 1)]);
}

fn replay(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    let (open, done, unknown) = (id(3, "open"), id(3, "done"), id(3, "unknown"));
    let mut other = place(3, "open");
    other.account = Account::from("other");
    other.id = id(3, "other");
    let commits = [
        vec![switch(TradingState::CancelsOnly), Entry::Intent(place(3, "open")), attempt(open)],
        vec![Entry::Intent(place(3, "done")), attempt(done), Entry::Intent(other.clone()), attempt(other.id)],
        vec![
            Entry::Intent(place(3, "unknown")),
            attempt(unknown),
            learnt(unknown, Fact::Unclear { why: "?".into() }),
        ],
        vec![learnt(open, acked()), learnt(done, seen(Status::Filled, 10)), note("x"), alert("y")],
        vec![switch(TradingState::ExitsOnly), start("sell", 0, 1), state("sell", "k", Some(b"v"))],
    ];
    for commit in &commits {
        put(&mut *journal, commit);
    }
    // Filled, but no fill is in the ledger: it has to be looked for.
    let found = plain(journal.replay(&account(), day(4)).expect("a replay"));
    assert!(found.contains(&Entry::Intent(place(3, "done"))));
    put(&mut *journal, &[fill(done, "T1", 10)]);
    let mut journal = subject.reopen(journal);
    let expected = vec![
        Entry::Intent(place(3, "open")),
        attempt(open),
        Entry::Intent(place(3, "unknown")),
        attempt(unknown),
        learnt(unknown, Fact::Unclear { why: "?".into() }),
        learnt(open, acked()),
        switch(TradingState::ExitsOnly),
        fill(done, "T1", 10),
    ];
    let found = journal.replay(&account(), day(4)).expect("a replay");
    assert!(found.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(plain(found), expected);
    // A change on a later day brings the order back.
    put(&mut *journal, &[Entry::Intent(cancel(4, "late", done))]);
    let found = plain(journal.replay(&account(), day(4)).expect("a replay"));
    for entry in [Entry::Intent(place(3, "done")), attempt(done), Entry::Intent(cancel(4, "late", done))] {
        assert!(found.contains(&entry), "{entry:?}");
    }
    let found = plain(journal.replay(&"other".into(), day(4)).expect("a replay"));
    assert_eq!(found, vec![Entry::Intent(other.clone()), attempt(other.id), switch(TradingState::ExitsOnly)]);
}

fn replay_since(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    let refused = || Fact::Refused { code: "1".into(), reason: "no".into() };
    for (intent, order) in [(place(3, "a"), id(3, "a")), (place_for(3, "b", 4), id(3, "b"))] {
        put(&mut *journal, &[Entry::Intent(intent), attempt(order), learnt(order, refused())]);
    }
    let journal = subject.reopen(journal);
    let orders = |since| {
        let found = plain(journal.replay(&account(), since).expect("a replay"));
        found.iter().filter(|entry| matches!(entry, Entry::Intent(_))).count()
    };
    assert_eq!((orders(day(3)), orders(day(4)), orders(day(5))), (2, 1, 0));
}

fn trail(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    let (order, other) = (id(4, "a"), id(4, "other"));
    let change = modify(4, "b", order);
    let about = vec![
        Entry::Intent(place(4, "a")),
        attempt(order),
        learnt(order, acked()),
        Entry::Intent(change.clone()),
        attempt(change.id),
        learnt(order, seen(Status::Filled, 10)),
        fill(order, "T1", 10),
        operator(OperatorAction::Resolve { order, verdict: "filled".into() }),
    ];
    put(&mut *journal, &[Entry::Intent(place(4, "other")), note("between")]);
    for entry in &about {
        put(&mut *journal, &[entry.clone(), learnt(other, Fact::Unclear { why: "between".into() })]);
    }
    let journal = subject.reopen(journal);
    assert_eq!(plain(journal.trail(order).expect("a trail")), about);
    assert_eq!(plain(journal.trail(id(9, "nothing")).expect("a trail")), vec![]);
}

fn runs(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    let journal = &mut *journal;
    put(journal, &[start("sell", 0, 1)]);
    refuse_duplicate(journal, &[start("sell", 0, 1)]);
    refuse_inconsistent(journal, &[start("sell", 0, 3)]);
    put(journal, &[start("sell", 0, 2)]);
    refuse_duplicate(journal, &[start("sell", 0, 2)]);
    let row = journal.run(&RunId::from("sell@0")).expect("a run").expect("it is there");
    assert_eq!((row.attempts, row.started, row.ended, row.outcome), (2, Some(at(4, 2)), None, None));
    let done = RunOutcome::Done { report: None };
    put(journal, &[end("sell", 0, done.clone())]);
    refuse_duplicate(journal, &[end("sell", 0, RunOutcome::Interrupted)]);
    refuse_duplicate(journal, &[start("sell", 0, 3)]);
    let row = journal.run(&RunId::from("sell@0")).expect("a run").expect("it is there");
    assert_eq!((row.attempts, row.ended, row.outcome), (2, Some(at(4, 5)), Some(done.clone())));
    // A slot that was skipped is taken; one that never began cannot have been done.
    put(journal, &[end("buy", 1, RunOutcome::Missed { reason: "down".into() })]);
    refuse_duplicate(journal, &[start("buy", 1, 1)]);
    refuse_inconsistent(journal, &[end("buy", 2, done)]);
    refuse_inconsistent(journal, &[start("buy", 2, 2)]);
    // The slot counts, not what the run is called.
    let Entry::RunStart(mut renamed) = start("sell", 0, 1) else { unreachable!("it is a start") };
    renamed.id = RunId::from("another name");
    refuse_duplicate(journal, &[Entry::RunStart(renamed)]);
    assert_eq!(journal.run(&RunId::from("another name")).expect("no run"), None);
}

fn run_lists(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    put(&mut *journal, &[start("sell", 2, 1), start("monitor", 1, 1), start("buy", 2, 1)]);
    put(&mut *journal, &[end("sell", 2, RunOutcome::Interrupted)]);
    put(&mut *journal, &[end("eod", 0, RunOutcome::Skipped { reason: "holiday".into() })]);
    let journal = subject.reopen(journal);
    let ids = |rows: Vec<crate::port::RunRow>| rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(journal.runs(day(4)).expect("runs")), ["eod@0", "monitor@1", "buy@2", "sell@2"]);
    assert_eq!(ids(journal.runs(day(5)).expect("runs")), Vec::<String>::new());
    assert_eq!(ids(journal.last_runs(3).expect("runs")), ["sell@2", "buy@2", "monitor@1"]);
    assert_eq!(ids(journal.open_runs().expect("runs")), ["monitor@1", "buy@2"]);
}

fn store(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    let (sell, buy) = (StrategyName::from("sell"), StrategyName::from("buy"));
    put(
        &mut *journal,
        &[
            state("sell", "low/TCS", Some(b"100")),
            state("sell", "low/RELIANCE", Some(b"2000")),
            state("sell", "lowest", Some(b"")),
            state("sell", "high/€", Some(b"9")),
            state("buy", "low/TCS", Some(b"other")),
        ],
    );
    put(&mut *journal, &[state("sell", "low/TCS", Some(b"99")), state("sell", "lowest", None)]);
    put(&mut *journal, &[state("sell", "never", None)]);
    let journal = subject.reopen(journal);
    let get = |strategy, key| journal.state_get(strategy, key).expect("a value");
    assert_eq!(get(&sell, "low/TCS"), Some(b"99".to_vec()));
    assert_eq!(get(&buy, "low/TCS"), Some(b"other".to_vec()));
    assert_eq!((get(&sell, "lowest"), get(&buy, "high/€")), (None, None));
    let keys = |prefix| journal.state_keys(&sell, prefix).expect("keys");
    assert_eq!(keys(""), ["high/€", "low/RELIANCE", "low/TCS"]);
    assert_eq!(keys("low/"), ["low/RELIANCE", "low/TCS"]);
    assert_eq!(keys("x"), Vec::<String>::new());
    let size = |strategy| journal.state_size(strategy).expect("a size");
    assert_eq!(size(&sell), (8 + 1 + 12 + 4 + 7 + 2) as u64);
    assert_eq!(size(&StrategyName::from("none")), 0);
    let kept: Vec<u64> = entries(&*journal).iter().map(|recorded| recorded.seq).collect();
    assert_eq!(kept, [2, 4, 5, 6], "superseded and removed values are gone");
}

fn alerts(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    put(&mut *journal, &[alert("a"), alert("a"), alert("b")]);
    put(&mut *journal, &[alert("b"), alert("c")]);
    assert!(journal.has_alert("b").expect("alerts") && !journal.has_alert("d").expect("alerts"));
    let ids: Vec<i64> = journal.undelivered("webhook", 9).expect("alerts").iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 3);
    put(
        &mut *journal,
        &[
            delivery(ids[0], "webhook", true),
            delivery(ids[1], "webhook", false),
            delivery(ids[1], "webhook", false),
            delivery(ids[2], "command", true),
            delivery(ids[2], "webhook", true),
            delivery(ids[2], "webhook", true),
        ],
    );
    let journal = subject.reopen(journal);
    let waiting = |channel, limit| {
        let rows = journal.undelivered(channel, limit).expect("alerts");
        rows.iter().map(|row| row.alert.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(waiting("webhook", 9), ["b"]);
    assert_eq!(waiting("command", 9), ["a", "b"]);
    assert_eq!(waiting("command", 1), ["a"]);
    let newest = journal.last_alerts(2).expect("alerts");
    assert_eq!(newest[0].alert.text, "about c");
    assert_eq!(
        (newest[0].delivered.as_slice(), newest[0].failures),
        (&["command".into(), "webhook".into()][..], 0)
    );
    assert_eq!((newest[1].delivered.len(), newest[1].failures), (0, 2));
}

fn quarantine(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    put(&mut *journal, &[strikes("sell", 1, Some("trap")), strikes("buy", 1, Some("memory"))]);
    put(&mut *journal, &[strikes("sell", 2, Some("loop"))]);
    let mut journal = subject.reopen(journal);
    let standing = |journal: &dyn Journal| journal.quarantine().expect("strikes");
    assert_eq!(standing(&*journal), [("buy".into(), 1, "memory".into()), ("sell".into(), 2, "loop".into())]);
    put(&mut *journal, &[operator(OperatorAction::Unquarantine { strategy: "sell".into() })]);
    put(&mut *journal, &[strikes("buy", 0, None)]);
    assert_eq!(standing(&*journal), []);
    put(&mut *journal, &[strikes("sell", 1, Some("again"))]);
    assert_eq!(standing(&*journal), [("sell".into(), 1, "again".into())]);
}

fn trading(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    assert_eq!(journal.trading_state().expect("the switch"), TradingState::On);
    for state in
        [TradingState::CancelsOnly, TradingState::ExitsOnly, TradingState::On, TradingState::CancelsOnly]
    {
        journal.commit(&[switch(state), note("after it")], Durability::Synced).expect("the switch is set");
        journal = subject.reopen(journal);
        assert_eq!(journal.trading_state().expect("the switch"), state);
    }
}

fn numbers(subject: &mut dyn Subject) {
    let mut journal = subject.fresh();
    put(&mut *journal, &[note("1"), state("s", "k", Some(b"v"))]);
    put(&mut *journal, &[state("s", "k", None)]);
    let mut journal = subject.reopen(journal);
    put(&mut *journal, &[note("4")]);
    put(&mut *journal, &[]);
    put(&mut *journal, &[note("5")]);
    let seqs: Vec<u64> = entries(&*journal).iter().map(|recorded| recorded.seq).collect();
    assert_eq!(seqs, [1, 4, 5]);
    journal.flush().expect("a flush");
    journal.maintain().expect("house-keeping");
    assert_eq!(entries(&*journal).len(), 3);
}
