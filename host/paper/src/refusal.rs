//! Why the exchange does not take an order: a code for machines, a sentence for people.
//!
//! Every refusal is proof that nothing was placed or changed.

use broker::SendError;
use model::{Price, Quantity, Symbol, Tick};

/// A refusal with its facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The market takes no such order now.
    #[error("the market takes no {what} now ({phase}): {hint}")]
    Phase {
        /// What was tried.
        what: &'static str,
        /// The phase.
        phase: String,
        /// What to do.
        hint: &'static str,
    },
    /// Outside the after-market window.
    #[error("{0}")]
    AmoWindow(String),
    /// Unknown instrument, or not traded today.
    #[error("{0} is not traded on this exchange on this day")]
    Symbol(Symbol),
    /// No shares.
    #[error("quantity {0} is not valid here: {1}")]
    Quantity(Quantity, &'static str),
    /// Not a multiple of the lot.
    #[error("quantity {quantity} is not a multiple of the lot of {lot}")]
    Lot {
        /// Asked for.
        quantity: Quantity,
        /// The lot.
        lot: Quantity,
    },
    /// Beyond the freeze quantity.
    #[error("quantity {quantity} is above the freeze quantity of {freeze}: split the order")]
    Freeze {
        /// Asked for.
        quantity: Quantity,
        /// The largest quantity of one order.
        freeze: Quantity,
    },
    /// Off the price grid.
    #[error("price {price} is not a multiple of the tick of {}", tick.step())]
    Tick {
        /// The limit or trigger.
        price: Price,
        /// The grid.
        tick: Tick,
    },
    /// Outside the day's band.
    #[error("price {price} is outside the day's band of {low} to {high}")]
    Band {
        /// The limit or trigger.
        price: Price,
        /// Lowest valid price.
        low: Price,
        /// Highest valid price.
        high: Price,
    },
    /// A price where there should be none, or none where there should be one, or a trigger on the wrong side.
    #[error("{0}")]
    Price(&'static str),
    /// More than is free of what is owned.
    #[error("{symbol}: {wanted} shares to sell, but only {free} are free: owned less those in working sells")]
    Holdings {
        /// What.
        symbol: Symbol,
        /// Asked for.
        wanted: Quantity,
        /// Owned and in no working sell.
        free: Quantity,
    },
    /// Trade-to-trade shares that are not credited yet.
    #[error("{symbol} is traded trade-to-trade: of {wanted} shares only {free} are credited and free")]
    TradeToTrade {
        /// What.
        symbol: Symbol,
        /// Asked for.
        wanted: Quantity,
        /// Settled and in no working sell.
        free: Quantity,
    },
    /// Not enough cash.
    #[error("{needed} rupees are needed with charges, but only {available} are available")]
    Funds {
        /// What the order would block.
        needed: model::Money,
        /// Free cash.
        available: model::Money,
    },
    /// No such order in the book.
    #[error("there is no order {0} in the book")]
    NoOrder(String),
    /// Too many orders.
    #[error("{0}")]
    TooMany(&'static str),
    /// The calendar or the charge table does not reach this day.
    #[error("{0}")]
    Calendar(String),
}

impl Refusal {
    /// The code: stable, upper case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Phase { .. } => "PHASE",
            Self::AmoWindow(_) => "AMO_WINDOW",
            Self::Symbol(_) => "SYMBOL",
            Self::Quantity(..) => "QUANTITY",
            Self::Lot { .. } => "LOT",
            Self::Freeze { .. } => "FREEZE",
            Self::Tick { .. } => "TICK",
            Self::Band { .. } => "BAND",
            Self::Price(_) => "PRICE",
            Self::Holdings { .. } => "HOLDINGS",
            Self::TradeToTrade { .. } => "TRADE_TO_TRADE",
            Self::Funds { .. } => "FUNDS",
            Self::NoOrder(_) => "NO_ORDER",
            Self::TooMany(_) => "TOO_MANY",
            Self::Calendar(_) => "CALENDAR",
        }
    }
}

impl From<Refusal> for SendError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code().to_owned(), reason: refusal.to_string() }
    }
}
