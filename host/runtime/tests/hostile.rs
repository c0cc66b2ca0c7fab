//! Hostile and mistaken components: each ends in its one sentence, and nothing else notices.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::{Money, Timestamp};
use runtime::{
    Cause, Grants, InlineInstance, Limits, LiveInstance, LoadError, Loaded, Outcome, Profile, Role,
    RunResult, Runtime, RuntimeOptions, StrategyHandle,
};
use support::{Fake, component, fixture, info};

const NOW: Timestamp = Timestamp::from_nanos(0);

fn limits() -> Limits {
    Limits {
        run_time: Duration::from_millis(150),
        fuel: 20_000_000,
        memory_bytes: 8 << 20,
        ..Limits::default()
    }
}

fn try_load(profile: Profile, bytes: &[u8], role: Role) -> Result<Loaded, LoadError> {
    Runtime::new(RuntimeOptions::new(profile)).expect("runtime").load(bytes, Grants::of(role), limits())
}

fn load(profile: Profile, name: &str) -> Loaded {
    try_load(profile, &fixture(name, "trader"), Role::Trader).expect("loads")
}

fn run_inline(name: &str) -> Outcome {
    InlineInstance::new(load(Profile::Deterministic, name), Arc::new(Fake::default()), info()).run(
        info(),
        NOW,
        &Cause::Scheduled,
    )
}

async fn run_live(name: &str) -> Outcome {
    LiveInstance::new(load(Profile::Live, name), Arc::new(Fake::default()))
        .run(info(), NOW, Cause::Scheduled)
        .await
}

fn sentence(outcome: &Outcome) -> String {
    match &outcome.result {
        RunResult::Stopped(reason) => reason.to_string(),
        other => panic!("it was not stopped: {other:?}"),
    }
}

/// What both ways of running say of it.
const SENTENCES: [(&str, &str); 5] = [
    (
        "memory-bomb",
        "the strategy asked for 8454144 bytes of memory; its limit is 8388608: keep less at once, or raise `memory_mib` of its limits",
    ),
    ("recursion", "the strategy's stack overflowed in `deeper`: its recursion is too deep; make it a loop"),
    (
        "trap",
        "the strategy crashed in `divide`: integer divide by zero; look for a division, an index or an `unwrap` there, and build it with the SDK, whose panics name their line",
    ),
    (
        "panic",
        "the strategy panicked at src/lib.rs:9: no price for RELIANCE; mend it there, or return an error instead",
    ),
    (
        "log-flood",
        "the strategy made more than 100000 host calls in one run, its limit: ask for many symbols in one call, or raise `host_calls` of its limits",
    ),
];

#[test]
fn inline_each_ends_in_its_sentence() {
    for (name, says) in SENTENCES {
        assert_eq!(sentence(&run_inline(name)), says, "{name}");
    }
    assert_eq!(
        sentence(&run_inline("loop")),
        "the strategy used up its fuel of 20000000 units and was stopped: it may loop endlessly; look for a loop that nothing ends"
    );
    assert_eq!(
        sentence(&run_inline("wait")),
        "the host function `portfolio.get-funds` waited in a run that may not wait; this is a defect of the host, please report it"
    );
}

#[tokio::test]
async fn live_each_ends_in_its_sentence() {
    for (name, says) in SENTENCES {
        // What is bounded otherwise has the time that a busy machine takes for it.
        let unhurried = Limits { run_time: Duration::from_secs(60), ..limits() };
        let runtime = Runtime::new(RuntimeOptions::new(Profile::Live)).expect("runtime");
        let loaded =
            runtime.load(&fixture(name, "trader"), Grants::of(Role::Trader), unhurried).expect("loads");
        let outcome =
            LiveInstance::new(loaded, Arc::new(Fake::default())).run(info(), NOW, Cause::Scheduled).await;
        assert_eq!(sentence(&outcome), says, "{name}");
    }
    for name in ["loop", "wait"] {
        let says = "the strategy ran longer than its run time of 150 ms and was stopped; do less in one run, or raise `run_seconds` of its limits";
        assert_eq!(sentence(&run_live(name).await), says, "{name}");
    }
}

