//! What is told of a shadow's orders beside the live version's.

use model::{Clock as _, Date, ModifyRequest, OrderError, OrderView, Origin, PlaceRequest, Placed, Status};
use runtime::{Services as _, Severity};

use super::*;
use crate::hotswap::shadow::Shadow;

/// A shadow beside the orders that the stage begins with.
struct Beside {
    stage: Stage,
    shadow: Shadow,
}

fn terms(symbol: &str, side: Side, quantity: u32) -> OrderTerms {
    OrderTerms::limit(Symbol::from(symbol), side, Quantity::new(quantity), Price::from_paise(10_000))
}

fn buy() -> OrderTerms {
    terms("DEMOBETA", Side::Buy, 1)
}

impl Beside {
    fn with(entries: &[Entry]) -> Self {
        let stage = Stage::with(entries);
        let inherited = stage.world.desk.own_orders(&SELL.into(), DAY1);
        let shadow = Shadow::beside(Arc::clone(&stage.world.quiet), &inherited, Vec::new());
        Self { stage, shadow }
    }

    fn origin(&self) -> Origin {
        let Stage { runner, task, slot, clock, .. } = &self.stage;
        runner.info(task, &slot.live(), clock.now(), 1).origin
    }

    async fn ask(&self, key: &str, terms: OrderTerms) -> Result<Placed, OrderError> {
        let reason = "a test".to_owned();
        let request = PlaceRequest { key: key.to_owned(), terms, send_by: None, reason };
        self.shadow.place(&self.origin(), request).await
    }

    async fn place(&self, key: &str, terms: OrderTerms) -> OrderView {
        let placed = self.ask(key, terms).await.expect("taken");
        self.shadow.order(&self.origin(), placed.id.as_str()).expect("kept")
    }

    async fn cancel(&self, id: &str) {
        let id = IntentId::parse(id).expect("an id");
        self.shadow.cancel(&self.origin(), id, false, "a test".to_owned()).await.expect("cancelled");
    }

    /// Orders alike and different beside these of the live version.
    fn counts(&self, lives: &[&OrderView], day: Date) -> (usize, usize) {
        let lives: Vec<OrderView> = lives.iter().copied().cloned().collect();
        let comparison = self.shadow.compare(&lives, day);
        (comparison.same, comparison.different)
    }
}

#[tokio::test]
async fn an_after_market_order_is_compared_on_the_day_that_it_is_for() {
    let beside = Beside::with(&[]);
    beside.stage.clock.set(Timestamp::at_ist(DAY1, 10, 0));
    let of_the_day = beside.place("buy:X", buy()).await;
    beside.stage.clock.set(Timestamp::at_ist(DAY1, 16, 5));
    let bought = beside.place("buy:Y", OrderTerms { amo: true, ..buy() }).await;
    let sale = OrderTerms { amo: true, ..terms("DEMOGAMMA", Side::Sell, 150) };
    let sold = beside.place("sell", sale).await;
    let next = bought.for_session;
    assert!(next > DAY1, "{next}");
    assert_eq!(beside.counts(&[&of_the_day, &bought, &sold], DAY1), (3, 0));

    beside.stage.clock.set(Timestamp::at_ist(next, 10, 0));
    beside.shadow.new_day();
    assert_eq!(beside.counts(&[&bought, &sold], next), (2, 0));
    assert_eq!(beside.counts(&[], next), (0, 2));
    let positions = beside.shadow.positions(&beside.origin()).expect("readable");
    let held = positions.iter().find(|view| view.position.symbol.as_str() == "DEMOGAMMA").expect("held");
    assert_eq!((held.in_working_sells, held.free), (Quantity::new(150), Quantity::ZERO));
    // The same key on another day is another order.
    let again = beside.place("buy:Y", buy()).await;
    assert_eq!(beside.counts(&[&bought, &sold, &again], next), (3, 0));
    assert_eq!(beside.counts(&[&sold, &again], next), (2, 1));
}

