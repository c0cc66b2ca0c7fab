//! What an instant allows to be seen.

use calendar::Calendar;
use chrono::{Datelike as _, Weekday};
use model::time::MINUTE;
use model::{Date, Exchange, InstrumentClass, Timestamp};

/// A day's own bar is shown this long after the last class stops continuous trading.
const BAR_AFTER_CLOSE_MINUTES: i64 = 30;
/// One session may be missing between the last bar and now; with more missing, prices are stale.
const MISSING_SESSIONS_MAX: u32 = 1;

/// The hours of one session that matter for prices.
#[derive(Debug, Clone, Copy)]
pub struct Hours {
    /// Open and close of shares without and with derivatives.
    classes: [(Timestamp, Timestamp); 2],
    /// From here on the daily bar is shown.
    bar_from: Timestamp,
}

impl Hours {
    /// The hours of `date`. Where the calendar knows none (old data, or a day it takes for a holiday but
    /// the data does not) the ordinary ones: 09:15 to 15:30.
    pub fn of(calendar: &Calendar, exchange: Exchange, date: Date) -> Self {
        match calendar.session(exchange, date) {
            Ok(Some(session)) => Self {
                classes: [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives]
                    .map(|class| (session.open(class), session.close(class))),
                bar_from: session.latest_close().plus_minutes(BAR_AFTER_CLOSE_MINUTES),
            },
            _ => {
                let (open, close) = (Timestamp::at_ist(date, 9, 15), Timestamp::at_ist(date, 15, 30));
                Self { classes: [(open, close); 2], bar_from: close.plus_minutes(BAR_AFTER_CLOSE_MINUTES) }
            }
        }
    }

    const fn class(&self, class: InstrumentClass) -> (Timestamp, Timestamp) {
        match class {
            InstrumentClass::WithoutDerivatives => self.classes[0],
            InstrumentClass::WithDerivatives => self.classes[1],
        }
    }

    /// Start of continuous trading.
    pub const fn open(&self, class: InstrumentClass) -> Timestamp {
        self.class(class).0
    }

    /// End of continuous trading.
    pub const fn close(&self, class: InstrumentClass) -> Timestamp {
        self.class(class).1
    }

    /// Minutes of continuous trading.
    pub fn minutes(&self, class: InstrumentClass) -> u32 {
        let (open, close) = self.class(class);
        u32::try_from(close.nanos_since(open) / MINUTE).unwrap_or(0)
    }

    /// The instant from which the day's own bar is shown.
    pub const fn bar_from(&self) -> Timestamp {
        self.bar_from
    }
}

/// What may be seen of one exchange's sessions at an instant.
#[derive(Debug, Clone, Copy)]
pub struct Visible {
    /// The instant.
    pub now: Timestamp,
    /// The last session whose daily bar is shown.
    pub last: Option<u32>,
    /// The session of today, while its bar is not shown yet.
    pub today: Option<u32>,
    /// The day that an order placed now is for: today until its bar is shown, then the next session.
    pub trading_day: Date,
    /// Too many sessions without data lie between the last bar and now.
    pub is_stale: bool,
}

impl Visible {
    /// What is visible at `now` of sessions with these `hours`, ascending.
    pub fn at(now: Timestamp, exchange: Exchange, hours: &[Hours], calendar: &Calendar) -> Self {
        let shown = hours.partition_point(|hours| hours.bar_from() <= now);
        let today = now.ist_date();
        let date_of = |at: usize| hours[at].bar_from().ist_date();
        let current = (shown < hours.len() && date_of(shown) == today).then_some(shown as u32);
        let last_date = shown.checked_sub(1).map(date_of);
        // A day of the calendar without rows is the trading day too, until half past its close.
        let in_progress = current.is_some()
            || (last_date != Some(today)
                && is_session(calendar, exchange, today)
                && now < Hours::of(calendar, exchange, today).bar_from());
        let trading_day = if in_progress { today } else { next_session(calendar, exchange, today) };
        let is_stale = last_date.is_none_or(|last| missing_between(calendar, exchange, last, today));
        Self { now, last: shown.checked_sub(1).map(|at| at as u32), today: current, trading_day, is_stale }
    }
}

fn is_weekday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Beyond the calendar every weekday counts: prices are then called stale rather too early than too late.
pub(crate) fn is_session(calendar: &Calendar, exchange: Exchange, date: Date) -> bool {
    calendar.is_trading_day(exchange, date).unwrap_or_else(|_| is_weekday(date))
}

/// The last session on or before `date`; none within two months, which no exchange rests.
pub(crate) fn session_through(calendar: &Calendar, exchange: Exchange, date: Date) -> Option<Date> {
    std::iter::successors(Some(date), Date::pred_opt)
        .take(60)
        .find(|date| is_session(calendar, exchange, *date))
}

/// The last session whose daily bar is to be there at `now`.
pub(crate) fn last_finished(calendar: &Calendar, exchange: Exchange, now: Timestamp) -> Option<Date> {
    let today = now.ist_date();
    let last = session_through(calendar, exchange, today)?;
    if last < today || Hours::of(calendar, exchange, last).bar_from() <= now {
        return Some(last);
    }
    session_through(calendar, exchange, last.pred_opt()?)
}

fn next_session(calendar: &Calendar, exchange: Exchange, after: Date) -> Date {
    calendar
        .next_trading_day(exchange, after)
        .unwrap_or_else(|_| after.iter_days().skip(1).find(|date| is_weekday(*date)).unwrap_or(after))
}

fn missing_between(calendar: &Calendar, exchange: Exchange, last: Date, today: Date) -> bool {
    let mut missing = 0;
    for date in last.iter_days().skip(1).take_while(|date| *date < today) {
        missing += u32::from(is_session(calendar, exchange, date));
        if missing > MISSING_SESSIONS_MAX {
            return true;
        }
    }
    false
}
