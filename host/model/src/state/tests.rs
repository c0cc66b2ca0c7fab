use super::*;
use crate::evidence::{Evidence, Fact, Fill, Source};
use crate::order::OrderTerms;

pub(super) fn day() -> Date {
    Date::from_ymd_opt(2025, 3, 4).expect("a date")
}

pub(super) fn id(last: char) -> IntentId {
    IntentId::parse(&format!("AAAAAAAAAAAAAAA{last}")).expect("an id")
}

pub(super) fn intent(id: IntentId, action: Action) -> Intent {
    Intent {
        id,
        account: "a".into(),
        strategy: "s".into(),
        component: "c".into(),
        run: "r".into(),
        day: day(),
        key: "k".to_owned(),
        at: Timestamp::at_ist(day(), 10, 0),
        send_by: None,
        reason: String::new(),
        action,
    }
}

pub(super) fn buy(quantity: u32) -> OrderState {
    let terms = OrderTerms::limit("ACME", Side::Buy, Quantity::new(quantity), Price::from_rupees(100));
    OrderState::new(&intent(id('A'), Action::Place { terms, for_session: day() })).expect("a place")
}

pub(super) fn told(order: &mut OrderState, about: IntentId, fact: Fact) -> Result<Applied, Contradiction> {
    let at = Timestamp::at_ist(day(), 10, 1);
    order.apply(&Evidence { order: order.id, intent: about, at, source: Source::OrderBook, fact })
}

fn acked() -> Fact {
    Fact::Acked { broker_id: "B1".into() }
}

fn unclear() -> Fact {
    Fact::Unclear { why: "timeout".to_owned() }
}

pub(super) fn fill(trade: &str, quantity: u32, rupees: i64) -> Fact {
    Fact::Filled(Fill {
        trade_id: trade.to_owned(),
        quantity: Quantity::new(quantity),
        price: Price::from_rupees(rupees),
        at: Timestamp::at_ist(day(), 10, 2),
        session: day(),
    })
}

pub(super) fn seen(status: Status, filled: u32, quantity: u32, rupees: i64) -> Fact {
    Fact::Seen {
        broker_id: "B1".into(),
        status,
        filled: Quantity::new(filled),
        average: Price::from_rupees(100),
        price: Price::from_rupees(rupees),
        quantity: Quantity::new(quantity),
        reason: String::new(),
    }
}

fn not_placed() -> Fact {
    Fact::NotPlaced { why: "absent".to_owned() }
}

/// Facts about the order itself, in order, and how it stands after each.
fn walk(steps: &[(Fact, &str)]) -> OrderState {
    let mut order = buy(10);
    for (number, (fact, expected)) in steps.iter().enumerate() {
        let outcome = told(&mut order, id('A'), fact.clone());
        let status = order.status();
        let shown = if outcome.is_err() { format!("{status}!") } else { status.to_string() };
        assert_eq!(shown, *expected, "step {number}: {fact:?}");
    }
    order
}

#[test]
fn the_states_of_the_design() {
    walk(&[(acked(), "new"), (fill("1", 4, 100), "partially-filled"), (fill("2", 6, 101), "filled")]);
    walk(&[(unclear(), "unknown"), (acked(), "new")]);
    walk(&[(unclear(), "unknown"), (not_placed(), "not-placed")]);
    walk(&[(unclear(), "unknown"), (Fact::Parked { why: String::new() }, "parked"), (acked(), "new")]);
    walk(&[(unclear(), "unknown"), (fill("1", 10, 100), "filled")]);
    walk(&[(Fact::Refused { code: "1".into(), reason: "no".into() }, "rejected")]);
    walk(&[(acked(), "new"), (seen(Status::Expired, 0, 10, 100), "expired")]);
    // The fill before the acknowledgement.
    walk(&[(fill("1", 10, 100), "filled"), (acked(), "filled")]);
    // A row older than the trades.
    walk(&[(acked(), "new"), (fill("1", 10, 100), "filled"), (seen(Status::New, 0, 10, 100), "filled")]);
}

