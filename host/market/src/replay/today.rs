//! One share's day, minute by minute: its real bars, or the stated path of its daily bar.

use std::ops::Range;

use model::time::MINUTE;
use model::{Price, Symbol, Tick, Timestamp};

use crate::bars::{Bar, Bars};
use crate::dataset::{History, minute_of};
use crate::path::{MinuteBar, Path, SoFar};
use crate::view::Quote;

/// A share's day.
pub struct Day<'a> {
    open: Timestamp,
    minutes: u32,
    first: Price,
    source: Source<'a>,
}

enum Source<'a> {
    Path(Path),
    Bars(&'a Bars, Range<usize>),
}

/// What has been seen of a day.
pub struct Seen {
    at: Timestamp,
    open: Price,
    so_far: SoFar,
}

impl Seen {
    /// As a quote.
    pub fn quote(self, symbol: &Symbol, previous_close: Price) -> Quote {
        Quote {
            symbol: symbol.clone(),
            last: self.so_far.last,
            at: self.at,
            open: self.open,
            high: self.so_far.high,
            low: self.so_far.low,
            previous_close,
            volume: self.so_far.volume,
        }
    }
}

impl<'a> Day<'a> {
    /// Row `row` over `minutes` minutes from `open`; real bars, where there are any, take precedence.
    pub fn new(
        history: &History,
        row: usize,
        open: Timestamp,
        minutes: u32,
        bars: Option<(&'a Bars, Range<usize>)>,
        tick: Tick,
    ) -> Self {
        let price = Price::from_units;
        let prices = (
            price(history.open[row]),
            price(history.high[row]),
            price(history.low[row]),
            price(history.close[row]),
        );
        if let Some((bars, range)) = bars {
            let within = trading_hours(bars, range, open, minutes);
            let first = bars.get(within.start.min(bars.len() - 1)).open;
            return Self { open, minutes, first: price(first), source: Source::Bars(bars, within) };
        }
        // A session of no minutes does not exist; one minute keeps the type total.
        let path = Path::new(prices, history.volume[row], minutes.max(1), tick).expect("at least one minute");
        Self { open, minutes, first: prices.0, source: Source::Path(path) }
    }

    /// What trades in minute `minute`.
    pub fn minute(&self, minute: u32) -> Option<MinuteBar> {
        if minute >= self.minutes {
            return None;
        }
        match &self.source {
            Source::Path(path) => path.minute(minute),
            Source::Bars(bars, range) => {
                let start = self.open.nanos() + i64::from(minute) * MINUTE;
                let at = bars.count_before(start).max(range.start);
                (at < range.end && bars.start(at) == start).then(|| minute_bar(&bars.get(at)))
            }
        }
    }

    /// What has been seen by `now`; none before the first trade.
    pub fn seen_at(&self, now: Timestamp) -> Option<Seen> {
        if now < self.open {
            return None;
        }
        let minute = u32::try_from(now.nanos_since(self.open) / MINUTE).unwrap_or(u32::MAX).min(self.minutes);
        let at = self.open.plus_minutes(i64::from(minute));
        match &self.source {
            Source::Path(path) => Some(Seen { at, open: self.first, so_far: path.so_far(minute) }),
            Source::Bars(bars, range) => seen_of_bars(bars, range, self.open, minute),
        }
    }

    /// Finished minutes by `now`, oldest first, with their starts.
    pub fn finished(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = (i64, MinuteBar)> + '_ {
        let passed =
            u32::try_from(now.nanos_since(self.open).max(0) / MINUTE).unwrap_or(u32::MAX).min(self.minutes);
        (0..passed).filter_map(|minute| {
            let start = self.open.nanos() + i64::from(minute) * MINUTE;
            self.minute(minute).map(|bar| (start, bar))
        })
    }
}

fn trading_hours(bars: &Bars, range: Range<usize>, open: Timestamp, minutes: u32) -> Range<usize> {
    let close = open.nanos() + i64::from(minutes) * MINUTE;
    let start = bars.count_before(open.nanos()).clamp(range.start, range.end);
    let end = bars.count_before(close).clamp(start, range.end);
    start..end
}

fn minute_bar(bar: &Bar) -> MinuteBar {
    let price = Price::from_units;
    MinuteBar {
        open: price(bar.open),
        high: price(bar.high),
        low: price(bar.low),
        close: price(bar.close),
        volume: bar.volume,
    }
}

/// The bars that ended by the start of `minute`, and the first price of the one that starts there.
fn seen_of_bars(bars: &Bars, range: &Range<usize>, open: Timestamp, minute: u32) -> Option<Seen> {
    let mut seen: Option<Seen> = None;
    for at in range.clone() {
        let bar = bars.get(at);
        let began = minute_of(bar.start, open);
        if began > i64::from(minute) {
            break;
        }
        let finished = began < i64::from(minute);
        let (high, low, last, volume) = if finished {
            (bar.high, bar.low, bar.close, bar.volume)
        } else {
            (bar.open, bar.open, bar.open, 0)
        };
        let price = Price::from_units;
        let at = Timestamp::from_nanos(if finished { bar.start + MINUTE } else { bar.start });
        match &mut seen {
            None => {
                let so_far = SoFar { last: price(last), high: price(high), low: price(low), volume };
                seen = Some(Seen { at, open: price(bar.open), so_far });
            }
            Some(seen) => {
                seen.at = at;
                seen.so_far.last = price(last);
                seen.so_far.high = seen.so_far.high.max(price(high));
                seen.so_far.low = seen.so_far.low.min(price(low));
                seen.so_far.volume += volume;
            }
        }
    }
    seen
}
