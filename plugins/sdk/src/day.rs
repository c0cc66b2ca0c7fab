//! Days at the exchange (Asia/Kolkata, UTC+5:30 the year round).

use crate::bindings::tradeagent::strategy::types::{Date, Instant};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
const KOLKATA: i64 = (5 * 3_600 + 1_800) * SECOND;

/// A day's number: days since 1970-01-01.
pub type DayNumber = i64;

/// The exchange's day at an instant.
pub const fn number_at(now: Instant) -> DayNumber {
    now.saturating_add(KOLKATA).div_euclid(DAY)
}

/// The number of a date.
///
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
pub fn number(date: Date) -> DayNumber {
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = i64::from(date.year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// A date as `2025-07-01`.
pub fn text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_days_like_the_calendar() {
        let date = |year, month, day| number(Date { year, month, day });
        assert_eq!(date(1970, 1, 1), 0);
        assert_eq!(date(2000, 3, 1), 11_017);
        assert_eq!(date(2025, 7, 1), 20_270);
        assert_eq!(date(2024, 3, 1) - date(2024, 2, 28), 2);
        assert_eq!(date(2026, 1, 1) - date(2025, 12, 31), 1);
    }

    #[test]
    fn the_day_begins_at_midnight_in_india() {
        let midnight = 20_270 * DAY - KOLKATA;
        assert_eq!(number_at(midnight), 20_270);
        assert_eq!(number_at(midnight - 1), 20_269);
    }
}
