//! Instants and exchange dates.
//!
//! An instant is nanoseconds since 1970 UTC. Exchange time is Asia/Kolkata (UTC+5:30, no daylight
//! saving) whatever the machine says, so the conversion is a constant and needs no zone database.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use serde::{Deserialize, Serialize};

/// A calendar date at the exchange.
pub type Date = NaiveDate;

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;
/// Nanoseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
const IST_SECONDS: i32 = 5 * 3600 + 30 * 60;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since 1970 UTC.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since 1970 UTC.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The instant at which the clock in Mumbai shows `date` and `time`.
    pub fn from_ist(date: Date, time: NaiveTime) -> Self {
        let local = NaiveDateTime::new(date, time).and_utc();
        let nanos = (local.timestamp() - i64::from(IST_SECONDS)) * SECOND;
        Self(nanos + i64::from(time.nanosecond()))
    }

    /// `date` at `hour:minute` in Mumbai. Panics when there is no such time of day: for constants.
    pub fn at_ist(date: Date, hour: u32, minute: u32) -> Self {
        Self::from_ist(date, NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day"))
    }

    /// Date and time in Mumbai.
    pub fn ist(self) -> NaiveDateTime {
        DateTime::from_timestamp_nanos(self.0)
            .with_timezone(&FixedOffset::east_opt(IST_SECONDS).expect("a constant within a day"))
            .naive_local()
    }

    /// The date in Mumbai.
    pub fn ist_date(self) -> Date {
        self.ist().date()
    }

    /// The time of day in Mumbai.
    pub fn ist_time(self) -> NaiveTime {
        self.ist().time()
    }

    /// Later by `nanos`.
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0 + nanos)
    }

    /// Later by `minutes` (earlier when negative).
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        Self(self.0 + minutes * MINUTE)
    }

    /// Later by `seconds` (earlier when negative).
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * SECOND)
    }

    /// Nanoseconds from `earlier` to this instant.
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

/// As the exchange writes it: `2025-03-04T09:15:00+05:30`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.ist();
        if local.nanosecond() == 0 {
            write!(f, "{}+05:30", local.format("%Y-%m-%dT%H:%M:%S"))
        } else {
            write!(f, "{}+05:30", local.format("%Y-%m-%dT%H:%M:%S%.3f"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchange_time_is_half_past_five_ahead() {
        let date = Date::from_ymd_opt(2025, 3, 4).expect("a date");
        let open = Timestamp::at_ist(date, 9, 15);
        assert_eq!(open.to_string(), "2025-03-04T09:15:00+05:30");
        assert_eq!(open.ist_date(), date);
        assert_eq!(DateTime::from_timestamp_nanos(open.nanos()).to_rfc3339(), "2025-03-04T03:45:00+00:00");
        assert_eq!(Timestamp::at_ist(date, 0, 0).plus_nanos(-1).ist_date(), date.pred_opt().expect("a date"));
    }
}
