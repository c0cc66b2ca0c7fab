//! The market of today as strategies and the order desk see it.

mod asking;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use calendar::Calendar;
use model::clock::SharedClock;
use model::{Date, Exchange, Instrument, InstrumentClass, Price, Symbol, Timestamp};

use super::flight::Flights;
use super::freshness::{Bounds, LastSession, Moment};
use super::port::QuoteSource;
use super::quotes::{Kept, Quotes};
use super::readiness::{Readiness, readiness};
use super::rebase;
use super::snapshot::Snapshot;
use super::watch::Watch;
use crate::dataset::Dataset;
use crate::replay::clock::last_finished;
use crate::replay::{ReplayMarket, ReplayOptions};
use crate::store::StoreError;
use crate::table::exchange_of;
use crate::view::{Candles, InstrumentFilter, Interval, Market, MarketError, Quote};

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// Oldest quote that is a price while the exchange trades, in seconds since it was asked for.
    pub max_age_seconds: i64,
    /// A quote older than this is asked for again when somebody wants it ([`LiveMarket::ensure_fresh`]).
    pub on_demand_seconds: i64,
    /// Watched quotes are asked for again after this ([`LiveMarket::due`]).
    pub poll_seconds: i64,
    /// A feed whose newest exchange time stands still for so long is dead.
    pub feed_silence_minutes: i64,
    /// Symbols asked for are watched so long.
    pub remember_minutes: i64,
    /// Shares that trade every minute, a few of each exchange in use: what the feed's life is told by.
    /// Without them it is told by whatever is watched, and a feed of illiquid shares alone looks dead.
    pub pulse: Vec<Symbol>,
    /// Daily candles are refused when more than this many percent of the shares asked for lack the bar of the
    /// last finished session.
    pub stale_percent_max: usize,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            max_age_seconds: 10,
            on_demand_seconds: 2,
            poll_seconds: 5,
            feed_silence_minutes: 5,
            remember_minutes: 10,
            pulse: Vec::new(),
            stale_percent_max: 10,
        }
    }
}

