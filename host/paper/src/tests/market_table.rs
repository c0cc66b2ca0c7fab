//! A market as a table, and an exchange on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use broker::{Ack, BrokerOrder, CancelCall, ModifyCall, PlaceCall, SendError};
use calendar::Calendar;
use market::{Factor, MinuteBar, PriceSource};
use model::{
    BoxFuture, BrokerOrderId, Clock, Date, Exchange as Place, Instrument, IntentId, Money, OrderTerms,
    OrderType, Price, Quantity, Series, Side, Status, Symbol, Tick, Timestamp,
};

use crate::{Exchange, Opening, PaperConfig};

/// Prices of a made-up market: a standing bar a symbol, and exceptions by session and minute.
#[derive(Clone, Default)]
pub struct Table {
    pub standing: BTreeMap<Symbol, MinuteBar>,
    pub minutes: BTreeMap<(Symbol, Date, u32), Option<MinuteBar>>,
    pub closes: BTreeMap<(Symbol, Date), Price>,
    pub instruments: BTreeMap<Symbol, Instrument>,
    pub factors: BTreeMap<(Symbol, Date), (i64, i64)>,
}

impl PriceSource for Table {
    fn minute(&self, symbol: &Symbol, session: Date, minute: u32) -> Option<MinuteBar> {
        match self.minutes.get(&(symbol.clone(), session, minute)) {
            Some(bar) => *bar,
            None => self.standing.get(symbol).copied(),
        }
    }
    fn auction_price(&self, symbol: &Symbol, session: Date) -> Option<Price> {
        let close = self.closes.get(&(symbol.clone(), session)).copied();
        close.or_else(|| self.standing.get(symbol).map(|bar| bar.close))
    }
    fn instrument_on(&self, symbol: &Symbol, _: Date) -> Option<Instrument> {
        self.instruments.get(symbol).cloned()
    }
    fn corporate_action(&self, symbol: &Symbol, session: Date) -> Option<Factor> {
        let (numerator, denominator) = *self.factors.get(&(symbol.clone(), session))?;
        Some(Factor { session, numerator, denominator, source: market::FactorSource::PreviousClose })
    }
}

pub fn price(text: &str) -> Price {
    text.parse().expect("a price")
}

/// `open high low close volume`, prices in rupees.
pub fn bar(text: &str) -> MinuteBar {
    let mut words = text.split_whitespace();
    let mut next = || words.next().expect("five words");
    MinuteBar {
        open: price(next()),
        high: price(next()),
        low: price(next()),
        close: price(next()),
        volume: next().parse().expect("a volume"),
    }
}

pub fn flat(rupees: &str, volume: u64) -> MinuteBar {
    bar(&format!("{rupees} {rupees} {rupees} {rupees} {volume}"))
}

pub fn instrument(symbol: &str) -> Instrument {
    Instrument {
        symbol: symbol.into(),
        exchange: Place::Nse,
        isin: String::new(),
        series: Series("EQ".to_owned()),
        tick: Tick::new(Price::from_paise(5)).expect("positive"),
        lot: Quantity::new(1),
        freeze: Quantity::new(5_000),
        band: (Price::from_rupees(80), Price::from_rupees(120)),
        previous_close: Price::from_rupees(100),
        has_derivatives: false,
    }
}

pub fn day(year: i32, month: u32, day: u32) -> Date {
    Date::from_ymd_opt(year, month, day).expect("a date")
}

/// A Tuesday; the days around it trade and settle.
pub fn session() -> Date {
    day(2025, 6, 3)
}

pub fn at(hour: u32, minute: u32) -> Timestamp {
    Timestamp::at_ist(session(), hour, minute)
}

/// ACME is bought, HELD is held (10 shares, settled), BETRADE is trade-to-trade (10, credited on
/// 2025-06-04). All stand at 100 with 1,000 shares a minute.
pub fn table() -> Table {
    let mut table = Table::default();
    for symbol in ["ACME", "HELD", "BETRADE"] {
        table.standing.insert(symbol.into(), flat("100", 1_000));
        table.instruments.insert(symbol.into(), instrument(symbol));
    }
    table.instruments.get_mut("BETRADE").expect("above").series = Series("BE".to_owned());
    table
}

