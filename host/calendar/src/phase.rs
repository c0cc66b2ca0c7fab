//! The phases of a session.

use std::fmt;

use chrono::NaiveTime;
use model::{Date, Timestamp};
use serde::{Deserialize, Serialize};

/// What the exchange does with orders of one class of instrument at one moment. Ordered as a day runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No order is accepted: before, after, or between two windows.
    Closed,
    /// Opening auction: limit and market orders are entered, changed, cancelled.
    PreOpen,
    /// Opening auction since 2026-09-07: limit orders only; market orders can be neither entered nor
    /// changed nor cancelled.
    PreOpenLimitOnly,
    /// The opening price is computed and matched; nothing is accepted.
    PreOpenMatching,
    /// Between opening auction and continuous trading; nothing is accepted.
    PreOpenBuffer,
    /// Continuous trading.
    Continuous,
    /// Closing auction: the reference price is computed; nothing is accepted.
    ClosingAuctionReference,
    /// Closing auction: limit and market orders.
    ClosingAuctionEntry,
    /// Closing auction: limit orders only; market orders can be neither changed nor cancelled.
    ClosingAuctionLimitOnly,
    /// The closing price is computed and matched; nothing is accepted.
    ClosingAuctionMatching,
    /// Trading at the closing price.
    PostClose,
}

impl Phase {
    /// Its name in data files, journals and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::PreOpen => "pre-open",
            Self::PreOpenLimitOnly => "pre-open-limit-only",
            Self::PreOpenMatching => "pre-open-matching",
            Self::PreOpenBuffer => "pre-open-buffer",
            Self::Continuous => "continuous",
            Self::ClosingAuctionReference => "closing-auction-reference",
            Self::ClosingAuctionEntry => "closing-auction-entry",
            Self::ClosingAuctionLimitOnly => "closing-auction-limit-only",
            Self::ClosingAuctionMatching => "closing-auction-matching",
            Self::PostClose => "post-close",
        }
    }

    /// Whether it belongs to the closing auction.
    pub const fn is_closing_auction(self) -> bool {
        matches!(
            self,
            Self::ClosingAuctionReference
                | Self::ClosingAuctionEntry
                | Self::ClosingAuctionLimitOnly
                | Self::ClosingAuctionMatching
        )
    }

    /// Whether the exchange takes a new limit order.
    pub const fn accepts_limit_orders(self) -> bool {
        matches!(
            self,
            Self::PreOpen
                | Self::PreOpenLimitOnly
                | Self::Continuous
                | Self::ClosingAuctionEntry
                | Self::ClosingAuctionLimitOnly
                | Self::PostClose
        )
    }

    /// Whether the exchange takes a new market order.
    pub const fn accepts_market_orders(self) -> bool {
        matches!(self, Self::PreOpen | Self::Continuous | Self::ClosingAuctionEntry | Self::PostClose)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A stretch of time, start included, end not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// A phase with its instants on one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseWindow {
    /// The phase.
    pub phase: Phase,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// From here on the exchange may end order entry at a random moment before `end`: an order sent
    /// later may be refused.
    pub random_end_from: Option<Timestamp>,
}

/// A [`Window`] that has no date yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: NaiveTime,
    pub end: NaiveTime,
}

impl Span {
    pub(crate) fn on(self, date: Date) -> Window {
        Window { start: Timestamp::from_ist(date, self.start), end: Timestamp::from_ist(date, self.end) }
    }
}

/// A [`PhaseWindow`] that has no date yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PhaseSpan {
    pub phase: Phase,
    pub span: Span,
    pub random_end_from: Option<NaiveTime>,
}

impl PhaseSpan {
    pub(crate) fn on(self, date: Date) -> PhaseWindow {
        let Window { start, end } = self.span.on(date);
        let random_end_from = self.random_end_from.map(|time| Timestamp::from_ist(date, time));
        PhaseWindow { phase: self.phase, start, end, random_end_from }
    }
}
