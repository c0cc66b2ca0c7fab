//! The day's bar from quotes, once the session is over.
//!
//! It is provisional: the last trade stands in for the official close, which the exchange finds by other
//! means (the average of the last half hour, or the closing auction). The broker's candles replace it, and
//! the exchange's file replaces both.

use std::fmt;
use std::path::Path;

use calendar::{Calendar, CalendarError};
use model::{Clock, Date, Exchange, InstrumentClass, Symbol, Timestamp};
use serde::Serialize;

use super::port::{Listed, LiveQuote, QUOTES_MAX, QuoteSource, SourceError};
use super::update::ShareError;
use crate::row::{Row, RowSource, check_bar};
use crate::store::{self, StoreError};
use crate::table::{Inserted, Table, exchange_of};

/// Waits after a request that failed, in seconds; then the day's bars stay incomplete.
const RETRY_SECONDS: [i64; 3] = [2, 5, 15];
/// At most this many refused quotes are listed; all are counted.
const LISTED_MAX: usize = 200;
/// A published previous close within this part (0.1 %) of the known one is the same.
const SAME_CLOSE_PART: i64 = 1_000;

/// What came of a session's close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloseReport {
    /// The session.
    pub session: Date,
    /// Shares asked for.
    pub of: usize,
    /// Shares that were quoted.
    pub quoted: usize,
    /// Rows that were not there before.
    pub added: usize,
    /// Rows that took the place of earlier provisional ones.
    pub replaced: usize,
    /// Shares whose row of the day is from a better source, or the same already.
    pub kept: usize,
    /// Shares whose quote shows that they did not trade on the day.
    pub quiet: usize,
    /// Quotes left out because they are of another day, carry no time, or are mostly of days before, as from
    /// a feed that stands still.
    pub other_day: usize,
    /// Quotes with impossible figures, in all.
    pub refused_total: usize,
    /// The first 200 of them.
    pub refused: Vec<ShareError>,
    /// Shares that were not quoted.
    pub unquoted: Vec<Symbol>,
    /// Why the rest could not be asked for; what was read until then is kept.
    pub stopped: Option<String>,
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: provisional bars of {} of {} shares ({} known already, {} did not trade, {} of another day, {} refused, {} not quoted)",
            self.session,
            self.added + self.replaced,
            self.of,
            self.kept,
            self.quiet,
            self.other_day,
            self.refused_total,
            self.unquoted.len()
        )?;
        match &self.stopped {
            Some(why) => write!(f, "; stopped: {why}"),
            None => Ok(()),
        }
    }
}

/// Why there are no bars of the day.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// No share was named.
    #[error("there is nothing to close: the universe is empty; name symbols, or let the broker list them")]
    Nothing,
    /// The exchange does not trade on the day.
    #[error("{exchange} does not trade on {date}, so there are no bars of it")]
    NoSession {
        /// Whose.
        exchange: Exchange,
        /// The date.
        date: Date,
    },
    /// The closing prices are not found yet.
    #[error("the session of {session} is over at {until}: its bars are made after that")]
    NotOver {
        /// The session.
        session: Date,
        /// When the last closing price is found.
        until: Timestamp,
    },
    /// The calendar does not know the day.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the bars of `session` from quotes and writes them into the folder `dir`, all at once.
///
/// # Errors
/// When the session is not over or not one, or the folder cannot be written. What goes wrong with the broker
/// is in the report.
pub async fn close(
    dir: &Path,
    universe: &[Listed],
    session: Date,
    calendar: &Calendar,
    source: &dyn QuoteSource,
    clock: &dyn Clock,
) -> Result<CloseReport, CloseError> {
    if universe.is_empty() {
        return Err(CloseError::Nothing);
    }
    let opens = opens_of_finished(universe, session, calendar, clock.now())?;
    let _alone = store::lock(dir)?;
    let table = if store::exists(dir) { store::load_daily(dir)? } else { Table::default() };
    let report = CloseReport::of(session, universe.len());
    let mut job = Job { table, session, opens, untraded: Vec::new(), of_session: 0, report };
    for shares in universe.chunks(QUOTES_MAX) {
        let symbols: Vec<Symbol> = shares.iter().map(|share| share.symbol.clone()).collect();
        match ask(source, clock, &symbols).await {
            Ok(quotes) => job.take(shares, &quotes),
            Err(error) => {
                job.report.stopped = Some(error.to_string());
                break;
            }
        }
    }
    let Job { table, report, .. } = job.note_quiet();
    store::save(dir, &table)?;
    Ok(report)
}

