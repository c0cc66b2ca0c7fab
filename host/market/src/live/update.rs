//! `data update`: fills the folder of market data from a broker's daily candles.
//!
//! **Resumable.** What is missing is worked out from the folder itself: the sessions of the last `bars` (and
//! a few more) that have no row, less those the broker was asked for before and had nothing. The folder is
//! written whole after every `save_every` shares, so a run that is killed loses the answers of at most that
//! many shares and the next one goes on from there.
//!
//! **Raw or adjusted?** The broker does not say. The candles are taken for raw prices, as the exchange's
//! files are; splits then show themselves in the opens (see [`crate::factor`]). Every request reaches over
//! some days that are known, and closes that differ by more than 2 % there are a mismatch (a last trade may
//! differ from the official close by less):
//! - with a row of an exchange file: the file stays, is reported, and the broker's rows up to that day are
//!   not taken, as they may be in other terms. Adjusted prices equal raw ones only after the last action.
//! - with an earlier answer of the broker: it has re-based its candles, so the whole window of the share is
//!   read again and replaced.

mod merge;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use calendar::Calendar;
use model::{Clock, Date, Exchange, Symbol};

use super::plan::{self, Span};
use super::port::{DailyBar, HistorySource, Listed, SourceError};
use crate::replay::clock::last_finished;
use crate::row::RowSource;
use crate::store::{self, StoreError};
use crate::table::{Table, exchange_of, slot};
pub use report::{Mismatch, ShareError, UpdateReport};

/// Sessions asked for beyond the bars wanted: a share that rested on a few days still has enough bars.
const MARGIN_SESSIONS: usize = 10;
/// Waits after "slow down", in seconds; then the share counts as failed.
const BACKOFF_SECONDS: [i64; 5] = [1, 2, 4, 8, 16];

/// What the caller decides.
#[derive(Debug, Clone, Copy)]
pub struct UpdateOptions {
    /// Bars wanted of each share.
    pub bars: usize,
    /// The folder is written after so many shares.
    pub save_every: usize,
    /// After so many shares in a row that failed because the broker is out of order, the run stops.
    pub failures_max: u32,
    /// Also ask for sessions that have only a provisional row.
    pub replace_quotes: bool,
}

impl Default for UpdateOptions {
    fn default() -> Self {
        Self { bars: 250, save_every: 50, failures_max: 3, replace_quotes: true }
    }
}

/// How far an update is.
#[derive(Debug, Clone, Copy)]
pub struct UpdateProgress<'a> {
    /// Shares looked at.
    pub done: usize,
    /// Shares in all.
    pub of: usize,
    /// The share just looked at.
    pub symbol: &'a Symbol,
    /// Its bars within the window.
    pub bars: usize,
}

/// Why an update could not begin, or not be kept.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// No share was named.
    #[error("there is nothing to update: the universe is empty; name symbols, or let the broker list them")]
    Nothing,
    /// The calendar knows no finished session.
    #[error("the calendar knows no session of {exchange} before {today}: load a calendar that covers it")]
    NoSession {
        /// Whose.
        exchange: Exchange,
        /// The date of asking.
        today: Date,
    },
    /// The folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings the daily bars of `universe` in the folder `dir` up to the last finished session.
