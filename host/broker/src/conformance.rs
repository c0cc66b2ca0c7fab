//! The suite that every broker passes: what the desk relies on, whatever the wire.
//!
//! An implementation hands in a way to make a fresh [`Bench`] and calls [`suite`] from a test. A case that
//! fails panics and says which promise was broken. A refusal may come as the answer or, where the wire
//! works that way, as a `Rejected` row in the book; everything else is the same for all.

use std::sync::Arc;

use model::{BrokerOrderId, Date, IntentId, OrderTerms, Price, Quantity, Side, Status, Symbol, Timestamp};

use crate::{Ack, Broker, BrokerOrder, CancelCall, ModifyCall, PlaceCall, SendError};

/// A fresh account on a test market. One session is traded; both symbols stand at `price` all day with
/// more volume than the suite asks for, on a tick of five paise, with a band of at least 5 % either way.
pub struct Bench {
    /// The broker under test.
    pub broker: Arc<dyn Broker>,
    /// Makes time pass up to an instant; never called with an earlier one.
    pub set_time: Box<dyn Fn(Timestamp) + Send + Sync>,
    /// Not held at the start; the account has cash for at least 100 shares.
    pub symbol: Symbol,
    /// Exactly ten shares of it are held and settled.
    pub held: Symbol,
    /// The price of both.
    pub price: Price,
    /// The session.
    pub session: Date,
    /// In the after-market window for that session.
    pub before: Timestamp,
    /// Its open.
    pub open: Timestamp,
    /// Its close.
    pub close: Timestamp,
}

/// Runs every case, each on its own bench.
pub async fn suite(make: impl Fn() -> Bench) {
    an_accepted_order_stands_in_the_book(&make()).await;
    the_same_order_twice_stands_there_twice(&make()).await;
    a_refused_order_leaves_no_trace(&make()).await;
    a_marketable_order_fills_and_every_book_agrees(&make()).await;
    a_sale_of_what_is_held_brings_cash(&make()).await;
    a_cancelled_order_ends_once(&make()).await;
    a_modified_order_shows_its_new_terms(&make()).await;
    an_after_market_order_waits_for_the_open(&make()).await;
    a_queued_order_can_be_changed_and_cancelled(&make()).await;
    a_closed_market_refuses(&make()).await;
    a_day_order_ends_with_its_session(&make()).await;
    unknown_numbers_are_refused(&make()).await;
}

const MINUTE: i64 = model::time::MINUTE;

impl Bench {
    fn at(&self, instant: Timestamp) {
        (self.set_time)(instant);
    }

    fn minute(&self, minute: i64) {
        self.at(self.open.plus_nanos(minute * MINUTE));
    }

    /// A limit `percent` away from the price, on the tick.
    fn limit(&self, side: Side, quantity: u32, percent: i64) -> OrderTerms {
        let symbol = if side == Side::Buy { &self.symbol } else { &self.held };
        let tick = model::Tick::new(Price::from_paise(5)).expect("positive");
        let price = tick.round_nearest(self.price.plus_bps(percent * 100));
        OrderTerms::limit(symbol.as_str(), side, Quantity::new(quantity), price)
    }

    async fn place(&self, key: &str, terms: OrderTerms) -> Result<Ack, SendError> {
        self.broker.place(PlaceCall { tag: self.tag(key), terms }).await
    }

    async fn accepted(&self, key: &str, terms: OrderTerms) -> BrokerOrderId {
        self.place(key, terms).await.expect("a good order is acknowledged").broker_id
    }

    fn tag(&self, key: &str) -> IntentId {
        IntentId::derive(&"conformance".into(), &"suite".into(), self.session, key)
    }

    async fn book(&self) -> Vec<BrokerOrder> {
        self.broker.orders().await.expect("the order book is readable")
    }

    async fn row(&self, id: &BrokerOrderId) -> BrokerOrder {
        let book = self.book().await;
        let mut rows = book.into_iter().filter(|row| row.broker_id == *id);
        let row = rows.next().expect("an acknowledged order is in the book");
        assert!(rows.next().is_none(), "a number stands for one order");
        row
    }

