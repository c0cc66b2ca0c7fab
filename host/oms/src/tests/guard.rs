//! What keeps an order from being sent.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use journal::{Durability, Journal as _, TradingState};
use model::{Clock as _, Money, OrderError, Price, Status};

use super::exchange::Fault;
use super::world::*;
use crate::desk::lock;
use crate::{Blocking, Desk, DeskError};

fn calls(world: &World) -> u32 {
    world.exchange.with(|state| state.calls)
}

/// Fills the second's quota, so that the next order waits.
async fn exhaust(world: &World) {
    for number in 0..6 {
        world.place(&format!("quota{number}"), buy(1)).await.expect("taken");
    }
}

#[tokio::test]
async fn the_kill_switch_holds_for_an_order_that_waits_for_its_turn() {
    let world = World::new(Blocking::Local);
    exhaust(&world).await;
    let before = calls(&world);
    let desk = world.desk.clone();
    world.clock.on_sleep(move || desk.set_trading_state(TradingState::CancelsOnly, "root").expect("written"));
    assert_eq!(rule(world.place("k", buy(10)).await), "kill-switch");
    assert_eq!(calls(&world), before);
}

#[tokio::test]
async fn an_order_of_a_version_that_is_taken_back_is_not_sent_when_its_turn_comes() {
    let world = World::new(Blocking::Local);
    exhaust(&world).await;
    let before = calls(&world);
    let origin = world.origin("s");
    let (desk, version) = (world.desk.clone(), origin.clone());
    world.clock.on_sleep(move || {
        assert!(desk.has_open_calls(&version.strategy), "it waits for its turn");
        assert!(!desk.has_open_calls(&"another".into()));
        desk.revoke(&version.strategy, &version.component);
    });
    assert_eq!(rule(world.desk.place(&origin, request("k", buy(10))).await), "version-rolled-back");
    assert_eq!(calls(&world), before);
    assert!(!world.desk.has_open_calls(&origin.strategy));
    // The same key is free for the version that is back.
    world.desk.place(&origin, request("k", buy(10))).await.expect("taken");
}

#[tokio::test]
async fn an_order_that_outlives_its_run_is_still_open_and_can_be_taken_back() {
    let world = World::new(Blocking::Local);
    let origin = world.origin("s");
    let mut place = Box::pin(world.desk.place(&origin, request("k", buy(10))));
    let asked = place.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(asked.is_pending(), "its task has not begun yet");
    // The run is cut off, and nobody waits for the answer any more.
    drop(place);
    assert!(world.desk.has_open_calls(&origin.strategy));
    world.desk.revoke(&origin.strategy, &origin.component);
    while world.desk.has_open_calls(&origin.strategy) {
        tokio::task::yield_now().await;
    }
    assert_eq!(calls(&world), 0);
    assert!(world.desk.order(world.id("s", "k").as_str()).is_none());
}

#[tokio::test]
async fn an_order_whose_time_passes_while_it_waits_is_not_sent() {
    let world = World::new(Blocking::Local);
    exhaust(&world).await;
    let before = calls(&world);
    let clock = Arc::clone(&world.clock);
    let mut late = request("k", buy(10));
    late.send_by = Some(world.clock.now().plus_seconds(2));
    world.clock.on_sleep(move || clock.pass(3));
    assert_eq!(rule(world.desk.place(&world.origin("s"), late.clone()).await), "send-by");
    // Known beforehand: not even waited for.
    exhaust_again(&world).await;
    late.key = "k2".to_owned();
    late.send_by = Some(world.clock.now());
    assert_eq!(rule(world.desk.place(&world.origin("s"), late).await), "send-by");
    assert!(world.desk.order(world.id("s", "k").as_str()).is_none());
    assert_eq!(calls(&world), before + 6);
}

async fn exhaust_again(world: &World) {
    for number in 0..6 {
        world.place(&format!("more{number}"), buy(1)).await.expect("taken");
    }
}

