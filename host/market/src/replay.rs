//! Past days shown as if they were happening: [`Market`] for those who watch, [`PriceSource`] for the paper
//! exchange, both from one [`Dataset`].
//!
//! **No look-ahead.** What a watcher sees at an instant is decided in one place, `clock::Visible`: the
//! daily bars of sessions that closed at least half an hour ago, and of today's session the minutes that
//! have passed. A factor counts from the open of its session.

pub(crate) mod candles;
pub(crate) mod clock;
mod today;

use std::collections::BTreeSet;
use std::sync::Arc;

use calendar::Calendar;
use chrono::Datelike;
use model::{Date, Exchange, Instrument, InstrumentClass, Price, Quantity, Symbol, Tick, Timestamp};

use crate::bounds;
use crate::dataset::{Dataset, History};
use crate::factor::Factor;
use crate::path::MinuteBar;
use crate::table::{exchange_of, slot};
use crate::view::{Candles, InstrumentFilter, Interval, Market, MarketError, PriceSource, Quote};
use clock::{Hours, Visible};
use today::Day;

/// A symbol that has not traded for this many sessions is no instrument any more.
const QUIET_SESSIONS_MAX: u32 = 20;

/// What the data cannot tell.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// Symbols with futures or options: they decide the hours from 2026-08-03 on. None by default.
    pub with_derivatives: BTreeSet<Symbol>,
}

/// A data set as a market.
#[derive(Debug, Clone)]
pub struct ReplayMarket {
    data: Arc<Dataset>,
    calendar: Calendar,
    options: ReplayOptions,
    /// Per exchange, the hours of each of its sessions.
    hours: [Arc<[Hours]>; 2],
}

impl ReplayMarket {
    /// Shows `data` by the hours of `calendar`. To leave out inferred factors, pass
    /// [`Dataset::without_inferred_factors`].
    pub fn new(data: Arc<Dataset>, calendar: Calendar, options: ReplayOptions) -> Self {
        let hours = [Exchange::Nse, Exchange::Bse].map(|exchange| {
            data.sessions(exchange).dates.iter().map(|date| Hours::of(&calendar, exchange, *date)).collect()
        });
        Self { data, calendar, options, hours }
    }

    /// The data behind it.
    pub const fn data(&self) -> &Arc<Dataset> {
        &self.data
    }

    pub(crate) fn class_of(&self, symbol: &Symbol) -> InstrumentClass {
        if self.options.with_derivatives.contains(symbol) {
            InstrumentClass::WithDerivatives
        } else {
            InstrumentClass::WithoutDerivatives
        }
    }

    /// The day that an order placed at `now` is for.
    pub(crate) fn trading_day(&self, exchange: Exchange, now: Timestamp) -> Date {
        self.visible(exchange, now).trading_day
    }

    fn hours(&self, exchange: Exchange) -> &[Hours] {
        &self.hours[slot(exchange)]
    }

    fn visible(&self, exchange: Exchange, now: Timestamp) -> Visible {
        Visible::at(now, exchange, self.hours(exchange), &self.calendar)
    }

    fn history(&self, symbol: &Symbol) -> Result<&History, MarketError> {
        self.data.history(symbol.as_str()).ok_or_else(|| MarketError::Unknown { symbol: symbol.clone() })
    }

    /// The share's day of session number `session`, if it traded in it.
    fn day<'a>(&'a self, history: &'a History, session: u32) -> Option<Day<'a>> {
        let row = history.row_of(session)?;
        let hours = self.hours(history.exchange).get(session as usize)?;
        let class = self.class_of(&history.symbol);
        let date = self.data.sessions(history.exchange).dates[session as usize];
        let minutes = history.minutes.as_ref().and_then(|minutes| {
            let range = minutes.days.get(&date)?.clone();
            Some((&minutes.bars, range))
        });
        let tick = self.tick(history, row, date);
        Some(Day::new(history, row, hours.open(class), hours.minutes(class), minutes, tick))
    }

