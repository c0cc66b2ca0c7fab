//! What is not known, and what it takes to know it.

use journal::TradingState;
use model::{BrokerOrderId, LedgerKind, OrderError, OrderId, Price, Quantity, Status};

use super::exchange::Fault;
use super::world::*;
use crate::Blocking;

async fn unknown(world: &World, fault: Fault) -> OrderId {
    world.exchange.fail_next(fault);
    let outcome = world.place("k", buy(10)).await;
    assert!(matches!(outcome, Err(OrderError::Unknown(_))), "{outcome:?}");
    assert!(world.alerts().iter().any(|key| key.starts_with("unknown:")));
    world.id("s", "k")
}

#[tokio::test]
async fn a_lost_answer_is_found_by_its_tag() {
    let world = World::new(Blocking::Local);
    let id = unknown(&world, Fault::LoseAnswer).await;
    world.desk.reconcile().await.expect("read");
    assert_eq!(world.status(id), Status::New);
    assert_eq!(world.exchange.with(|state| state.taken[&id]), 1);
}

#[tokio::test]
async fn a_lost_answer_without_tag_is_found_by_what_it_asked_for() {
    let world = World::new(Blocking::Local);
    world.exchange.with(|state| state.drops_tags = true);
    let id = unknown(&world, Fault::LoseAnswer).await;
    world.exchange.fill(&BrokerOrderId::from("B1"), 4);
    world.desk.reconcile().await.expect("read");
    assert_eq!((world.status(id), world.owned()), (Status::PartiallyFilled, 4));
}

#[tokio::test]
async fn two_that_fit_are_none() {
    let world = World::new(Blocking::Local);
    world.exchange.with(|state| state.drops_tags = true);
    let id = unknown(&world, Fault::LoseAnswer).await;
    world.exchange.with(|state| {
        let mut row = state.rows[&BrokerOrderId::from("B1")].clone();
        row.broker_id = "B2".into();
        state.rows.insert("B2".into(), row)
    });
    world.settle().await;
    assert_eq!(world.status(id), Status::Parked);
    assert!(world.alerts().iter().any(|key| key.starts_with("parked:")));
    assert_eq!(rule(world.place("k2", buy(1)).await), "unresolved-order");
}

#[tokio::test]
async fn an_empty_book_is_no_proof_before_three_spaced_reads() {
    let world = World::new(Blocking::Local);
    let id = unknown(&world, Fault::LoseCall).await;
    for _ in 0..20 {
        world.clock.pass(1);
        world.desk.reconcile().await.expect("read");
        assert_eq!(world.status(id), Status::Unknown);
    }
    world.settle().await;
    assert_eq!(world.status(id), Status::NotPlaced);
    world.place("k2", buy(1)).await.expect("free again");
}

#[tokio::test]
async fn time_alone_and_failed_reads_prove_nothing() {
    for failing in ["orders", "trades", "positions", "holdings", "funds"] {
        let world = World::new(Blocking::Local);
        let id = unknown(&world, Fault::LoseCall).await;
        world.exchange.with(|state| state.failing.insert(failing));
        for _ in 0..20 {
            world.clock.pass(600);
            world.desk.reconcile().await.expect_err(failing);
        }
        assert_eq!(world.status(id), Status::Unknown, "{failing}");
    }
}

#[tokio::test]
async fn a_late_listing_within_the_lag_is_waited_for() {
    let world = World::new(Blocking::Local);
    world.exchange.with(|state| state.lag_seconds = 59);
    let id = unknown(&world, Fault::LoseAnswer).await;
    for _ in 0..5 {
        world.clock.pass(14);
        world.desk.reconcile().await.expect("read");
        assert_ne!(world.status(id), Status::NotPlaced);
    }
    assert_eq!(world.status(id), Status::New);
}

#[tokio::test]
async fn shares_or_cash_that_moved_are_a_trace() {
    // An external trade of the same symbol and side: who knows whose it is.
    let world = World::new(Blocking::Local);
    let id = unknown(&world, Fault::LoseCall).await;
    world.exchange.with(|state| state.blocked = model::Money::from_rupees(1_000));
    world.settle().await;
    assert_eq!(world.status(id), Status::Parked);
}

/// A row of the order's size is a trace however the clocks differ: to take it for another's would send the
/// order twice.
#[tokio::test]
async fn a_lost_tag_and_a_clock_that_is_fast_are_no_proof() {
    for seconds in [6, 300, 3_600] {
        let world = World::new(Blocking::Local);
        world.exchange.with(|state| state.drops_tags = true);
        let id = unknown(&world, Fault::LoseAnswer).await;
        world.exchange.with(|state| {
            for row in state.rows.values_mut() {
                row.at = row.at.plus_seconds(-seconds);
            }
        });
        world.settle().await;
        assert_eq!(world.status(id), Status::Parked, "{seconds} s");
    }
}

#[tokio::test]
async fn a_listing_after_the_proof_is_believed_and_freezes_trading() {
    let world = World::new(Blocking::Local);
    world.exchange.with(|state| state.lag_seconds = 3_600);
    let id = unknown(&world, Fault::LoseAnswer).await;
    world.settle().await;
    assert_eq!(world.status(id), Status::NotPlaced);
    world.exchange.with(|state| state.lag_seconds = 0);
    world.desk.reconcile().await.expect("read");
    assert_eq!(world.status(id), Status::New);
    assert_eq!(world.desk.trading_state(), TradingState::CancelsOnly);
    assert!(world.alerts().iter().any(|key| key.starts_with("contradiction:")));
    assert_eq!(world.cancel(id).await.expect("cancels stay possible").status, Status::Canceled);
}

