//! Components of other toolchains import WASI: they get an empty world, the same one in both profiles.
#![cfg(feature = "wasi")]

mod support;

use std::sync::Arc;

use model::Timestamp;
use runtime::{
    Cause, Grants, InlineInstance, Limits, LiveInstance, Loaded, Outcome, Profile, Role, RunInfo, RunResult,
    Runtime, RuntimeOptions,
};
use support::{Fake, component_with, info};

const NOW: Timestamp = Timestamp::from_nanos(0);

/// As much of WASI as the fixture uses.
const WASI: &str = "
    package local:all;
    package wasi:random@0.2.6 { interface random { get-random-u64: func() -> u64; } }
    package wasi:clocks@0.2.6 {
        interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }
    }
    package wasi:cli@0.2.6 {
        interface environment { get-environment: func() -> list<tuple<string, string>>; }
    }";

fn load_fixture(file: &str, profile: Profile, limits: Limits, imports: &[&str], wasi: &str) -> Loaded {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file);
    let text = std::fs::read_to_string(path).expect("fixture");
    let imports: String = imports.iter().map(|name| format!("    import wasi:{name}@0.2.6;\n")).collect();
    let edit = |text: &str| text.replace("    import notify;\n", &format!("    import notify;\n{imports}"));
    let bytes = component_with(&text, "monitor", &edit, wasi);
    let runtime = Runtime::new(RuntimeOptions::new(profile)).expect("runtime");
    runtime.load(&bytes, Grants::of(Role::Monitor), limits).expect("loads")
}

fn load(profile: Profile) -> Loaded {
    let imports = ["random/random", "clocks/wall-clock", "cli/environment"];
    load_fixture("wasi.wat", profile, Limits::default(), &imports, WASI)
}

fn kept(outcome: &Outcome) -> (u64, u64) {
    let [(_, Some(value))] = &outcome.state[..] else { panic!("{outcome:?}") };
    let number = |place: usize| u64::from_le_bytes(value[place..place + 8].try_into().expect("eight bytes"));
    (number(0), number(8))
}

#[tokio::test]
async fn the_clock_is_the_hosts_and_chance_is_the_runs() {
    let at = Timestamp::from_nanos(1_741_060_500_000_000_000);
    let services = || Arc::new(Fake { now: at, ..Fake::default() });
    let other = || RunInfo { id: "task@2".into(), ..info() };

    let mut inline = InlineInstance::new(load(Profile::Deterministic), services(), info());
    let (first, seconds) = kept(&inline.run(info(), NOW, &Cause::Scheduled));
    assert_eq!(seconds, 1_741_060_500);
    let (again, _) = kept(&inline.run(info(), NOW, &Cause::Scheduled));
    let (another, _) = kept(&inline.run(other(), NOW, &Cause::Scheduled));
    assert_eq!(first, again);
    assert_ne!(first, another);

    let mut live = LiveInstance::new(load(Profile::Live), services());
    assert_eq!(kept(&live.run(info(), NOW, Cause::Scheduled).await), (first, seconds));
    assert_eq!(kept(&live.run(other(), NOW, Cause::Scheduled).await).0, another);
}

/// As much of WASI as a sleep needs.
const SLEEP: &str = "
    package local:all;
    package wasi:io@0.2.6 { interface poll { resource pollable { block: func(); } } }
    package wasi:clocks@0.2.6 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.6.{pollable};
            subscribe-duration: func(when: u64) -> pollable;
        }
    }";

#[test]
fn where_nothing_waits_a_sleep_is_over_at_once() {
    // Outside tokio, as `check`, `simulate` and `replay` are: nobody would wake it.
    let imports = ["clocks/monotonic-clock", "io/poll"];
    let loaded = load_fixture("sleep.wat", Profile::Deterministic, Limits::default(), &imports, SLEEP);
    let mut inline = InlineInstance::new(loaded, Arc::new(Fake::default()), info());
    for _ in 0..2 {
        let outcome = inline.run(info(), NOW, &Cause::Scheduled);
        assert_eq!(outcome.result, RunResult::Done(None));
    }
}

#[tokio::test]
async fn a_live_sleep_ends_with_the_run_time() {
    let imports = ["clocks/monotonic-clock", "io/poll"];
    let limits = Limits { run_time: std::time::Duration::from_millis(50), ..Limits::default() };
    let loaded = load_fixture("sleep.wat", Profile::Live, limits, &imports, SLEEP);
    let outcome =
        LiveInstance::new(loaded, Arc::new(Fake::default())).run(info(), NOW, Cause::Scheduled).await;
    assert!(
        matches!(outcome.result, RunResult::Stopped(runtime::StopReason::OutOfTime { .. })),
        "{outcome:?}"
    );
}