    /// The order is not working: refused in the answer, or rejected in the book.
    async fn is_refused(&self, key: &str, terms: OrderTerms, why: &str) {
        match self.place(key, terms).await {
            Err(SendError::Refused { code, reason }) => {
                assert!(!code.is_empty() && !reason.is_empty(), "{why}: a refusal has a code and a reason");
            }
            Ok(ack) => assert_eq!(self.row(&ack.broker_id).await.status, Status::Rejected, "{why}"),
            Err(other) => panic!("{why}: refused without proof: {other}"),
        }
    }
}

async fn an_accepted_order_stands_in_the_book(bench: &Bench) {
    bench.minute(1);
    let terms = bench.limit(Side::Buy, 3, -4);
    let id = bench.accepted("far", terms.clone()).await;
    let row = bench.row(&id).await;
    assert_eq!(row.tag.as_deref(), Some(bench.tag("far").as_str()), "the tag is echoed");
    assert_eq!((row.terms, row.status, row.filled), (terms, Status::New, Quantity::ZERO));
    assert_eq!(row.session, bench.session);
    assert!(row.at <= bench.open.plus_nanos(MINUTE), "it was not taken in the future");
    assert_eq!(bench.book().await, bench.book().await, "reading changes nothing");
}

async fn the_same_order_twice_stands_there_twice(bench: &Bench) {
    bench.minute(1);
    let first = bench.accepted("twin", bench.limit(Side::Buy, 1, -4)).await;
    let second = bench.accepted("twin", bench.limit(Side::Buy, 1, -4)).await;
    assert_ne!(first, second, "every order has its own number");
    let tag = bench.tag("twin");
    let twins = bench.book().await.into_iter().filter(|row| row.tag.as_deref() == Some(tag.as_str())).count();
    assert_eq!(twins, 2, "a double order can be seen");
}

async fn a_refused_order_leaves_no_trace(bench: &Bench) {
    bench.minute(1);
    let funds = bench.broker.funds().await.expect("funds");
    let good = bench.limit(Side::Buy, 1, -4);
    let off_tick = OrderTerms { price: good.price + Price::from_paise(1), ..good.clone() };
    let no_shares = OrderTerms { quantity: Quantity::ZERO, ..good.clone() };
    let beyond_band = OrderTerms { price: Price::from_rupees(good.price.units() / 100), ..good.clone() };
    let too_dear = OrderTerms { quantity: Quantity::new(u32::MAX / 2), ..good };
    let short = bench.limit(Side::Sell, 11, 1);
    for (why, terms) in [
        ("off the tick", off_tick),
        ("no shares", no_shares),
        ("outside the band", beyond_band),
        ("more than the cash", too_dear),
        ("more than is held", short),
    ] {
        bench.is_refused(why, terms, why).await;
    }
    let working = bench.book().await.into_iter().filter(|row| !row.status.is_final()).count();
    assert_eq!(working, 0, "a refused order does not work");
    assert_eq!(bench.broker.funds().await.expect("funds"), funds, "a refused order blocks no cash");
}