/// Per exchange, the open of a session that is over for every class of share.
fn opens_of_finished(
    universe: &[Listed],
    session: Date,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<[Option<Timestamp>; 2], CloseError> {
    let mut opens = [None, None];
    for exchange in [Exchange::Nse, Exchange::Bse] {
        if !universe.iter().any(|share| exchange_of(share.symbol.as_str()) == exchange) {
            continue;
        }
        let Some(day) = calendar.session(exchange, session)? else {
            return Err(CloseError::NoSession { exchange, date: session });
        };
        let classes = [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives];
        let until = day.end(classes[0]).max(day.end(classes[1]));
        if now < until {
            return Err(CloseError::NotOver { session, until });
        }
        opens[crate::table::slot(exchange)] = Some(day.open(classes[0]).min(day.open(classes[1])));
    }
    Ok(opens)
}

async fn ask(
    source: &dyn QuoteSource,
    clock: &dyn Clock,
    symbols: &[Symbol],
) -> Result<Vec<LiveQuote>, SourceError> {
    let mut waits = RETRY_SECONDS.iter();
    loop {
        let error = match source.quotes(symbols).await {
            Ok(quotes) => return Ok(quotes),
            Err(SourceError::NoData) => return Ok(Vec::new()),
            Err(error) => error,
        };
        let Some(seconds) = waits.next() else { return Err(error) };
        clock.sleep_until(clock.now().plus_seconds(*seconds)).await;
    }
}

impl CloseReport {
    const fn of(session: Date, of: usize) -> Self {
        Self {
            session,
            of,
            quoted: 0,
            added: 0,
            replaced: 0,
            kept: 0,
            quiet: 0,
            other_day: 0,
            refused_total: 0,
            refused: Vec::new(),
            unquoted: Vec::new(),
            stopped: None,
        }
    }

    fn refuse(&mut self, symbol: &Symbol, reason: String) {
        self.refused_total += 1;
        if self.refused.len() < LISTED_MAX {
            self.refused.push(ShareError { symbol: symbol.clone(), reason });
        }
    }
}

struct Job {
    table: Table,
    session: Date,
    opens: [Option<Timestamp>; 2],
    /// Shares whose quote is of an earlier day or has no volume.
    untraded: Vec<Symbol>,
    /// Quotes of trades of the session.
    of_session: usize,
    report: CloseReport,
}

impl Job {
    fn take(&mut self, shares: &[Listed], quotes: &[LiveQuote]) {
        for share in shares {
            match quotes.iter().find(|quote| quote.symbol == share.symbol) {
                Some(quote) => self.share(share, quote),
                None => self.report.unquoted.push(share.symbol.clone()),
            }
        }
    }

    fn share(&mut self, share: &Listed, quote: &LiveQuote) {
        self.report.quoted += 1;
        let open = self.opens[crate::table::slot(exchange_of(share.symbol.as_str()))];
        let of_session = |time: Timestamp| Some(time) >= open && time.ist_date() == self.session;
        match quote.exchange_time {
            Some(time) if of_session(time) && quote.volume > 0 => {
                self.of_session += 1;
                self.row(share, quote);
            }
            Some(time) if time.ist_date() < self.session || of_session(time) => {
                self.untraded.push(share.symbol.clone());
            }
            _ => self.report.other_day += 1,
        }
    }

    /// Shares without a trade on the day are remembered as such, so that the missing bar is not taken for
    /// missing data. Where they are the most it is the feed that stood still: then nothing is concluded.
    fn note_quiet(mut self) -> Self {
        let untraded = std::mem::take(&mut self.untraded);
        if untraded.len() > self.of_session {
            self.report.other_day += untraded.len();
            return self;
        }
        self.report.quiet = untraded.len();
        for symbol in untraded {
            self.table.notes.entry(symbol).or_default().quiet = Some(self.session);
        }
        self
    }

    fn row(&mut self, share: &Listed, quote: &LiveQuote) {
        let prices = [quote.open, quote.high, quote.low, quote.last].map(model::Price::units);
        let [open, high, low, close] = prices;
        if let Err(fault) = check_bar(open, high, low, close, quote.volume) {
            return self.report.refuse(&share.symbol, fault.to_string());
        }
        let Some(series) = self.table.series_index(&share.series.0) else {
            return self.report.refuse(&share.symbol, "255 series are known already".to_owned());
        };
        let row = Row {
            open,
            high,
            low,
            close,
            prev_close: self.previous_close(share, quote),
            volume: quote.volume,
            series,
            source: RowSource::Quotes,
        };
        match self.table.insert_daily(share.symbol.as_str(), &share.isin, self.session, row, false) {
            Inserted::New => self.report.added += 1,
            Inserted::Replaced | Inserted::Superseded => self.report.replaced += 1,
            Inserted::Same | Inserted::Outranked | Inserted::Conflict => self.report.kept += 1,
        }
    }

    /// The stated previous close where the known one confirms it. After the close some quotes state the new
    /// close there, or one of days ago, and a false one would re-base the share's whole history; a split shows
    /// itself in the open as well.
    fn previous_close(&self, share: &Listed, quote: &LiveQuote) -> i64 {
        let stated = quote.previous_close.units();
        let known = self
            .table
            .symbols
            .get(&share.symbol)
            .and_then(|rows| rows.daily.range(..self.session).next_back())
            .map(|(_, row)| row.close);
        match known {
            Some(known) if stated > 0 && (stated - known).abs() <= known / SAME_CLOSE_PART => stated,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