#[tokio::test]
async fn a_modify_without_answer_is_settled_by_the_book_either_way() {
    for (fault, quantity) in [(Fault::LoseAnswer, 15), (Fault::LoseCall, 10)] {
        let world = World::new(Blocking::Local);
        let order = world.place("k", buy(10)).await.expect("taken").id;
        world.exchange.fail_next(fault);
        assert!(matches!(world.modify(order, "m", 15, 101).await, Err(OrderError::Unknown(_))));
        assert_eq!(world.desk.exposure(day()), Price::from_rupees(101) * Quantity::new(15));
        assert_eq!(rule(world.modify(order, "m2", 12, 100).await), "unresolved-order");
        world.settle().await;
        assert_eq!(world.status(order), Status::New);
        assert_eq!(world.view_of(order).terms.quantity, Quantity::new(quantity), "{fault:?}");
        world.modify(order, "m3", 12, 100).await.expect("free again");
    }
}

#[tokio::test]
async fn a_cancel_without_answer_still_works_until_the_book_says_otherwise() {
    for (fault, status) in [(Fault::LoseAnswer, Status::Canceled), (Fault::LoseCall, Status::New)] {
        let world = World::new(Blocking::Local);
        let order = world.place("k", buy(10)).await.expect("taken").id;
        world.exchange.fail_next(fault);
        assert!(matches!(world.cancel(order).await, Err(OrderError::Unknown(_))));
        assert_eq!(world.desk.exposure(day()), model::Money::from_rupees(1_000));
        world.settle().await;
        assert_eq!(world.status(order), status);
        assert_eq!(world.cancel(order).await.expect("again").status, Status::Canceled);
    }
}

#[tokio::test]
async fn a_fill_without_trade_row_is_inferred_and_its_late_trade_not_added() {
    let mut world = World::new(Blocking::Local);
    let order = world.place("k", buy(10)).await.expect("taken").id;
    world.exchange.fill(&BrokerOrderId::from("B1"), 10);
    let trade = world.exchange.with(|state| state.trades.pop()).expect("a trade");
    world.desk.reconcile().await.expect("read");
    assert_eq!((world.status(order), world.owned()), (Status::Filled, 0));
    assert_eq!(world.desk.exposure(day()), model::Money::from_rupees(1_000), "filled, though not yet booked");
    world.settle().await;
    assert_eq!(world.owned(), 10);
    let entries = world.desk.entries(day());
    assert!(matches!(entries[0].why, LedgerKind::ReconciledFill { .. }));
    world.restart();
    world.exchange.with(|state| state.trades.push(trade));
    world.desk.reconcile().await.expect("read");
    assert_eq!((world.owned(), world.desk.entries(day()).len()), (10, 1));
    world.restart();
    assert_eq!(world.owned(), 10);
}

#[tokio::test]
async fn a_day_order_of_the_past_expires_only_when_every_share_is_accounted_for() {
    for (held, status) in [(0, Status::Expired), (10, Status::Parked)] {
        let mut world = World::new(Blocking::Local);
        let order = world.place("k", buy(10)).await.expect("taken").id;
        // The host was away over the close; next day's book is empty.
        world.clock.pass(24 * 3600);
        world.restart();
        world.exchange.with(|state| {
            state.rows.clear();
            state.holdings.insert("ACME".into(), Quantity::new(held));
        });
        world.desk.reconcile().await.expect("read");
        assert_eq!(world.status(order), Status::New, "one read is no proof");
        world.settle().await;
        assert_eq!(world.status(order), status, "{held} held");
    }
}

#[tokio::test]
async fn shares_sold_by_hand_leave_the_ledger_once() {
    let mut world = World::new(Blocking::Local);
    world.adopt("ACME", 10);
    // Five more are the operator's own: those go first.
    world.exchange.with(|state| state.holdings.insert("ACME".into(), Quantity::new(15)));
    let foreign = World::new(Blocking::Local);
    foreign.adopt("ACME", 8);
    foreign.place("k", sell(8)).await.expect("taken");
    foreign.exchange.fill(&BrokerOrderId::from("B1"), 8);
    let mut trade = foreign.exchange.with(|state| state.trades[0].clone());
    (trade.broker_id, trade.tag, trade.trade_id) = ("X1".into(), None, "X-T1".to_owned());
    world.exchange.with(|state| state.trades.push(trade));
    for _ in 0..3 {
        world.desk.reconcile().await.expect("read");
        assert_eq!(world.owned(), 7);
        world.restart();
    }
    assert_eq!(world.alerts().iter().filter(|key| key.starts_with("external-sale:")).count(), 1);
}

#[tokio::test]
async fn a_panicking_adapter_is_no_answer() {
    let world = World::new(Blocking::Local);
    let id = unknown(&world, Fault::Panic).await;
    world.settle().await;
    assert_eq!(world.status(id), Status::NotPlaced);
}

#[tokio::test]
async fn a_read_that_began_before_a_change_does_not_take_it_back() {
    let world = World::new(Blocking::Local);
    let order = world.place("k", buy(10)).await.expect("taken").id;
    let old = vec![world.broker_row(order)];
    let since = world.desk.inner.book().revision;
    world.modify(order, "m", 15, 101).await.expect("changed");
    assert_eq!(world.desk.inner.absorb(&old, &[], Some(since), None), 0);
    assert_eq!(world.view_of(order).terms.quantity, Quantity::new(15));
}