async fn a_marketable_order_fills_and_every_book_agrees(bench: &Bench) {
    bench.minute(1);
    let before = bench.broker.funds().await.expect("funds");
    let terms = bench.limit(Side::Buy, 7, 1);
    let limit = terms.price;
    let id = bench.accepted("buy", terms).await;
    bench.minute(10);
    let row = bench.row(&id).await;
    assert_eq!((row.status, row.filled), (Status::Filled, Quantity::new(7)));
    assert!(row.average <= limit && row.average.is_positive(), "no worse than its limit");
    let trades = bench.broker.trades().await.expect("the trade book is readable");
    let mine: Vec<_> = trades.iter().filter(|trade| trade.broker_id == id).collect();
    assert_eq!(mine.iter().map(|trade| trade.quantity).sum::<Quantity>(), row.filled, "trades make the fill");
    let numbers: std::collections::BTreeSet<_> = trades.iter().map(|trade| &trade.trade_id).collect();
    assert_eq!(numbers.len(), trades.len(), "every trade has its own number");
    for trade in &mine {
        assert_eq!((&trade.symbol, trade.side, trade.session), (&bench.symbol, Side::Buy, bench.session));
        assert!(trade.at > bench.open.plus_nanos(MINUTE) && trade.at <= bench.open.plus_nanos(10 * MINUTE));
    }
    let positions = bench.broker.positions().await.expect("positions");
    let net = positions.iter().find(|net| net.symbol == bench.symbol).expect("a position of today");
    assert_eq!((net.bought, net.sold), (Quantity::new(7), Quantity::ZERO));
    let holdings = bench.broker.holdings().await.expect("holdings");
    assert!(holdings.iter().all(|held| held.symbol != bench.symbol), "holdings lag a day");
    let after = bench.broker.funds().await.expect("funds");
    let value = mine.iter().map(|trade| trade.price * trade.quantity).sum();
    assert!(before.available - after.available >= value, "the shares were paid for");
    assert!(after.blocked.is_zero(), "a complete order blocks nothing");
    let late = bench.broker.cancel(CancelCall { broker_id: id, amo: false, symbol: None }).await;
    assert!(matches!(late, Err(SendError::AlreadyComplete(_))), "too late to cancel: {late:?}");
}

async fn a_sale_of_what_is_held_brings_cash(bench: &Bench) {
    bench.minute(1);
    let before = bench.broker.funds().await.expect("funds");
    let id = bench.accepted("sell", bench.limit(Side::Sell, 10, -1)).await;
    bench.is_refused("again", bench.limit(Side::Sell, 1, 1), "shares of a working sell are not free").await;
    bench.minute(10);
    let row = bench.row(&id).await;
    assert_eq!((row.status, row.filled), (Status::Filled, Quantity::new(10)));
    let after = bench.broker.funds().await.expect("funds");
    assert!(after.available + after.blocked >= before.available, "a sale does not cost cash");
    bench.is_refused("gone", bench.limit(Side::Sell, 1, 1), "sold shares are gone").await;
}

async fn a_cancelled_order_ends_once(bench: &Bench) {
    bench.minute(1);
    let funds = bench.broker.funds().await.expect("funds");
    let id = bench.accepted("far", bench.limit(Side::Buy, 3, -4)).await;
    let held = bench.broker.funds().await.expect("funds");
    assert!(held.blocked.is_positive() && held.available < funds.available, "a working buy blocks cash");
    let cancel = CancelCall { broker_id: id.clone(), amo: false, symbol: None };
    assert_eq!(bench.broker.cancel(cancel.clone()).await, Ok(Ack { broker_id: id.clone() }));
    assert_eq!(bench.row(&id).await.status, Status::Canceled);
    assert_eq!(bench.broker.funds().await.expect("funds"), funds, "its cash is free again");
    let again = bench.broker.cancel(cancel).await;
    assert!(matches!(again, Err(SendError::AlreadyComplete(_))), "it ends once: {again:?}");
    let terms = bench.limit(Side::Buy, 3, -3);
    let (price, total_quantity) = (terms.price, terms.quantity);
    let late = bench.broker.modify(ModifyCall { broker_id: id, price, total_quantity, terms }).await;
    assert!(matches!(late, Err(SendError::AlreadyComplete(_))), "what ended cannot change: {late:?}");
}

async fn a_modified_order_shows_its_new_terms(bench: &Bench) {
    bench.minute(1);
    let terms = bench.limit(Side::Sell, 4, 4);
    let id = bench.accepted("sell", terms.clone()).await;
    let price = bench.limit(Side::Sell, 4, 3).price;
    let mut call = ModifyCall { broker_id: id.clone(), price, total_quantity: Quantity::new(10), terms };
    assert_eq!(
        bench.broker.modify(call.clone()).await,
        Ok(Ack { broker_id: id.clone() }),
        "the number stays"
    );
    let row = bench.row(&id).await;
    assert_eq!((row.terms.price, row.terms.quantity, row.status), (price, Quantity::new(10), Status::New));
    call.total_quantity = Quantity::new(11);
    let short = bench.broker.modify(call.clone()).await;
    assert!(matches!(short, Err(SendError::Refused { .. })), "more than is held: {short:?}");
    call.total_quantity = Quantity::new(10);
    call.price = bench.limit(Side::Sell, 4, -1).price;
    bench.broker.modify(call).await.expect("a marketable price");
    bench.minute(10);
    let row = bench.row(&id).await;
    assert_eq!((row.status, row.filled), (Status::Filled, Quantity::new(10)));
}

