//! The ordinary ways of an order.

use model::{BrokerOrderId, OrderError, OrderTerms, Price, Quantity, Status};

use super::exchange::Fault;
use super::world::*;
use crate::{Blocking, Verdict};

#[tokio::test]
async fn an_order_is_written_sent_acknowledged_filled_and_owned() {
    for blocking in [Blocking::Threaded, Blocking::Local, Blocking::Inline] {
        let world = World::new(blocking);
        let placed = world.place("k", buy(10)).await.expect("taken");
        assert_eq!(placed.status, Status::New, "{blocking:?}");
        world.exchange.fill(&BrokerOrderId::from("B1"), 4);
        world.desk.refresh().await.expect("read");
        assert_eq!(world.status(placed.id), Status::PartiallyFilled);
        world.exchange.fill(&BrokerOrderId::from("B1"), 6);
        world.desk.refresh().await.expect("read");
        assert_eq!(world.status(placed.id), Status::Filled);
        assert_eq!(world.owned(), 10);
        let entries = world.desk.entries(day());
        assert_eq!(entries.len(), 2);
        // Rs 400 bought: STT 0.40, exchange 0.01, stamp 0.06.
        assert_eq!(entries[0].charges.to_string(), "0.47");
        // Told twice, booked once.
        assert_eq!(world.desk.refresh().await.expect("read"), 0);
        assert_eq!(world.owned(), 10);
        let account = world.desk.day_account(day()).expect("the day");
        assert_eq!((account.fills, account.orders), (2, vec![("filled".to_owned(), 1)]));
        let by_kind: model::Money = account.charges_by_kind.iter().map(|(_, amount)| *amount).sum();
        assert_eq!(by_kind, account.charges);
    }
}

#[tokio::test]
async fn a_key_is_one_order_whatever_becomes_of_it() {
    let mut world = World::new(Blocking::Local);
    let first = world.place("k", buy(10)).await.expect("taken");
    let second = world.place("k", buy(10)).await.expect("the same");
    assert_eq!(first, second);
    assert_eq!(rule(world.place("k", buy(11)).await), "key-reused");
    world.cancel(first.id).await.expect("canceled");
    assert_eq!(world.place("k", buy(10)).await.expect("dead, but the same").status, Status::Canceled);
    world.restart();
    assert_eq!(world.place("k", buy(10)).await.expect("across a restart").status, Status::Canceled);
    assert_eq!(rule(world.place("k", buy(11)).await), "key-reused");
    assert_eq!(world.exchange.with(|state| state.taken[&first.id]), 1);
    // A new key is a new order.
    assert_eq!(world.place("k2", buy(10)).await.expect("taken").status, Status::New);
}

#[tokio::test]
async fn the_key_of_a_modify_is_one_change() {
    let mut world = World::new(Blocking::Local);
    let order = world.place("k", buy(10)).await.expect("taken").id;
    let calls = |world: &World| world.exchange.with(|state| state.calls);
    world.modify(order, "m", 12, 101).await.expect("changed");
    let before = calls(&world);
    world.modify(order, "m", 12, 101).await.expect("the same");
    world.restart();
    world.modify(order, "m", 12, 101).await.expect("the same");
    assert_eq!(calls(&world), before);
    assert_eq!(rule(world.modify(order, "m", 12, 102).await), "key-reused");
    assert_eq!(rule(world.modify(order, "k", 12, 101).await), "key-reused");
    assert_eq!(rule(world.place("m", buy(1)).await), "key-reused");
    let row = world.broker_row(order);
    assert_eq!((row.terms.quantity, row.terms.price), (Quantity::new(12), Price::from_rupees(101)));
}

