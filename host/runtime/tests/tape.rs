//! A run that was recorded is had again from its tape, whichever way it ran; where it parts is named.

mod support;

use std::sync::{Arc, Mutex};

use model::{RunId, Timestamp};
use runtime::tape::{
    Bounds, Call, Divergence, Dropped, Function, Recording, Replaying, Tape, TapeSink, difference,
};
use runtime::{
    Cause, Grants, InlineInstance, Limits, LiveInstance, Loaded, Profile, Role, Runtime, RuntimeOptions,
    Services,
};
use support::{Fake, fixture, info};

const NOW: Timestamp = Timestamp::from_nanos(7);

#[derive(Default)]
struct Kept {
    tapes: Mutex<Vec<Tape>>,
    dropped: Mutex<Vec<RunId>>,
}

impl TapeSink for Kept {
    fn take(&self, tape: Tape, _loaded: &Loaded) {
        self.tapes.lock().expect("lock").push(tape);
    }
    fn dropped(&self, run: &RunId, _why: Dropped) {
        self.dropped.lock().expect("lock").push(run.clone());
    }
}

fn load(profile: Profile, name: &str, role: Role) -> Loaded {
    let runtime = Runtime::new(RuntimeOptions::new(profile)).expect("runtime");
    runtime.load(&fixture(name, role.as_str()), Grants::of(role), Limits::default()).expect("loads")
}

fn recording(inner: Arc<dyn Services>, bounds: Bounds) -> (Arc<Kept>, Arc<dyn Services>) {
    let kept = Arc::new(Kept::default());
    (Arc::clone(&kept), Arc::new(Recording::new(inner, Arc::clone(&kept) as _, bounds)))
}

fn inline(name: &str, role: Role, services: Arc<dyn Services>) -> InlineInstance {
    InlineInstance::new(load(Profile::Deterministic, name, role), services, info())
}

/// The tapes of `runs` runs, recorded inline.
fn record(name: &str, role: Role, runs: usize) -> Vec<Tape> {
    let (kept, services) = recording(Arc::new(Fake::default()), Bounds::default());
    let mut instance = inline(name, role, services);
    for _ in 0..runs {
        instance.run(info(), NOW, &Cause::Scheduled);
    }
    kept.tapes.lock().expect("lock").clone()
}

/// The same from these tapes.
fn replay(name: &str, role: Role, tapes: &[Tape]) -> Vec<Tape> {
    let replaying = Arc::new(Replaying::default());
    let (kept, services) = recording(Arc::clone(&replaying) as _, Bounds::default());
    let mut instance = inline(name, role, services);
    for tape in tapes {
        replaying.begin(tape.calls.clone(), tape.now);
        instance.run(tape.info.clone(), tape.now, &tape.cause);
    }
    kept.tapes.lock().expect("lock").clone()
}

#[test]
fn a_run_is_had_again_to_the_same_hash() {
    for (name, role) in [("log-some", Role::Monitor), ("panic", Role::Monitor), ("candles", Role::Monitor)] {
        let tapes = record(name, role, 3);
        assert_eq!(tapes.len(), 3, "{name}");
        let again = replay(name, role, &tapes);
        for (tape, again) in tapes.iter().zip(&again) {
            assert_eq!(difference(tape, again), None, "{name}");
            assert_eq!(tape.hash(), again.hash(), "{name}");
        }
        assert_eq!(tapes, again, "{name}");
    }
}

#[tokio::test]
async fn a_live_run_is_had_again_inline() {
    let (kept, services) = recording(Arc::new(Fake::default()), Bounds::default());
    let mut live = LiveInstance::new(load(Profile::Live, "log-some", Role::Monitor), services);
    for _ in 0..2 {
        live.run(info(), NOW, Cause::Scheduled).await;
    }
    let tapes = kept.tapes.lock().expect("lock").clone();
    assert_eq!(tapes.iter().map(|tape| tape.nth).collect::<Vec<_>>(), [0, 1], "one instance");
    assert!(!tapes[0].calls.is_empty());
    assert_eq!(replay("log-some", Role::Monitor, &tapes), tapes);
}

