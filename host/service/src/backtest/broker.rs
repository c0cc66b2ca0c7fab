//! Where a backtest's orders go: they wait for the next bar and fill on it.
//!
//! Market orders fill at the next bar's open. A limit fills on the first later bar that reaches it, at
//! the better of limit and open; a stop becomes a market or limit order on the bar that reaches its
//! trigger. Charges, ticks, bands and cash are looked at only when asked for ([`Checks`]).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
use market::bars::Bar;
use model::charges::{ChargeSchedule, Deal, Tariff};
use model::{
    BoxFuture, BrokerOrderId, Exchange, Funds, Holding, IntentId, Money, OrderTerms, OrderType, Price,
    Quantity, Side, Status, Tick, Timestamp, ready,
};

/// What a backtest checks beyond the rule itself; nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// Take these statutory charges off the cash.
    pub charges: Option<ChargeSchedule>,
    /// Refuse prices off this grid.
    pub tick: Option<Tick>,
    /// Refuse limits further than this many percent from the last close.
    pub band_percent: Option<u16>,
    /// Refuse buys that the cash does not cover.
    pub cash: bool,
}

#[derive(Debug)]
struct Working {
    broker_id: BrokerOrderId,
    tag: IntentId,
    terms: OrderTerms,
    at: Timestamp,
    triggered: bool,
}

#[derive(Debug, Default)]
struct Book {
    now: Timestamp,
    numbers: u64,
    working: Vec<Working>,
    /// What has ended since it was last taken.
    ended: Vec<(BrokerOrder, Option<BrokerTrade>)>,
    cash: Money,
    charges: Money,
    last_close: Price,
    checks: Checks,
}

/// The book of one backtest.
#[derive(Debug, Clone, Default)]
pub struct BarBroker(Arc<Mutex<Book>>);

impl BarBroker {
    /// An account with `cash`.
    pub fn new(cash: Money, checks: Checks) -> Self {
        Self(Arc::new(Mutex::new(Book { cash, checks, ..Book::default() })))
    }

    /// Charges taken so far.
    pub fn charges(&self) -> Money {
        self.book().charges
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the working orders meet a bar that has ended; orders are stamped with `now`, and measured
    /// against its close, from here on. True: something ended.
    pub fn meet(&self, bar: &Bar, now: Timestamp) -> bool {
        let mut book = self.book();
        book.now = now;
        book.last_close = Price::from_units(bar.close);
        if book.working.is_empty() {
            return !book.ended.is_empty();
        }
        let at = Timestamp::from_nanos(bar.start);
        let working = std::mem::take(&mut book.working);
        for mut order in working {
            match price_on(&mut order, bar) {
                Some(price) => book.fill(order, price, at),
                None if order.terms.validity == model::Validity::Ioc => book.end(order, Status::Canceled, at),
                None => book.working.push(order),
            }
        }
        !book.ended.is_empty()
    }

    /// What has ended since the last call.
    pub fn take_ended(&self) -> Vec<(BrokerOrder, Option<BrokerTrade>)> {
        std::mem::take(&mut self.book().ended)
    }
}

/// The price at which `order` fills on `bar`, if it does.
fn price_on(order: &mut Working, bar: &Bar) -> Option<Price> {
    let (open, high, low) =
        (Price::from_units(bar.open), Price::from_units(bar.high), Price::from_units(bar.low));
    let buys = order.terms.side == Side::Buy;
    let mut first = open;
    if matches!(order.terms.order_type, OrderType::StopLimit | OrderType::StopMarket) && !order.triggered {
        let trigger = order.terms.trigger?;
        let reached = if buys { high >= trigger } else { low <= trigger };
        if !reached {
            return None;
        }
        order.triggered = true;
        first = if buys { open.max(trigger) } else { open.min(trigger) };
    }
    match order.terms.order_type {
        OrderType::Market | OrderType::StopMarket => Some(first),
        OrderType::Limit | OrderType::StopLimit => {
            let limit = order.terms.price;
            let reached = if buys { low <= limit } else { high >= limit };
            reached.then(|| if buys { first.min(limit) } else { first.max(limit) })
        }
    }
}

impl Book {
    /// Why an order is not taken, if a check was asked for and it fails.
    fn refusal(&self, terms: &OrderTerms) -> Option<SendError> {
        let refuse = |code: &str, reason: String| Some(SendError::Refused { code: code.to_owned(), reason });
        let limited = terms.price.is_positive();
        if let Some(tick) = self.checks.tick
            && limited
            && !tick.allows(terms.price)
        {
            return refuse("TICK", format!("{} is not a multiple of {}", terms.price, tick.step()));
        }
        if let Some(percent) = self.checks.band_percent
            && limited
        {
            let distance = self.last_close.plus_bps(i64::from(percent) * 100) - self.last_close;
            if (terms.price - self.last_close).abs() > distance {
                return refuse(
                    "BAND",
                    format!("{} is over {percent} % from {}", terms.price, self.last_close),
                );
            }
        }
        let value = terms.value(self.last_close);
        if self.checks.cash && terms.side == Side::Buy && value > self.cash {
            return refuse("CASH", format!("{value} is asked for and {} is there", self.cash));
        }
        None
    }

