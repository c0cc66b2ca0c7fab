//! Which session an after-market order is for.

use chrono::NaiveTime;
use model::Exchange;

use super::{BOTH, at, date};
use crate::{AmoWindow, Calendar, Phase};

fn time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).expect("a time")
}

#[test]
fn an_order_is_for_the_coming_session() {
    let calendar = Calendar::bundled();
    let rows = [
        ("2026-02-16 15:45", "2026-02-17"), // the first minute of the evening
        ("2026-02-16 23:59", "2026-02-17"),
        ("2026-02-17 00:00", "2026-02-17"), // after midnight
        ("2026-02-17 08:56", "2026-02-17"),
        ("2026-02-20 16:00", "2026-02-23"), // Friday evening
        ("2026-02-21 12:00", "2026-02-23"), // all of the weekend
        ("2026-02-22 09:30", "2026-02-23"),
        ("2026-02-23 08:00", "2026-02-23"),
        ("2026-01-14 18:00", "2026-01-16"), // over a holiday
        ("2026-01-15 11:00", "2026-01-16"),
        ("2026-01-30 18:00", "2026-02-01"), // for a Sunday session
        ("2026-02-01 15:45", "2026-02-02"),
        ("2025-10-20 18:00", "2025-10-21"), // for Muhurat
        ("2025-10-21 15:45", "2025-10-23"),
    ];
    for exchange in BOTH {
        for (now, session) in rows {
            let found = calendar.amo_session(exchange, at(now), AmoWindow::default());
            assert_eq!(found, Ok(date(session)), "{exchange} {now}");
        }
    }
}

#[test]
fn not_while_the_exchange_is_at_work() {
    let calendar = Calendar::bundled();
    let rows = [
        ("2026-02-16 08:57", Phase::Closed),
        ("2026-02-16 09:05", Phase::PreOpen),
        ("2026-02-16 09:10", Phase::PreOpenMatching),
        ("2026-02-16 11:00", Phase::Continuous),
        ("2026-02-16 15:30", Phase::Closed),
        ("2026-02-16 15:44", Phase::PostClose),
        ("2026-08-03 15:20", Phase::Continuous),
        ("2026-08-03 15:32", Phase::ClosingAuctionMatching),
        ("2025-10-21 14:00", Phase::Continuous),
    ];
    for (now, phase) in rows {
        let refused = calendar.amo_session(Exchange::Nse, at(now), AmoWindow::default()).expect_err(now);
        assert_eq!(refused.phase, phase, "{now}");
        assert!(
            refused.reason.contains("from 15:45 on a day with a session, until 08:57"),
            "{}",
            refused.reason
        );
        assert!(refused.to_string().contains(phase.as_str()), "{refused}");
    }
}

#[test]
fn the_window_is_the_brokers() {
    let calendar = Calendar::bundled();
    let late = AmoWindow { from: time(16, 0), until: time(8, 58) };
    assert!(calendar.amo_session(Exchange::Nse, at("2026-02-16 15:59"), late).is_err());
    assert_eq!(calendar.amo_session(Exchange::Nse, at("2026-02-16 16:00"), late), Ok(date("2026-02-17")));
    assert_eq!(calendar.amo_session(Exchange::Nse, at("2026-02-17 08:57"), late), Ok(date("2026-02-17")));

    let backwards = AmoWindow { from: time(8, 0), until: time(16, 0) };
    let refused =
        calendar.amo_session(Exchange::Nse, at("2026-02-16 12:00"), backwards).expect_err("refused");
    assert!(refused.reason.contains("does not run across midnight"), "{}", refused.reason);
}

/// The broker would release the order into a session whose times nobody told us.
#[test]
fn not_before_a_session_without_times() {
    let calendar = Calendar::bundled();
    let window = AmoWindow::default();
    let nse = Exchange::Nse;
    assert_eq!(calendar.amo_session(nse, at("2026-11-05 18:00"), window), Ok(date("2026-11-06")));
    assert_eq!(calendar.amo_session(nse, at("2026-11-06 08:00"), window), Ok(date("2026-11-06")));
    for now in ["2026-11-06 16:00", "2026-11-07 12:00", "2026-11-08 23:00"] {
        let refused = calendar.amo_session(nse, at(now), window).expect_err(now);
        assert!(refused.reason.contains("Muhurat session is announced for 2026-11-08"), "{}", refused.reason);
    }
    assert_eq!(calendar.amo_session(nse, at("2026-11-09 00:00"), window), Ok(date("2026-11-09")));
    let closed = calendar.with_closure(nse, date("2026-11-08"), "we do not trade Muhurat");
    assert_eq!(
        closed.amo_session(nse, at("2026-11-06 16:00"), window),
        Ok(date("2026-11-09")),
        "settled by the operator"
    );
}

/// The same day with its times filled in: the evening begins when the evening session has ended.
#[test]
fn an_evening_session_moves_the_start() {
    let data = include_str!("../../data/india-equity.toml");
    let (before, _) = data.split_once("times = \"unknown\"\n").expect("the Muhurat of 2026");
    let (_, after) = data.split_once("# --- days that trade but do not settle").expect("the next part");
    let hours = "times = \"given\"\n[[special.hours]]\nclasses = [\"without-derivatives\", \"with-derivatives\"]\n\
                 closing_price = { method = \"vwap\", start = \"18:45\", end = \"19:15\" }\n\
                 phases = [{ phase = \"continuous\", start = \"18:15\", end = \"19:15\" }]\n# ";
    let calendar = Calendar::parse(&format!("{before}{hours}{after}")).expect("a good file");
    let window = AmoWindow::default();
    assert_eq!(calendar.amo_session(Exchange::Nse, at("2026-11-06 16:00"), window), Ok(date("2026-11-08")));
    let refused =
        calendar.amo_session(Exchange::Nse, at("2026-11-08 18:30"), window).expect_err("in session");
    assert_eq!(refused.phase, Phase::Continuous);
    assert!(calendar.amo_session(Exchange::Nse, at("2026-11-08 16:00"), window).is_err());
    assert_eq!(calendar.amo_session(Exchange::Nse, at("2026-11-08 19:15"), window), Ok(date("2026-11-09")));
    assert!(calendar.warnings(date("2026-11-05")).is_empty());
}

#[test]
fn the_end_of_the_calendar_is_a_refusal() {
    let calendar = Calendar::bundled();
    let window = AmoWindow::default();
    assert_eq!(calendar.amo_session(Exchange::Nse, at("2026-12-31 08:00"), window), Ok(date("2026-12-31")));
    for now in ["2026-12-31 18:00", "2027-01-01 08:00"] {
        let refused = calendar.amo_session(Exchange::Nse, at(now), window).expect_err(now);
        assert_eq!(refused.phase, Phase::Closed);
        assert!(refused.reason.contains("ends on 2026-12-31"), "{}", refused.reason);
    }
}

#[test]
fn configuration_names_both_ends() {
    let window: AmoWindow = serde_json::from_str(r#"{"from":"16:00"}"#).expect("a window");
    assert_eq!(window, AmoWindow { from: time(16, 0), until: time(8, 57) });
    assert!(serde_json::from_str::<AmoWindow>(r#"{"form":"16:00"}"#).is_err(), "a misspelt key");
}