pub fn config() -> PaperConfig {
    let opening = |symbol: &str, settles| Opening {
        symbol: symbol.into(),
        quantity: Quantity::new(10),
        price: Price::from_rupees(90),
        settles,
    };
    PaperConfig {
        opening: vec![opening("HELD", day(2025, 6, 2)), opening("BETRADE", day(2025, 6, 4))],
        ..PaperConfig::new(Money::from_rupees(100_000))
    }
}

/// An exchange that stands at `start`.
pub fn exchange_at(table: Table, start: Timestamp) -> Exchange {
    let mut exchange = Exchange::new(Arc::new(table), Calendar::bundled(), config());
    exchange.advance(start);
    exchange
}

/// A limit order for delivery.
pub fn limit(side: Side, symbol: &str, quantity: u32, rupees: &str) -> OrderTerms {
    OrderTerms::limit(symbol, side, Quantity::new(quantity), price(rupees))
}

pub fn buy(quantity: u32, rupees: &str) -> OrderTerms {
    limit(Side::Buy, "ACME", quantity, rupees)
}

pub fn sell(quantity: u32, rupees: &str) -> OrderTerms {
    limit(Side::Sell, "HELD", quantity, rupees)
}

pub fn market_order(side: Side, symbol: &str, quantity: u32) -> OrderTerms {
    OrderTerms { order_type: OrderType::Market, ..limit(side, symbol, quantity, "0") }
}

pub fn stop(side: Side, symbol: &str, quantity: u32, trigger: &str, limit_price: Option<&str>) -> OrderTerms {
    OrderTerms {
        order_type: if limit_price.is_some() { OrderType::StopLimit } else { OrderType::StopMarket },
        trigger: Some(price(trigger)),
        ..limit(side, symbol, quantity, limit_price.unwrap_or("0"))
    }
}

pub fn amo(terms: OrderTerms) -> OrderTerms {
    OrderTerms { amo: true, ..terms }
}

pub fn tag(key: &str) -> IntentId {
    IntentId::derive(&"test".into(), &"test".into(), session(), key)
}

impl Exchange {
    pub(crate) fn try_order(&mut self, terms: OrderTerms) -> Result<BrokerOrderId, SendError> {
        let key = format!("{}", self.orders.len());
        self.place(PlaceCall { tag: tag(&key), terms }).map(|Ack { broker_id }| broker_id)
    }

    pub(crate) fn order_now(&mut self, terms: OrderTerms) -> BrokerOrderId {
        self.try_order(terms).expect("a good order")
    }

    pub(crate) fn change(&mut self, id: &BrokerOrderId, rupees: &str, total: u32) -> Result<Ack, SendError> {
        let terms = self.row(id).terms;
        let call = ModifyCall {
            broker_id: id.clone(),
            price: price(rupees),
            total_quantity: Quantity::new(total),
            terms,
        };
        self.modify(&call)
    }

    pub(crate) fn cancel_now(&mut self, id: &BrokerOrderId) -> Result<Ack, SendError> {
        self.cancel(&CancelCall { broker_id: id.clone(), amo: false, symbol: None })
    }

    pub(crate) fn row(&self, id: &BrokerOrderId) -> BrokerOrder {
        self.order(id).expect("in the book")
    }

    /// `status filled@average`.
    pub(crate) fn shown(&self, id: &BrokerOrderId) -> String {
        let row = self.row(id);
        format!("{} {}@{}", row.status, row.filled, row.average)
    }

    pub(crate) fn status(&self, id: &BrokerOrderId) -> Status {
        self.row(id).status
    }
}

/// The code of a refusal.
pub fn code<T: std::fmt::Debug>(answer: Result<T, SendError>) -> String {
    match answer {
        Err(SendError::Refused { code, reason }) => {
            assert!(!reason.is_empty(), "a refusal has a reason");
            code
        }
        other => format!("{other:?}"),
    }
}

/// A clock that a test sets.
#[derive(Default)]
pub struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub fn set(&self, to: Timestamp) {
        *self.0.lock().expect("not poisoned") = to;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("not poisoned")
    }
    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
