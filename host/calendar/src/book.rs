//! The checked contents of a data file, arranged for looking up.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use model::{Date, Exchange, InstrumentClass};

use crate::phase::{PhaseSpan, Span};
use crate::session::{ClosingPrice, SessionKind};

/// Everything a calendar knows.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    pub version: String,
    pub sources: Vec<String>,
    pub known_from: Date,
    pub known_until: Date,
    pub nse: ExchangeBook,
    pub bse: ExchangeBook,
}

impl Book {
    pub(crate) const fn of(&self, exchange: Exchange) -> &ExchangeBook {
        match exchange {
            Exchange::Nse => &self.nse,
            Exchange::Bse => &self.bse,
        }
    }

    pub(crate) const fn of_mut(&mut self, exchange: Exchange) -> &mut ExchangeBook {
        match exchange {
            Exchange::Nse => &mut self.nse,
            Exchange::Bse => &mut self.bse,
        }
    }
}

/// What is known of one exchange.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExchangeBook {
    /// Ordinary hours by their first day.
    pub templates: BTreeMap<Date, Hours>,
    pub closed: BTreeMap<Date, String>,
    pub special: BTreeMap<Date, SpecialSession>,
    pub settlement_holidays: BTreeMap<Date, String>,
    /// Closures the operator added; they outrank a special session.
    pub operator_closures: BTreeMap<Date, String>,
}

impl ExchangeBook {
    /// Ordinary hours on `date`.
    pub(crate) fn template(&self, date: Date) -> Option<&Hours> {
        self.templates.range(..=date).next_back().map(|(_, hours)| hours)
    }

    /// The first session in `from..=until` that is announced without times.
    pub(crate) fn untimed(&self, from: Date, until: Date) -> Option<(Date, &SpecialSession)> {
        if from > until {
            return None;
        }
        let mut sessions = self.special.range(from..=until).map(|(date, session)| (*date, session));
        sessions.find(|(date, session)| {
            matches!(session.times, SpecialTimes::Unknown) && !self.operator_closures.contains_key(date)
        })
    }
}

/// A session on a day that would be closed.
#[derive(Debug, Clone)]
pub(crate) struct SpecialSession {
    pub kind: SessionKind,
    pub reason: String,
    pub times: SpecialTimes,
}

impl SpecialSession {
    pub(crate) const fn name(&self) -> &'static str {
        match self.kind {
            SessionKind::Muhurat => "Muhurat",
            SessionKind::Special(_) | SessionKind::Regular => "special",
        }
    }
}

/// Where its hours come from.
#[derive(Debug, Clone)]
pub(crate) enum SpecialTimes {
    Template,
    Given(Hours),
    Unknown,
}

/// The hours of a day, without a date.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    pub without_derivatives: ClassTimes,
    pub with_derivatives: ClassTimes,
    pub derivatives: Option<DerivativesTimes>,
    pub block_deals: Vec<Span>,
}

impl Hours {
    pub(crate) const fn class(&self, class: InstrumentClass) -> &ClassTimes {
        match class {
            InstrumentClass::WithoutDerivatives => &self.without_derivatives,
            InstrumentClass::WithDerivatives => &self.with_derivatives,
        }
    }
}

/// The hours of a class. Checked: in order, not overlapping, one continuous phase.
#[derive(Debug, Clone)]
pub(crate) struct ClassTimes {
    pub phases: Vec<PhaseSpan>,
    pub closing_price: ClosingTimes,
}

/// A [`ClosingPrice`] without a date.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ClosingTimes {
    Vwap(Span),
    Auction { reference: Span, band_percent: u32 },
}

impl ClosingTimes {
    pub(crate) fn on(self, date: Date) -> ClosingPrice {
        match self {
            Self::Vwap(span) => ClosingPrice::Vwap { window: span.on(date) },
            Self::Auction { reference, band_percent } => {
                ClosingPrice::Auction { reference: reference.on(date), band_percent }
            }
        }
    }
}

/// Hours of equity derivatives without a date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DerivativesTimes {
    pub span: Span,
    pub expiring_index_end: Option<NaiveTime>,
}
