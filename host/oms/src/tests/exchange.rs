//! A broker that does what a test tells it to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CallKind, CancelCall, ModifyCall, NetPosition,
    NotReady, PlaceCall, SendError,
};
use model::{
    BoxFuture, BrokerOrderId, Clock as _, Funds, Holding, Money, OrderId, Price, Quantity, Side, Status,
    Symbol, Timestamp,
};

use super::world::{TestClock, day};
use crate::desk::lock;

/// What happens to the next order call. Without one it is taken and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Taken, and the answer is lost.
    LoseAnswer,
    /// Lost on the way.
    LoseCall,
    /// Refused with proof.
    Refuse,
    /// Refused because the session had expired.
    Expire,
    /// The adapter panics before sending.
    Panic,
    /// Taken and filled at once, then answered.
    FillFirst,
    /// Taken, and no answer ever comes.
    TakeAndHang,
    /// Never sent, and no answer ever comes.
    Hang,
}

/// What the exchange is.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub rows: BTreeMap<BrokerOrderId, BrokerOrder>,
    pub trades: Vec<BrokerTrade>,
    pub holdings: BTreeMap<Symbol, Quantity>,
    pub blocked: Money,
    /// Orders taken, by tag.
    pub taken: BTreeMap<OrderId, u32>,
    pub calls: u32,
    /// Rows younger than this are not listed.
    pub lag_seconds: i64,
    /// The broker loses tags.
    pub drops_tags: bool,
    pub failing: BTreeSet<&'static str>,
    pub faults: VecDeque<Fault>,
    /// Why no call can go out.
    pub not_ready: Option<&'static str>,
    /// Calls that were told they may go.
    pub readied: u32,
}

/// Told how many calls were let go before.
pub type OnReady = Box<dyn Fn(u32) + Send + Sync>;

pub struct Exchange {
    pub state: Mutex<State>,
    pub clock: Arc<TestClock>,
    pub after_call: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
    /// What happens before a call may go, given how many went before.
    pub on_ready: Mutex<Option<OnReady>>,
}

enum Outcome {
    Answer(Result<Ack, SendError>),
    Silence,
}

fn unclear() -> Result<Ack, SendError> {
    Err(SendError::Unclear("timeout".to_owned()))
}

impl Exchange {
    pub fn new(clock: Arc<TestClock>, state: State) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
            clock,
            after_call: Mutex::new(None),
            on_ready: Mutex::new(None),
        })
    }

    pub fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut lock(&self.state))
    }

    pub fn fail_next(&self, fault: Fault) {
        self.with(|state| state.faults.push_back(fault));
    }

    /// Trades `quantity` of the order at its limit.
    pub fn fill(&self, broker_id: &BrokerOrderId, quantity: u32) {
        let now = self.clock.now();
        self.with(|state| state.fill(broker_id, Quantity::new(quantity), now));
    }

    fn act(&self, work: impl FnOnce(&mut State, Timestamp) -> Result<Ack, SendError>) -> Outcome {
        let now = self.clock.now();
        let outcome = self.with(|state| {
            state.calls += 1;
            let fault = state.faults.pop_front();
            match fault {
                None => Outcome::Answer(work(state, now)),
                Some(Fault::LoseAnswer) => {
                    let _ = work(state, now);
                    Outcome::Answer(unclear())
                }
                Some(Fault::LoseCall) => Outcome::Answer(unclear()),
                Some(Fault::Refuse) => Outcome::Answer(Err(SendError::Refused {
                    code: "RMS".to_owned(),
                    reason: "no margin".to_owned(),
                })),
                Some(Fault::Expire) => {
                    Outcome::Answer(Err(SendError::Expired("invalid session token".to_owned())))
                }
                Some(Fault::Panic) => std::panic::resume_unwind(Box::new("the adapter panics")),
                Some(Fault::FillFirst) => {
                    let answer = work(state, now);
                    if let Ok(ack) = &answer {
                        state.fill(&ack.broker_id, Quantity::new(u32::MAX), now);
                    }
                    Outcome::Answer(answer)
                }
                Some(Fault::TakeAndHang) => {
                    let _ = work(state, now);
                    Outcome::Silence
                }
                Some(Fault::Hang) => Outcome::Silence,
            }
        });
        if let Some(hook) = lock(&self.after_call).as_ref() {
            hook();
        }
        outcome
    }
}

async fn answer(outcome: Outcome) -> Result<Ack, SendError> {
    match outcome {
        Outcome::Answer(answer) => answer,
        Outcome::Silence => std::future::pending().await,
    }
}

impl State {
    pub fn fill(&mut self, broker_id: &BrokerOrderId, quantity: Quantity, now: Timestamp) {
        let Some(row) = self.rows.get_mut(broker_id) else { return };
        let quantity = quantity.min(row.terms.quantity.saturating_sub(row.filled));
        if row.status.is_final() || quantity.is_zero() {
            return;
        }
        row.filled += quantity;
        row.average = row.terms.price;
        row.status = if row.filled == row.terms.quantity { Status::Filled } else { Status::PartiallyFilled };
        self.trades.push(BrokerTrade {
            trade_id: format!("T{}", self.trades.len() + 1),
            broker_id: row.broker_id.clone(),
            tag: row.tag.clone(),
            symbol: row.terms.symbol.clone(),
            side: row.terms.side,
            quantity,
            price: row.terms.price,
            at: now,
            session: day(),
        });
    }