/// Quotes from a broker, bars from the folder, instruments from the broker's list of the day.
///
/// Reading is synchronous and asks nobody; [`LiveMarket::ensure_fresh`] and [`LiveMarket::refresh`] ask. What
/// a quote must be to count as a price is in [`super::freshness`]. Minute candles are refused: none are
/// collected, and the path that a replay makes up of a daily bar has no place in live trading.
pub struct LiveMarket {
    history: ArcSwap<ReplayMarket>,
    instruments: ArcSwapOption<Snapshot>,
    quotes: Mutex<Quotes>,
    watch: Mutex<Watch>,
    flights: Flights,
    source: Arc<dyn QuoteSource>,
    calendar: Calendar,
    clock: SharedClock,
    options: LiveOptions,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept is replaced whole; a panic elsewhere leaves it sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LiveMarket {
    /// Shows the bars of `history` and the quotes of `source`, by the hours of `calendar`.
    pub fn new(
        history: ReplayMarket,
        source: Arc<dyn QuoteSource>,
        calendar: Calendar,
        clock: SharedClock,
        options: LiveOptions,
    ) -> Self {
        Self {
            history: ArcSwap::from_pointee(history),
            instruments: ArcSwapOption::empty(),
            quotes: Mutex::default(),
            watch: Mutex::default(),
            flights: Flights::default(),
            source,
            calendar,
            clock,
            options,
        }
    }

    /// The bars shown now.
    pub fn history(&self) -> Arc<ReplayMarket> {
        self.history.load_full()
    }

    /// Shows other bars from now on.
    pub fn set_history(&self, history: ReplayMarket) {
        self.history.store(Arc::new(history));
    }

    /// Shows the bars that are in the folder `dir` now, as after [`super::update()`] and [`super::close()`]. Reads
    /// the whole folder: tens of milliseconds for a hundred sessions of the whole market.
    ///
    /// # Errors
    /// When the folder cannot be read; the bars shown stay.
    pub fn reload(&self, dir: &Path) -> Result<(), StoreError> {
        let data = Dataset::load(dir, &self.calendar)?;
        let snapshot = self.instruments.load();
        let with_derivatives = snapshot.iter().flat_map(|snapshot| snapshot.all());
        let with_derivatives =
            with_derivatives.filter(|it| it.has_derivatives).map(|it| it.symbol.clone()).collect();
        let options = ReplayOptions { with_derivatives };
        self.set_history(ReplayMarket::new(Arc::new(data), self.calendar.clone(), options));
        Ok(())
    }

    /// Takes the broker's list of instruments as announced for `session`. [`LiveMarket::reload`] afterwards
    /// makes the bars keep the hours of the classes in it.
    pub fn set_instruments(&self, session: Date, instruments: Vec<Instrument>) {
        self.instruments.store(Some(Arc::new(Snapshot::new(session, instruments))));
    }

    /// The session that the list of instruments is for; none before the first list.
    pub fn instruments_session(&self) -> Option<Date> {
        self.instruments.load().as_ref().map(|snapshot| snapshot.session)
    }

    /// Whether the daily bars of `universe` reach the last finished session of NSE at `now`; none when the
    /// calendar knows none.
    pub fn readiness(&self, universe: &[Symbol], now: Timestamp) -> Option<Readiness> {
        let session = last_finished(&self.calendar, Exchange::Nse, now)?;
        Some(readiness(self.history.load().data(), universe, session, &self.calendar))
    }

    fn class_of(&self, symbol: &Symbol) -> InstrumentClass {
        match self.instruments.load().as_ref().and_then(|snapshot| snapshot.get(symbol)) {
            Some(instrument) => instrument.class(),
            None => self.history.load().class_of(symbol),
        }
    }

    fn moment(&self, symbol: &Symbol, now: Timestamp) -> Option<Moment> {
        Moment::at(&self.calendar, exchange_of(symbol.as_str()), self.class_of(symbol), now)
    }

    const fn bounds(&self) -> Bounds {
        Bounds {
            max_age_seconds: self.options.max_age_seconds,
            feed_silence_minutes: self.options.feed_silence_minutes,
        }
    }

    fn quote_at(&self, symbol: &Symbol, now: Timestamp) -> Result<Quote, MarketError> {
        let history = self.history.load();
        let kept = lock(&self.quotes).get(symbol).cloned();
        let is_known = kept.is_some()
            || history.data().history(symbol.as_str()).is_some()
            || self.instruments.load().as_ref().is_some_and(|snapshot| snapshot.get(symbol).is_some());
        if !is_known {
            return Err(MarketError::Unknown { symbol: symbol.clone() });
        }
        match self.moment(symbol, now) {
            Some(Moment::Trading { open, feed_until }) => {
                let kept = kept.ok_or_else(|| MarketError::NoQuote { symbol: symbol.clone() })?;
                let exchange = exchange_of(symbol.as_str());
                self.bounds().check_trading(&kept, &lock(&self.quotes), exchange, (open, feed_until), now)?;
                Ok(kept.to_quote(last_close(&history, symbol, now.ist_date())))
            }
            Some(Moment::Rest(last)) => self.quote_at_rest(&history, symbol, kept, &last, now),
            None => history.quote(symbol, now),
        }
    }

    fn quote_at_rest(
        &self,
        history: &ReplayMarket,
        symbol: &Symbol,
        kept: Option<Kept>,
        last: &LastSession,
        now: Timestamp,
    ) -> Result<Quote, MarketError> {
        let exchange = exchange_of(symbol.as_str());
        let has_bar = has_bar(history, symbol, last.date);
        if has_bar && now >= last.bar_from {
            return history.quote(symbol, now);
        }
        let refused = match kept {
            Some(kept) => match self.bounds().check_rest(&kept, &lock(&self.quotes), exchange, last, now) {
                Ok(()) => return Ok(kept.to_quote(last_close(history, symbol, last.date))),
                Err(error) => error,
            },
            None => MarketError::NoQuote { symbol: symbol.clone() },
        };
        if has_bar {
            return history.quote(symbol, now);
        }
        // The bar of an earlier session is no price after a session that was not seen: say since when.
        match (refused, last_seen(history, symbol, last.date)) {
            (MarketError::NoQuote { symbol }, Some(last_seen)) => {
                Err(MarketError::Stale { symbol, last_seen })
            }
            (refused, _) => Err(refused),
        }
    }

    /// Refuses to decide on bars that end too early.
    fn check_ready(&self, symbols: &[Symbol], now: Timestamp) -> Result<(), MarketError> {
        let history = self.history.load();
        for exchange in [Exchange::Nse, Exchange::Bse] {
            let asked: Vec<Symbol> =
                symbols.iter().filter(|symbol| exchange_of(symbol.as_str()) == exchange).cloned().collect();
            let Some(last) = last_finished(&self.calendar, exchange, now).filter(|_| !asked.is_empty())
            else {
                continue;
            };
            let found = readiness(history.data(), &asked, last, &self.calendar);
            if found.is_refused(self.options.stale_percent_max) {
                return Err(MarketError::StaleHistory { stale: found.lacking(), of: found.of(), last });
            }
        }
        Ok(())
    }

    fn instrument_from(
        &self,
        history: &ReplayMarket,
        snapshot: &Snapshot,
        announced: &Instrument,
        now: Timestamp,
    ) -> Instrument {
        let trading_day = history.trading_day(announced.exchange, now);
        snapshot.on(announced, trading_day, || history.instrument(&announced.symbol, now).ok())
    }
}

/// The shares that the bars show to trade still; all, where they are too old to tell.
fn listed_lately(history: &ReplayMarket, now: Timestamp) -> Vec<Symbol> {
    let all: Vec<Symbol> = history.data().histories().iter().map(|it| it.symbol.clone()).collect();
    let lately: Vec<Symbol> =
        all.iter().filter(|symbol| history.instrument(symbol, now).is_ok()).cloned().collect();
    if lately.is_empty() { all } else { lately }
}

fn has_bar(history: &ReplayMarket, symbol: &Symbol, session: Date) -> bool {
    last_seen(history, symbol, session) == Some(session)
}

/// The session of the last bar up to and including `session`, with its row.
fn last_row(history: &ReplayMarket, symbol: &Symbol, session: Date) -> Option<(Date, usize)> {
    let data = history.data();
    let sessions = data.sessions(exchange_of(symbol.as_str()));
    let bars = data.history(symbol.as_str())?;
    let row = bars.rows_through(sessions.last_through(session)?).checked_sub(1)?;
    Some((sessions.dates[bars.session[row] as usize], row))
}

fn last_seen(history: &ReplayMarket, symbol: &Symbol, session: Date) -> Option<Date> {
    last_row(history, symbol, session).map(|(date, _)| date)
}

/// The close before `session`.
fn last_close(history: &ReplayMarket, symbol: &Symbol, session: Date) -> Option<Price> {
    let (_, row) = last_row(history, symbol, session.pred_opt()?)?;
    Some(Price::from_units(history.data().history(symbol.as_str())?.close[row]))
}

impl Market for LiveMarket {
    /// From the broker's list: all that it has for the trading day. Without a list, the symbols that traded
    /// in the last session, which must then be the last finished one.
    fn instruments(&self, filter: &InstrumentFilter, now: Timestamp) -> Result<Vec<Instrument>, MarketError> {
        let history = self.history.load();
        let Some(snapshot) = self.instruments.load_full() else {
            self.check_ready(&listed_lately(&history, now), now)?;
            return history.instruments(filter, now);
        };
        let passes = |it: &&Instrument| {
            filter.exchange.is_none_or(|exchange| exchange == it.exchange)
                && (filter.series.is_empty() || filter.series.contains(&it.series.0))
                && (filter.symbols.is_empty() || filter.symbols.contains(&it.symbol))
        };
        let listed = snapshot.all().filter(passes);
        Ok(listed.map(|it| self.instrument_from(&history, &snapshot, it, now)).collect())
    }

