//! New versions taken over by a running host: saves, bad uploads, a way back.
//!
//! The days are those of `plugin dev`: the real host on simulated time at the embedded sim, waiting for its author.

#[path = "../host/runtime/tests/support/mod.rs"]
mod guests;
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{run_ok, text, tradeagent};

/// Nothing here takes so long; past it something hangs.
const HANGS: Duration = Duration::from_secs(120);

/// A project whose component is put there by the test: `true` builds it.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(role: &str) -> Self {
        Self::within(role, 10)
    }

    /// With this run time for its strategy.
    fn within(role: &str, run_seconds: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "state_dir = \"state\"\n[account.dev]\nbroker = \"paper\"\n[strategy.mine]\nrole = \"{role}\"\n\
             component = \"mine.wasm\"\nlimits = {{ run_seconds = {run_seconds} }}\n[task.mine]\nstrategy = \"mine\"\nat = \"open\"\nevery = \"1m\"\nuntil = \"close\"\n"
        );
        std::fs::write(folder.path().join("tradeagent.toml"), config).expect("written");
        Self { folder }
    }

    fn wasm(&self) -> PathBuf {
        self.folder.path().join("mine.wasm")
    }

    /// As a build does it: written beside, then renamed.
    fn save(&self, bytes: &[u8]) -> Instant {
        let beside = self.folder.path().join("mine.wasm.part");
        std::fs::write(&beside, bytes).expect("written");
        let at = real_now();
        std::fs::rename(&beside, self.wasm()).expect("renamed");
        at
    }

    fn dev(&self, pace: &str) -> Dev {
        let mut child = tradeagent()
            .args(["plugin", "dev", text(self.folder.path()), "--build", "true", "--once", "--json"])
            .args(["--pace", pace])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        let (tell, events) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let line = line.expect("UTF-8");
                let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if tell.send((real_now(), event)).is_err() {
                    return;
                }
            }
        });
        Dev { child, events }
    }
}

#[expect(clippy::disallowed_methods, reason = "a save is made in real time")]
fn real_now() -> Instant {
    Instant::now()
}

