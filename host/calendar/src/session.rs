//! One trading day of one exchange.

use std::sync::Arc;

use model::{Date, Exchange, InstrumentClass, Timestamp};
use serde::Serialize;

use crate::book::Hours;
use crate::phase::{Phase, PhaseWindow, Window};

/// What an exchange does on a date.
#[derive(Debug, Clone, PartialEq)]
pub enum Day {
    /// It does not trade, or the host does not trade on it.
    Closed {
        /// Why, for a person.
        reason: String,
    },
    /// It trades.
    Open(Session),
}

/// Why there is a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionKind {
    /// An ordinary weekday.
    Regular,
    /// A day that would be closed but trades (a weekend with a Union Budget); holds the reason.
    Special(String),
    /// The hour of trading on Diwali.
    Muhurat,
}

/// How the closing price of a class is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "method")]
pub enum ClosingPrice {
    /// Volume-weighted average price of the trades in `window`.
    Vwap {
        /// The last half hour of continuous trading.
        window: Window,
    },
    /// The equilibrium price of the closing auction.
    Auction {
        /// Volume-weighted average of the trades in it is the reference price.
        reference: Window,
        /// Orders must lie within this many percent of the reference price, either way.
        band_percent: u32,
    },
}

/// Hours of the equity derivatives of the same exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DerivativesHours {
    /// Continuous trading.
    pub window: Window,
    /// When index contracts that expire on the date stop, where that is earlier.
    pub expiring_index_end: Option<Timestamp>,
}

/// One session of one exchange, with the instants of its phases. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The exchange.
    pub exchange: Exchange,
    /// The date at the exchange.
    pub date: Date,
    /// Why there is a session.
    pub kind: SessionKind,
    /// Whether it keeps the ordinary hours of its date, as weekend sessions do and Muhurat does not.
    pub regular_hours: bool,
    times: Arc<Times>,
}

#[derive(Debug, PartialEq)]
struct Times {
    without_derivatives: ClassHours,
    with_derivatives: ClassHours,
    derivatives: Option<DerivativesHours>,
    block_deals: Vec<Window>,
}

#[derive(Debug, PartialEq)]
struct ClassHours {
    phases: Vec<PhaseWindow>,
    closing_price: ClosingPrice,
    open: Timestamp,
    close: Timestamp,
    end: Timestamp,
}

impl Session {
    pub(crate) fn new(
        exchange: Exchange,
        date: Date,
        kind: SessionKind,
        regular_hours: bool,
        hours: &Hours,
    ) -> Self {
        let times = Times {
            without_derivatives: ClassHours::new(hours, InstrumentClass::WithoutDerivatives, date),
            with_derivatives: ClassHours::new(hours, InstrumentClass::WithDerivatives, date),
            derivatives: hours.derivatives.map(|derivatives| DerivativesHours {
                window: derivatives.span.on(date),
                expiring_index_end: derivatives
                    .expiring_index_end
                    .map(|time| Timestamp::from_ist(date, time)),
            }),
            block_deals: hours.block_deals.iter().map(|span| span.on(date)).collect(),
        };
        Self { exchange, date, kind, regular_hours, times: Arc::new(times) }
    }

    fn class(&self, class: InstrumentClass) -> &ClassHours {
        match class {
            InstrumentClass::WithoutDerivatives => &self.times.without_derivatives,
            InstrumentClass::WithDerivatives => &self.times.with_derivatives,
        }
    }

    /// The windows of `class`, in order, not overlapping. Between them the exchange is closed.
    pub fn phases(&self, class: InstrumentClass) -> &[PhaseWindow] {
        &self.class(class).phases
    }

    /// The phase of `class` at an instant; [`Phase::Closed`] outside every window.
    pub fn phase_at(&self, class: InstrumentClass, at: Timestamp) -> Phase {
        let window = self.phases(class).iter().find(|window| window.start <= at && at < window.end);
        window.map_or(Phase::Closed, |window| window.phase)
    }

    /// When continuous trading of `class` starts.
    pub fn open(&self, class: InstrumentClass) -> Timestamp {
        self.class(class).open
    }

    /// When continuous trading of `class` ends.
    pub fn close(&self, class: InstrumentClass) -> Timestamp {
        self.class(class).close
    }

    /// When the closing price of `class` is final: the end of the closing auction where there is one,
    /// else the close.
    pub fn end(&self, class: InstrumentClass) -> Timestamp {
        self.class(class).end
    }

    /// When the last class stops continuous trading: `close` to a scheduler.
    pub fn latest_close(&self) -> Timestamp {
        self.times.without_derivatives.close.max(self.times.with_derivatives.close)
    }

    /// When the first class starts continuous trading: `open` to a scheduler.
    pub fn earliest_open(&self) -> Timestamp {
        self.times.without_derivatives.open.min(self.times.with_derivatives.open)
    }

    /// When every closing price is final.
    pub fn latest_end(&self) -> Timestamp {
        self.times.without_derivatives.end.max(self.times.with_derivatives.end)
    }

    /// How the closing price of `class` is found.
    pub fn closing_price(&self, class: InstrumentClass) -> ClosingPrice {
        self.class(class).closing_price
    }

    /// Hours of the equity derivatives, where the data tells them.
    pub fn derivatives(&self) -> Option<DerivativesHours> {
        self.times.derivatives
    }

    /// The block deal windows, where the data tells them.
    pub fn block_deals(&self) -> &[Window] {
        &self.times.block_deals
    }
}

impl ClassHours {
    fn new(hours: &Hours, class: InstrumentClass, date: Date) -> Self {
        let hours = hours.class(class);
        let phases: Vec<PhaseWindow> = hours.phases.iter().map(|span| span.on(date)).collect();
        let continuous = phases
            .iter()
            .find(|window| window.phase == Phase::Continuous)
            .expect("checked on loading: every class has a continuous phase");
        let auction_end = phases.iter().rev().find(|window| window.phase.is_closing_auction());
        let (open, close) = (continuous.start, continuous.end);
        let end = auction_end.map_or(close, |window| window.end);
        Self { open, close, end, phases, closing_price: hours.closing_price.on(date) }
    }
}
