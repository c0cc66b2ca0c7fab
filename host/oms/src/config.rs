//! What the desk is told, and what it asks of the market.

use std::time::Duration;

use journal::JournalError;
use model::charges::{ChargeSchedule, Tariff};
use model::risk::Limits;
use model::{Account, Date, Instrument, Price, Symbol, Timestamp};

/// How the desk runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocking {
    /// Each order in a task of its own, commits on the blocking pool: the service.
    Threaded,
    /// Each order in a task of its own, commits in that task: a current-thread runtime on simulated
    /// time, which would take a commit on another thread for idleness.
    Local,
    /// Everything in the caller's future, no rate limit: `simulate` and `backtest`, where time stands
    /// still within a virtual minute and every future is ready at its first poll.
    Inline,
}

/// How fills are charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRules {
    /// The dated statutory rates.
    pub schedule: ChargeSchedule,
    /// What the broker takes.
    pub tariff: Tariff,
}

/// The desk's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskConfig {
    /// Whose orders.
    pub account: Account,
    /// What the risk rules hold every order to.
    pub limits: Limits,
    /// Place, modify and cancel calls in any second. Default 8; the regulator's line is 10.
    pub orders_per_second: u32,
    /// Of those, calls kept for cancellations. Default 2.
    pub cancel_reserve: u32,
    /// The longest an accepted order may be missing from the broker's book. Default 60 s.
    pub listing_lag: Duration,
    /// Complete reads that settle nothing, after which a doubt is parked for the operator. Default 10;
    /// never before three times the listing lag.
    pub park_after: u32,
    /// How the desk runs.
    pub blocking: Blocking,
    /// How fills are charged; none: they are not.
    pub charges: Option<ChargeRules>,
}

impl DeskConfig {
    /// The defaults for `account`, with the bundled rates and no brokerage.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            limits: Limits::default(),
            orders_per_second: 8,
            cancel_reserve: 2,
            listing_lag: Duration::from_secs(60),
            park_after: 10,
            blocking: Blocking::Threaded,
            charges: Some(ChargeRules { schedule: ChargeSchedule::bundled(), tariff: Tariff::default() }),
        }
    }

    pub(crate) fn lag_nanos(&self) -> i64 {
        i64::try_from(self.listing_lag.as_nanos()).unwrap_or(i64::MAX / 8)
    }
}

/// Why a desk cannot stand up.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The journal does not give back what it was given.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A setting makes no sense.
    #[error("{what}: {fix}")]
    Config {
        /// Which, and what is wrong with it.
        what: String,
        /// What to do.
        fix: &'static str,
    },
}

/// What the desk needs to know of market and calendar.
pub trait MarketView: Send + Sync + 'static {
    /// The last traded price.
    fn last_price(&self, symbol: &Symbol) -> Option<Price>;
    /// The instrument as it stands today.
    fn instrument(&self, symbol: &Symbol) -> Option<Instrument>;
    /// The day on which shares bought on `trade` may be delivered.
    fn settlement_date(&self, trade: Date) -> Date;
    /// The session in which an order sent now would trade, or the phase and why there is none.
    fn session_for(&self, amo: bool, now: Timestamp) -> Result<Date, (String, String)>;
}
