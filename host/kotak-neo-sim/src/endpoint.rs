//! The calls of the wire, by name: what faults are aimed at and what is counted.

use serde::{Deserialize, Serialize};

/// A kind of call. Its name in scripts is the kebab-case of the variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// Step one: `tradeApiLogin`.
    Login,
    /// Step two: `tradeApiValidate`.
    Validate,
    /// `login/1.0/logout`.
    Logout,
    /// `login/1.0/get-client-ip`.
    ClientIp,
    /// A new order.
    Place,
    /// A change of an order.
    Modify,
    /// The end of an order, cover and bracket exits included.
    Cancel,
    /// The order book.
    Orders,
    /// One row of the order book.
    Order,
    /// The statuses that one order went through.
    History,
    /// The trade book.
    Trades,
    /// Positions, on either path.
    Positions,
    /// Holdings.
    Holdings,
    /// Limits.
    Limits,
    /// `check-margin`.
    Margin,
    /// Quotes.
    Quotes,
    /// The paths of the scrip master, and its files.
    Master,
    /// Expiries and option chain.
    Watchlist,
    /// Candles.
    Historical,
    /// A connection of the order feed.
    Feed,
    /// A path that the real server does not know either.
    Unknown,
}

impl Endpoint {
    /// Calls that change orders.
    pub const ORDERS: [Self; 3] = [Self::Place, Self::Modify, Self::Cancel];
    /// Calls that need a trade session.
    pub const SESSION: [Self; 12] = [
        Self::Place,
        Self::Modify,
        Self::Cancel,
        Self::Orders,
        Self::Order,
        Self::History,
        Self::Trades,
        Self::Positions,
        Self::Holdings,
        Self::Limits,
        Self::Margin,
        Self::ClientIp,
    ];
    /// Calls that need the access token only.
    pub const DATA: [Self; 3] = [Self::Quotes, Self::Historical, Self::Watchlist];

    /// The name that scripts and counters use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Validate => "validate",
            Self::Logout => "logout",
            Self::ClientIp => "client-ip",
            Self::Place => "place",
            Self::Modify => "modify",
            Self::Cancel => "cancel",
            Self::Orders => "orders",
            Self::Order => "order",
            Self::History => "history",
            Self::Trades => "trades",
            Self::Positions => "positions",
            Self::Holdings => "holdings",
            Self::Limits => "limits",
            Self::Margin => "margin",
            Self::Quotes => "quotes",
            Self::Master => "master",
            Self::Watchlist => "watchlist",
            Self::Historical => "historical",
            Self::Feed => "feed",
            Self::Unknown => "unknown",
        }
    }
}
