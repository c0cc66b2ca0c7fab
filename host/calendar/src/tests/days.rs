//! Which days trade (NSE/CMTR/65587 for 2025, NSE/CMTR/71775 and BSE 20251212-8 for 2026).

use chrono::{Datelike, Weekday};
use model::{Date, Exchange};

use super::{BOTH, date};
use crate::{Calendar, CalendarError, Day};

/// Weekday holidays, in order.
const HOLIDAYS_2025: [&str; 13] = [
    "02-26", "03-14", "03-31", "04-10", "04-14", "04-18", "05-01", "08-15", "08-27", "10-02", "10-22",
    "11-05", "12-25",
];
const HOLIDAYS_2026: [&str; 16] = [
    "01-15", "01-26", "03-03", "03-26", "03-31", "04-03", "04-14", "05-01", "05-28", "06-26", "09-14",
    "10-02", "10-20", "11-10", "11-24", "12-25",
];

fn weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn year(number: i32) -> impl Iterator<Item = Date> {
    date(&format!("{number}-01-01")).iter_days().take_while(move |day| day.year() == number)
}

fn closed_reason(calendar: &Calendar, exchange: Exchange, day: &str) -> String {
    match calendar.day(exchange, date(day)).expect("a known day") {
        Day::Closed { reason } => reason,
        Day::Open(session) => panic!("{day} trades: {session:?}"),
    }
}

/// Every day of both years, so that a date too many or too few fails. 2025-10-21 trades (Muhurat).
#[test]
fn every_day_of_two_years() {
    let calendar = Calendar::bundled();
    for (number, holidays, weekend_sessions) in
        [(2025, &HOLIDAYS_2025[..], ["2025-02-01"]), (2026, &HOLIDAYS_2026[..], ["2026-02-01"])]
    {
        for exchange in BOTH {
            for day in year(number) {
                let holiday = holidays.contains(&&day.to_string()[5..]);
                let expected = if weekend(day) {
                    weekend_sessions.contains(&day.to_string().as_str())
                } else {
                    !holiday
                };
                assert_eq!(calendar.is_trading_day(exchange, day), Ok(expected), "{exchange} {day}");
                assert_eq!(
                    calendar.session(exchange, day).expect("known").is_some(),
                    expected,
                    "{exchange} {day}"
                );
            }
            let trading =
                year(number).filter(|day| calendar.is_trading_day(exchange, *day) == Ok(true)).count();
            // 261 weekdays in either year, less the weekday holidays, and one weekend session.
            assert_eq!(trading, 261 - holidays.len() + 1);
        }
    }
}

#[test]
fn a_closed_day_says_why() {
    let rows = [
        ("2025-02-26", "Mahashivratri"),
        ("2025-10-22", "Diwali Balipratipada"),
        ("2026-01-15", "Municipal elections in Maharashtra"),
        ("2026-01-26", "Republic Day"),
        ("2026-02-15", "Sunday, Mahashivratri"),
        ("2026-03-21", "Saturday, Id-Ul-Fitr"),
        ("2026-08-15", "Saturday, Independence Day"),
        ("2026-11-07", "Saturday"),
    ];
    for exchange in BOTH {
        for (day, expected) in rows {
            let reason = closed_reason(&Calendar::bundled(), exchange, day);
            assert!(reason.starts_with(expected), "{day}: {reason}");
        }
    }
}

/// Sunday 2026-11-08: announced, times not known.
#[test]
fn a_session_without_times_is_not_traded_and_says_so() {
    let calendar = Calendar::bundled();
    for exchange in BOTH {
        let reason = closed_reason(&calendar, exchange, "2026-11-08");
        assert!(reason.contains("Muhurat session is announced but its times are not known"), "{reason}");
        assert!(reason.contains("load a calendar file"), "{reason}");
        assert_eq!(calendar.next_trading_day(exchange, date("2026-11-06")), Ok(date("2026-11-09")));
    }
}

#[test]
fn next_and_previous_skip_what_is_closed() {
    let calendar = Calendar::bundled();
    // a trading day and the next one
    let rows = [
        ("2025-01-31", "2025-02-01"),
        ("2025-02-01", "2025-02-03"),
        ("2025-04-17", "2025-04-21"),
        ("2025-10-20", "2025-10-21"),
        ("2025-10-21", "2025-10-23"),
        ("2025-12-31", "2026-01-01"),
        ("2026-01-14", "2026-01-16"),
        ("2026-01-30", "2026-02-01"),
        ("2026-03-30", "2026-04-01"),
    ];
    for exchange in BOTH {
        for (before, after) in rows {
            assert_eq!(calendar.next_trading_day(exchange, date(before)), Ok(date(after)), "after {before}");
            assert_eq!(
                calendar.previous_trading_day(exchange, date(after)),
                Ok(date(before)),
                "before {after}"
            );
        }
    }
    let nse = Exchange::Nse;
    assert_eq!(calendar.next_trading_day(nse, date("2026-01-15")), Ok(date("2026-01-16")), "from a holiday");
    assert_eq!(
        calendar.next_trading_day(nse, date("2024-12-31")),
        Ok(date("2025-01-01")),
        "from the eve of the data"
    );
    assert_eq!(calendar.previous_trading_day(nse, date("2027-01-01")), Ok(date("2026-12-31")));
}

