//! What a run is told: who it is, why it runs, which bars it gets.

use std::collections::BTreeMap;
use std::sync::Arc;

use market::Interval;
use model::{Date, OrderId, Origin, Price, RunId, Symbol, Timestamp};
use serde::{Deserialize, Serialize};

/// With what the host is trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A real broker.
    Live,
    /// A paper exchange, in real time.
    Paper,
    /// Past days at full speed.
    Simulation,
    /// One component, bar by bar.
    Backtest,
}

/// A source of bars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Of which symbol.
    pub symbol: Symbol,
    /// How long each bar is.
    pub interval: Interval,
}

/// One finished bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// When it began.
    pub start: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
}

/// Why a task runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its time has come.
    Scheduled,
    /// A bar has ended.
    Bar {
        /// Index into the run's feeds.
        feed: u32,
        /// The bar.
        bar: Bar,
    },
    /// Something happened to this order.
    Order(OrderId),
    /// The operator asked for it.
    Manual,
    /// An earlier attempt at this run was interrupted.
    Resumed,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Its identity.
    pub id: RunId,
    /// The task, as the config names it.
    pub task: String,
    /// Who acts; every order carries it.
    pub origin: Origin,
    /// When it was due.
    pub scheduled: Timestamp,
    /// With what the host is trading.
    pub mode: Mode,
    /// 1, or more when an earlier attempt was interrupted.
    pub attempt: u32,
    /// The session in which an after-market order placed now would trade; none outside the window.
    pub for_session: Option<Date>,
    /// Where bars come from.
    pub feeds: Arc<[Feed]>,
    /// The strategy's parameters, by name.
    pub params: Arc<BTreeMap<String, String>>,
}
