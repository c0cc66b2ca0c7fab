//! An order as intended: its terms, its identity, its states (named as in FIX 4.4, tag 39).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::{Account, ContentHash, RunId, StrategyName, Symbol};
use crate::price::{Money, Price, Quantity};
use crate::time::{Date, Timestamp};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Adds shares.
    Buy,
    /// Gives shares.
    Sell,
}

/// How the price is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderType {
    /// At the limit or better.
    Limit,
    /// At the best available price.
    Market,
    /// A limit order once the trigger trades.
    StopLimit,
    /// A market order once the trigger trades.
    StopMarket,
}

/// Delivery or intraday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Cash and carry (CNC): settles T+1.
    Delivery,
    /// Squared off on the same day (MIS).
    Intraday,
}

/// How long an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// To the end of the session.
    Day,
    /// What does not fill at once is cancelled.
    Ioc,
}

macro_rules! lower_display {
    ($($ty:ty),*) => { $(
        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )* };
}
lower_display!(Side, OrderType, Product, Validity);

impl Side {
    /// `buy` or `sell`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}
impl OrderType {
    /// `limit`, `market`, `stop-limit` or `stop-market`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Market => "market",
            Self::StopLimit => "stop-limit",
            Self::StopMarket => "stop-market",
        }
    }
}
impl Product {
    /// `delivery` or `intraday`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Intraday => "intraday",
        }
    }
}
impl Validity {
    /// `day` or `ioc`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Ioc => "ioc",
        }
    }
}

/// What an order asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderTerms {
    /// What to trade.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How the price is bound.
    pub order_type: OrderType,
    /// Delivery or intraday.
    pub product: Product,
    /// How long it stands.
    pub validity: Validity,
    /// Shares.
    pub quantity: Quantity,
    /// The limit; zero for market types.
    pub price: Price,
    /// The trigger of the stop types.
    pub trigger: Option<Price>,
    /// An after-market order: queued by the broker, sent to the exchange at the next open.
    pub amo: bool,
}

impl OrderTerms {
    /// A day limit order for delivery.
    pub fn limit(symbol: impl Into<Symbol>, side: Side, quantity: Quantity, price: Price) -> Self {
        Self {
            symbol: symbol.into(),
            side,
            order_type: OrderType::Limit,
            product: Product::Delivery,
            validity: Validity::Day,
            quantity,
            price,
            trigger: None,
            amo: false,
        }
    }

    /// Value at the limit, or at `reference` for market types.
    pub fn value(&self, reference: Price) -> Money {
        let price = if self.price.is_positive() { self.price } else { reference };
        price * self.quantity
    }
}

/// The identity of one intent, and of the order it places. Sixteen characters of base32: it is the tag
/// that travels to the broker, so an order found in the book names the intent behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId([u8; 16]);

/// An order is known by the intent that placed it.
pub type OrderId = IntentId;

impl IntentId {
    /// The identity of `key` within strategy and trading day: the same key gives the same identity
    /// after every restart, so nothing can be sent twice under two names.
    pub fn derive(account: &Account, strategy: &StrategyName, day: Date, key: &str) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64 + key.len());
        for part in [account.as_str(), "\u{0}", strategy.as_str(), "\u{0}"] {
            text.push_str(part);
        }
        // Writing into text cannot fail.
        let _ = write!(text, "{day}\u{0}");
        text.push_str(key);
        let hash = blake3::hash(text.as_bytes());
        let mut id = [0_u8; 16];
        for (place, byte) in id.iter_mut().zip(hash.as_bytes()) {
            *place = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(byte & 31)];
        }
        Self(id)
    }

    /// From the sixteen characters.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7')).then_some(Self(bytes))
    }

    /// The sixteen characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII by construction")
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
impl Serialize for IntentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for IntentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not an order id")))
    }
}

/// What is to be done at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Action {
    /// A new order.
    Place {
        /// Its terms.
        terms: OrderTerms,
        /// The session it is meant for.
        for_session: Date,
    },
    /// Another price or total quantity for a working order.
    Modify {
        /// Which.
        order: OrderId,
        /// The new limit.
        price: Price,
        /// The new total quantity, filled shares included.
        total_quantity: Quantity,
    },
    /// The end of a working order.
    Cancel {
        /// Which.
        order: OrderId,
    },
}

/// A decision to act, written down before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its identity: the tag at the broker.
    pub id: IntentId,
    /// For which account.
    pub account: Account,
    /// By which strategy (`operator` for the operator's own).
    pub strategy: StrategyName,
    /// The component that decided, by content.
    pub component: ContentHash,
    /// In which run.
    pub run: RunId,
    /// The trading day of the run's tick; keys are unique within it.
    pub day: Date,
    /// The strategy's own key.
    pub key: String,
    /// When it was decided.
    pub at: Timestamp,
    /// Not to be sent after this instant.
    pub send_by: Option<Timestamp>,
    /// The strategy's reason, for the auditor.
    pub reason: String,
    /// What to do.
    pub action: Action,
}

impl Intent {
    /// The order that this intent is about.
    pub const fn order(&self) -> OrderId {
        match &self.action {
            Action::Place { .. } => self.id,
            Action::Modify { order, .. } | Action::Cancel { order } => *order,
        }
    }
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Written down, on its way.
    PendingNew,
    /// Working.
    New,
    /// A stop order whose trigger has not traded.
    PendingTrigger,
    /// Accepted by the broker for the next open.
    QueuedAmo,
    /// A change is on its way.
    PendingReplace,
    /// A cancellation is on its way.
    PendingCancel,
    /// Working, some shares filled.
    PartiallyFilled,
    /// All shares filled.
    Filled,
    /// Ended by a cancellation.
    Canceled,
    /// Refused with the broker's or the exchange's proof.
    Rejected,
    /// Ended with its session.
    Expired,
    /// Sent, and what became of it is not known yet.
    Unknown,
    /// Proven never to have reached the exchange.
    NotPlaced,
    /// Unknown, and only the operator can say.
    Parked,
    /// A status of the broker that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl Status {
    /// Nothing can happen to it any more, short of evidence that this was wrong.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Filled | Self::Canceled | Self::Rejected | Self::Expired | Self::NotPlaced)
    }

    /// What became of it is not known.
    pub const fn is_unresolved(&self) -> bool {
        matches!(self, Self::PendingNew | Self::Unknown | Self::Parked)
    }

    /// The name, in kebab case.
    pub fn as_str(&self) -> &str {
        match self {
            Self::PendingNew => "pending-new",
            Self::New => "new",
            Self::PendingTrigger => "pending-trigger",
            Self::QueuedAmo => "queued-amo",
            Self::PendingReplace => "pending-replace",
            Self::PendingCancel => "pending-cancel",
            Self::PartiallyFilled => "partially-filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::NotPlaced => "not-placed",
            Self::Parked => "parked",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