#[tokio::test]
async fn the_price_is_looked_at_again_after_the_wait() {
    let world = World::new(Blocking::Local);
    exhaust(&world).await;
    let view = Arc::clone(&world.view);
    world.clock.on_sleep(move || *lock(&view.last) = Some(Price::from_rupees(50)));
    assert_eq!(rule(world.place("k", buy(10)).await), "max-price-distance");
}

#[tokio::test]
async fn the_switch_has_three_states_and_survives_a_restart() {
    let mut world = World::new(Blocking::Local);
    world.adopt("ACME", 20);
    let order = world.place("k", buy(1)).await.expect("taken").id;
    world.desk.set_trading_state(TradingState::ExitsOnly, "root").expect("written");
    world.restart();
    assert_eq!(rule(world.place("k2", buy(1)).await), "exits-only");
    assert_eq!(rule(world.modify(order, "m", 2, 100).await), "exits-only");
    let exit = world.place("k3", sell(5)).await.expect("an exit").id;
    world.desk.set_trading_state(TradingState::CancelsOnly, "root").expect("written");
    world.restart();
    assert_eq!(rule(world.place("k4", sell(5)).await), "kill-switch");
    assert_eq!(rule(world.modify(exit, "m2", 5, 99).await), "kill-switch");
    assert_eq!(world.cancel(exit).await.expect("always allowed").status, Status::Canceled);
    world.desk.set_trading_state(TradingState::On, "root").expect("written");
    world.place("k5", buy(1)).await.expect("on again");
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_stops_trading_at_once() {
    let world = World::new(Blocking::Local);
    let order = world.place("k", buy(1)).await.expect("taken").id;
    let before = calls(&world);
    *lock(&world.journal.fails) = true;
    assert!(matches!(world.place("k2", buy(10)).await, Err(OrderError::Desk(_))));
    assert!(world.desk.order(world.id("s", "k2").as_str()).is_none());
    *lock(&world.journal.fails) = false;
    // Mended or not: it stays stopped until somebody restarts it.
    assert!(matches!(world.place("k3", buy(10)).await, Err(OrderError::Desk(_))));
    assert!(matches!(world.modify(order, "m", 2, 100).await, Err(OrderError::Desk(_))));
    assert!(matches!(world.cancel(order).await, Err(OrderError::Desk(_))));
    assert_eq!(calls(&world), before);
    assert!(world.desk.halted().is_some_and(|why| why.contains("disk full")));
}

#[tokio::test]
async fn a_modify_that_cannot_be_written_leaves_the_order_as_it_was() {
    let world = World::new(Blocking::Local);
    let order = world.place("k", buy(1)).await.expect("taken").id;
    *lock(&world.journal.fails) = true;
    assert!(matches!(world.modify(order, "m", 2, 100).await, Err(OrderError::Desk(_))));
    assert_eq!(world.status(order), Status::New);
}

#[tokio::test]
async fn intent_and_attempt_are_on_the_disk_before_the_wire_in_one_commit() {
    let world = World::new(Blocking::Local);
    let synced = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (seen, exchange) = (Arc::clone(&synced), Arc::clone(&world.exchange));
    *lock(&world.journal.after_commit) =
        Some(Box::new(move |durability| lock(&seen).push((durability, exchange.with(|state| state.calls)))));
    world.place("k", buy(10)).await.expect("taken");
    assert_eq!(*lock(&synced), vec![(Durability::Synced, 0), (Durability::Relaxed, 1)]);
}

#[tokio::test]
async fn shares_are_sold_once_and_only_those_that_are_owned() {
    let world = World::new(Blocking::Local);
    world.adopt("ACME", 10);
    let first = world.place("k", sell(6)).await.expect("owned").id;
    assert_eq!(rule(world.place("k2", sell(5)).await), "not-owned");
    assert_eq!(rule(world.modify(first, "m", 11, 100).await), "not-owned");
    world.place("k3", sell(4)).await.expect("the rest");
    let view = &world.desk.positions(day())[0];
    assert_eq!((view.in_working_sells.get(), view.free.get()), (10, 0));
}

#[tokio::test]
async fn a_sell_without_answer_still_holds_its_shares() {
    let world = World::new(Blocking::Local);
    world.adopt("ACME", 10);
    world.exchange.fail_next(Fault::LoseAnswer);
    assert!(matches!(world.place("k", sell(10)).await, Err(OrderError::Unknown(_))));
    // The strategy is blocked by the doubt, another one by the shares.
    assert_eq!(rule(world.place("k2", sell(1)).await), "unresolved-order");
    let other = world.desk.place(&world.origin("other"), request("k", sell(1))).await;
    assert_eq!(rule(other), "not-owned");
}

#[tokio::test]
async fn an_unknown_buy_counts_as_filled_in_the_exposure() {
    let mut config = config(Blocking::Local);
    config.limits.max_exposure = Some(Money::from_rupees(1_500));
    let world = World::with(config);
    world.exchange.fail_next(Fault::LoseCall);
    assert!(matches!(world.place("k", buy(10)).await, Err(OrderError::Unknown(_))));
    assert_eq!(world.desk.exposure(day()), Money::from_rupees(1_000));
    let other = world.desk.place(&world.origin("other"), request("k", buy(6))).await;
    assert_eq!(rule(other), "max-exposure");
    let fits = world.desk.place(&world.origin("other"), request("k2", buy(5))).await;
    assert_eq!(fits.expect("fits").status, Status::New);
}

#[tokio::test]
async fn the_days_loss_stops_buying_and_nothing_else() {
    let mut config = config(Blocking::Local);
    config.limits.max_daily_loss = Some(Money::from_rupees(50));
    let world = World::with(config);
    world.adopt("ACME", 10);
    world.place("k", buy(1)).await.expect("no loss yet");
    *lock(&world.view.last) = Some(Price::from_rupees(95));
    assert_eq!(rule(world.place("k2", buy(1)).await), "max-daily-loss");
    world.place("k3", sell(10)).await.expect("an exit");
}

#[tokio::test]
async fn outside_the_session_nothing_is_sent() {
    let world = World::new(Blocking::Local);
    *lock(&world.view.closed) = true;
    assert!(matches!(world.place("k", buy(1)).await, Err(OrderError::NotNow { .. })));
    assert_eq!(calls(&world), 0);
}

#[tokio::test]
async fn another_accounts_origin_is_turned_away() {
    let world = World::new(Blocking::Local);
    let mut origin = world.origin("s");
    origin.account = "other".into();
    assert_eq!(rule(world.desk.place(&origin, request("k", buy(1))).await), "wrong-account");
}

#[tokio::test]
async fn at_the_end_what_is_on_the_wire_is_written_down_as_unknown() {
    let mut world = World::new(Blocking::Local);
    world.exchange.fail_next(Fault::TakeAndHang);
    let desk = world.desk.clone();
    let origin = world.origin("s");
    let call = tokio::spawn(async move { desk.place(&origin, request("k", buy(10))).await });
    while calls(&world) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.desk.shutdown(Duration::from_secs(8)).await, 1);
    let id = world.id("s", "k");
    assert_eq!(world.status(id), Status::Unknown);
    assert!(matches!(world.place("k2", buy(1)).await, Err(OrderError::Desk(_))));
    call.abort();
    let trail = lock(&world.journal.journal).trail(id).expect("memory");
    assert_eq!(trail.len(), 3, "intent, attempt, evidence");
    world.restart();
    world.settle().await;
    assert_eq!(world.status(id), Status::New);
    let idle = World::new(Blocking::Local);
    assert_eq!(idle.desk.shutdown(Duration::from_secs(8)).await, 0);
}

#[test]
fn a_rate_without_room_is_a_config_error() {
    let world = World::new(Blocking::Local);
    let mut config = world.config.clone();
    config.cancel_reserve = config.orders_per_second;
    let exchange = Arc::clone(&world.exchange);
    let outcome = Desk::open(
        config,
        Box::new(world.journal.clone()),
        exchange,
        Arc::clone(&world.clock) as _,
        Arc::clone(&world.view) as _,
    );
    assert!(matches!(outcome, Err(DeskError::Config { .. })));
}
