//! Days at the exchange (Asia/Kolkata, UTC+5:30 the year round).

use crate::bindings::tradeagent::strategy::types::{Date, Instant};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
const KOLKATA: i64 = (5 * 3_600 + 1_800) * SECOND;

/// A day's number: days since 1970-01-01.
///
/// ```
/// let tomorrow: tradeagent_sdk::day::DayNumber = 20_270 + 1;
/// assert_eq!(tradeagent_sdk::day::date(tomorrow).day, 2);
/// ```
pub type DayNumber = i64;

/// The exchange's day at an instant.
///
/// ```
/// assert_eq!(tradeagent_sdk::day::number_at(0), 0);
/// ```
pub const fn number_at(now: Instant) -> DayNumber {
    now.saturating_add(KOLKATA).div_euclid(DAY)
}

/// The number of a date.
///
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
///
/// ```
/// use tradeagent_sdk::{day, monitor::types::Date};
/// assert_eq!(day::number(Date { year: 2025, month: 7, day: 1 }), 20_270);
/// ```
pub fn number(date: Date) -> DayNumber {
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = i64::from(date.year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a number.
///
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`. Years outside 0 to 65535 are
/// the nearest of those.
///
/// ```
/// use tradeagent_sdk::day;
/// use tradeagent_sdk::monitor::types::Date;
/// assert_eq!(day::date(20_270), Date { year: 2025, month: 7, day: 1 });
/// ```
pub fn date(number: DayNumber) -> Date {
    let shifted = number.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Date { year: year.clamp(0, u16::MAX.into()) as u16, month: month as u8, day: day as u8 }
}

/// The instant at which the exchange's day begins.
///
/// ```
/// use tradeagent_sdk::day;
/// assert_eq!(day::number_at(day::begins(20_270)), 20_270);
/// assert_eq!(day::number_at(day::begins(20_270) - 1), 20_269);
/// ```
pub const fn begins(number: DayNumber) -> Instant {
    number.saturating_mul(DAY).saturating_sub(KOLKATA)
}

/// A date as `2025-07-01`.
///
/// ```
/// use tradeagent_sdk::{day, monitor::types::Date};
/// assert_eq!(day::text(Date { year: 2025, month: 7, day: 1 }), "2025-07-01");
/// ```
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
    fn every_number_is_that_of_its_date() {
        for day in (-719_000..23_000_000).step_by(317) {
            assert_eq!(number(date(day)), day);
        }
    }

    #[test]
    fn the_day_begins_at_midnight_in_india() {
        let midnight = 20_270 * DAY - KOLKATA;
        assert_eq!(number_at(midnight), 20_270);
        assert_eq!(number_at(midnight - 1), 20_269);
    }
}
