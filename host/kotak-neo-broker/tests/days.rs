//! Seeded days of chance: in process by the thousand, and over loopback HTTP with a real journal.
//!
//! `TRADEAGENT_DAYS=N` plays N days in process (default 200; 2,000 in `.ci/full`), `TRADEAGENT_HTTP_DAYS=N`
//! over HTTP (default 6; 50 in `.ci/full`), `TRADEAGENT_SEED=N` one day alone.

mod support;

use std::process::Command;
use std::sync::Arc;

use journal::SqliteJournal;
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::transport::{BoxFuture, FeedSocket, Request, Response, Transport, TransportError};
use kotak_neo_broker::MakeTransport;
use kotak_neo_sim::{Server, SharedInstant};
use model::clock::SharedClock;
use model::{Clock as _, Timestamp};
use support::*;

#[path = "support/day.rs"]
mod day;

const ACTS: u32 = 60;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn in_process(seed: u64) -> day::Outcome {
    runtime().block_on(async {
        let clock = Paused::starting_at(Timestamp::at_ist(DAY1, 10, 0));
        let stage = Stage::new(clock, |config| config.seed = seed);
        let transport = stage.in_process();
        day::play(&stage, IN_PROCESS, transport, Box::new(Shared::default()), seed, (ACTS, 30_000)).await
    })
}

#[test]
fn days_in_process() {
    let (first, count) = match std::env::var("TRADEAGENT_SEED") {
        Ok(_) => (number("TRADEAGENT_SEED", 1), 1),
        Err(_) => (1, number("TRADEAGENT_DAYS", 200)),
    };
    let (mut placed, mut faults, mut unknown, mut parked, mut logins) = (0, 0, 0, 0, 0);
    let mut traces = fold::Traces::default();
    for seed in first..first + count {
        let outcome = in_process(seed);
        placed += outcome.placed;
        faults += outcome.faults;
        unknown += outcome.unknown;
        parked += outcome.parked;
        logins += outcome.logins;
        traces.add(&outcome.trace);
    }
    println!(
        "{count} days: {placed} orders, {faults} faults, {unknown} unclear answers, {parked} parked, {logins} logins, trace {}",
        traces.hex()
    );
    assert!(faults > 0 && (count < 20 || unknown > 0), "the days were rough");
}

/// A fold of traces, for one line to compare.
mod fold {
    #[derive(Default)]
    pub struct Traces(u64);
    impl Traces {
        pub fn add(&mut self, text: &str) {
            for byte in text.bytes() {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        pub fn hex(&self) -> String {
            format!("{:016x}", self.0)
        }
    }
}

#[test]
fn one_seed_gives_one_trace_in_two_fresh_processes() {
    let this = std::env::current_exe().expect("this test");
    let line = || {
        let output = Command::new(&this)
            .args(["--exact", "days_in_process", "--nocapture"])
            .env("TRADEAGENT_DAYS", "20")
            .env_remove("TRADEAGENT_SEED")
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().find(|line| line.contains(" days: ")).expect("its line").to_owned()
    };
    let first = line();
    assert!(first.contains("trace "), "{first}");
    assert_eq!(first, line());
}

/// A real socket under simulated time: the call runs elsewhere while this runtime's time stands still.
struct Offloaded {
    inner: HttpTransport,
    io: tokio::runtime::Handle,
    clock: SharedClock,
    told: Arc<SharedInstant>,
}

impl Transport for Offloaded {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.told.tell(self.clock.now());
        let (inner, io) = (self.inner.clone(), self.io.clone());
        Box::pin(async move {
            let task = io.spawn(async move { inner.send(request).await });
            tokio::task::spawn_blocking(move || io.block_on(task))
                .await
                .expect("a thread")
                .expect("the call's task")
        })
    }
    fn connect(&self, _: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        Box::pin(std::future::ready(Err(TransportError::NotSent("no feed".to_owned()))))
    }
}

fn over_http(seed: u64, io: &tokio::runtime::Handle) -> day::Outcome {
    runtime().block_on(async {
        let clock = Paused::starting_at(Timestamp::at_ist(DAY1, 10, 0));
        let told = Arc::new(SharedInstant::at(clock.now()));
        // The sim's own clock is what it was told last.
        let stage = Stage::new(Arc::clone(&told) as SharedClock, |config| config.seed = seed);
        let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&stage.sim)).expect("a free port");
        let stage = Stage { clock: clock.clone(), ..stage };
        let (io, shared) = (io.clone(), Arc::clone(&stage.clock));
        let transport: MakeTransport = Arc::new(move || {
            let inner = HttpTransport::new(HttpOptions::default()).map_err(|error| error.to_string())?;
            let (io, clock, told) = (io.clone(), Arc::clone(&shared), Arc::clone(&told));
            Ok(Arc::new(Offloaded { inner, io, clock, told }) as Arc<dyn Transport>)
        });
        let folder = tempfile::tempdir().expect("a folder");
        let journal = SqliteJournal::open(folder.path().join("journal.sqlite")).expect("a journal");
        let url = format!("http://{}", server.address());
        let outcome = day::play(&stage, &url, transport, Box::new(journal), seed, (ACTS, 200)).await;
        server.stop();
        outcome
    })
}

#[test]
fn days_over_http_with_a_real_journal() {
    let io = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let count = number("TRADEAGENT_HTTP_DAYS", 6);
    let (mut placed, mut faults, mut unknown, mut parked) = (0, 0, 0, 0);
    for seed in 1..=count {
        let outcome = over_http(seed, io.handle());
        placed += outcome.placed;
        faults += outcome.faults;
        unknown += outcome.unknown;
        parked += outcome.parked;
    }
    println!(
        "{count} days over HTTP: {placed} orders, {faults} faults, {unknown} unclear answers, {parked} parked"
    );
    assert!(faults > 0, "the days were rough");
}