#[tokio::test]
async fn a_change_to_an_inherited_order_is_compared_with_the_live_versions() {
    let (lost, entries) = order_of_unknown_fate();
    let beside = Beside::with(&entries);
    let before = beside.shadow.order(&beside.origin(), lost.as_str()).expect("inherited");
    let mut lowered = before.clone();
    lowered.terms.price = Price::from_paise(9_900);
    assert_eq!(beside.counts(&[&before], DAY1), (0, 0), "neither has changed it");
    assert_eq!(beside.counts(&[&lowered], DAY1), (0, 1), "the live one has");
    let request = ModifyRequest {
        order: lost,
        key: "lower".to_owned(),
        side: Side::Buy,
        price: lowered.terms.price,
        total_quantity: lowered.terms.quantity,
    };
    beside.shadow.modify(&beside.origin(), request).await.expect("changed");
    assert_eq!(beside.counts(&[&lowered], DAY1), (1, 0), "both have, alike");
    assert_eq!(beside.counts(&[&before], DAY1), (0, 1), "the shadow has");
}

#[tokio::test]
async fn who_cancelled_is_compared_and_how_an_order_ended_otherwise_is_not() {
    let beside = Beside::with(&[]);
    let working = beside.place("buy:X", buy()).await;
    let counts = |status| beside.counts(&[&OrderView { status, ..working.clone() }], DAY1);
    for status in [Status::New, Status::Filled, Status::Expired, Status::Rejected] {
        assert_eq!(counts(status.clone()), (1, 0), "{status}");
    }
    assert_eq!(counts(Status::Canceled), (0, 1));
    assert_eq!(counts(Status::PendingCancel), (0, 1));
    beside.cancel(&working.id).await;
    assert_eq!(counts(Status::New), (0, 1));
    assert_eq!(counts(Status::Filled), (0, 1), "it was cancelled before it was filled");
    assert_eq!(counts(Status::Canceled), (1, 0));
}

#[tokio::test]
async fn what_had_ended_for_the_live_version_may_be_cancelled_by_the_shadow() {
    let (lost, entries) = order_of_unknown_fate();
    let stage = Stage::with(&entries);
    let shadow = Shadow::beside(Arc::clone(&stage.world.quiet), &[], Vec::new());
    let beside = Beside { stage, shadow };
    // The same order: its day and key are its identity.
    beside.stage.clock.set(Timestamp::at_ist(DAY0, 10, 0));
    let own = beside.place("lost", buy()).await;
    assert_eq!(own.id, lost.to_string());
    beside.stage.clock.set(minute(0));
    let desk = &beside.stage.world.desk;
    desk.resolve(lost, Verdict::NotPlaced, "the operator").expect("resolved");
    let live = desk.order(lost.as_str()).expect("known");
    assert!(live.status.is_final(), "{}", live.status);
    beside.cancel(&own.id).await;
    assert_eq!(beside.counts(&[&live], DAY0), (1, 0));
}

#[tokio::test]
async fn alerts_are_counted_and_told_apart_by_the_day() {
    let beside = Beside::with(&[]);
    let alert = |key: &str| beside.shadow.alert(&beside.origin(), key, Severity::Info, "a test");
    let alerts = |day| beside.shadow.compare(&[], day).alerts;
    assert!(alert("one"));
    assert!(!alert("one"));
    assert_eq!(alerts(DAY1), 1);
    for number in 0..2_000 {
        alert(&number.to_string());
    }
    let next = DAY1.succ_opt().expect("a date");
    beside.stage.clock.set(Timestamp::at_ist(next, 10, 0));
    assert_eq!(alerts(next), 0);
    beside.shadow.new_day();
    assert!(alert("one"), "yesterday's do not count");
    assert_eq!(alerts(next), 1);
}

#[tokio::test]
async fn a_shadow_is_denied_what_the_phase_does_not_allow() {
    let beside = Beside::with(&[]);
    let after_market = OrderTerms { amo: true, ..buy() };
    let denied = beside.ask("amo", after_market).await;
    assert!(matches!(denied, Err(OrderError::NotNow { .. })), "{denied:?}");
    beside.stage.clock.set(Timestamp::at_ist(DAY1, 16, 5));
    let denied = beside.ask("buy", buy()).await;
    assert!(matches!(denied, Err(OrderError::NotNow { .. })), "{denied:?}");
    assert_eq!(beside.counts(&[], DAY1), (0, 0));
}
