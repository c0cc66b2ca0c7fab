//! A whole desk around a broker that takes everything at once: for the bench and for what is counted.
#![allow(dead_code, reason = "bench and test each use their part of this")]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
use journal::Journal;
use model::risk::Limits;
use model::{
    BoxFuture, Clock, Date, Funds, Holding, Instrument, OrderError, OrderTerms, OrderType, Origin,
    PlaceRequest, Placed, Price, Quantity, Side, Status, Symbol, Timestamp,
};
use oms::{Blocking, Desk, DeskConfig, MarketView};

const LAST: Price = Price::from_rupees(100);

/// Time stands still until someone waits: then it is at once where they wait for.
pub struct Leaping(AtomicI64);

impl Leaping {
    /// Moves on by `seconds`.
    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * model::time::SECOND, Ordering::Relaxed);
    }
}

impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        self.0.fetch_max(at.nanos(), Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

/// Every symbol is at 100 rupees and in session.
struct Open;

impl MarketView for Open {
    fn last_price(&self, _: &Symbol) -> Option<Price> {
        Some(LAST)
    }
    fn instrument(&self, _: &Symbol) -> Option<Instrument> {
        None
    }
    fn settlement_date(&self, trade: Date) -> Date {
        trade
    }
    fn session_for(&self, _: bool, now: Timestamp) -> Result<Date, (String, String)> {
        Ok(now.ist_date())
    }
}

/// The broker: it takes everything at once, unless told otherwise.
#[derive(Default)]
pub struct Taker {
    /// What it has taken since it was last asked.
    taken: Mutex<Vec<PlaceCall>>,
    /// The answer to each place from now on, when it is not a yes.
    answer: Mutex<Option<SendError>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Taker {
    /// Answers every place so from now on; none: yes.
    pub fn answer(&self, answer: Option<SendError>) {
        *lock(&self.answer) = answer;
    }
}

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<Vec<T>, CallError>> {
    Box::pin(std::future::ready(Ok(Vec::new())))
}

impl Broker for Taker {
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let answer = match lock(&self.answer).clone() {
            Some(error) => Err(error),
            None => {
                let broker_id = call.tag.as_str().into();
                lock(&self.taken).push(call);
                Ok(Ack { broker_id })
            }
        };
        Box::pin(std::future::ready(answer))
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(std::future::ready(Ok(Ack { broker_id: call.broker_id })))
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(std::future::ready(Ok(Ack { broker_id: call.broker_id })))
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        nothing()
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        nothing()
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        nothing()
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        nothing()
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        Box::pin(std::future::ready(Ok(Funds::default())))
    }
}

/// A desk, its broker and its clock.
pub struct Setup {
    pub desk: Desk,
    pub broker: Arc<Taker>,
    pub clock: Arc<Leaping>,
    origin: Origin,
    count: u64,
}

impl Setup {
    /// On `journal`, without caps (a cap would end a bench after its first thousand orders).
    pub fn new(journal: Box<dyn Journal>, blocking: Blocking) -> Self {
        let mut config = DeskConfig::new("account".into());
        config.blocking = blocking;
        config.limits = Limits::none();
        config.charges = None;
        let broker = Arc::new(Taker::default());
        let day = Date::from_ymd_opt(2025, 3, 4).expect("a date");
        let clock = Arc::new(Leaping(AtomicI64::new(Timestamp::at_ist(day, 10, 0).nanos())));
        let desk =
            Desk::open(config, journal, broker.clone(), clock.clone(), Arc::new(Open)).expect("a desk");
        let origin = Origin {
            account: "account".into(),
            strategy: "s".into(),
            component: "hash".into(),
            run: "run".into(),
            day,
        };
        Self { desk, broker, clock, origin, count: 0 }
    }

    /// The next order, under a key of its own: buys and sells in turn, as a strategy that crosses.
    pub fn next(&mut self) -> PlaceRequest {
        self.count += 1;
        let side = if self.count % 2 == 1 { Side::Buy } else { Side::Sell };
        let mut terms = OrderTerms::limit("ACME", side, Quantity::new(10), Price::ZERO);
        terms.order_type = OrderType::Market;
        PlaceRequest {
            key: self.count.to_string(),
            terms,
            send_by: None,
            reason: "fast above slow".to_owned(),
        }
    }

    /// Places `request` on the trading day it is.
    pub async fn place(&self, request: PlaceRequest) -> Result<Placed, OrderError> {
        self.desk.place(&self.origin, request).await
    }

    /// Fills what the broker has taken; answers with how much of that was news.
    pub fn fill(&self) -> usize {
        let at = self.clock.now();
        let session = self.origin.day;
        let (mut rows, mut trades) = (Vec::new(), Vec::new());
        for PlaceCall { tag, terms } in lock(&self.broker.taken).drain(..) {
            let tag = tag.to_string();
            let broker_id = model::BrokerOrderId::from(tag.as_str());
            trades.push(BrokerTrade {
                trade_id: tag.clone(),
                broker_id: broker_id.clone(),
                tag: Some(tag.clone()),
                symbol: terms.symbol.clone(),
                side: terms.side,
                quantity: terms.quantity,
                price: LAST,
                at,
                session,
            });
            rows.push(BrokerOrder {
                broker_id,
                tag: Some(tag),
                filled: terms.quantity,
                terms,
                status: Status::Filled,
                average: LAST,
                at,
                session,
                reason: String::new(),
            });
        }
        self.desk.absorb(&rows, &trades)
    }

    /// The next trading day.
    pub fn new_day(&mut self) {
        self.clock.pass(24 * 60 * 60);
        self.origin.day = self.clock.now().ist_date();
    }
}