#[test]
fn outside_the_known_range_every_question_is_an_error() {
    let calendar = Calendar::bundled();
    assert_eq!((calendar.known_from(), calendar.known_until()), (date("2025-01-01"), date("2026-12-31")));
    let nse = Exchange::Nse;
    let new_year = date("2027-01-01");
    let beyond = CalendarError::BeyondKnown { date: new_year, known_until: date("2026-12-31") };
    assert_eq!(calendar.day(nse, new_year).err(), Some(beyond.clone()));
    assert_eq!(calendar.session(nse, new_year).err(), Some(beyond.clone()));
    assert_eq!(calendar.is_trading_day(nse, new_year), Err(beyond.clone()));
    assert_eq!(calendar.is_settlement_day(nse, new_year), Err(beyond.clone()));
    assert_eq!(calendar.settlement_date(nse, new_year), Err(beyond.clone()));
    assert_eq!(calendar.next_trading_day(nse, date("2026-12-31")), Err(beyond.clone()));
    assert_eq!(calendar.settlement_date(nse, date("2026-12-31")), Err(beyond.clone()));
    let message = beyond.to_string();
    assert!(
        message.contains("ends on 2026-12-31: nothing is traded on it; load a calendar file"),
        "{message}"
    );

    let before = CalendarError::BeforeKnown { date: date("2024-12-31"), known_from: date("2025-01-01") };
    assert_eq!(calendar.day(nse, date("2024-12-31")).err(), Some(before.clone()));
    assert_eq!(calendar.previous_trading_day(nse, date("2025-01-01")), Err(before));
    assert!(calendar.previous_trading_day(nse, Date::MIN).is_err(), "the first of all dates");
    assert!(calendar.next_trading_day(nse, Date::MAX).is_err(), "the last of all dates");
}

#[test]
fn the_operator_adds_a_closure() {
    let bundled = Calendar::bundled();
    let wednesday = date("2026-11-18");
    let closed = bundled.clone().with_closure(Exchange::Nse, wednesday, "state elections");
    let reason = closed_reason(&closed, Exchange::Nse, "2026-11-18");
    assert_eq!(reason, "closed by the operator: state elections");
    assert_eq!(closed.is_trading_day(Exchange::Nse, wednesday), Ok(false));
    assert_eq!(closed.is_settlement_day(Exchange::Nse, wednesday), Ok(false));
    assert_eq!(closed.next_trading_day(Exchange::Nse, date("2026-11-17")), Ok(date("2026-11-19")));
    assert_eq!(closed.is_trading_day(Exchange::Bse, wednesday), Ok(true), "the other exchange");
    assert_eq!(bundled.is_trading_day(Exchange::Nse, wednesday), Ok(true), "the original");

    let sunday = closed.with_closure(Exchange::Nse, date("2026-02-01"), "test");
    assert_eq!(
        sunday.is_trading_day(Exchange::Nse, date("2026-02-01")),
        Ok(false),
        "outranks a special session"
    );
    let beyond = sunday.with_closure(Exchange::Nse, date("2027-01-26"), "Republic Day");
    assert!(beyond.day(Exchange::Nse, date("2027-01-26")).is_err(), "does not extend what is known");
}

#[test]
fn warns_weeks_ahead() {
    let calendar = Calendar::bundled();
    let nothing: [String; 0] = [];
    assert_eq!(calendar.warnings(date("2026-10-31")), nothing);
    assert_eq!(calendar.warnings(date("2026-11-18")), nothing, "43 days");
    let end = |day: &str| {
        let warnings = calendar.warnings(date(day));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        warnings[0].clone()
    };
    assert!(end("2026-11-19").starts_with("the calendar ends on 2026-12-31, in 42 days: "));
    assert!(end("2026-11-24").starts_with("the calendar ends on 2026-12-31, in 37 days: "));
    assert!(end("2026-12-30").starts_with("the calendar ends on 2026-12-31, in 1 day: "));
    assert!(end("2026-12-31").starts_with("the calendar ends on 2026-12-31, today: "));
    assert!(end("2027-01-05").starts_with("the calendar ended on 2026-12-31: nothing is traded; load "));

    for (day, count) in [("2026-11-01", 2), ("2026-11-08", 2), ("2026-11-09", 0)] {
        let warnings = calendar.warnings(date(day));
        assert_eq!(warnings.len(), count, "{day}: {warnings:?}");
        assert!(
            warnings.iter().all(|warning| warning.contains("Muhurat session for 2026-11-08")),
            "{warnings:?}"
        );
    }
}