    fn instrument(&self, symbol: &Symbol, now: Timestamp) -> Result<Instrument, MarketError> {
        let history = self.history.load();
        let snapshot = self.instruments.load_full();
        match snapshot.as_ref().and_then(|snapshot| Some((snapshot, snapshot.get(symbol)?))) {
            Some((snapshot, announced)) => Ok(self.instrument_from(&history, snapshot, announced, now)),
            None => history.instrument(symbol, now),
        }
    }

    /// Whoever asks makes the symbol watched for a while.
    fn quote(&self, symbol: &Symbol, now: Timestamp) -> Result<Quote, MarketError> {
        let quote = self.quote_at(symbol, now);
        if !matches!(quote, Err(MarketError::Unknown { .. })) {
            lock(&self.watch).note(symbol, now);
        }
        quote
    }

    /// Days only. They are refused with the count when too many of the symbols lack the bar of the last
    /// finished session, so that nobody screens old data; a share known not to have traded is no such case.
    fn candles(
        &self,
        symbols: &[Symbol],
        interval: Interval,
        n: u32,
        now: Timestamp,
    ) -> Result<Vec<Candles>, MarketError> {
        if interval == Interval::Minute {
            return Err(MarketError::NoMinutes);
        }
        self.check_ready(symbols, now)?;
        let history = self.history.load();
        let mut candles = history.candles(symbols, interval, n, now)?;
        let quotes = lock(&self.quotes);
        for columns in &mut candles {
            let Some(kept) = quotes.get(&columns.symbol) else { continue };
            if let Some(Moment::Trading { .. }) = self.moment(&columns.symbol, now) {
                rebase::to_terms_of(kept, &history, columns, now.ist_date());
            }
        }
        Ok(candles)
    }
}

#[cfg(test)]
mod tests;
