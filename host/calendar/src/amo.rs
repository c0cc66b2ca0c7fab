//! After-market orders: when a broker takes them, and which session they are for.
//!
//! A broker queues such an order from the evening of a session to the morning of the next and sends it
//! at the opening. Its hours are the broker's own (pages of one broker disagree by quarters of an hour),
//! so they are configuration.

use chrono::NaiveTime;
use model::{Date, Exchange, InstrumentClass, Timestamp};
use serde::{Deserialize, Serialize};

use crate::days::Calendar;
use crate::error::CalendarError;
use crate::phase::Phase;
use crate::session::Session;

/// When a broker takes after-market orders, across midnight: `from` on the date of a session, `until`
/// (not included) on the date of the next one; all of a weekend or holiday in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AmoWindow {
    /// Evening start, exchange time.
    pub from: NaiveTime,
    /// Morning end, exchange time.
    pub until: NaiveTime,
}

/// 15:45 to 08:57: the hours common to the broker pages read (NSE).
impl Default for AmoWindow {
    fn default() -> Self {
        let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day");
        Self { from: time(15, 45), until: time(8, 57) }
    }
}

/// An after-market order cannot be placed now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no after-market order now (phase: {phase}): {reason}")]
pub struct NotNow {
    /// The phase the exchange is in.
    pub phase: Phase,
    /// Why, and when to try again.
    pub reason: String,
}

impl From<CalendarError> for NotNow {
    fn from(error: CalendarError) -> Self {
        Self { phase: Phase::Closed, reason: error.to_string() }
    }
}

impl Calendar {
    /// The date of the session that an after-market order placed at `now` would trade in.
    ///
    /// Refused outside the window, and while a session without known times lies before the next known
    /// one: the broker would release the order into it.
    pub fn amo_session(&self, exchange: Exchange, now: Timestamp, window: AmoWindow) -> Result<Date, NotNow> {
        if window.from <= window.until {
            let reason = format!(
                "the configured window, {} to {}, does not run across midnight: its start must be later in the day \
                 than its end",
                window.from, window.until
            );
            return Err(NotNow { phase: Phase::Closed, reason });
        }
        let today = now.ist_date();
        let session = self.session(exchange, today)?;
        let target = match session {
            Some(session) if now < Timestamp::from_ist(today, window.until) => session.date,
            Some(session) => {
                check_evening(&session, now, window)?;
                self.next_trading_day(exchange, today)?
            }
            None => self.next_trading_day(exchange, today)?,
        };
        self.check_untimed(exchange, today, target)?;
        Ok(target)
    }

    fn check_untimed(&self, exchange: Exchange, today: Date, target: Date) -> Result<(), NotNow> {
        let Some((date, session)) = self.book.of(exchange).untimed(today, target) else {
            return Ok(());
        };
        let name = session.name();
        let reason = format!(
            "a {name} session is announced for {date} but its times are not known, and the order could be released \
             into it; place it after {date}, or load a calendar file with the times"
        );
        Err(NotNow { phase: Phase::Closed, reason })
    }
}

/// Whether the evening of `session` has come. A session later in the day than the window's start (an
/// evening Muhurat) must have ended first, else the order would be released into it.
fn check_evening(session: &Session, now: Timestamp, window: AmoWindow) -> Result<(), NotNow> {
    let start = Timestamp::from_ist(session.date, window.from).max(session.latest_end());
    if now >= start {
        return Ok(());
    }
    let reason = format!(
        "the broker takes after-market orders from {} on a day with a session, until {} on the next one",
        start.ist_time().format("%H:%M"),
        window.until.format("%H:%M")
    );
    Err(NotNow { phase: exchange_phase(session, now), reason })
}

/// The phase of the exchange as a whole: that of plain stocks, or of the others when those have ended.
fn exchange_phase(session: &Session, at: Timestamp) -> Phase {
    match session.phase_at(InstrumentClass::WithoutDerivatives, at) {
        Phase::Closed => session.phase_at(InstrumentClass::WithDerivatives, at),
        phase => phase,
    }
}
