//! SQLite and memory give equal answers to whatever is thrown at them.

use journal::suite::make::{
    account, acked, alert, at, attempt, cancel, day, delivery, end, fill, id, learnt, modify, note, operator,
    place_for, seen, start, state, strikes, switch,
};
use journal::{
    Durability, Entry, Journal, JournalError, MemoryJournal, OperatorAction, RunOutcome, SqliteJournal,
    TradingState,
};
use model::{Fact, OrderId, RunId, Status};
use proptest::prelude::*;

const KEYS: [&str; 3] = ["a", "b", "c"];
const TASKS: [&str; 2] = ["sell", "buy"];

fn order() -> impl Strategy<Value = OrderId> {
    (3..5_u32, prop::sample::select(&KEYS[..])).prop_map(|(on, key)| id(on, key))
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(acked()),
        Just(Fact::Refused { code: "1".into(), reason: "no".into() }),
        Just(Fact::Unclear { why: "timeout".into() }),
        Just(Fact::NotPlaced { why: "absent".into() }),
        Just(Fact::Parked { why: "cannot tell".into() }),
        (prop::sample::select(vec![Status::New, Status::Filled, Status::Canceled]), 0..3_u32)
            .prop_map(|(status, filled)| seen(status, filled)),
    ]
}

fn outcome() -> impl Strategy<Value = RunOutcome> {
    prop_oneof![
        Just(RunOutcome::Done { report: None }),
        Just(RunOutcome::Interrupted),
        Just(RunOutcome::Skipped { reason: "busy".into() }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let key = || prop::sample::select(&KEYS[..]);
    let task = || prop::sample::select(&TASKS[..]);
    let trading =
        prop::sample::select(vec![TradingState::On, TradingState::ExitsOnly, TradingState::CancelsOnly]);
    prop_oneof![
        3 => (3..5_u32, key(), 0..2_u32).prop_map(|(on, key, ahead)| Entry::Intent(place_for(on, key, on + ahead))),
        1 => (order(), 0..9_u32).prop_map(|(order, n)| Entry::Intent(modify(4, &format!("m{n}"), order))),
        1 => (order(), 0..9_u32).prop_map(|(order, n)| Entry::Intent(cancel(5, &format!("x{n}"), order))),
        2 => order().prop_map(attempt),
        1 => (order(), 0..3_u32).prop_map(|(intent, number)| Entry::Attempt { intent, number, at: at(4, 0) }),
        4 => (order(), fact()).prop_map(|(order, fact)| learnt(order, fact)),
        3 => (order(), 0..3_u32, 1..3_u32).prop_map(|(order, n, shares)| fill(order, &format!("T{n}"), shares)),
        2 => (task(), 0..2_i64, 1..3_u32).prop_map(|(task, due, attempt)| start(task, due, attempt)),
        2 => (task(), 0..2_i64, outcome()).prop_map(|(task, due, outcome)| end(task, due, outcome)),
        2 => (task(), key(), prop::option::of(prop::collection::vec(any::<u8>(), 0..4)))
            .prop_map(|(strategy, key, value)| state(strategy, key, value.as_deref())),
        2 => key().prop_map(alert),
        1 => (1..30_i64, task(), any::<bool>()).prop_map(|(id, channel, ok)| delivery(id, channel, ok)),
        1 => trading.prop_map(switch),
        1 => order().prop_map(|order| operator(OperatorAction::Resolve { order, verdict: "gone".into() })),
        1 => task().prop_map(|task| operator(OperatorAction::Unquarantine { strategy: task.into() })),
        1 => (task(), 0..3_u32, prop::option::of(Just("trap"))).prop_map(|(task, n, why)| strikes(task, n, why)),
        1 => Just(note("so it is")),
    ]
}

/// Which of the errors, and its words.
fn told(answer: Result<(), JournalError>) -> String {
    answer.map_or_else(|error| format!("{error:?}"), |()| "taken".to_owned())
}

fn compare(file: &dyn Journal, memory: &dyn Journal) {
    macro_rules! same {
        ($($method:ident($($value:expr),*)),* $(,)?) => {
            $(assert_eq!(
                file.$method($($value),*).expect("an answer from the file"),
                memory.$method($($value),*).expect("an answer from memory"),
                stringify!($method),
            );)*
        };
    }
    for on in 3..7 {
        same!(replay(&account(), day(on)), runs(day(on)));
    }
    same!(
        entries(0, 1000),
        entries(5, 3),
        trading_state(),
        last_runs(2),
        open_runs(),
        quarantine(),
        last_alerts(2)
    );
    for task in TASKS {
        let name = task.into();
        same!(
            state_keys(&name, ""),
            state_size(&name),
            undelivered(task, 2),
            run(&RunId::from(format!("{task}@1")))
        );
        for key in KEYS {
            same!(state_get(&name, key), has_alert(key));
        }
    }
    for on in 3..5 {
        for key in KEYS {
            same!(trail(id(on, key)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn file_and_memory_agree(commits in prop::collection::vec(prop::collection::vec(entry(), 0..5), 1..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let mut memory = MemoryJournal::new();
        let mut file = SqliteJournal::open_bulk(&path).expect("the journal opens");
        for (place, commit) in commits.iter().enumerate() {
            let expected = told(memory.commit(commit, Durability::Relaxed));
            prop_assert_eq!(told(file.commit(commit, Durability::Relaxed)), expected);
            if place % 16 == 15 {
                drop(file);
                file = SqliteJournal::open_bulk(&path).expect("the journal opens again");
            }
        }
        compare(&file, &memory);
        drop(file);
        compare(&SqliteJournal::open_read_only(&path).expect("the journal is read"), &memory);
    }
}
