//! T+1, counted in settlement days.

use super::{BOTH, date};
use crate::Calendar;

#[test]
fn some_days_trade_but_do_not_settle() {
    let calendar = Calendar::bundled();
    let days = [
        "2025-02-19",
        "2025-04-01",
        "2025-05-12",
        "2025-09-08", // as listed in the data
        "2026-02-19",
        "2026-03-19",
        "2026-04-01",
        "2026-08-26", // NSE Clearing 2026
        "2025-02-01",
        "2026-02-01", // weekend sessions
        "2025-10-21", // Muhurat
    ];
    for exchange in BOTH {
        for day in days.map(date) {
            assert_eq!(calendar.is_trading_day(exchange, day), Ok(true), "{day} trades");
            assert_eq!(calendar.is_settlement_day(exchange, day), Ok(false), "{day} does not settle");
        }
        assert_eq!(calendar.is_settlement_day(exchange, date("2025-09-05")), Ok(true), "moved to the 8th");
        assert_eq!(calendar.is_settlement_day(exchange, date("2026-11-24")), Ok(false), "a trading holiday");
        assert_eq!(calendar.is_settlement_day(exchange, date("2026-11-21")), Ok(false), "a Saturday");
    }
}

/// NSE Clearing's list of 2026 has 20 weekdays: 16 trading holidays and 4 more.
#[test]
fn settlement_holidays_of_2026() {
    let calendar = Calendar::bundled();
    for exchange in BOTH {
        let settling = date("2026-01-01").iter_days().take(365);
        let count = settling.filter(|day| calendar.is_settlement_day(exchange, *day) == Ok(true)).count();
        assert_eq!(count, 261 - 20);
    }
}

#[test]
fn trades_settle_on_the_next_settlement_day() {
    let calendar = Calendar::bundled();
    let rows = [
        ("2026-02-16", "2026-02-17"), // an ordinary Monday
        ("2026-02-20", "2026-02-23"), // over a weekend
        ("2026-02-18", "2026-02-20"), // the session before a settlement holiday
        ("2026-02-19", "2026-02-20"), // and the holiday itself: both settle together
        ("2026-03-30", "2026-04-02"), // trading holiday, then annual bank closing
        ("2026-04-01", "2026-04-02"),
        ("2026-04-02", "2026-04-06"), // Good Friday and a weekend
        ("2026-08-25", "2026-08-27"),
        ("2026-01-14", "2026-01-16"), // the ad-hoc closure
        ("2026-01-30", "2026-02-02"), // over a Sunday session
        ("2026-02-01", "2026-02-02"), // of the Sunday session
        ("2025-02-01", "2025-02-03"),
        ("2025-10-20", "2025-10-23"), // Muhurat and Balipratipada
        ("2025-10-21", "2025-10-23"),
        ("2025-09-04", "2025-09-05"),
        ("2025-09-05", "2025-09-09"),
    ];
    for exchange in BOTH {
        for (trade, settles) in rows {
            assert_eq!(
                calendar.settlement_date(exchange, date(trade)),
                Ok(date(settles)),
                "{exchange} {trade}"
            );
        }
    }
}

#[test]
fn an_operator_closure_moves_settlement() {
    let calendar = Calendar::bundled().with_closure(model::Exchange::Nse, date("2026-02-17"), "ad hoc");
    assert_eq!(calendar.settlement_date(model::Exchange::Nse, date("2026-02-16")), Ok(date("2026-02-18")));
    assert_eq!(calendar.settlement_date(model::Exchange::Bse, date("2026-02-16")), Ok(date("2026-02-17")));
}