/// The bound is real time: a simulated clock that jumps while the strategy waits does not shorten it,
/// and one that stands still does not lengthen it.
#[tokio::test(start_paused = true)]
async fn a_paused_clock_changes_nothing() {
    assert!(matches!(run_live("idle").await.result, RunResult::Done(None)));
    for name in ["loop", "wait"] {
        assert!(sentence(&run_live(name).await).contains("150 ms"), "{name}");
    }
}

#[test]
fn a_log_over_its_budget_is_cut_and_counted() {
    let services = Arc::new(Fake::default());
    let mut instance =
        InlineInstance::new(load(Profile::Deterministic, "log-some"), services.clone(), info());
    let outcome = instance.run(info(), NOW, &Cause::Scheduled);
    assert_eq!(outcome.result, RunResult::Done(None));
    // 65,536 / 200 lines fit.
    assert_eq!(services.log.lock().expect("lock").len(), 327);
    assert_eq!(outcome.log_note().as_deref(), Some("73 log lines over the run's limit were dropped"));
    assert_eq!(outcome.host_calls, 400);
}

#[test]
fn each_line_of_a_message_is_told_as_one_of_the_strategy_s() {
    let services = Arc::new(Fake::default());
    let mut instance =
        InlineInstance::new(load(Profile::Deterministic, "log-lines"), services.clone(), info());
    assert_eq!(instance.run(info(), NOW, &Cause::Scheduled).result, RunResult::Done(None));
    assert_eq!(*services.log.lock().expect("lock"), ["INFO one", "INFO WARN two"]);
}

#[test]
fn a_state_has_its_most_keys_and_they_are_listed_once_a_run() {
    let there = |number: u32| (format!("there{number}"), Vec::new());
    let services = Arc::new(Fake { state: (0..96).map(there).collect(), ..Fake::default() });
    let mut instance = InlineInstance::new(load(Profile::Deterministic, "keys"), services.clone(), info());
    let outcome = instance.run(info(), NOW, &Cause::Scheduled);
    assert_eq!(outcome.result, RunResult::Done(None));
    assert_eq!(outcome.state.len(), 4_000, "of 4,096 keys 96 were there");
    assert_eq!(*services.key_lists.lock().expect("lock"), 1);
}

#[test]
fn state_is_handed_over_at_the_end_and_a_trap_drops_it() {
    let stored = Fake { state: BTreeMap::from([("n".to_owned(), vec![1])]), ..Fake::default() };
    let mut instance = InlineInstance::new(load(Profile::Deterministic, "counter"), Arc::new(stored), info());
    let outcome = instance.run(info(), NOW, &Cause::Scheduled);
    assert_eq!(outcome.state, [("n".to_owned(), Some(vec![2]))]);

    let at_three = Fake { state: BTreeMap::from([("n".to_owned(), vec![3])]), ..Fake::default() };
    let mut instance =
        InlineInstance::new(load(Profile::Deterministic, "counter"), Arc::new(at_three), info());
    let outcome = instance.run(info(), NOW, &Cause::Scheduled);
    assert!(sentence(&outcome).starts_with("the strategy crashed in `run`: "), "{outcome:?}");
    assert_eq!(outcome.state, []);
}

#[test]
fn bars_see_their_own_state_and_go_on_after_a_trap() {
    let mut instance =
        InlineInstance::new(load(Profile::Deterministic, "counter"), Arc::new(Fake::default()), info());
    let bar = runtime::Bar {
        start: NOW,
        open: model::Price::ZERO,
        high: model::Price::ZERO,
        low: model::Price::ZERO,
        close: model::Price::ZERO,
        volume: 0,
    };
    for _ in 0..3 {
        assert_eq!(instance.bar(NOW, 0, &bar), Ok(None));
    }
    assert_eq!(instance.take_state(), [("n".to_owned(), Some(vec![3]))]);
    for _ in 0..3 {
        assert_eq!(instance.bar(NOW, 0, &bar), Ok(None));
    }
    let stopped = instance.bar(NOW, 0, &bar).expect_err("traps at 3");
    assert!(sentence(&stopped).contains("`unreachable`"));
    assert_eq!(instance.bar(NOW, 0, &bar), Ok(None), "a new instance");
    assert_eq!(instance.take_state(), [("n".to_owned(), Some(vec![1]))]);
}