/// It has been asked, and may have been done.
#[tokio::test]
async fn what_a_run_asked_for_an_order_is_kept_though_it_ended_before_the_answer() {
    let fake = Arc::new(Fake { silent: true, ..Fake::default() });
    let (kept, services) = recording(Arc::clone(&fake) as _, Bounds::default());
    let runtime = Runtime::new(RuntimeOptions::new(Profile::Live)).expect("runtime");
    let limits = Limits { run_time: std::time::Duration::from_millis(50), ..Limits::default() };
    let loaded = runtime.load(&fixture("sells", "sell"), Grants::of(Role::Sell), limits).expect("loads");
    LiveInstance::new(loaded, services).run(info(), NOW, Cause::Scheduled).await;
    assert_eq!(*fake.placed.lock().expect("lock"), 1, "it was asked");
    let tape = kept.tapes.lock().expect("lock").remove(0);
    let asked = tape.calls.last().expect("a call");
    assert_eq!(asked.function, Function::Modify);
    assert!(asked.answer.contains("unknown"), "{}", asked.answer);
    let again = replay("sells", Role::Sell, std::slice::from_ref(&tape)).remove(0);
    assert_eq!(difference(&tape, &again), None, "the same as far as it went");

    // What it had printed is logged once it has been ended: the replay does that later, or never.
    let mut printed = tape.clone();
    printed.calls.push(Call {
        function: Function::Log,
        arguments: "[\"INFO\",\"printed\"]".to_owned(),
        answer: "null".to_owned(),
    });
    assert_eq!(difference(&printed, &again), None);
    let mut other = tape.clone();
    other.calls.insert(0, printed.calls[printed.calls.len() - 1].clone());
    assert!(difference(&other, &again).is_some(), "what comes before is compared");
}

#[test]
fn where_a_replay_parts_is_named_by_its_call() {
    let tape = record("log-some", Role::Monitor, 1).remove(0);
    let mut other = tape.clone();
    other.calls[0].arguments = "[\"INFO\",\"something else\"]".to_owned();
    let again = replay("log-some", Role::Monitor, std::slice::from_ref(&other)).remove(0);
    let parted = difference(&other, &again).expect("it differs");
    assert_eq!(parted.call(), Some(0));
    let told = parted.to_string();
    assert!(told.starts_with("at call 0: recorded log ") && told.contains("something else"), "{told}");
    assert_ne!(other.hash(), again.hash());

    let mut longer = tape.clone();
    longer.calls.push(Call {
        function: Function::Funds,
        arguments: "null".to_owned(),
        answer: "null".to_owned(),
    });
    let again = replay("log-some", Role::Monitor, std::slice::from_ref(&longer)).remove(0);
    let Some(Divergence::Call { index, replayed: None, .. }) = difference(&longer, &again) else {
        panic!("the recording has a call more")
    };
    assert_eq!(index, tape.calls.len());

    let mut ended = tape.clone();
    ended.end.host_calls += 1;
    let told = difference(&ended, &tape).expect("it differs").to_string();
    assert!(told.starts_with("after the last call, the number of host calls"), "{told}");
}

#[test]
fn a_run_that_is_too_large_is_dropped_and_goes_on() {
    for bounds in [Bounds { calls: 0, bytes: 1 << 20 }, Bounds { calls: 100, bytes: 1 }] {
        let (kept, services) = recording(Arc::new(Fake::default()), bounds);
        let outcome = inline("log-some", Role::Monitor, services).run(info(), NOW, &Cause::Scheduled);
        let plain =
            inline("log-some", Role::Monitor, Arc::new(Fake::default())).run(info(), NOW, &Cause::Scheduled);
        assert_eq!(outcome, plain, "the run is the same");
        assert_eq!(kept.tapes.lock().expect("lock").len(), 0);
        assert_eq!(kept.dropped.lock().expect("lock").len(), 1);
    }
}
