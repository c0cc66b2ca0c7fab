//! The calendar: which days trade, and how.

use std::sync::{Arc, LazyLock};

use chrono::{Datelike, Weekday};
use model::{Date, Exchange};

use crate::book::{Book, SpecialTimes};
use crate::check;
use crate::error::CalendarError;
use crate::session::{Day, Session, SessionKind};

static BUNDLED: LazyLock<Calendar> = LazyLock::new(|| {
    Calendar::parse(include_str!("../data/india-equity.toml"))
        .expect("the bundled calendar is checked by a test")
});

/// The trading days, sessions and settlement days of NSE and BSE. Cheap to clone.
///
/// Every question about a day outside [`Calendar::known_from`]`..=`[`Calendar::known_until`] is an
/// error, also where a search for the next or previous day runs out of the range.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub(crate) book: Arc<Book>,
}

impl Calendar {
    /// The calendar built into the program.
    pub fn bundled() -> Self {
        BUNDLED.clone()
    }

    /// Reads a data file. An error names its line; an unknown key is one.
    pub fn parse(toml: &str) -> Result<Self, CalendarError> {
        check::parse(toml).map(|book| Self { book: Arc::new(book) })
    }

    /// The same calendar with one more closed day, as an operator adds when an exchange closes at
    /// short notice. It outranks special sessions, and nothing settles on it.
    pub fn with_closure(mut self, exchange: Exchange, date: Date, reason: &str) -> Self {
        let book = Arc::make_mut(&mut self.book);
        book.of_mut(exchange).operator_closures.insert(date, reason.to_owned());
        self
    }

    /// Which edition of the data this is.
    pub fn version(&self) -> &str {
        &self.book.version
    }

    /// Where the data comes from: circulars and notices.
    pub fn sources(&self) -> &[String] {
        &self.book.sources
    }

    /// The first day that is known.
    pub fn known_from(&self) -> Date {
        self.book.known_from
    }

    /// The last day that is known.
    pub fn known_until(&self) -> Date {
        self.book.known_until
    }

    /// What an exchange does on `date`.
    pub fn day(&self, exchange: Exchange, date: Date) -> Result<Day, CalendarError> {
        self.check_known(date)?;
        let book = self.book.of(exchange);
        if let Some(reason) = book.operator_closures.get(&date) {
            return Ok(Day::Closed { reason: format!("closed by the operator: {reason}") });
        }
        let template = book.template(date).expect("checked on loading: a template is in force on known_from");
        if let Some(special) = book.special.get(&date) {
            let (hours, regular_hours) = match &special.times {
                SpecialTimes::Template => (template, true),
                SpecialTimes::Given(hours) => (hours, false),
                SpecialTimes::Unknown => {
                    return Ok(Day::Closed { reason: untimed_reason(special.name(), &special.reason) });
                }
            };
            return Ok(Day::Open(Session::new(exchange, date, special.kind.clone(), regular_hours, hours)));
        }
        if let Some(reason) = closed_reason(date, book.closed.get(&date)) {
            return Ok(Day::Closed { reason });
        }
        Ok(Day::Open(Session::new(exchange, date, SessionKind::Regular, true, template)))
    }

    /// The session of `date`; none when the exchange is closed.
    pub fn session(&self, exchange: Exchange, date: Date) -> Result<Option<Session>, CalendarError> {
        match self.day(exchange, date)? {
            Day::Open(session) => Ok(Some(session)),
            Day::Closed { .. } => Ok(None),
        }
    }

    /// Whether there is a session on `date`. One whose times are not known does not count.
    pub fn is_trading_day(&self, exchange: Exchange, date: Date) -> Result<bool, CalendarError> {
        self.check_known(date)?;
        let book = self.book.of(exchange);
        if book.operator_closures.contains_key(&date) {
            return Ok(false);
        }
        Ok(match book.special.get(&date) {
            Some(special) => !matches!(special.times, SpecialTimes::Unknown),
            None => !is_weekend(date) && !book.closed.contains_key(&date),
        })
    }

    /// The first trading day strictly after `after`.
    pub fn next_trading_day(&self, exchange: Exchange, after: Date) -> Result<Date, CalendarError> {
        self.search(after, Date::succ_opt, |date| self.is_trading_day(exchange, date))
    }

    /// The last trading day strictly before `before`.
    pub fn previous_trading_day(&self, exchange: Exchange, before: Date) -> Result<Date, CalendarError> {
        self.search(before, Date::pred_opt, |date| self.is_trading_day(exchange, date))
    }

    /// The nearest day beside `start` that `wanted` accepts, in the direction of `step`. Ends at the
    /// edge of what is known, where `wanted` fails.
    pub(crate) fn search(
        &self,
        start: Date,
        step: fn(&Date) -> Option<Date>,
        wanted: impl Fn(Date) -> Result<bool, CalendarError>,
    ) -> Result<Date, CalendarError> {
        let mut date = start;
        loop {
            let Some(next) = step(&date) else {
                return Err(self.check_known(date).err().unwrap_or(self.beyond(date)));
            };
            date = next;
            if wanted(date)? {
                return Ok(date);
            }
        }
    }

    pub(crate) fn check_known(&self, date: Date) -> Result<(), CalendarError> {
        if date > self.book.known_until {
            return Err(self.beyond(date));
        }
        if date < self.book.known_from {
            return Err(CalendarError::BeforeKnown { date, known_from: self.book.known_from });
        }
        Ok(())
    }

    fn beyond(&self, date: Date) -> CalendarError {
        CalendarError::BeyondKnown { date, known_until: self.book.known_until }
    }
}

pub(crate) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn closed_reason(date: Date, holiday: Option<&String>) -> Option<String> {
    let weekend = match date.weekday() {
        Weekday::Sat => Some("Saturday"),
        Weekday::Sun => Some("Sunday"),
        _ => None,
    };
    match (weekend, holiday) {
        (Some(weekend), Some(holiday)) => Some(format!("{weekend}, {holiday}")),
        (Some(weekend), None) => Some(weekend.to_owned()),
        (None, Some(holiday)) => Some(holiday.clone()),
        (None, None) => None,
    }
}

fn untimed_reason(name: &str, reason: &str) -> String {
    format!(
        "{reason}: a {name} session is announced but its times are not known to this calendar, so it is not \
         traded; load a calendar file that has them"
    )
}
