//! The data set in memory: per symbol columns over the sessions of its exchange.

use std::collections::BTreeMap;
use std::path::Path;

use calendar::Calendar;
use model::time::MINUTE;
use model::{Date, Exchange, Series, Symbol, Timestamp};

use crate::bars::Bars;
use crate::factor::{Factor, FactorSource};
use crate::row::{Row, RowSource};
use crate::sessions::Sessions;
use crate::store::{self, StoreError};
use crate::table::{FileNote, SourceNote, SymbolTable, Table, exchange_of, slot};

/// One symbol's rows as columns, oldest first; prices unadjusted, in ten-thousandths of a rupee.
#[derive(Debug, Clone)]
pub struct History {
    /// The symbol.
    pub symbol: Symbol,
    /// Its exchange.
    pub exchange: Exchange,
    /// ISIN; empty where no source had one.
    pub isin: String,
    /// Index of the row's session in its exchange's sessions; ascending.
    pub session: Vec<u32>,
    /// First trade of the day.
    pub open: Vec<i64>,
    /// Highest trade.
    pub high: Vec<i64>,
    /// Lowest trade.
    pub low: Vec<i64>,
    /// Official close.
    pub close: Vec<i64>,
    /// Published previous close; zero where the source has none.
    pub prev_close: Vec<i64>,
    /// Shares traded.
    pub volume: Vec<u64>,
    /// Index of the row's series in the data set's.
    pub series: Vec<u8>,
    /// Who says so.
    pub source: Vec<RowSource>,
    /// Breaks, oldest first: the row that begins the new prices, and the factor.
    pub factors: Vec<(usize, Factor)>,
    /// Real minutes, where there are any.
    pub minutes: Option<Minutes>,
}

/// One symbol's real minute bars.
#[derive(Debug, Clone)]
pub struct Minutes {
    /// The bars, oldest first.
    pub bars: Bars,
    /// First bar of each day that has bars.
    pub days: BTreeMap<Date, std::ops::Range<usize>>,
}

impl History {
    /// The row of session number `session`, if the symbol traded in it.
    pub fn row_of(&self, session: u32) -> Option<usize> {
        self.session.binary_search(&session).ok()
    }

    /// How many rows are of sessions up to and including number `session`.
    pub fn rows_through(&self, session: u32) -> usize {
        self.session.partition_point(|at| *at <= session)
    }

    /// The factor that takes effect with this row.
    pub fn factor_at(&self, row: usize) -> Option<&Factor> {
        self.factors.binary_search_by_key(&row, |(at, _)| *at).ok().map(|at| &self.factors[at].1)
    }

    fn of(symbol: Symbol, table: SymbolTable, sessions: &Sessions) -> Self {
        let exchange = exchange_of(symbol.as_str());
        let rows = table.daily.len();
        let mut history = Self {
            symbol,
            exchange,
            isin: table.isin,
            session: Vec::with_capacity(rows),
            open: Vec::with_capacity(rows),
            high: Vec::with_capacity(rows),
            low: Vec::with_capacity(rows),
            close: Vec::with_capacity(rows),
            prev_close: Vec::with_capacity(rows),
            volume: Vec::with_capacity(rows),
            series: Vec::with_capacity(rows),
            source: Vec::with_capacity(rows),
            factors: Vec::new(),
            minutes: None,
        };
        for (date, row) in &table.daily {
            let Some(session) = sessions.index_of(*date) else { continue };
            history.session.push(session);
            history.open.push(row.open);
            history.high.push(row.high);
            history.low.push(row.low);
            history.close.push(row.close);
            history.prev_close.push(row.prev_close);
            history.volume.push(row.volume);
            history.series.push(row.series);
            history.source.push(row.source);
        }
        if !table.minutes.is_empty() {
            let mut bars = Bars::default();
            let mut days: BTreeMap<Date, std::ops::Range<usize>> = BTreeMap::new();
            for (at, (start, row)) in table.minutes.iter().enumerate() {
                bars.push(*start, row.open, row.high, row.low, row.close, row.volume);
                days.entry(Timestamp::from_nanos(*start).ist_date()).or_insert(at..at).end = at + 1;
            }
            history.minutes = Some(Minutes { bars, days });
        }
        history
    }

    fn find_factors(&mut self, sessions: &Sessions) {
        for row in 1..self.session.len() {
            let (before, now) = (self.session[row - 1], self.session[row]);
            let (date, published) = (sessions.dates[now as usize], self.prev_close[row]);
            let comparable = sessions.is_comparable(before, now);
            let factor = comparable
                .then(|| crate::factor::from_previous_close(date, self.close[row - 1], published))
                .flatten()
                // Both figures stand in the same file, so a missing session does not matter here; and
                // where no previous close is published the data may be adjusted already.
                .or_else(|| crate::factor::from_open(date, published, self.open[row]))
                // A broker's candles carry no previous close. Should they be raw, as they are taken to be,
                // only the open against the close before tells a split; adjusted ones never open so far out.
                .or_else(|| {
                    let is_silent = published == 0 && self.source[row] != RowSource::ExchangeFile;
                    let before = (is_silent && comparable).then(|| self.close[row - 1])?;
                    crate::factor::from_open(date, before, self.open[row])
                });
            if let Some(factor) = factor {
                self.factors.push((row, factor));
            }
        }
    }
}

