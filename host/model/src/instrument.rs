//! What is traded, and within which bounds on a given day.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::Symbol;
use crate::price::{Price, Quantity, Tick};

/// A stock exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Exchange {
    /// National Stock Exchange of India.
    Nse,
    /// BSE Limited, Bombay.
    Bse,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nse => "NSE",
            Self::Bse => "BSE",
        })
    }
}

/// The classes of cash equity whose sessions differ since 2026-08-03.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstrumentClass {
    /// No futures or options on it: continuous trading to 15:30.
    WithoutDerivatives,
    /// With futures and options: a closing auction.
    WithDerivatives,
}

/// The exchange's series of an equity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Series(pub String);

impl Series {
    /// Whether shares of this series must be delivered trade for trade (NSE: BE, BZ, BL, BT, and ST, SZ of its SME platform; BSE: groups T, XT, Z, ZP, MT):
    /// no sale before credit.
    pub fn is_trade_to_trade(&self) -> bool {
        matches!(self.0.as_str(), "BE" | "BZ" | "BL" | "BT" | "ST" | "SZ" | "T" | "XT" | "Z" | "ZP" | "MT")
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An instrument as it stands on one trading day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its symbol.
    pub symbol: Symbol,
    /// Where it trades.
    pub exchange: Exchange,
    /// ISIN; empty where the source has none.
    pub isin: String,
    /// Its series today.
    pub series: Series,
    /// The price step, fixed per security for a month.
    pub tick: Tick,
    /// Shares in a lot (1 in the cash market).
    pub lot: Quantity,
    /// The largest quantity of one order; zero when there is none.
    pub freeze: Quantity,
    /// The day's lowest and highest valid price.
    pub band: (Price, Price),
    /// The close that the band is measured from.
    pub previous_close: Price,
    /// Futures or options exist.
    pub has_derivatives: bool,
}

impl Instrument {
    /// The class that decides its session.
    pub const fn class(&self) -> InstrumentClass {
        if self.has_derivatives {
            InstrumentClass::WithDerivatives
        } else {
            InstrumentClass::WithoutDerivatives
        }
    }
}
