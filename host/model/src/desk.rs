//! What passes between a strategy and the order desk: requests, answers, views.

use serde::{Deserialize, Serialize};

use crate::name::{Account, BrokerOrderId, ContentHash, RunId, StrategyName, Symbol};
use crate::order::{OrderId, OrderTerms, Side, Status};
use crate::price::{Money, Price, Quantity};
use crate::time::{Date, Timestamp};

/// Who acts: every order carries it into the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// For which account.
    pub account: Account,
    /// Which strategy.
    pub strategy: StrategyName,
    /// Which component, by content.
    pub component: ContentHash,
    /// In which run.
    pub run: RunId,
    /// The trading day of the run's tick.
    pub day: Date,
}

/// A new order, unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceRequest {
    /// The strategy's own name for it within the trading day.
    pub key: String,
    /// What is asked for.
    pub terms: OrderTerms,
    /// Not to be sent after this instant.
    pub send_by: Option<Timestamp>,
    /// Why, for the auditor.
    pub reason: String,
}

/// A change to a working order, unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModifyRequest {
    /// Which order.
    pub order: OrderId,
    /// The strategy's own name for the change within the trading day.
    pub key: String,
    /// The side that the caller is allowed to act on.
    pub side: Side,
    /// The new limit.
    pub price: Price,
    /// The new total quantity, filled shares included.
    pub total_quantity: Quantity,
}

/// An order as it stands after a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Which.
    pub id: OrderId,
    /// How it stands.
    pub status: Status,
    /// Shares filled so far.
    pub filled: Quantity,
    /// Average price of those; zero when there are none.
    pub average: Price,
}

/// Why an order was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// By a rule here; nothing was sent.
    #[error("denied by {rule}: {reason}")]
    Denied {
        /// The rule's name, such as `max-order-value`.
        rule: &'static str,
        /// Why.
        reason: String,
    },
    /// By the broker, with its proof; nothing is working.
    #[error("refused by the broker ({code}): {reason}")]
    Refused {
        /// The broker's code.
        code: String,
        /// The broker's words.
        reason: String,
    },
    /// Sent, and what became of it is being found out.
    #[error("the outcome of order {0} is not known yet")]
    Unknown(OrderId),
    /// Not in this phase of the market; nothing was sent.
    #[error("not now ({phase}): {reason}")]
    NotNow {
        /// The market's phase.
        phase: String,
        /// Why.
        reason: String,
    },
    /// The desk itself is not working (a journal that cannot be written, shutting down).
    #[error("{0}")]
    Desk(String),
}

/// Why a read gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ReadError {
    /// No such symbol, order, or the like.
    #[error("not found: {0}")]
    NotFound(String),
    /// There is a value, but too old to act on.
    #[error("stale: {0}")]
    Stale(String),
    /// The source did not answer.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The grant does not allow it.
    #[error("denied: {0}")]
    Denied(String),
}

/// An order of the account, ours or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// The host's number, or the broker's for an order that is not ours.
    pub id: String,
    /// The strategy that placed it; none: not placed by this host.
    pub strategy: Option<StrategyName>,
    /// The key it was placed under; empty for an order that is not ours.
    pub key: String,
    /// The broker's number, when it is known.
    pub broker_id: Option<BrokerOrderId>,
    /// Its terms, with the present price and total quantity.
    pub terms: OrderTerms,
    /// How it stands.
    pub status: Status,
    /// Shares filled so far.
    pub filled: Quantity,
    /// Average price of those.
    pub average: Price,
    /// The session it is meant for.
    pub for_session: Date,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The strategy's reason, or the broker's words on how it ended.
    pub reason: String,
}

impl OrderView {
    /// What whoever asks for this order under its key is answered; `id` is its identity.
    pub fn placed(&self, id: OrderId) -> Placed {
        Placed { id, status: self.status.clone(), filled: self.filled, average: self.average }
    }

    /// Shares of `symbol` that it keeps from being sold once more: the open part of a working sell.
    pub fn working_sell(&self, symbol: &Symbol) -> Quantity {
        if self.terms.side != Side::Sell || self.terms.symbol != *symbol || self.status.is_final() {
            return Quantity::ZERO;
        }
        self.terms.quantity.saturating_sub(self.filled)
    }
}

/// A position with what working sells have taken of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionView {
    /// The ledger's sum.
    #[serde(flatten)]
    pub position: crate::ledger::Position,
    /// In working sell orders, Unknown ones included.
    pub in_working_sells: Quantity,
    /// Settled and in no working sell order.
    pub free: Quantity,
}

/// What the broker says is in the demat account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// What.
    pub symbol: Symbol,
    /// Shares.
    pub quantity: Quantity,
    /// Average price paid.
    pub average: Price,
}

/// Cash at the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Funds {
    /// Free for new orders.
    pub available: Money,
    /// Blocked by working orders.
    pub blocked: Money,
}

/// Journal and broker do not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// An order id or a symbol.
    pub subject: String,
    /// What differs, in words.
    pub what: String,
}

/// Something passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// A symbol, a run, or what else was passed over.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// What a run wants to have on record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// One line for the operator.
    pub summary: String,
    /// What was passed over, and why.
    pub skipped: Vec<Skip>,
    /// Figures by name.
    pub figures: Vec<(String, String)>,
}

/// The account of one trading day so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayAccount {
    /// The day.
    pub day: Date,
    /// Orders placed on it, by status name.
    pub orders: Vec<(String, u32)>,
    /// Trades.
    pub fills: u32,
    /// Value bought.
    pub bought: Money,
    /// Value sold.
    pub sold: Money,
    /// Profit of what was sold on the day, before charges.
    pub realised: Money,
    /// Charges of the day.
    pub charges: Money,
    /// The same by kind.
    pub charges_by_kind: Vec<(String, Money)>,
    /// Value of the open positions at the last price, less what was paid for them.
    pub unrealised: Money,
    /// What was skipped, and why.
    pub skipped: Vec<Skip>,
}