#[tokio::test]
async fn a_stopped_strategy_runs_again_and_one_that_was_dropped_too() {
    let mut instance = LiveInstance::new(load(Profile::Live, "counter"), Arc::new(Fake::default()));
    for _ in 0..2 {
        let outcome = instance.run(info(), NOW, Cause::Scheduled).await;
        assert_eq!(outcome.state, [("n".to_owned(), Some(vec![1]))]);
    }
    let mut waiting = LiveInstance::new(load(Profile::Live, "wait"), Arc::new(Fake::default()));
    let dropped = tokio::select! {
        biased;
        outcome = waiting.run(info(), NOW, Cause::Scheduled) => Some(outcome),
        () = tokio::task::yield_now() => None,
    };
    assert_eq!(dropped, None);
    assert!(sentence(&waiting.run(info(), NOW, Cause::Scheduled).await).contains("150 ms"));
}

#[test]
fn what_the_role_does_not_grant_is_refused_by_name() {
    let refused = |role| {
        try_load(Profile::Deterministic, &fixture("sells", "trader"), role).err().map(|e| e.to_string())
    };
    assert_eq!(
        refused(Role::Monitor).as_deref(),
        Some(
            "the component imports `selling`, which the role monitor does not grant; the roles sell and trader do: give it another role in the config, or take the import out"
        )
    );
    assert_eq!(refused(Role::Sell), None);
    assert_eq!(refused(Role::Trader), None);
}

#[test]
fn finer_grants_are_answered_and_nothing_is_sent() {
    let runtime = Runtime::new(RuntimeOptions::new(Profile::Deterministic)).expect("runtime");
    let run = |grants| {
        let services = Arc::new(Fake::default());
        let loaded = runtime.load(&fixture("sells", "sell"), grants, limits()).expect("loads");
        let outcome =
            InlineInstance::new(loaded, services.clone(), info()).run(info(), NOW, &Cause::Scheduled);
        let placed = *services.placed.lock().expect("lock");
        (outcome.result, placed)
    };
    assert_eq!(run(Grants::of(Role::Sell)), (RunResult::Done(None), 1));
    // Ten shares at 100 rupees.
    let enough = Grants { max_order_value: Some(Money::from_rupees(1_000)), ..Grants::of(Role::Sell) };
    assert_eq!(run(enough), (RunResult::Done(None), 1));
    let failed = |rule: &str| RunResult::Failed(runtime::TaskErrorKind::Failed, rule.to_owned());
    let short = Grants { max_order_value: Some(Money::from_rupees(999)), ..Grants::of(Role::Sell) };
    assert_eq!(run(short), (failed("granted-order-value"), 0));
    let other = Grants { symbols: Some(BTreeSet::from(["TCS".into()])), ..Grants::of(Role::Sell) };
    assert_eq!(run(other), (failed("no-such-order"), 0));
}

#[test]
fn other_versions_are_refused_with_both_named() {
    let next = |text: &str| text.replace("0.1.0", "0.2.0");
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/panic.wat"))
        .expect("fixture");
    let built = component(&next(&text), "trader", &next);
    let error = try_load(Profile::Deterministic, &built, Role::Trader).err().expect("refused");
    assert_eq!(
        error.to_string(),
        "the component was built for tradeagent:strategy@0.2.0, and this host speaks 0.1.0: build it again with the SDK of this host, or use a host that speaks 0.2.0"
    );

    // A later patch version is welcome as long as the component calls nothing that this host lacks.
    let later = |text: &str| text.replace("0.1.0", "0.1.3");
    let built = component(&later(&text), "trader", &later);
    assert!(try_load(Profile::Deterministic, &built, Role::Trader).is_ok());
    let added = |text: &str| {
        let text = later(text);
        text.replace(
            "    panicked: func(",
            "    shout: func(words: string);\n    @since(version = 0.1.3)\n    panicked: func(",
        )
    };
    let shouts = later(&text).replace(
        "\"panicked\" (func $panicked (param i32 i32 i32 i32))",
        "\"shout\" (func $shout (param i32 i32))",
    );
    let shouts = shouts.replace(
        "(call $panicked (i32.const 2048) (i32.const 21) (i32.const 2100) (i32.const 12))",
        "(call $shout (i32.const 0) (i32.const 0))",
    );
    let error = try_load(Profile::Deterministic, &component(&shouts, "trader", &added), Role::Trader)
        .err()
        .expect("refused");
    assert_eq!(
        error.to_string(),
        "the component calls `log.shout`, which tradeagent:strategy@0.1.0 of this host does not have (the component was built for 0.1.3): update the host, or build the component without it"
    );
}