/// `plugin dev`, and what it tells.
struct Dev {
    child: Child,
    events: Receiver<(Instant, Value)>,
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Dev {
    /// The next event that `wanted` knows.
    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> (Instant, Value) {
        let mut seen = Vec::new();
        loop {
            match self.events.recv_timeout(HANGS) {
                Ok((at, event)) if wanted(&event) => return (at, event),
                Ok((_, event)) => seen.push(event),
                Err(error) => panic!("{error} while waiting for {what}; there were {seen:#?}"),
            }
        }
    }

    fn version(&self, kind: &str, hash: &str) -> (Instant, Value) {
        self.until(&format!("{kind} {hash}"), |event| event["version"] == kind && event["hash"] == hash)
    }

    fn days(&self) -> Value {
        self.until("the end of the days", |event| event["event"] == "days").1
    }

    /// Resident memory, in KiB; none where the system does not tell.
    fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

fn hash(bytes: &[u8]) -> String {
    runtime::hash_of(bytes).as_str().to_owned()
}

/// The same component under another hash: with a custom section more.
fn another(bytes: &[u8], number: u8) -> Vec<u8> {
    let mut other = bytes.to_vec();
    // Section 0, five bytes: a name of three, and the number.
    other.extend([0, 5, 3, b's', b'a', b'v', number]);
    other
}

fn shipped(name: &str) -> Vec<u8> {
    bundle::find(name).expect("shipped").bytes.to_vec()
}

/// What must not be touched by saves: every tick, every order, the session.
fn untouched(days: &Value) -> [&Value; 7] {
    ["runs", "orders", "reached_broker", "reached_twice", "unknown", "session_generation", "logins"]
        .map(|name| &days[name])
}

#[test]
fn twenty_saves_during_the_days_lose_no_tick_no_order_and_no_session() {
    let project = Project::new("sell");
    let first = shipped("sell");
    project.save(&first);
    let quiet = project.dev("0").days();
    assert!(quiet["orders"].as_array().is_some_and(|orders| !orders.is_empty()), "it trades: {quiet}");
    let dev = project.dev("40");
    dev.until("the beginning", |event| event["event"] == "begins");
    let mut took: Vec<Duration> = (1..=20)
        .map(|number| {
            let bytes = another(&first, number);
            let saved = project.save(&bytes);
            let (told, _) = dev.version("live", &hash(&bytes));
            told - saved
        })
        .collect();
    let days = dev.days();
    assert_eq!(days["versions"], 20, "{days}");
    assert_eq!(untouched(&days), untouched(&quiet));
    assert_eq!((&days["reached_twice"], &days["unknown"]), (&0.into(), &0.into()));
    took.sort();
    println!(
        "20 saves: from the rename to the first tick answered, median {} ms, longest {} ms",
        took[10].as_millis(),
        took[19].as_millis()
    );
}

/// A fixture of the runtime as a component of `world`.
macro_rules! fixture {
    ($name:literal, $world:literal) => {
        guests::component(
            include_str!(concat!("../host/runtime/tests/fixtures/", $name, ".wat")),
            $world,
            &|text| text.to_owned(),
        )
    };
}

#[test]
fn a_hundred_bad_uploads_in_a_row_are_each_refused() {
    let project = Project::new("monitor");
    let good = shipped("monitor");
    project.save(&good);
    let dev = project.dev("60");
    dev.until("the beginning", |event| event["event"] == "begins");
    let hostile = [
        fixture!("trap", "monitor"),
        fixture!("panic", "monitor"),
        fixture!("recursion", "monitor"),
        fixture!("memory-bomb", "monitor"),
        fixture!("sells", "sell"),
    ];
    let mut resident = None;
    for number in 0..100_u8 {
        let bytes = match number % 10 {
            // Cut off, at another place each time.
            5 | 6 => good[..good.len() * usize::from(number + 1) / 101].to_vec(),
            // Half of it zeroes, as after a crash of the machine.
            7 => [&good[..good.len() / 2], &vec![0; good.len() / 2 + usize::from(number)]].concat(),
            8 => format!("no component at all, {number}").into_bytes(),
            // Replaced under the reader: what is there in the end decides.
            9 => {
                std::fs::write(project.wasm(), &good[..good.len() / 3]).expect("written");
                format!("replaced, {number}").into_bytes()
            }
            which => another(&hostile[usize::from(which)], number),
        };
        project.save(&bytes);
        dev.version("refused", &hash(&bytes));
        if number == 20 {
            resident = dev.resident();
        }
    }
    let after = dev.resident();
    println!("resident after 20 bad uploads {resident:?} KiB, after 100 {after:?} KiB");
    if let (Some(before), Some(after)) = (resident, after) {
        assert!(after < before + 16 * 1024, "memory grew from {before} to {after} KiB");
    }
    // And it still takes a good one.
    let next = another(&good, 200);
    project.save(&next);
    let (_, live) = dev.version("live", &hash(&next));
    assert_eq!(live["before"], hash(&good), "none of them was ever live");
    let days = dev.days();
    assert_eq!(days["versions"], 1);
    let runs = days["runs"].as_object().expect("runs");
    assert_eq!(runs.keys().collect::<Vec<_>>(), ["done"], "no run of the live version was touched: {runs:?}");
}

#[test]
fn a_version_that_computes_without_end_is_found_out_beside_the_live_one() {
    let project = Project::within("monitor", 3);
    let good = shipped("monitor");
    project.save(&good);
    let dev = project.dev("60");
    dev.until("the beginning", |event| event["event"] == "begins");
    let endless = fixture!("loop", "monitor");
    project.save(&endless);
    let (_, refused) = dev.version("refused", &hash(&endless));
    let why = refused["why"].as_str().expect("a sentence");
    let expected = "in a tick in shadow: the strategy ran longer than its run time of 3000 ms and was stopped; \
                    do less in one run, or raise `run_seconds` of its limits";
    assert_eq!(why, expected);
    let next = another(&good, 1);
    project.save(&next);
    let (_, live) = dev.version("live", &hash(&next));
    assert_eq!(live["before"], hash(&good));
}

#[test]
fn a_version_that_fails_in_its_first_ticks_is_rolled_back_with_its_state() {
    let project = Project::new("monitor");
    let counter = include_str!("../host/runtime/tests/fixtures/counter.wat");
    let of = |traps_at: &str| {
        let text = counter.replace("(i64.const 3)", traps_at).replace("(i32.const 3)", traps_at);
        guests::component(&text, "monitor", &|text| text.to_owned())
    };
    let good = fixture!("idle", "monitor");
    project.save(&good);
    let dev = project.dev("30");
    dev.until("the beginning", |event| event["event"] == "begins");
    let bad = of("(i32.const 1)");
    project.save(&bad);
    dev.version("live", &hash(&bad));
    let (_, back) = dev.version("rolled-back", &hash(&bad));
    assert_eq!(back["to"], hash(&good));
    assert!(back["why"].as_str().is_some_and(|why| !why.is_empty()), "{back}");
    let days = dev.days();
    assert_eq!(days["runs"]["trapped"], 1, "it failed once, and the one before it went on: {days}");
    assert!(days["runs"]["done"].as_u64() > Some(500), "no quarantine: {days}");
}

#[test]
fn a_build_error_is_shown_and_the_version_before_it_stays() {
    let project = Project::new("monitor");
    project.save(&shipped("monitor"));
    let build = project.folder.path().join("build.sh");
    std::fs::write(
        &build,
        "#!/bin/sh\nif grep -q bad source.txt; then echo 'error: expected `;`, line 3' >&2; exit 1; fi\n",
    )
    .expect("written");
    let source =
        |text: &str| std::fs::write(project.folder.path().join("source.txt"), text).expect("written");
    source("good");
    let mut dev = tradeagent();
    dev.args(["plugin", "dev", text(project.folder.path()), "--build", "sh build.sh", "--once", "--json"]);
    dev.args(["--pace", "20"]).stdout(Stdio::piped());
    let mut child = dev.spawn().expect("it starts");
    let stdout = BufReader::new(child.stdout.take().expect("its output"));
    let mut lines =
        stdout.lines().map(|line| -> Value { serde_json::from_str(&line.expect("UTF-8")).expect("JSON") });
    let first = lines.next().expect("a build");
    assert_eq!((&first["event"], &first["ok"]), (&"build".into(), &true.into()));
    let begins = lines.next().expect("the days");
    assert_eq!(begins["event"], "begins");
    source("bad");
    let failed = lines.next().expect("another build");
    assert_eq!((&failed["event"], &failed["ok"]), (&"build".into(), &false.into()), "{failed}");
    assert_eq!(failed["words"], "error: expected `;`, line 3");
    let days = lines.find(|event| event["event"] == "days").expect("the days go on");
    assert_eq!(days["versions"], 0);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_build_that_writes_its_own_sources_is_not_repeated_for_ever() {
    let project = Project::new("monitor");
    project.save(&shipped("monitor"));
    let mut dev = tradeagent();
    dev.args(["plugin", "dev", text(project.folder.path()), "--build", "echo built >> notes.txt", "--once"]);
    let output = dev.args(["--pace", "10"]).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    assert_eq!(told.matches("each build changes files beside the sources").count(), 1, "{told}");
    assert!(told.lines().filter(|line| *line == "built").count() <= 5, "{told}");
}

#[test]
fn a_project_without_a_component_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = support::run_fails(&["plugin", "dev", text(folder.path())], 78);
    assert!(said.contains("tradeagent.toml") && said.contains("plugin new"), "{said}");
    std::fs::write(folder.path().join("tradeagent.toml"), "state_dir = \"state\"\n").expect("written");
    let said = support::run_fails(&["plugin", "dev", text(folder.path())], 2);
    assert!(said.contains("no strategy in") && said.contains("component ="), "{said}");
    assert!(run_ok(&["plugin", "dev", "--help"]).contains("--pace"));
}