    /// The price step on `date`, known from the rows before `rows`: fixed for a month by the last close of
    /// the month before; for a share listed since, by its first close, else by what is known.
    fn tick(&self, history: &History, rows: usize, date: Date) -> Tick {
        let dates = &self.data.sessions(history.exchange).dates;
        let month_start = date.with_day(1).unwrap_or(date);
        let before_month = dates.partition_point(|known| *known < month_start) as u32;
        let through = history.session[..rows].partition_point(|session| *session < before_month);
        let reference = match through.checked_sub(1) {
            Some(row) => history.close[row],
            None => history.close[..rows].first().copied().unwrap_or(history.open[0]),
        };
        bounds::tick(date, Price::from_units(reference))
    }

    /// The instrument for trading on `date`, from the first `rows` rows, with `factor` taking effect.
    fn instrument_for(
        &self,
        history: &History,
        rows: usize,
        date: Date,
        factor: Option<&Factor>,
    ) -> Instrument {
        let last = rows - 1;
        let close = history.close[last];
        let previous_close = Price::from_units(factor.map_or(close, |factor| factor.price(close)));
        let series = self.data.series_of(history, last);
        let tick = self.tick(history, rows, date);
        let percent = bounds::band_percent(history.exchange, &series.0);
        Instrument {
            symbol: history.symbol.clone(),
            exchange: history.exchange,
            isin: history.isin.clone(),
            series,
            tick,
            lot: Quantity::new(1),
            // Freeze quantities are in the instrument master only; zero means none.
            freeze: Quantity::ZERO,
            band: bounds::band(previous_close, percent, tick),
            previous_close,
            has_derivatives: self.class_of(&history.symbol) == InstrumentClass::WithDerivatives,
        }
    }

    /// The instrument as announced before session `date`. None when nothing recent is known of it.
    fn announced(&self, history: &History, date: Date) -> Option<Instrument> {
        let sessions = self.data.sessions(history.exchange);
        let last = sessions.last_through(date.pred_opt()?)?;
        let rows = history.rows_through(last);
        let last_row = rows.checked_sub(1)?;
        if last - history.session[last_row] > QUIET_SESSIONS_MAX {
            return None;
        }
        let factor = history
            .session
            .get(rows)
            .filter(|session| sessions.dates[**session as usize] == date)
            .and_then(|_| history.factor_at(rows));
        Some(self.instrument_for(history, rows, date, factor))
    }

    fn visible_rows(
        &self,
        history: &History,
        visible: &Visible,
        now: Timestamp,
    ) -> Result<usize, MarketError> {
        let rows = visible.last.map_or(0, |last| history.rows_through(last));
        if rows == 0 {
            Err(MarketError::TooEarly { symbol: history.symbol.clone(), at: now })
        } else {
            Ok(rows)
        }
    }

    fn stale(&self, history: &History, rows: usize) -> MarketError {
        let session = history.session[rows - 1] as usize;
        let last_seen = self.data.sessions(history.exchange).dates[session];
        MarketError::Stale { symbol: history.symbol.clone(), last_seen }
    }

    /// The factor that took effect at today's open, once it has opened.
    fn factor_today<'a>(&self, history: &'a History, visible: &Visible) -> Option<&'a Factor> {
        let session = visible.today?;
        let hours = self.hours(history.exchange).get(session as usize)?;
        if visible.now < hours.open(self.class_of(&history.symbol)) {
            return None;
        }
        history.factor_at(history.row_of(session)?)
    }
}

impl Market for ReplayMarket {
    fn instruments(&self, filter: &InstrumentFilter, now: Timestamp) -> Result<Vec<Instrument>, MarketError> {
        let visible = [Exchange::Nse, Exchange::Bse].map(|exchange| self.visible(exchange, now));
        let wanted: BTreeSet<&Symbol> = filter.symbols.iter().collect();
        let mut found = Vec::new();
        for history in self.data.histories() {
            let visible = &visible[slot(history.exchange)];
            let Some(last) = visible.last.filter(|_| !visible.is_stale) else { continue };
            let rows = history.rows_through(last);
            let traded_last = rows > 0 && history.session[rows - 1] == last;
            if !traded_last
                || filter.exchange.is_some_and(|exchange| exchange != history.exchange)
                || (!wanted.is_empty() && !wanted.contains(&history.symbol))
            {
                continue;
            }
            let series = self.data.series_of(history, rows - 1);
            if !filter.series.is_empty() && !filter.series.contains(&series.0) {
                continue;
            }
            found.push(self.instrument_for(
                history,
                rows,
                visible.trading_day,
                self.factor_today(history, visible),
            ));
        }
        Ok(found)
    }

