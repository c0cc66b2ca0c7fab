//! What a strategy reaches through the host functions, in the model's words.
//!
//! The service implements it over desk, market and journal; the runtime turns the contract's types into
//! these and back, checks grants, and keeps each run's budget.

use calendar::{Phase, PhaseWindow};
use market::{Candles, InstrumentFilter, Interval, Quote};
use model::{
    BoxFuture, Date, DayAccount, Difference, Funds, Holding, Instrument, InstrumentClass, ModifyRequest,
    OrderError, OrderId, OrderView, Origin, PlaceRequest, Placed, PositionView, ReadError, Symbol, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::instance::Loaded;
use crate::outcome::Outcome;
use crate::run::{Cause, RunInfo};

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For information.
    Info,
    /// To be looked at.
    Warning,
    /// To be looked at now.
    Critical,
}

/// The exchange's day as the strategy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The trading day of the run.
    pub trading_day: Date,
    /// Whether the exchange trades on it.
    pub is_trading_day: bool,
    /// The phase now, for stocks without derivatives.
    pub phase: Phase,
    /// Every phase of the day, by class.
    pub phases: Vec<(InstrumentClass, PhaseWindow)>,
    /// The next trading day.
    pub next_trading_day: Date,
    /// The one before.
    pub previous_trading_day: Date,
    /// The session in which an after-market order placed now would trade; none outside the window.
    pub for_session: Option<Date>,
}

/// A run that is about to enter its component.
pub struct RunStart<'a> {
    /// What is run.
    pub loaded: &'a Loaded,
    /// What it is told.
    pub info: &'a RunInfo,
    /// The present instant.
    pub now: Timestamp,
    /// Why it runs.
    pub cause: &'a Cause,
}

/// Where host functions lead. Reads answer from memory; what has to ask the broker, or acts, is a
/// future. In `simulate` and `backtest` every future is ready at its first poll.
pub trait Services: Send + Sync + 'static {
    /// A run begins: until [`Services::run_ends`] every call is this run's. For who keeps a record.
    fn run_begins(&self, _start: &RunStart<'_>) {}
    /// A new instance is made: nothing is left in it of runs before.
    fn instance_made(&self) {}
    /// The run has ended.
    fn run_ends(&self, _outcome: &Outcome) {}
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// Every instrument that passes `filter`, by symbol.
    fn instruments(&self, filter: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError>;
    /// One instrument.
    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, ReadError>;
    /// The last price.
    fn quote<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>>;
    /// Finished bars as columns.
    fn candles(&self, symbols: &[Symbol], interval: Interval, n: u32) -> Result<Vec<Candles>, ReadError>;
    /// The exchange's day.
    fn session(&self, origin: &Origin) -> Result<SessionView, ReadError>;
    /// What the system owns.
    fn positions(&self, origin: &Origin) -> Result<Vec<PositionView>, ReadError>;
    /// What the broker holds.
    fn holdings<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>>;
    /// Cash.
    fn funds<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>>;
    /// Reads the broker's books, resolves what can be resolved, answers with what is left.
    fn reconcile<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>>;
    /// The account of the run's trading day so far.
    fn day_account<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>>;
    /// One order of the account.
    fn order(&self, origin: &Origin, id: &str) -> Result<OrderView, ReadError>;
    /// The strategy's orders: today's, and older ones that are not final.
    fn own_orders(&self, origin: &Origin) -> Result<Vec<OrderView>, ReadError>;
    /// The account's orders, external ones included.
    fn account_orders<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>>;
    /// Places an order. The order does not live in this future: dropping it loses the answer, never
    /// the order.
    fn place<'a>(
        &'a self,
        origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>>;
    /// Changes a working order of this strategy.
    fn modify<'a>(
        &'a self,
        origin: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>>;
    /// Cancels a working order: the strategy's own, or with `any_stale` another's of a past session.
    fn cancel<'a>(
        &'a self,
        origin: &'a Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>>;
    /// The strategy's durable value.
    fn state_get(&self, origin: &Origin, key: &str) -> Result<Option<Vec<u8>>, ReadError>;
    /// The strategy's durable keys with a prefix, sorted.
    fn state_keys(&self, origin: &Origin, prefix: &str) -> Result<Vec<String>, ReadError>;
    /// Puts an alert into the outbox; false when the key went out before on this trading day.
    fn alert(&self, origin: &Origin, key: &str, severity: Severity, text: &str) -> bool;
    /// One line of the strategy's log.
    fn log(&self, origin: &Origin, level: tracing::Level, message: &str);
}
