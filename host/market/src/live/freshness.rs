//! When a quote is a price and when it is only an old number.
//!
//! Two things can go wrong and look alike to who holds one quote: nobody asks any more, or the broker keeps
//! answering from a feed that stands still. An illiquid share is neither: its last trade may be hours old and
//! is its true price. So, while the exchange trades (continuous trading and the closing auction):
//!
//! 1. **Each quote** must have been asked for within `max_age_seconds`.
//! 2. **The feed of the exchange as a whole** must move: the newest exchange time in *any* quote of that
//!    exchange must lie within `feed_silence_minutes` of now, counted at the earliest from the open and at
//!    the latest to the end of trading. A single share's own exchange time is shown with its quote
//!    ([`crate::Quote::at`]) and never held against it.
//!
//! The second rule is as good as the shares it sees. The host therefore names some that trade every minute
//! ([`super::LiveOptions::pulse`]); they are asked for along with the others.
//!
//! At rest (before the open, after the end, on holidays) the last session's quote holds if it was asked for
//! at its end or later and the feed moved until then; it gives way to the day's own bar half an hour after the
//! close, where there is one.

use calendar::Calendar;
use model::time::SECOND;
use model::{Exchange, InstrumentClass, Timestamp};

use super::quotes::{Kept, Quotes};
use crate::replay::clock::{Hours, session_through};
use crate::view::MarketError;
use model::Date;

/// What the exchange is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It trades.
    Trading {
        /// Start of continuous trading.
        open: Timestamp,
        /// When the last class stops continuous trading: later the feed may rest.
        feed_until: Timestamp,
    },
    /// It rests.
    Rest(LastSession),
}

/// The last session that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSession {
    /// Its date.
    pub date: Date,
    /// Start of continuous trading.
    pub open: Timestamp,
    /// When its closing price was found.
    pub end: Timestamp,
    /// When the last class stopped continuous trading.
    pub feed_until: Timestamp,
    /// From here on its daily bar is shown.
    pub bar_from: Timestamp,
}

impl Moment {
    /// What `exchange` does with shares of `class` at `now`; none when no session is known before it.
    pub fn at(
        calendar: &Calendar,
        exchange: Exchange,
        class: InstrumentClass,
        now: Timestamp,
    ) -> Option<Self> {
        let today = now.ist_date();
        let date = session_through(calendar, exchange, today)?;
        let last = LastSession::of(calendar, exchange, class, date);
        if now >= last.end {
            return Some(Self::Rest(last));
        }
        if now >= last.open {
            return Some(Self::Trading { open: last.open, feed_until: last.feed_until });
        }
        let before = session_through(calendar, exchange, date.pred_opt()?)?;
        Some(Self::Rest(LastSession::of(calendar, exchange, class, before)))
    }
}

impl LastSession {
    fn of(calendar: &Calendar, exchange: Exchange, class: InstrumentClass, date: Date) -> Self {
        let hours = Hours::of(calendar, exchange, date);
        let (open, bar_from) = (hours.open(class), hours.bar_from());
        match calendar.session(exchange, date) {
            Ok(Some(session)) => {
                Self { date, open, end: session.end(class), feed_until: session.latest_close(), bar_from }
            }
            _ => Self { date, open, end: hours.close(class), feed_until: hours.close(class), bar_from },
        }
    }
}

/// The two bounds.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Oldest asking of a quote while the exchange trades.
    pub max_age_seconds: i64,
    /// Longest silence of a whole feed.
    pub feed_silence_minutes: i64,
}

impl Bounds {
    /// Whether `kept` is a price while the exchange trades.
    pub fn check_trading(
        self,
        kept: &Kept,
        quotes: &Quotes,
        exchange: Exchange,
        (open, feed_until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<(), MarketError> {
        if now.nanos_since(kept.asked_at) > self.max_age_seconds * SECOND {
            return Err(self.stale(kept, now));
        }
        self.check_feed(quotes, exchange, open, now.min(feed_until))
    }

    /// Whether `kept` is the last price of a session that is over.
    pub fn check_rest(
        self,
        kept: &Kept,
        quotes: &Quotes,
        exchange: Exchange,
        last: &LastSession,
        now: Timestamp,
    ) -> Result<(), MarketError> {
        if kept.asked_at < last.end.plus_seconds(-self.max_age_seconds) {
            return Err(self.stale(kept, now));
        }
        self.check_feed(quotes, exchange, last.open, last.feed_until)
    }

    fn check_feed(
        self,
        quotes: &Quotes,
        exchange: Exchange,
        open: Timestamp,
        until: Timestamp,
    ) -> Result<(), MarketError> {
        let newest = quotes.newest(exchange).map_or(open, |newest| newest.max(open));
        let silent = until.nanos_since(newest);
        if silent <= self.feed_silence_minutes * 60 * SECOND {
            return Ok(());
        }
        Err(MarketError::SilentFeed { exchange, silent_seconds: seconds(silent) })
    }

    fn stale(self, kept: &Kept, now: Timestamp) -> MarketError {
        MarketError::StaleQuote {
            symbol: kept.quote.symbol.clone(),
            age_seconds: seconds(now.nanos_since(kept.asked_at)),
        }
    }
}

/// Whole seconds, rounded up: what is over a bound is never told as equal to it.
fn seconds(nanos: i64) -> u64 {
    u64::try_from(nanos.max(0)).unwrap_or(0).div_ceil(SECOND as u64)
}