/// Everything that was imported, ready to be looked at.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Per exchange (NSE, BSE) the sessions with rows.
    sessions: [Sessions; 2],
    series: Vec<Series>,
    histories: Vec<History>,
    files: BTreeMap<String, FileNote>,
    notes: BTreeMap<Symbol, SourceNote>,
}

impl Dataset {
    /// Reads the store in `dir`.
    pub fn load(dir: &Path, calendar: &Calendar) -> Result<Self, StoreError> {
        Ok(Self::build(store::load(dir)?, calendar))
    }

    /// From the mergeable form: columns, gaps and factors.
    pub fn build(mut table: Table, calendar: &Calendar) -> Self {
        days_from_minutes(&mut table);
        let mut sessions = [Exchange::Nse, Exchange::Bse]
            .map(|exchange| Sessions::of(exchange, &table.sessions[slot(exchange)], calendar));
        let mut histories: Vec<History> = std::mem::take(&mut table.symbols)
            .into_iter()
            .map(|(symbol, rows)| {
                let at = slot(exchange_of(symbol.as_str()));
                History::of(symbol, rows, &sessions[at])
            })
            .filter(|history| !history.session.is_empty())
            .collect();
        for exchange in [Exchange::Nse, Exchange::Bse] {
            sessions[slot(exchange)]
                .find_evident_gaps(histories.iter().filter(|history| history.exchange == exchange));
        }
        for history in &mut histories {
            history.find_factors(&sessions[slot(history.exchange)]);
        }
        Self {
            sessions,
            series: table.series.into_iter().map(Series).collect(),
            histories,
            files: table.files,
            notes: table.notes,
        }
    }

    /// Every symbol's history, by symbol.
    pub fn histories(&self) -> &[History] {
        &self.histories
    }

    /// One symbol's history.
    pub fn history(&self, symbol: &str) -> Option<&History> {
        let at = self.histories.binary_search_by(|history| history.symbol.as_str().cmp(symbol)).ok()?;
        Some(&self.histories[at])
    }

    /// The sessions of an exchange.
    pub const fn sessions(&self, exchange: Exchange) -> &Sessions {
        &self.sessions[slot(exchange)]
    }

    /// The series of a history's row.
    pub fn series_of(&self, history: &History, row: usize) -> Series {
        self.series.get(usize::from(history.series[row])).cloned().unwrap_or_else(|| Series(String::new()))
    }

    /// Every factor with its symbol, oldest first within a symbol.
    pub fn factors(&self) -> impl Iterator<Item = (&Symbol, &Factor)> {
        self.histories
            .iter()
            .flat_map(|history| history.factors.iter().map(move |(_, factor)| (&history.symbol, factor)))
    }

    /// The same data without the factors that were inferred from impossible opens.
    #[must_use]
    pub fn without_inferred_factors(mut self) -> Self {
        for history in &mut self.histories {
            history.factors.retain(|(_, factor)| factor.source == FactorSource::PreviousClose);
        }
        self
    }

    /// What a broker is known to have nothing for.
    pub fn note(&self, symbol: &str) -> SourceNote {
        self.notes.get(symbol).copied().unwrap_or_default()
    }

    /// What was imported, by file name.
    pub const fn files(&self) -> &BTreeMap<String, FileNote> {
        &self.files
    }
}

/// A symbol that has minutes of a day but no daily row gets the row that the minutes add up to.
fn days_from_minutes(table: &mut Table) {
    let Some(series) = table.series_index("EQ") else { return };
    let mut made = Vec::new();
    for (symbol, rows) in &table.symbols {
        let mut days: BTreeMap<Date, Row> = BTreeMap::new();
        for (start, minute) in &rows.minutes {
            let date = Timestamp::from_nanos(*start).ist_date();
            days.entry(date)
                .and_modify(|day| {
                    day.high = day.high.max(minute.high);
                    day.low = day.low.min(minute.low);
                    day.close = minute.close;
                    day.volume += minute.volume;
                })
                .or_insert(Row {
                    open: minute.open,
                    high: minute.high,
                    low: minute.low,
                    close: minute.close,
                    prev_close: 0,
                    volume: minute.volume,
                    series,
                    source: RowSource::ExchangeFile,
                });
        }
        made.extend(
            days.into_iter()
                .filter(|(date, _)| !rows.daily.contains_key(date))
                .map(|(date, row)| (symbol.clone(), date, row)),
        );
    }
    for (symbol, date, row) in made {
        table.insert_daily(symbol.as_str(), "", date, row, false);
    }
}

/// The minute of the day counted from `open`, of a bar that starts at `start`.
pub const fn minute_of(start: i64, open: Timestamp) -> i64 {
    (start - open.nanos()).div_euclid(MINUTE)
}