    fn take(&mut self, call: &PlaceCall, now: Timestamp) -> Result<Ack, SendError> {
        *self.taken.entry(call.tag).or_default() += 1;
        let broker_id = BrokerOrderId::from(format!("B{}", self.rows.len() + 1));
        let row = BrokerOrder {
            broker_id: broker_id.clone(),
            tag: (!self.drops_tags).then(|| call.tag.to_string()),
            terms: call.terms.clone(),
            status: Status::New,
            filled: Quantity::ZERO,
            average: Price::ZERO,
            at: now,
            session: day(),
            reason: String::new(),
        };
        self.rows.insert(broker_id.clone(), row);
        Ok(Ack { broker_id })
    }

    fn change(&mut self, call: &ModifyCall) -> Result<Ack, SendError> {
        match self.rows.get_mut(&call.broker_id) {
            Some(row) if !row.status.is_final() && call.total_quantity > row.filled => {
                row.terms.price = call.price;
                row.terms.quantity = call.total_quantity;
                Ok(Ack { broker_id: call.broker_id.clone() })
            }
            _ => Err(SendError::AlreadyComplete("order is complete".to_owned())),
        }
    }

    fn end(&mut self, call: &CancelCall) -> Result<Ack, SendError> {
        match self.rows.get_mut(&call.broker_id) {
            Some(row) if !row.status.is_final() => {
                row.status = Status::Canceled;
                Ok(Ack { broker_id: call.broker_id.clone() })
            }
            _ => Err(SendError::AlreadyComplete("order is complete".to_owned())),
        }
    }

    /// Shares of `symbol` that trades have moved, bought less sold.
    pub fn net(&self, symbol: &Symbol) -> i64 {
        let signed = |trade: &BrokerTrade| match trade.side {
            Side::Buy => i64::from(trade.quantity.get()),
            Side::Sell => -i64::from(trade.quantity.get()),
        };
        self.trades.iter().filter(|trade| trade.symbol == *symbol).map(signed).sum()
    }
}

impl Exchange {
    fn read<T>(&self, name: &'static str, f: impl FnOnce(&State) -> T) -> BoxFuture<'_, Result<T, CallError>>
    where
        T: Send + 'static,
    {
        let result = self.with(|state| {
            if state.failing.contains(name) {
                Err(CallError::Unavailable(format!("{name} failed")))
            } else {
                Ok(f(state))
            }
        });
        Box::pin(async move { result })
    }
}

impl Broker for Exchange {
    fn ready(&self, _: CallKind) -> BoxFuture<'_, Result<(), NotReady>> {
        let before = self.with(|state| {
            state.readied += 1;
            state.readied - 1
        });
        if let Some(hook) = lock(&self.on_ready).as_ref() {
            hook(before);
        }
        let why = self.with(|state| state.not_ready);
        Box::pin(async move { why.map_or(Ok(()), |why| Err(NotReady { reason: why.to_owned() })) })
    }
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let outcome = self.act(|state, now| state.take(&call, now));
        Box::pin(answer(outcome))
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let outcome = self.act(|state, _| state.change(&call));
        Box::pin(answer(outcome))
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let outcome = self.act(|state, _| state.end(&call));
        Box::pin(answer(outcome))
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        let now = self.clock.now();
        self.read("orders", |state| {
            let is_listed = |row: &&BrokerOrder| now >= row.at.plus_seconds(state.lag_seconds);
            state.rows.values().filter(is_listed).cloned().collect()
        })
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        let now = self.clock.now();
        self.read("trades", |state| {
            let is_listed = |row: &&BrokerTrade| now >= row.at.plus_seconds(state.lag_seconds);
            state.trades.iter().filter(is_listed).cloned().collect()
        })
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        self.read("positions", |state| {
            let mut net: BTreeMap<Symbol, (Quantity, Quantity)> = BTreeMap::new();
            for trade in &state.trades {
                let (bought, sold) = net.entry(trade.symbol.clone()).or_default();
                *(if trade.side == Side::Buy { bought } else { sold }) += trade.quantity;
            }
            net.into_iter().map(|(symbol, (bought, sold))| NetPosition { symbol, bought, sold }).collect()
        })
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        self.read("holdings", |state| {
            let row = |(symbol, quantity): (&Symbol, &Quantity)| Holding {
                symbol: symbol.clone(),
                quantity: *quantity,
                average: Price::ZERO,
            };
            state.holdings.iter().map(row).collect()
        })
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        self.read("funds", |state| Funds { available: Money::from_rupees(1_000_000), blocked: state.blocked })
    }
}
