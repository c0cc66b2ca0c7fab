//! What `data info` tells.

use model::{Date, Exchange, Symbol};
use serde::Serialize;

use crate::dataset::{Dataset, History};
use crate::factor::{Factor, FactorSource};
use crate::row::RowSource;

/// A session without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Whose session.
    pub exchange: Exchange,
    /// Its date; where only the rows show that one is missing, the date after it.
    pub date: Date,
    /// The calendar knows the session; otherwise the rows gave it away.
    pub in_calendar: bool,
}

/// A factor with its symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SymbolFactor {
    /// Whose prices break.
    pub symbol: Symbol,
    /// Where, and by how much.
    #[serde(flatten)]
    pub factor: Factor,
}

/// A data set in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Sessions with rows (of both exchanges, where both are there).
    pub sessions: u64,
    /// The first session.
    pub first: Option<Date>,
    /// The last session.
    pub last: Option<Date>,
    /// Symbols.
    pub symbols: u64,
    /// Daily rows.
    pub rows: u64,
    /// Of these, rows made from a broker's quotes after the close, until a better source is read.
    pub provisional_rows: u64,
    /// Of these, rows from a broker's historical candles.
    pub broker_rows: u64,
    /// Symbols with minute bars.
    pub symbols_with_minutes: u64,
    /// Minute bars.
    pub minutes: u64,
    /// Sessions between the first and the last without a file.
    pub gaps: Vec<Gap>,
    /// The span reaches outside of what the calendar knows, so gaps may be unknown.
    pub beyond_calendar: bool,
    /// Factors from published previous closes.
    pub factors: Vec<SymbolFactor>,
    /// Breaks inferred from opens outside of every price band.
    pub inferred_factors: Vec<SymbolFactor>,
    /// Files imported.
    pub files: u64,
    /// Lines of these that were not shares.
    pub not_equity: u64,
    /// Lines of these that were refused.
    pub rejected: u64,
}

impl Dataset {
    /// The data set in figures.
    pub fn summary(&self) -> Summary {
        let both = [Exchange::Nse, Exchange::Bse].map(|exchange| self.sessions(exchange));
        let mut dates: Vec<Date> = both.iter().flat_map(|sessions| sessions.dates.iter().copied()).collect();
        dates.sort_unstable();
        dates.dedup();
        let mut gaps: Vec<Gap> = Vec::new();
        for sessions in both {
            let exchange = sessions.exchange;
            gaps.extend(sessions.gaps.iter().map(|date| Gap { exchange, date: *date, in_calendar: true }));
            gaps.extend(sessions.evident.iter().map(|(_, date)| Gap {
                exchange,
                date: *date,
                in_calendar: false,
            }));
        }
        gaps.sort_by_key(|gap| (gap.exchange, gap.date));
        let factors = |source| {
            self.factors()
                .filter(|(_, factor)| factor.source == source)
                .map(|(symbol, factor)| SymbolFactor { symbol: symbol.clone(), factor: *factor })
                .collect()
        };
        let rows_from = |source: RowSource| {
            let of = |history: &History| history.source.iter().filter(|from| **from == source).count();
            self.histories().iter().map(of).sum::<usize>() as u64
        };
        let minutes = || self.histories().iter().filter_map(|history| history.minutes.as_ref());
        Summary {
            sessions: dates.len() as u64,
            first: dates.first().copied(),
            last: dates.last().copied(),
            symbols: self.histories().len() as u64,
            rows: self.histories().iter().map(|history| history.session.len() as u64).sum(),
            provisional_rows: rows_from(RowSource::Quotes),
            broker_rows: rows_from(RowSource::BrokerHistory),
            symbols_with_minutes: minutes().count() as u64,
            minutes: minutes().map(|minutes| minutes.bars.len() as u64).sum(),
            gaps,
            beyond_calendar: both.iter().any(|sessions| sessions.beyond_calendar),
            factors: factors(FactorSource::PreviousClose),
            inferred_factors: factors(FactorSource::Open),
            files: self.files().len() as u64,
            not_equity: self.files().values().map(|note| note.not_equity).sum(),
            rejected: self.files().values().map(|note| note.rejected).sum(),
        }
    }
}