    fn fill(&mut self, order: Working, price: Price, at: Timestamp) {
        let value = price * order.terms.quantity;
        if let Some(schedule) = &self.checks.charges {
            let deal = Deal {
                exchange: Exchange::Nse,
                day: at.ist_date(),
                product: order.terms.product,
                side: order.terms.side,
                value,
                first_sale_of_day: false,
            };
            // Before the first dated rate there is nothing that could be taken.
            if let Ok(charges) = schedule.charges(&Tariff::none_brokerage(), &deal) {
                self.cash -= charges.total();
                self.charges += charges.total();
            }
        }
        match order.terms.side {
            Side::Buy => self.cash -= value,
            Side::Sell => self.cash += value,
        }
        let trade = BrokerTrade {
            trade_id: order.broker_id.to_string(),
            broker_id: order.broker_id.clone(),
            tag: None,
            symbol: order.terms.symbol.clone(),
            side: order.terms.side,
            quantity: order.terms.quantity,
            price,
            at,
            session: at.ist_date(),
        };
        let quantity = order.terms.quantity;
        let row = row(order, Status::Filled, quantity, price, at);
        self.ended.push((row, Some(trade)));
    }

    fn end(&mut self, order: Working, status: Status, at: Timestamp) {
        let row = row(order, status, Quantity::ZERO, Price::ZERO, at);
        self.ended.push((row, None));
    }
}

fn row(order: Working, status: Status, filled: Quantity, average: Price, at: Timestamp) -> BrokerOrder {
    BrokerOrder {
        broker_id: order.broker_id,
        tag: Some(order.tag.to_string()),
        terms: order.terms,
        status,
        filled,
        average,
        at: order.at,
        session: at.ist_date(),
        reason: String::new(),
    }
}

fn not_working(id: &BrokerOrderId) -> SendError {
    SendError::AlreadyComplete(format!("order {id} is not working any more"))
}

impl Broker for BarBroker {
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let mut book = self.book();
        if let Some(refusal) = book.refusal(&call.terms) {
            return ready(Err(refusal));
        }
        book.numbers += 1;
        let broker_id = BrokerOrderId::from(book.numbers.to_string());
        let at = book.now;
        book.working.push(Working {
            broker_id: broker_id.clone(),
            tag: call.tag,
            terms: call.terms,
            at,
            triggered: false,
        });
        ready(Ok(Ack { broker_id }))
    }

    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let mut book = self.book();
        let answer = match book.working.iter_mut().find(|order| order.broker_id == call.broker_id) {
            Some(order) => {
                order.terms.price = call.price;
                order.terms.quantity = call.total_quantity;
                Ok(Ack { broker_id: call.broker_id })
            }
            None => Err(not_working(&call.broker_id)),
        };
        ready(answer)
    }

    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let mut book = self.book();
        let at = book.now;
        let answer = match book.working.iter().position(|order| order.broker_id == call.broker_id) {
            Some(place) => {
                let order = book.working.remove(place);
                book.end(order, Status::Canceled, at);
                Ok(Ack { broker_id: call.broker_id })
            }
            None => Err(not_working(&call.broker_id)),
        };
        ready(answer)
    }

    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        let book = self.book();
        let rows = book
            .working
            .iter()
            .map(|order| BrokerOrder {
                broker_id: order.broker_id.clone(),
                tag: Some(order.tag.to_string()),
                terms: order.terms.clone(),
                status: Status::New,
                filled: Quantity::ZERO,
                average: Price::ZERO,
                at: order.at,
                session: book.now.ist_date(),
                reason: String::new(),
            })
            .collect();
        ready(Ok(rows))
    }

    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        ready(Ok(Vec::new()))
    }

    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        ready(Ok(Vec::new()))
    }

    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        ready(Ok(Vec::new()))
    }

    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        let available = self.book().cash;
        ready(Ok(Funds { available, blocked: Money::ZERO }))
    }
}