#[test]
fn what_cannot_be_true_together_is_told_and_read_cautiously() {
    let revived = walk(&[
        (unclear(), "unknown"),
        (not_placed(), "not-placed"),
        (seen(Status::New, 0, 10, 100), "new!"),
    ]);
    assert_eq!(revived.exposed(), Quantity::new(10));
    walk(&[(acked(), "new"), (not_placed(), "new!")]);
    walk(&[
        (acked(), "new"),
        (seen(Status::Canceled, 0, 10, 100), "canceled"),
        (fill("1", 3, 100), "canceled!"),
    ]);
    let over = walk(&[(acked(), "new"), (fill("1", 10, 100), "filled"), (fill("2", 1, 100), "filled!")]);
    assert_eq!(over.filled(), Quantity::new(11));
    let mut twice = buy(10);
    told(&mut twice, id('A'), acked()).expect("first");
    assert!(told(&mut twice, id('A'), Fact::Acked { broker_id: "B2".into() }).is_err());
}

#[test]
fn a_book_that_knows_the_fills_before_the_trades_is_no_contradiction() {
    let order = walk(&[
        (acked(), "new"),
        (seen(Status::Canceled, 3, 10, 100), "canceled"),
        (fill("1", 3, 100), "canceled"),
        (fill("1", 3, 100), "canceled"),
    ]);
    assert!(order.is_settled());
    assert_eq!((order.filled(), order.booked()), (Quantity::new(3), Quantity::new(3)));
}

#[test]
fn a_modify_without_answer_counts_the_worse_of_old_and_new() {
    let mut order = buy(10);
    told(&mut order, id('A'), acked()).expect("ack");
    let change =
        Action::Modify { order: order.id, price: Price::from_rupees(90), total_quantity: Quantity::new(15) };
    order.begin(&intent(id('B'), change));
    assert_eq!(order.status(), Status::PendingReplace);
    told(&mut order, id('B'), unclear()).expect("unclear");
    assert!(order.is_unresolved());
    assert_eq!((order.exposed(), order.worst_price()), (Quantity::new(15), Price::from_rupees(100)));
    // Old terms in the book prove nothing; the new ones do.
    told(&mut order, id('A'), seen(Status::New, 0, 10, 100)).expect("old");
    assert!(order.is_unresolved());
    told(&mut order, id('A'), seen(Status::New, 0, 15, 90)).expect("new");
    assert_eq!((order.status(), order.terms.quantity), (Status::New, Quantity::new(15)));
    assert!(!order.is_unresolved());
}

#[test]
fn a_cancel_leaves_the_order_working_until_the_book_tells_its_end() {
    let mut order = buy(10);
    told(&mut order, id('A'), acked()).expect("ack");
    order.begin(&intent(id('C'), Action::Cancel { order: order.id }));
    told(&mut order, id('C'), acked()).expect("cancel ack");
    assert_eq!((order.status(), order.exposed()), (Status::PendingCancel, Quantity::new(10)));
    let mut raced = order.clone();
    told(&mut raced, id('A'), fill("1", 10, 100)).expect("the fill won");
    assert_eq!(raced.status(), Status::Filled);
    told(&mut order, id('A'), seen(Status::Canceled, 0, 10, 100)).expect("canceled");
    assert!(order.is_settled());
}

#[test]
fn an_inferred_fill_is_replaced_by_its_trade_not_added_to() {
    let mut order = buy(10);
    told(&mut order, id('A'), acked()).expect("ack");
    told(&mut order, id('A'), seen(Status::Filled, 10, 10, 100)).expect("filled");
    assert_eq!((order.exposed(), order.unbooked_price()), (Quantity::new(10), Price::from_rupees(100)));
    order.note_inferred(Quantity::new(10));
    assert!(order.is_settled());
    assert_eq!(order.covered(Quantity::new(4)), Quantity::new(4));
    told(&mut order, id('A'), fill("1", 4, 100)).expect("late trade");
    assert_eq!((order.booked(), order.inferred()), (Quantity::new(10), Quantity::new(6)));
}
