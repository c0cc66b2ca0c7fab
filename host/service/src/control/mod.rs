//! Where command line and service meet: a Unix socket, or a named pipe of Windows, with versioned
//! JSON, one line each way.
//!
//! What goes wrong here, and who notices:
//! - The host is down. The command line reads the journal read-only and says so; the kill switch and
//!   `orders resolve` are written into the journal itself, under the account lock for that moment, so
//!   that they cannot race a host that starts.
//! - The host was killed and left its socket file. Nobody answers on it: the next start replaces it.
//! - The host holds the account but does not answer. That is said; nothing is written behind its back.
//! - Somebody else connects. The socket belongs to the group `tradeagent` where it exists, and the
//!   kernel's word on the peer is checked once more.
//! - A client says nothing, or too much. Lines, connections and times are bounded.
//!
//! The server has its own thread and its own runtime: the host's may run on simulated time, in which a
//! client's patience would be over at once. Start reading at [`ControlHost`] and [`access`].

pub mod access;
pub mod client;
mod door;
mod fold;
mod iso;
pub mod live;
pub mod offline;
pub mod server;
#[cfg(all(test, unix))]
mod tests;
pub mod views;
pub mod wire;

use journal::TradingState;
use model::{OrderId, StrategyName};
use oms::Verdict;

pub use access::{Access, reach, who};
pub use client::{Client, ClientError};
pub use live::{LiveHost, SessionTeller};
pub use server::{ControlServer, ServeError};
use views::{
    OrderLine, OrdersQuery, OrdersView, PositionsView, RunsQuery, RunsView, StatusView, TradingView,
    TrailView,
};

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such order, or the like.
    #[error("{0}")]
    NotFound(String),
    /// It makes no sense, or is not allowed now.
    #[error("{0}")]
    Denied(String),
    /// It should work and does not.
    #[error("{0}")]
    Failed(String),
}

impl From<journal::JournalError> for ControlError {
    fn from(error: journal::JournalError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What the socket asks of the host. Every call returns soon; `by` is the peer, by the kernel's word.
pub trait ControlHost: Send + Sync + 'static {
    /// What is going on.
    fn status(&self) -> Result<StatusView, ControlError>;
    /// Orders of a day.
    fn orders(&self, query: &OrdersQuery) -> Result<OrdersView, ControlError>;
    /// One order with everything that is known about it.
    fn trail(&self, order: &str) -> Result<TrailView, ControlError>;
    /// What the system owns.
    fn positions(&self) -> Result<PositionsView, ControlError>;
    /// Runs.
    fn runs(&self, query: &RunsQuery) -> Result<RunsView, ControlError>;
    /// What may be done.
    fn trading(&self) -> Result<TradingView, ControlError>;
    /// Sets what may be done, durably.
    fn set_trading(&self, state: TradingState, by: &str) -> Result<TradingView, ControlError>;
    /// Takes the operator's word on an unresolved order.
    fn resolve(&self, order: OrderId, verdict: Verdict, by: &str) -> Result<OrderLine, ControlError>;
    /// Takes a strategy out of quarantine and forgives its strikes.
    fn release(&self, strategy: &StrategyName, by: &str) -> Result<(), ControlError>;
}
