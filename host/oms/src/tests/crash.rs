//! Death between every two steps.

use std::sync::{Arc, Mutex};

use journal::MemoryJournal;
use model::{BrokerOrderId, Clock as _, OrderError, Status};

use super::exchange::{Fault, State};
use super::world::*;
use crate::Blocking;
use crate::desk::lock;

/// What is on the disk and at the broker at one instant.
type Instant = (MemoryJournal, State);

/// Notes disk and broker after every commit and every broker call.
fn watch(world: &World) -> Arc<Mutex<Vec<Instant>>> {
    let instants: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let (all, journal, exchange) =
        (Arc::clone(&instants), Arc::clone(&world.journal.journal), Arc::downgrade(&world.exchange));
    let note = move || {
        if let Some(exchange) = exchange.upgrade() {
            lock(&all).push((lock(&journal).clone(), exchange.with(|state| state.clone())));
        }
    };
    let after_call = note.clone();
    *lock(&world.exchange.after_call) = Some(Box::new(after_call));
    *lock(&world.journal.after_commit) = Some(Box::new(move |_| note()));
    instants
}

/// A morning: buy, a part fills, raise, the rest fills, sell some, lower, cancel, sell again.
async fn morning(world: &World) {
    let ignore = |_: Result<model::Placed, OrderError>| {};
    let fill = |key: &str, quantity| {
        let order = world.desk.order(world.id("s", key).as_str());
        if let Some(number) = order.and_then(|order| order.broker_id) {
            world.exchange.fill(&number, quantity);
        }
    };
    ignore(world.place("buy", buy(10)).await);
    fill("buy", 4);
    let _ = world.desk.refresh().await;
    if world.desk.order(world.id("s", "buy").as_str()).is_some() {
        ignore(world.modify(world.id("s", "buy"), "raise", 12, 101).await);
    }
    fill("buy", 8);
    let _ = world.desk.refresh().await;
    ignore(world.place("exit", sell(6)).await);
    if world.desk.order(world.id("s", "exit").as_str()).is_some() {
        ignore(world.modify(world.id("s", "exit"), "lower", 6, 99).await);
        ignore(world.cancel(world.id("s", "exit")).await);
    }
    ignore(world.place("again", sell(12)).await);
    fill("again", 5);
    let _ = world.desk.refresh().await;
}

fn check(world: &World, instant: usize) {
    let (net, taken, working) = world.exchange.with(|state| {
        let sells =
            state.rows.values().filter(|row| row.terms.side == model::Side::Sell && !row.status.is_final());
        let working: u32 = sells.map(|row| (row.terms.quantity - row.filled).get()).sum();
        (state.net(&"ACME".into()), state.taken.values().copied().max().unwrap_or_default(), working)
    });
    assert!(taken <= 1, "instant {instant}: an order was sent twice");
    assert!(net >= 0, "instant {instant}: sold what was not owned");
    assert_eq!(i64::from(world.owned()), net, "instant {instant}: ledger and broker differ");
    assert!(i64::from(working) <= net, "instant {instant}: {working} in sells, {net} owned");
    assert_eq!(
        world.desk.trading_state(),
        journal::TradingState::On,
        "instant {instant}: {:?}",
        world.alerts()
    );
}

#[tokio::test]
async fn a_restart_at_any_instant_loses_nothing_and_sends_nothing_twice() {
    for fault in
        [None, Some(Fault::LoseAnswer), Some(Fault::LoseCall), Some(Fault::FillFirst), Some(Fault::Expire)]
    {
        let first = World::new(Blocking::Local);
        let instants = watch(&first);
        if let Some(fault) = fault {
            first.exchange.fail_next(fault);
        }
        morning(&first).await;
        first.settle().await;
        check(&first, usize::MAX);
        drop(first);
        let instants = std::mem::take(&mut *lock(&instants));
        assert!(instants.len() >= 4, "{} instants", instants.len());
        for (number, (journal, state)) in instants.into_iter().enumerate() {
            let clock = TestClock::new();
            clock.pass(60);
            let second = World::on(config(Blocking::Local), journal, state, clock);
            // Before anything else: what was on the wire is Unknown, and blocks.
            second.settle().await;
            check(&second, number);
            assert!(second.desk.unresolved().is_empty(), "instant {number}: {:?}", second.desk.unresolved());
            // The run is entered again under the same keys.
            morning(&second).await;
            second.settle().await;
            check(&second, number);
        }
    }
}

#[tokio::test]
async fn died_before_the_wire_and_died_before_the_answer() {
    for (fault, expected) in [(Fault::Hang, Status::NotPlaced), (Fault::TakeAndHang, Status::New)] {
        let mut world = World::new(Blocking::Local);
        world.exchange.fail_next(fault);
        let desk = world.desk.clone();
        let origin = world.origin("s");
        let call = tokio::spawn(async move { desk.place(&origin, request("k", buy(10))).await });
        while world.exchange.with(|state| state.calls) == 0 {
            tokio::task::yield_now().await;
        }
        call.abort();
        world.restart();
        let id = world.id("s", "k");
        assert_eq!(world.status(id), Status::Unknown);
        assert_eq!(world.desk.exposure(day()), model::Money::from_rupees(1_000));
        assert_eq!(world.place("k", buy(10)).await.expect("its state").status, Status::Unknown);
        world.settle().await;
        assert_eq!(world.status(id), expected);
        assert!(world.exchange.with(|state| state.taken.get(&id).copied().unwrap_or_default()) <= 1);
    }
}

#[tokio::test]
async fn the_book_after_a_restart_is_the_book_before_it() {
    let mut world = World::new(Blocking::Local);
    morning(&world).await;
    world.desk.reconcile().await.expect("read");
    let before = (world.desk.account_orders(day()), world.desk.positions(day()), world.desk.entries(day()));
    world.restart();
    let after = (world.desk.account_orders(day()), world.desk.positions(day()), world.desk.entries(day()));
    assert_eq!(before, after);
    assert!(world.clock.now() > model::Timestamp::at_ist(day(), 9, 0));
    let external = BrokerOrderId::from("none");
    assert!(world.desk.order(external.as_str()).is_none());
}