///
/// # Errors
/// When it cannot begin, or the folder cannot be written. What goes wrong with the broker is in the report.
pub async fn update(
    dir: &Path,
    universe: &[Listed],
    calendar: &Calendar,
    source: &dyn HistorySource,
    clock: &dyn Clock,
    options: UpdateOptions,
    progress: &mut (dyn FnMut(UpdateProgress<'_>) + Send),
) -> Result<UpdateReport, UpdateError> {
    if universe.is_empty() {
        return Err(UpdateError::Nothing);
    }
    let windows = windows(universe, calendar, clock, options.bars)?;
    let _alone = store::lock(dir)?;
    let table = if store::exists(dir) { store::load_daily(dir)? } else { Table::default() };
    let mut job =
        Job { dir, table, source, clock, calendar, options, report: UpdateReport::default(), unsaved: 0 };
    let mut seen = BTreeSet::new();
    let mut failures = 0;
    for (at, share) in universe.iter().enumerate() {
        if !seen.insert(&share.symbol) {
            continue;
        }
        let window = &windows[slot(exchange_of(share.symbol.as_str()))];
        let result = job.share(share, window).await;
        let bars = job.count(share, window, result.is_err());
        match result {
            Ok(()) => failures = 0,
            Err(error) => {
                failures = if error.is_outage() { failures + 1 } else { 0 };
                job.report.error(&share.symbol, error.to_string());
                if failures >= options.failures_max {
                    job.report.stop(at + 1, universe.len(), &error);
                }
            }
        }
        if job.report.stopped.is_some() {
            break;
        }
        job.save_after(options.save_every)?;
        progress(UpdateProgress { done: at + 1, of: universe.len(), symbol: &share.symbol, bars });
    }
    job.save_after(1)?;
    Ok(job.report)
}

/// Per exchange, the sessions to have bars of.
fn windows(
    universe: &[Listed],
    calendar: &Calendar,
    clock: &dyn Clock,
    bars: usize,
) -> Result<[Vec<Date>; 2], UpdateError> {
    let now = clock.now();
    let mut windows = [Vec::new(), Vec::new()];
    for exchange in [Exchange::Nse, Exchange::Bse] {
        if !universe.iter().any(|share| exchange_of(share.symbol.as_str()) == exchange) {
            continue;
        }
        let Some(through) = last_finished(calendar, exchange, now) else {
            return Err(UpdateError::NoSession { exchange, today: now.ist_date() });
        };
        windows[slot(exchange)] = plan::window(calendar, exchange, through, bars + MARGIN_SESSIONS);
    }
    Ok(windows)
}

struct Job<'a> {
    dir: &'a Path,
    table: Table,
    source: &'a dyn HistorySource,
    clock: &'a dyn Clock,
    calendar: &'a Calendar,
    options: UpdateOptions,
    report: UpdateReport,
    /// Shares changed since the folder was written.
    unsaved: usize,
}

impl Job<'_> {
    async fn share(&mut self, share: &Listed, window: &[Date]) -> Result<(), SourceError> {
        let missing = self.missing(&share.symbol, window);
        let Some(last) = window.last().filter(|_| !missing.is_empty()) else { return Ok(()) };
        let mut bars = self.read(&share.symbol, &plan::spans(&missing, *last)).await?;
        if let Some(differs) = merge::difference(&self.table, share, &bars, RowSource::BrokerHistory) {
            bars = self.read(&share.symbol, &plan::spans(window, *last)).await?;
            self.report.rebased.push(share.symbol.clone());
            self.report.differs(differs);
        }
        self.unsaved += 1;
        let taken = merge::take(&mut self.table, self.calendar, share, bars);
        self.report.count(&taken);
        // What was not taken is not known to be nothing: it is asked for again, until the files have it.
        if taken.refused == 0 {
            let note = self.table.notes.entry(share.symbol.clone()).or_default();
            note.asked = plan::asked(window, note.asked);
        }
        Ok(())
    }

    fn missing(&self, symbol: &Symbol, window: &[Date]) -> Vec<Date> {
        let none = BTreeMap::new();
        let rows = self.table.symbols.get(symbol).map_or(&none, |rows| &rows.daily);
        let note = self.table.notes.get(symbol).copied().unwrap_or_default();
        plan::missing(window, rows, note, self.options.replace_quotes)
    }

    /// The bars of all spans by date, or nothing: a share half in old and half in new terms must not be kept.
    async fn read(
        &mut self,
        symbol: &Symbol,
        spans: &[Span],
    ) -> Result<BTreeMap<Date, DailyBar>, SourceError> {
        let mut bars = BTreeMap::new();
        for span in spans {
            let answer = self.ask(symbol, *span).await?;
            let within = answer.into_iter().filter(|bar| span.from <= bar.date && bar.date <= span.to);
            // A bar without a trade is the broker's way of saying that there was none.
            bars.extend(within.filter(|bar| bar.volume > 0).map(|bar| (bar.date, bar)));
        }
        Ok(bars)
    }

    async fn ask(&mut self, symbol: &Symbol, span: Span) -> Result<Vec<DailyBar>, SourceError> {
        let mut waits = BACKOFF_SECONDS.iter();
        loop {
            self.report.requests += 1;
            match self.source.daily(symbol, span.from, span.to).await {
                Ok(bars) => return Ok(bars),
                Err(SourceError::NoData) => return Ok(Vec::new()),
                Err(SourceError::RateLimited) => {
                    let Some(seconds) = waits.next() else { return Err(SourceError::RateLimited) };
                    self.clock.sleep_until(self.clock.now().plus_seconds(*seconds)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Counts where a share stands now; returns its bars within the window.
    fn count(&mut self, share: &Listed, window: &[Date], has_failed: bool) -> usize {
        let bars = self
            .table
            .symbols
            .get(&share.symbol)
            .map_or(0, |rows| window.first().map_or(0, |first| rows.daily.range(first..).count()));
        self.report.symbols += 1;
        // What is left to be asked for is at most the newest sessions, whose bars may still come.
        let is_read = self.table.notes.get(&share.symbol).is_some_and(|note| note.asked.is_some());
        if has_failed {
            self.report.incomplete += 1;
        } else if bars >= self.options.bars {
            self.report.complete += 1;
        } else if is_read {
            self.report.short += 1;
        } else {
            self.report.incomplete += 1;
        }
        bars
    }

    fn save_after(&mut self, shares: usize) -> Result<(), StoreError> {
        if self.unsaved < shares {
            return Ok(());
        }
        store::save(self.dir, &self.table)?;
        self.unsaved = 0;
        self.report.saves += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