    fn instrument(&self, symbol: &Symbol, now: Timestamp) -> Result<Instrument, MarketError> {
        let history = self.history(symbol)?;
        let visible = self.visible(history.exchange, now);
        let rows = self.visible_rows(history, &visible, now)?;
        let quiet = visible.last.map_or(0, |last| last - history.session[rows - 1]);
        if visible.is_stale || quiet > QUIET_SESSIONS_MAX {
            return Err(self.stale(history, rows));
        }
        Ok(self.instrument_for(history, rows, visible.trading_day, self.factor_today(history, &visible)))
    }

    fn quote(&self, symbol: &Symbol, now: Timestamp) -> Result<Quote, MarketError> {
        let history = self.history(symbol)?;
        let visible = self.visible(history.exchange, now);
        let rows = self.visible_rows(history, &visible, now)?;
        let today = visible.today.and_then(|session| self.day(history, session));
        if let Some(seen) = today.and_then(|day| day.seen_at(now)) {
            let close = history.close[rows - 1];
            let previous = self.factor_today(history, &visible).map_or(close, |factor| factor.price(close));
            return Ok(seen.quote(symbol, Price::from_units(previous)));
        }
        let last = rows - 1;
        if visible.is_stale || Some(history.session[last]) != visible.last {
            return Err(self.stale(history, rows));
        }
        let hours = &self.hours(history.exchange)[history.session[last] as usize];
        let before = match last.checked_sub(1) {
            Some(row) => {
                history.factor_at(last).map_or(history.close[row], |factor| factor.price(history.close[row]))
            }
            // The first row known: what the exchange published with it, else its own open.
            None => Some(history.prev_close[last]).filter(|known| *known > 0).unwrap_or(history.open[last]),
        };
        Ok(Quote {
            symbol: symbol.clone(),
            last: Price::from_units(history.close[last]),
            at: hours.close(self.class_of(symbol)),
            open: Price::from_units(history.open[last]),
            high: Price::from_units(history.high[last]),
            low: Price::from_units(history.low[last]),
            previous_close: Price::from_units(before),
            volume: history.volume[last],
        })
    }

    fn candles(
        &self,
        symbols: &[Symbol],
        interval: Interval,
        n: u32,
        now: Timestamp,
    ) -> Result<Vec<Candles>, MarketError> {
        candles::candles(self, symbols, interval, n, now)
    }
}

impl PriceSource for ReplayMarket {
    fn minute(&self, symbol: &Symbol, session: Date, minute: u32) -> Option<MinuteBar> {
        let history = self.data.history(symbol.as_str())?;
        let session = self.data.sessions(history.exchange).index_of(session)?;
        self.day(history, session)?.minute(minute)
    }

    fn auction_price(&self, symbol: &Symbol, session: Date) -> Option<Price> {
        let history = self.data.history(symbol.as_str())?;
        let session = self.data.sessions(history.exchange).index_of(session)?;
        history.row_of(session).map(|row| Price::from_units(history.close[row]))
    }

    fn instrument_on(&self, symbol: &Symbol, session: Date) -> Option<Instrument> {
        self.announced(self.data.history(symbol.as_str())?, session)
    }

    fn corporate_action(&self, symbol: &Symbol, session: Date) -> Option<Factor> {
        let history = self.data.history(symbol.as_str())?;
        let session = self.data.sessions(exchange_of(symbol.as_str())).index_of(session)?;
        history.factor_at(history.row_of(session)?).copied()
    }
}

#[cfg(test)]
mod tests;