async fn an_after_market_order_waits_for_the_open(bench: &Bench) {
    bench.at(bench.before);
    let terms = OrderTerms { amo: true, ..bench.limit(Side::Buy, 5, 1) };
    let limit = terms.price;
    let id = bench.accepted("amo", terms).await;
    let row = bench.row(&id).await;
    assert_eq!((row.status, row.session), (Status::QueuedAmo, bench.session), "it waits for its session");
    bench.at(bench.open.plus_nanos(-1));
    assert_eq!(bench.row(&id).await.filled, Quantity::ZERO, "nothing trades before the open");
    bench.minute(5);
    let row = bench.row(&id).await;
    assert_eq!((row.status, row.filled), (Status::Filled, Quantity::new(5)));
    assert!(row.average <= limit, "at the opening price where that is better than the limit");
    assert_eq!(row.average, bench.price);
}

async fn a_queued_order_can_be_changed_and_cancelled(bench: &Bench) {
    bench.at(bench.before);
    let terms = OrderTerms { amo: true, ..bench.limit(Side::Buy, 5, 1) };
    let id = bench.accepted("amo", terms.clone()).await;
    let price = bench.limit(Side::Buy, 5, -1).price;
    let call = ModifyCall { broker_id: id.clone(), price, total_quantity: Quantity::new(6), terms };
    bench.broker.modify(call).await.expect("a queued order can change");
    let row = bench.row(&id).await;
    assert_eq!(
        (row.terms.price, row.terms.quantity, row.status),
        (price, Quantity::new(6), Status::QueuedAmo)
    );
    bench
        .broker
        .cancel(CancelCall { broker_id: id.clone(), amo: true, symbol: None })
        .await
        .expect("a queued order can end");
    assert_eq!(bench.row(&id).await.status, Status::Canceled);
    bench.minute(5);
    assert_eq!(bench.row(&id).await.filled, Quantity::ZERO, "what was cancelled is not released");
}

async fn a_closed_market_refuses(bench: &Bench) {
    bench.at(bench.before);
    bench.is_refused("early", bench.limit(Side::Buy, 1, -1), "a day order before the open").await;
    bench.minute(1);
    let amo = OrderTerms { amo: true, ..bench.limit(Side::Buy, 1, -1) };
    bench.is_refused("amo", amo, "an after-market order in the session").await;
    bench.at(bench.close);
    bench.is_refused("late", bench.limit(Side::Buy, 1, -1), "a day order after the close").await;
}

async fn a_day_order_ends_with_its_session(bench: &Bench) {
    bench.minute(1);
    let funds = bench.broker.funds().await.expect("funds");
    let id = bench.accepted("far", bench.limit(Side::Buy, 3, -4)).await;
    bench.at(bench.close.plus_nanos(-1));
    assert_eq!(bench.row(&id).await.status, Status::New, "it stands to the end");
    bench.at(bench.close.plus_nanos(30 * MINUTE));
    assert_eq!(bench.row(&id).await.status, Status::Expired);
    assert_eq!(bench.broker.funds().await.expect("funds"), funds, "its cash is free again");
}

async fn unknown_numbers_are_refused(bench: &Bench) {
    bench.minute(1);
    let broker_id = BrokerOrderId::from("999999999999");
    let answer =
        bench.broker.cancel(CancelCall { broker_id: broker_id.clone(), amo: false, symbol: None }).await;
    assert!(matches!(answer, Err(SendError::Refused { .. })), "{answer:?}");
    let terms = bench.limit(Side::Buy, 1, -1);
    let (price, total_quantity) = (terms.price, terms.quantity);
    let answer = bench.broker.modify(ModifyCall { broker_id, price, total_quantity, terms }).await;
    assert!(matches!(answer, Err(SendError::Refused { .. })), "{answer:?}");
}
