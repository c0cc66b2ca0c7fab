//! Siblings of hostile strategies are not delayed: on one thread, beside an endless loop, a memory bomb,
//! a log flood, a deep recursion and a trap that run without pause, a harmless strategy's ticks start
//! at most 50 ms late.
//!
//! `TRADEAGENT_SOAK_SECONDS` makes it longer (60 in the full pipeline).

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::Timestamp;
use runtime::{Cause, Grants, Limits, Profile, Role, RunResult, Runtime, RuntimeOptions, StrategyHandle};
use support::{Fake, fixture, info};

const LATE_MAX: Duration = Duration::from_millis(50);
/// A round in which the machine had no time for this test says nothing; a host that delays ticks does so in each.
const ROUNDS: usize = 3;
const TICK: Duration = Duration::from_millis(100);

#[expect(clippy::disallowed_methods, reason = "lateness on the machine is what is measured")]
fn real_now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "ticks come in real time, or nothing would be measured")]
async fn until(at: Instant) {
    tokio::time::sleep_until(at.into()).await;
}

#[tokio::test]
async fn ticks_of_a_sibling_start_in_time() {
    let seconds = std::env::var("TRADEAGENT_SOAK_SECONDS").map_or(3, |text| text.parse().expect("seconds"));
    let runtime = Runtime::new(RuntimeOptions::new(Profile::Live)).expect("runtime");
    let limits = Limits { run_time: Duration::from_millis(700), memory_bytes: 8 << 20, ..Limits::default() };
    let spawn = |name: &str, services: Fake| {
        let loaded = runtime.load(&fixture(name, "trader"), Grants::of(Role::Trader), limits).expect("loads");
        (StrategyHandle::spawn(Arc::new(services)), loaded)
    };
    for name in ["loop", "memory-bomb", "log-flood", "recursion", "trap"] {
        let (hostile, loaded) = spawn(name, Fake::default());
        tokio::spawn(async move {
            loop {
                let outcome =
                    hostile.run(loaded.clone(), info(), Timestamp::from_nanos(0), Cause::Scheduled).await;
                assert!(matches!(outcome.result, RunResult::Stopped(_)), "{outcome:?}");
            }
        });
    }
    // The sibling says hello when it starts.
    let started: Arc<Mutex<Option<Instant>>> = Arc::default();
    let on_log: Box<dyn Fn() + Send + Sync> = {
        let started = Arc::clone(&started);
        Box::new(move || *started.lock().expect("lock") = Some(real_now()))
    };
    let (sibling, loaded) = spawn("hello", Fake { on_log: Some(on_log), ..Fake::default() });
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS && rounds.last().is_none_or(|latest| *latest > LATE_MAX) {
        let mut latest = Duration::ZERO;
        let began = real_now();
        for tick in 1..=(seconds * 1000 / TICK.as_millis() as u32) {
            let due = began + TICK * tick;
            until(due).await;
            let outcome =
                sibling.run(loaded.clone(), info(), Timestamp::from_nanos(0), Cause::Scheduled).await;
            assert_eq!(outcome.result, RunResult::Done(None));
            let start = started.lock().expect("lock").take().expect("it said hello");
            latest = latest.max(start - due);
        }
        rounds.push(latest);
    }
    assert!(
        rounds.last().is_some_and(|latest| *latest <= LATE_MAX),
        "ticks started {rounds:?} after they were due"
    );
}