#[tokio::test]
async fn two_at_once_with_one_key_are_one_order() {
    let world = World::new(Blocking::Local);
    // The limiter makes them wait between check and commit.
    for number in 0..6 {
        world.place(&format!("fill{number}"), buy(1)).await.expect("taken");
    }
    let (left, right) = tokio::join!(world.place("k", buy(10)), world.place("k", buy(10)));
    assert_eq!(left.expect("taken").id, right.expect("taken").id);
    assert_eq!(world.exchange.with(|state| state.taken.values().copied().max()), Some(1));
    assert_eq!(world.exchange.with(|state| state.rows.len()), 7);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_its_order_along() {
    let world = World::new(Blocking::Threaded);
    let desk = world.desk.clone();
    let origin = world.origin("s");
    let mut call = Box::pin(async move { desk.place(&origin, request("k", buy(10))).await });
    // One poll hands it over; then the caller is gone.
    let waited =
        std::future::poll_fn(|context| std::task::Poll::Ready(call.as_mut().poll(context).is_pending()))
            .await;
    assert!(waited);
    drop(call);
    let id = world.id("s", "k");
    while world.desk.order(id.as_str()).is_none_or(|order| order.status != Status::New) {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.exchange.with(|state| state.taken[&id]), 1);
}

#[tokio::test]
async fn a_refusal_with_proof_is_final_and_frees_the_symbol() {
    let world = World::new(Blocking::Local);
    world.exchange.fail_next(Fault::Refuse);
    let refused = world.place("k", buy(10)).await;
    assert!(matches!(refused, Err(OrderError::Refused { ref code, .. }) if code == "RMS"), "{refused:?}");
    assert_eq!(world.status(world.id("s", "k")), Status::Rejected);
    assert_eq!(world.place("k2", buy(10)).await.expect("free").status, Status::New);
}

#[tokio::test]
async fn a_fill_before_the_acknowledgement_is_a_fill() {
    let world = World::new(Blocking::Local);
    world.exchange.fail_next(Fault::FillFirst);
    let placed = world.place("k", buy(10)).await.expect("taken");
    world.desk.refresh().await.expect("read");
    assert_eq!((world.status(placed.id), world.owned()), (Status::Filled, 10));
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_answers_with_the_fill() {
    let world = World::new(Blocking::Local);
    let order = world.place("k", buy(10)).await.expect("taken").id;
    world.exchange.fill(&BrokerOrderId::from("B1"), 10);
    let placed = world.cancel(order).await.expect("already complete is an answer");
    assert_eq!((placed.status, placed.filled, world.owned()), (Status::Filled, Quantity::new(10), 10));
    assert_eq!(world.desk.trading_state(), journal::TradingState::On, "a race is no contradiction");
    let calls = world.exchange.with(|state| state.calls);
    world.cancel(order).await.expect("an answer");
    assert_eq!(world.exchange.with(|state| state.calls), calls, "nothing is sent about what has ended");
}

#[tokio::test]
async fn only_own_orders_are_changed_and_stale_ones_of_others_cancelled() {
    let world = World::new(Blocking::Local);
    let order = world.place("k", buy(10)).await.expect("taken").id;
    let other = world.origin("eod");
    let modify = model::ModifyRequest {
        order,
        key: "m".to_owned(),
        side: model::Side::Buy,
        price: Price::from_rupees(99),
        total_quantity: Quantity::new(10),
    };
    assert_eq!(rule(world.desk.modify(&other, modify).await), "not-own-order");
    assert_eq!(rule(world.desk.cancel(&other, order, true, String::new()).await), "not-own-order");
    world.clock.pass(24 * 3600);
    let next = world.origin("eod");
    assert_eq!(rule(world.desk.cancel(&next, order, false, String::new()).await), "not-own-order");
    let ended = world.desk.cancel(&next, order, true, "stale".to_owned()).await.expect("stale");
    assert_eq!(ended.status, Status::Canceled);
}

#[tokio::test]
async fn orders_that_are_not_ours_are_shown_and_left_alone() {
    let world = World::new(Blocking::Local);
    world.exchange.with(|state| state.drops_tags = true);
    let foreign = World::new(Blocking::Local);
    foreign.place("k", buy(3)).await.expect("taken");
    let row = foreign.exchange.with(|state| state.rows[&BrokerOrderId::from("B1")].clone());
    world.exchange.with(|state| {
        let number = BrokerOrderId::from("X9");
        state.rows.insert(number.clone(), broker::BrokerOrder { broker_id: number, tag: None, ..row })
    });
    world.desk.reconcile().await.expect("read");
    let shown = world.desk.account_orders(day());
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].id.as_str(), &shown[0].strategy), ("X9", &None));
    assert!(world.desk.own_orders(&"s".into(), day()).is_empty());
    assert!(world.desk.order("X9").is_some());
    assert_eq!(world.exchange.with(|state| state.calls), 0);
}

#[tokio::test]
async fn the_operators_verdict_is_evidence() {
    let mut world = World::new(Blocking::Local);
    world.exchange.fail_next(Fault::LoseCall);
    assert!(matches!(world.place("k", buy(10)).await, Err(OrderError::Unknown(_))));
    let id = world.id("s", "k");
    let over = Verdict::Filled { quantity: Quantity::new(11), price: Price::from_rupees(99) };
    assert_eq!(rule(world.desk.resolve(id, over, "root")), "bad-verdict");
    let verdict = Verdict::Filled { quantity: Quantity::new(10), price: Price::from_rupees(99) };
    assert_eq!(world.desk.resolve(id, verdict, "root").expect("resolved").status, Status::Filled);
    assert_eq!((world.owned(), world.desk.unresolved().len()), (10, 0));
    assert_eq!(rule(world.desk.resolve(id, verdict, "root")), "resolved");
    world.restart();
    assert_eq!((world.owned(), world.status(id)), (10, Status::Filled));
    let position = &world.desk.positions(day())[0].position;
    assert_eq!(position.cost, model::Money::from_rupees(990));
}

#[tokio::test]
async fn a_frame_ends_an_order_but_not_an_after_market_one() {
    let world = World::new(Blocking::Local);
    let said = |order, status| {
        let mut frame = world.broker_row(order);
        frame.status = status;
        world.desk.hear(&[frame])
    };
    let day_order = world.place("day", buy(10)).await.expect("taken").id;
    world.exchange.with(|state| {
        state.rows.values_mut().for_each(|row| row.status = Status::Canceled);
    });
    assert_eq!(said(day_order, Status::Canceled), 1);
    assert_eq!(world.status(day_order), Status::Canceled);
    // Which session it was for does not stand in the frame: it seems to have ended with today's.
    let queued = world.place("amo", OrderTerms { amo: true, ..buy(10) }).await.expect("taken").id;
    assert_eq!(said(queued, Status::Expired), 0);
    assert!(!world.status(queued).is_final());
    world.cancel(queued).await.expect("canceled");
    world.desk.refresh().await.expect("read");
    assert_eq!(world.status(queued), Status::Canceled);
    let refused = world.place("amo2", OrderTerms { amo: true, ..buy(10) }).await.expect("taken").id;
    assert_eq!(said(refused, Status::Rejected), 1);
    assert_eq!(world.status(refused), Status::Rejected);
}
