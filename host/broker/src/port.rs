//! The port itself.

use model::{
    BoxFuture, BrokerOrderId, Date, Funds, Holding, IntentId, OrderTerms, Price, Quantity, Status, Symbol,
    Timestamp,
};
use serde::{Deserialize, Serialize};

/// A new order as it goes to the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceCall {
    /// Echoed by the broker in its books: the intent's identity.
    pub tag: IntentId,
    /// What is asked for.
    pub terms: OrderTerms,
}

/// A change to a working order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModifyCall {
    /// The broker's number.
    pub broker_id: BrokerOrderId,
    /// The new limit.
    pub price: Price,
    /// The new total quantity, filled shares included.
    pub total_quantity: Quantity,
    /// The terms it was placed with: some wires want them all again.
    pub terms: OrderTerms,
}

/// The end of a working order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelCall {
    /// The broker's number.
    pub broker_id: BrokerOrderId,
    /// Whether it is queued as an after-market order.
    pub amo: bool,
    /// What it is in, where that is known: some wires want it again for a queued order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Symbol>,
}

/// The broker took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Its number.
    pub broker_id: BrokerOrderId,
}

/// Why an order call was not acknowledged. There are only these: what is not proof is unclear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SendError {
    /// Proof that nothing was placed or changed: only answers that the adapter lists as such.
    #[error("refused ({code}): {reason}")]
    Refused {
        /// The broker's code.
        code: String,
        /// The broker's words.
        reason: String,
    },
    /// The order is already complete: an answer to a modify or cancel that came too late.
    #[error("already complete: {0}")]
    AlreadyComplete(String),
    /// The session had expired: proof that nothing was placed or changed. Under a new session the call
    /// passes the whole desk again.
    #[error("the broker session had expired: {0}")]
    Expired(String),
    /// Timeout, reset, 5xx, unreadable: it may have been taken.
    #[error("no clear answer: {0}")]
    Unclear(String),
}

/// An order call that wants to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// A new order.
    Place,
    /// A change.
    Modify,
    /// An end: it keeps a reserve of every limit.
    Cancel,
}

/// Why no call can go out now. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotReady {
    /// In one sentence, with what to do.
    pub reason: String,
}

/// Why a read failed. A failed read is never evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CallError {
    /// The broker did not answer, or not readably.
    #[error("the broker did not answer: {0}")]
    Unavailable(String),
    /// The session is not valid (any more).
    #[error("the broker session has expired: {0}")]
    SessionExpired(String),
}

/// A row of the broker's order book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerOrder {
    /// The broker's number.
    pub broker_id: BrokerOrderId,
    /// The tag it was placed with, as text: it may be blank or altered.
    pub tag: Option<String>,
    /// Present terms (price and total quantity as modified).
    pub terms: OrderTerms,
    /// State, in this host's words; an unknown one is carried in `Status::Other`.
    pub status: Status,
    /// Shares filled.
    pub filled: Quantity,
    /// Average price of those.
    pub average: Price,
    /// When the broker took it.
    pub at: Timestamp,
    /// The session it belongs to (an after-market order: the one it waits for).
    pub session: Date,
    /// The broker's words.
    pub reason: String,
}

/// A row of the broker's trade book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerTrade {
    /// The broker's number of the trade.
    pub trade_id: String,
    /// The order's number.
    pub broker_id: BrokerOrderId,
    /// The order's tag, when echoed.
    pub tag: Option<String>,
    /// What.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: model::Side,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// When.
    pub at: Timestamp,
    /// The session.
    pub session: Date,
}

/// The day's net position of a symbol, as the broker counts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetPosition {
    /// What.
    pub symbol: Symbol,
    /// Bought today.
    pub bought: Quantity,
    /// Sold today.
    pub sold: Quantity,
}

/// A broker account. Every call is made once: no implementation retries an order.
///
/// Dropping a future returned here must not undo a call half made; the desk never drops one.
pub trait Broker: Send + Sync + 'static {
    /// Waits until an order call can go out at once: a live session, and its turn among all requests of
    /// the account. The desk asks before its second check, so that nothing waits after it.
    fn ready(&self, _kind: CallKind) -> BoxFuture<'_, Result<(), NotReady>> {
        Box::pin(std::future::ready(Ok(())))
    }
    /// Places an order.
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>>;
    /// Changes a working order.
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>>;
    /// Cancels a working order.
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>>;
    /// The order book: today's orders, and queued after-market orders.
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>>;
    /// The trade book of the present (or last) session.
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>>;
    /// Net positions of the present (or last) session.
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>>;
    /// What is in the demat account; it lags a day (T+1).
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>>;
    /// Cash.
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>>;
}
