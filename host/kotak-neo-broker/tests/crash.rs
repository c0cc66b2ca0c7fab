//! `kill -9` at any moment of an order's way over a real wire with a real journal, then a restart.
//!
//! The simulator lives in this process; the host is this test program again, killed and started until the
//! kills are used up (`TRADEAGENT_KILLS`, default 30), then left to settle its doubts.
#![cfg(unix)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use broker::session::KeeperConfig;
use journal::SqliteJournal;
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::transport::Transport;
use kotak_neo_broker::{MakeTransport, Rates};
use kotak_neo_sim::{Endpoint, Fault, Kind, PacedClock, Server};
use model::clock::{Rng, SharedClock};
use model::{Clock as _, ModifyRequest, Price, Quantity, Side, Timestamp};
use oms::Blocking;
use support::*;

const HOST: &str = "KOTAK_NEO_CRASH_HOST";
const UNHURRIED: Rates = Rates { overall: 100_000, cancel_reserve: 10_000, quotes: 100_000 };
/// So long the books may lack an order; short, so that the test is.
const LAG: Duration = Duration::from_millis(1_500);

#[test]
fn killed_at_any_moment_an_order_stands_once_or_not_at_all() {
    let kills: u64 = std::env::var("TRADEAGENT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let clock = Arc::new(PacedClock::starting_at(Timestamp::at_ist(DAY1, 10, 0)));
    let stage = Stage::new(Arc::clone(&clock) as SharedClock, |_| {});
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&stage.sim)).expect("a free port");
    let url = format!("http://{}", server.address());
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal.sqlite");
    // Answers come late, so that a kill finds orders that are taken and not answered; some never come.
    let orders = [Endpoint::Place, Endpoint::Modify, Endpoint::Cancel];
    stage.sim.faults().add(Fault::new(Kind::LateAnswer { ms: 25 }).on(orders));
    stage.sim.faults().add(Fault::new(Kind::Dropped { after: true }).on(orders).percent(5));
    stage.sim.faults().add(Fault::new(Kind::Dropped { after: false }).on(orders).percent(5));
    let mut rng = Rng::new(7).fork("kills");
    let mut taken = 0;
    for kill in 0..kills {
        // A code is good once: the next host logs in half a minute later.
        clock.advance(Duration::from_secs(31));
        let mut host = start(&url, clock.now(), &journal, kill, "work");
        wait_for(&mut host, "ready");
        pause(Duration::from_millis(20 + rng.below(400)));
        host.child.kill().expect("it runs");
        host.child.wait().expect("it is gone");
        let orders = stage.sim.audit().book.orders.len();
        assert!(kill == 0 || orders >= taken, "orders do not vanish");
        taken = orders;
    }
    stage.sim.faults().clear();
    clock.advance(Duration::from_secs(31));
    let mut host = start(&url, clock.now(), &journal, kills, "settle");
    let last = wait_for(&mut host, "settled");
    assert!(host.child.wait().expect("it ends").success());
    let audit = stage.sim.audit();
    for (tag, count) in by_tag(&audit) {
        assert_eq!(count, 1, "tag {tag} stands {count} times at the exchange");
    }
    let ours: u32 = last.split_whitespace().last().and_then(|word| word.parse().ok()).expect("a number");
    let theirs: u32 = audit.book.account.owned.iter().map(|owned| owned.quantity.get()).sum();
    assert_eq!(ours, theirs, "shares in the ledger and at the exchange: {last}");
    assert!(taken > kills as usize, "orders were placed: {taken}");
    println!("{kills} kills, {} orders at the exchange, {last}", audit.book.orders.len());
}

struct Host {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(url: &str, now: Timestamp, journal: &Path, life: u64, what: &str) -> Host {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["host", "--exact", "--nocapture", "--test-threads=1"])
        .env(HOST, format!("{url} {} {life} {what}", now.nanos()))
        .env("KOTAK_NEO_CRASH_JOURNAL", journal)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the host starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    Host { child, lines }
}

