//! What the broker said, or was found to have done, about an order.

use serde::{Deserialize, Serialize};

use crate::name::BrokerOrderId;
use crate::order::{IntentId, OrderId, Status};
use crate::price::{Price, Quantity};
use crate::time::{Date, Timestamp};

/// Where a piece of evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The answer to the call itself (or its absence).
    Answer,
    /// The broker's order book.
    OrderBook,
    /// The broker's trade book.
    Trades,
    /// The broker's order feed.
    Feed,
    /// The reconciler, from several reads together.
    Reconciler,
    /// The operator (`tradeagent orders resolve`).
    Operator,
}

/// One trade, as the broker numbers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The broker's trade number: what fills are deduplicated by.
    pub trade_id: String,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// When.
    pub at: Timestamp,
    /// The session it belongs to.
    pub session: Date,
}

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum Fact {
    /// Accepted under this number.
    Acked {
        /// The broker's number.
        broker_id: BrokerOrderId,
    },
    /// Refused, with the broker's proof that nothing was placed (or changed).
    Refused {
        /// The broker's code.
        code: String,
        /// The broker's words.
        reason: String,
    },
    /// The broker's proof that this attempt did nothing because its session had expired. The intent
    /// stands: another attempt may follow.
    Unsent {
        /// What was seen.
        why: String,
    },
    /// No answer, or one that proves nothing.
    Unclear {
        /// What was seen.
        why: String,
    },
    /// The state that the broker's book shows.
    Seen {
        /// The broker's number.
        broker_id: BrokerOrderId,
        /// The state.
        status: Status,
        /// Shares filled so far.
        filled: Quantity,
        /// Average price of those.
        average: Price,
        /// Present limit.
        price: Price,
        /// Present total quantity.
        quantity: Quantity,
        /// The broker's words, when it gives any.
        reason: String,
    },
    /// A trade.
    Filled(Fill),
    /// Proven absent: it never reached the exchange.
    NotPlaced {
        /// On what grounds.
        why: String,
    },
    /// Cannot be told by reading; waits for the operator.
    Parked {
        /// What was tried.
        why: String,
    },
}

/// A fact about an intent, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The order it is about.
    pub order: OrderId,
    /// The intent it answers: the order's own, or a modify's or cancel's.
    pub intent: IntentId,
    /// When it was learnt.
    pub at: Timestamp,
    /// From where.
    pub source: Source,
    /// What.
    pub fact: Fact,
}