#[test]
fn another_shape_under_the_same_version_is_refused() {
    let wider = |text: &str| {
        text.replace("        blocked: money,", "        blocked: money,\n        pledged: money,")
    };
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/wait.wat"))
        .expect("fixture");
    let error =
        try_load(Profile::Live, &component(&text, "trader", &wider), Role::Trader).err().expect("refused");
    let error = error.to_string();
    assert!(
        error.starts_with("the component does not fit tradeagent:strategy@0.1.0 although it says so ("),
        "{error}"
    );
    assert!(error.contains("get-funds"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn unknown_imports_and_missing_tasks_are_named() {
    let foreign = wat::parse_str(
        r#"(component (import "acme:net/http@1.0.0" (instance))
            (instance $task) (export "tradeagent:strategy/task@0.1.0" (instance $task)))"#,
    )
    .expect("text");
    let error = |bytes: &[u8]| {
        try_load(Profile::Deterministic, bytes, Role::Trader).err().expect("refused").to_string()
    };
    assert_eq!(
        error(&foreign),
        "the component imports `acme:net/http@1.0.0`, which no world of tradeagent:strategy@0.1.0 allows: a strategy reaches nothing but the contract; take it out, or the crate that brings it"
    );
    let other =
        wat::parse_str(r#"(component (instance $i) (export "acme:net/serve" (instance $i)))"#).expect("text");
    assert_eq!(
        error(&other),
        "the component exports no task: export `tradeagent:strategy/task@0.1.0`, with the SDK by `export!` (it exports acme:net/serve)"
    );
    let hollow = wat::parse_str(
        r#"(component (instance $task) (export "tradeagent:strategy/task@0.1.0" (instance $task)))"#,
    );
    assert!(error(&hollow.expect("text")).starts_with("the component exports no task"));
    let whole = fixture("idle", "trader");
    assert_eq!(
        error(&whole[..whole.len() / 2]),
        format!(
            "this is not a strategy component: it is cut off after {} bytes: copy or build it again",
            whole.len() / 2
        )
    );
    let core = wat::parse_str("(module)").expect("text");
    assert!(error(&core).contains("it is a core module"));
    assert_eq!(error(b""), "this is not a strategy component: the file is empty");
}

#[test]
fn a_cached_component_runs_as_a_fresh_one() {
    let folder = tempfile::tempdir().expect("folder");
    for _ in 0..2 {
        let options = RuntimeOptions {
            cache_dir: Some(folder.path().to_owned()),
            ..RuntimeOptions::new(Profile::Deterministic)
        };
        let runtime = Runtime::new(options).expect("runtime");
        let loaded =
            runtime.load(&fixture("counter", "monitor"), Grants::of(Role::Monitor), limits()).expect("loads");
        let outcome =
            InlineInstance::new(loaded, Arc::new(Fake::default()), info()).run(info(), NOW, &Cause::Manual);
        assert_eq!(outcome.state, [("n".to_owned(), Some(vec![1]))]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}

#[tokio::test]
async fn an_actor_serves_runs_of_one_component_and_the_next_and_says_when_it_is_gone() {
    let services = Arc::new(Fake::default());
    let (trap, idle) = (load(Profile::Live, "trap"), load(Profile::Live, "idle"));
    let handle = StrategyHandle::spawn(services);
    assert!(sentence(&handle.run(trap, info(), NOW, Cause::Scheduled).await).contains("divide"));
    assert_eq!(handle.run(idle.clone(), info(), NOW, Cause::Manual).await.result, RunResult::Done(None));
    handle.new_day().await;
    assert_eq!(handle.run(idle, info(), NOW, Cause::Resumed).await.result, RunResult::Done(None));
}
