//! The host as a process of its own: how it is started and heard, and what it does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use broker::session::KeeperConfig;
use journal::{Journal, SqliteJournal};
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::transport::Transport;
use kotak_neo_broker::{MakeTransport, Rates};
use kotak_neo_sim::PacedClock;
use model::clock::SharedClock;
use model::{OrderId, Timestamp};
use oms::{Blocking, Desk};

use super::steps::{SteppedJournal, SteppedTransport, Steps};
use super::support::*;
use super::{random, steps};

const HOST: &str = "KOTAK_NEO_CRASH_HOST";
const JOURNAL: &str = "KOTAK_NEO_CRASH_JOURNAL";
const UNHURRIED: Rates = Rates { overall: 100_000, cancel_reserve: 10_000, quotes: 100_000 };

/// A host that runs.
pub struct Host {
    pub child: Child,
    lines: BufReader<ChildStdout>,
    orders: ChildStdin,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Host {
    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is gone");
    }

    /// Lets it go on.
    pub fn go(&mut self) {
        writeln!(self.orders, "go").expect("it listens");
    }

    /// Its next line that begins with `host:`, without that.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.lines.read_line(&mut line).expect("readable") > 0, "the host has ended");
            if let Some((_, told)) = line.trim().split_once("host: ") {
                return told.to_owned();
            }
        }
    }
}

/// Tells the test.
pub fn tell(text: &str) {
    println!("host: {text}");
}

/// Starts one that does `what`.
pub fn start(url: &str, now: Timestamp, journal: &Path, what: &str) -> Host {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["host::host", "--exact", "--nocapture", "--test-threads=1"])
        .env(HOST, format!("{url} {} {what}", now.nanos()))
        .env(JOURNAL, journal)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the host starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let orders = child.stdin.take().expect("a pipe");
    Host { child, lines, orders }
}

/// Reads lines until one begins with `word`.
pub fn wait_for(host: &mut Host, word: &str) -> String {
    loop {
        let line = host.line();
        if line.starts_with(word) {
            return line;
        }
    }
}

/// Not a test of its own: it does nothing unless it is told to.
#[test]
fn host() {
    let Ok(told) = std::env::var(HOST) else { return };
    let words: Vec<&str> = told.split(' ').collect();
    let [url, now, what @ ..] = words.as_slice() else { panic!("a URL, an instant, and what to do: {told}") };
    let now = Timestamp::from_nanos(now.parse().expect("an instant"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(live(url, now, what));
}

async fn live(url: &str, now: Timestamp, what: &[&str]) {
    let steps = Steps::new();
    // The market for the view, not the exchange: that is in the other process.
    let stage = Stage::new(Arc::new(PacedClock::starting_at(now)) as SharedClock, |_| {});
    let watched = Arc::clone(&steps);
    let transport: MakeTransport = Arc::new(move || {
        let real = HttpTransport::new(HttpOptions::default()).map_err(|error| error.to_string())?;
        Ok(Arc::new(SteppedTransport::new(real, Arc::clone(&watched))) as Arc<dyn Transport>)
    });
    let config = KeeperConfig { code_margin: Duration::ZERO, ..KeeperConfig::default() };
    let account = Account1::with_rates(&stage, url, transport, config, UNHURRIED);
    kotak_neo_broker::load_scrips(&account.broker).await.expect("the scrip master");
    let mut config = desk_config(Blocking::Threaded);
    config.orders_per_second = 1_000;
    config.limits.max_open_orders = None;
    config.limits.max_orders_per_day = None;
    // So long the books may lack an order; short, so that the test is.
    config.listing_lag = Duration::from_millis(600);
    let path = std::env::var_os(JOURNAL).expect("a path");
    let journal = SqliteJournal::open(Path::new(&path)).expect("the journal");
    let is_new = journal.entries(0, 1).expect("readable").is_empty();
    let journal = SteppedJournal::new(journal, Arc::clone(&steps));
    let desk = desk(&stage, &account, Box::new(journal), config);
    if is_new {
        desk.adopt(opening(&stage.calendar, stage.clock.now())).expect("a healthy journal");
    }
    desk.reconcile().await.expect("readable books");
    tell("ready");
    match what {
        ["work", life] => random::work(&stage, &desk, life.parse().expect("a number")).await,
        ["settle"] => {
            settle(&stage, &desk).await;
            // What stands blocks cash and its charges, and in the end more of those than a small order's value.
            for order in desk.account_orders(DAY1).iter().filter(|order| !order.status.is_final()) {
                if let Some(id) = OrderId::parse(&order.id) {
                    let _ = desk.cancel(&origin(DAY1), id, false, "settled".to_owned()).await;
                }
            }
            settle(&stage, &desk).await;
            let owned: u32 = desk.positions(DAY1).iter().map(|view| view.position.quantity.get()).sum();
            tell(&format!("settled: {} orders known, shares {owned}", desk.account_orders(DAY1).len()));
        }
        ["die", way, step] => steps::die(&stage, &desk, &steps, way, step.parse().expect("a number")).await,
        ["again", way] => {
            settle(&stage, &desk).await;
            steps::again(&stage, &desk, way).await;
            settle(&stage, &desk).await;
            steps::say(&desk);
        }
        other => panic!("not something to do: {other:?}"),
    }
}

/// Reads the books until nothing is in doubt.
async fn settle(stage: &Stage, desk: &Desk) {
    for _ in 0..200 {
        desk.reconcile().await.expect("readable books");
        if desk.unresolved().is_empty() {
            return;
        }
        stage.clock.sleep_until(stage.clock.now().plus_nanos(100_000_000)).await;
    }
    panic!("still unknown: {:#?}", desk.unresolved());
}
