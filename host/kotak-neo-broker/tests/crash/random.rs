//! Killed at random moments, many times in one day.

use std::sync::Arc;
use std::time::Duration;

use kotak_neo_sim::{Endpoint, Fault, Kind, PacedClock, Server};
use model::clock::{Rng, SharedClock};
use model::{Clock as _, ModifyRequest, Price, Quantity, Side, Timestamp};
use oms::Desk;

use super::host::{start, wait_for};
use super::support::*;

/// Kills between two lives that are left to find everything out.
const SETTLE_EVERY: u64 = 10;

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
    let settle = || {
        clock.advance(Duration::from_secs(31));
        let mut host = start(&url, clock.now(), &journal, "settle");
        let last = wait_for(&mut host, "settled");
        assert!(host.child.wait().expect("it ends").success());
        last
    };
    let mut rng = Rng::new(7).fork("kills");
    let mut taken = 0;
    for kill in 0..kills {
        // A code is good once: the next host logs in half a minute later.
        clock.advance(Duration::from_secs(31));
        let mut host = start(&url, clock.now(), &journal, &format!("work {kill}"));
        wait_for(&mut host, "ready");
        pause(Duration::from_millis(20 + rng.below(400)));
        host.child.kill().expect("it runs");
        host.child.wait().expect("it is gone");
        let orders = stage.sim.audit().book.orders.len();
        assert!(kill == 0 || orders >= taken, "orders do not vanish");
        taken = orders;
        // No life is long enough for the reads that prove an absence, and an unknown order blocks its symbol.
        if kill % SETTLE_EVERY == SETTLE_EVERY - 1 {
            settle();
        }
    }
    stage.sim.faults().clear();
    let last = settle();
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

#[expect(clippy::disallowed_methods, reason = "a kill comes at a moment of real time")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Orders without end: each life in other symbols in turn, because an order that is not known blocks its own.
pub async fn work(stage: &Stage, desk: &Desk, life: u64) {
    let symbols = ["DEMOALFA", "DEMOBETA", "DEMODELTA", "DEMOEPSILON", "DEMOZETA"];
    for number in 0_u64.. {
        let symbol = symbols[((number + life) % 5) as usize];
        let bps = if number % 3 == 0 { 100 } else { -200 };
        let key = format!("k{life}-{number}");
        let terms = limit(stage, symbol, Side::Buy, 1 + (number % 4) as u32, bps);
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