/// Reads lines until one contains `word`.
fn wait_for(host: &mut Host, word: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(host.lines.read_line(&mut line).expect("readable") > 0, "the host ended before `{word}`");
        if line.contains(word) {
            return line.trim().to_owned();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a kill comes at a moment of real time")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The host: not a test of its own; it does nothing unless it is told to.
#[test]
fn host() {
    let Ok(told) = std::env::var(HOST) else { return };
    let mut words = told.split(' ');
    let url = words.next().expect("a URL").to_owned();
    let now: i64 = words.next().and_then(|word| word.parse().ok()).expect("an instant");
    let life: u64 = words.next().and_then(|word| word.parse().ok()).expect("a number");
    let settle = words.next() == Some("settle");
    let journal = std::env::var_os("KOTAK_NEO_CRASH_JOURNAL").expect("a path");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(live(
        &url,
        Timestamp::from_nanos(now),
        life,
        settle,
        Path::new(&journal),
    ));
}

async fn live(url: &str, now: Timestamp, life: u64, settle: bool, path: &Path) {
    let clock: SharedClock = Arc::new(PacedClock::starting_at(now));
    // The market for the view, not the exchange: that is in the other process.
    let stage = Stage::new(clock, |_| {});
    let transport: MakeTransport = Arc::new(|| {
        let real = HttpTransport::new(HttpOptions::default()).map_err(|error| error.to_string())?;
        Ok(Arc::new(real) as Arc<dyn Transport>)
    });
    let account = Account1::with_rates(&stage, url, transport, KeeperConfig::default(), UNHURRIED);
    kotak_neo_broker::load_scrips(&account.broker).await.expect("the scrip master");
    let mut config = desk_config(Blocking::Threaded);
    config.orders_per_second = 1_000;
    config.listing_lag = LAG;
    config.limits.max_open_orders = None;
    config.limits.max_orders_per_day = None;
    let journal = SqliteJournal::open(path).expect("the journal");
    let desk = desk(&stage, &account, Box::new(journal), config);
    if life == 0 {
        desk.adopt(opening(&stage.calendar, stage.clock.now())).expect("a healthy journal");
    }
    desk.reconcile().await.expect("readable books");
    println!("ready");
    if settle {
        for _ in 0..40 {
            stage.clock.sleep_until(stage.clock.now().plus_nanos(500_000_000)).await;
            desk.reconcile().await.expect("readable books");
        }
        let open = desk.unresolved();
        assert!(open.is_empty(), "still unknown: {open:#?}");
        let owned: u32 = desk.positions(DAY1).iter().map(|view| view.position.quantity.get()).sum();
        let orders = desk.account_orders(DAY1).len();
        println!("settled: {orders} orders known, shares {owned}");
        return;
    }
    // Each life in other symbols in turn: an order that is not known blocks its own.
    let symbols = ["DEMOALFA", "DEMOBETA", "DEMODELTA", "DEMOEPSILON", "DEMOZETA"];
    for number in 0_u64.. {
        let symbol = symbols[((number + life) % 5) as usize];
        let bps = if number % 3 == 0 { 100 } else { -200 };
        let key = format!("k{life}-{number}");
        let terms = limit(&stage, symbol, Side::Buy, 1 + (number % 4) as u32, bps);
        let placed = desk.place(&origin(DAY1), request(&key, terms.clone())).await;
        // The same again, as a run that is entered once more would.
        let _ = desk.place(&origin(DAY1), request(&key, terms.clone())).await;
        let Ok(placed) = placed else { continue };
        match number % 3 {
            1 => {
                let change = ModifyRequest {
                    order: placed.id,
                    key: format!("m{life}-{number}"),
                    side: Side::Buy,
                    price: terms.price + Price::from_paise(5),
                    total_quantity: Quantity::new(terms.quantity.get() + 1),
                };
                let _ = desk.modify(&origin(DAY1), change).await;
            }
            2 => {
                let _ = desk.cancel(&origin(DAY1), placed.id, false, "test".to_owned()).await;
            }
            _ => {}
        }
    }
}
