//! A bad data file is refused, with the line that is wrong.

use super::{BOTH, date};
use crate::check::BYTES_MAX;
use crate::{Calendar, CalendarError};

const GOOD: &str = r#"version = "test"
known_from = 2026-01-01
known_until = 2026-01-31
sources = ["made up"]

[[template]]
from = 2026-01-01
source = "made up"
derivatives = { start = "09:15", end = "15:30" }
[[template.hours]]
classes = ["without-derivatives", "with-derivatives"]
closing_price = { method = "vwap", start = "15:00", end = "15:30" }
phases = [
  { phase = "pre-open", start = "09:00", end = "09:08", random_end_from = "09:07" },
  { phase = "continuous", start = "09:15", end = "15:30" },
]

[[closed]]
date = 2026-01-26
reason = "Republic Day"

[[special]]
date = 2026-01-25
kind = "special"
reason = "trial"
times = "template"
"#;

#[test]
fn a_small_file_is_a_calendar() {
    let calendar = Calendar::parse(GOOD).expect("a good file");
    assert_eq!(calendar.version(), "test");
    assert_eq!(calendar.sources(), ["made up"]);
    for exchange in BOTH {
        assert_eq!(calendar.next_trading_day(exchange, date("2026-01-23")), Ok(date("2026-01-25")));
        assert_eq!(calendar.next_trading_day(exchange, date("2026-01-25")), Ok(date("2026-01-27")));
    }
}

#[test]
fn the_bundled_file_is_good_and_names_its_sources() {
    let calendar = Calendar::parse(include_str!("../../data/india-equity.toml")).expect("a good file");
    assert_eq!(calendar.version(), Calendar::bundled().version());
    assert!(!calendar.version().is_empty() && !calendar.sources().is_empty());
}

#[test]
fn an_entry_can_speak_for_one_exchange() {
    let text = GOOD.replace("reason = \"Republic Day\"", "reason = \"Republic Day\"\nexchanges = [\"BSE\"]");
    let calendar = Calendar::parse(&text).expect("a good file");
    let [nse, bse] = BOTH.map(|exchange| calendar.is_trading_day(exchange, date("2026-01-26")));
    assert_eq!((nse, bse), (Ok(true), Ok(false)));
}

#[test]
fn a_wrong_line_is_named() {
    // what is replaced, by what, the line, a part of the message
    let rows = [
        ("sources = [\"made up\"]", "sources = [\"made up\"]\nholidays = []", 5, "unknown field `holidays`"),
        ("reason = \"Republic Day\"", "raeson = \"Republic Day\"", 20, "unknown field `raeson`"),
        ("date = 2026-01-26", "date = \"26 Jan\"", 19, "invalid type: string"),
        ("date = 2026-01-26", "date = 2026-02-26", 19, "outside 2026-01-01 to 2026-01-31"),
        ("date = 2026-01-26", "date = 2026-01-26T09:00:00", 19, "expected a date like 2026-01-26"),
        ("date = 2026-01-26", "date = 2026-13-26", 19, ""),
        ("date = 2026-01-26", "", 18, "missing field `date`"),
        ("version = \"test\"", "version = \" \"", 1, "version is empty"),
        ("version = \"test\"", "", 1, "missing field `version`"),
        ("known_until = 2026-01-31", "known_until = 2025-01-31", 3, "known_until is before known_from"),
        ("known_from = 2026-01-01", "known_from = 2025-12-01", 2, "no [[template]] for NSE is in force"),
        ("end = \"09:08\", random", "end = \"9 Uhr\", random", 14, "expected a time of day like \"09:15\""),
        ("end = \"09:08\", random", "end = \"08:08\", random", 14, "not after its start"),
        ("end = \"09:08\", random", "end = \"09:20\", random", 15, "continuous starts before pre-open ends"),
        ("random_end_from = \"09:07\"", "random_end_from = \"09:08\"", 14, "random_end_from lies outside"),
        ("phase = \"pre-open\"", "phase = \"preopen\"", 14, "unknown variant `preopen`"),
        ("phase = \"pre-open\"", "phase = \"closed\"", 14, "leave it out"),
        ("phase = \"pre-open\"", "phase = \"post-close\"", 15, "continuous cannot come after post-close"),
        ("phase = \"continuous\"", "phase = \"post-close\"", 13, "there is no \"continuous\" phase"),
        ("phase = \"continuous\"", "phase = \"pre-open\"", 15, "pre-open cannot come after pre-open"),
        (", \"with-derivatives\"]", "]", 7, "class \"with-derivatives\" are missing"),
        ("\"with-derivatives\"]", "\"without-derivatives\"]", 11, "\"without-derivatives\" are given twice"),
        ("method = \"vwap\"", "method = \"auction\"", 12, "needs band_percent"),
        ("method = \"vwap\"", "method = \"auction\", band_percent = 3", 12, "go together"),
        ("method = \"vwap\"", "method = \"vwap\", band_percent = 3", 12, "belongs to the method \"auction\""),
        ("times = \"template\"", "times = \"given\"", 26, "no [[special.hours]] follows"),
        ("times = \"template\"", "times = \"soon\"", 26, "unknown variant `soon`"),
        ("kind = \"special\"", "kind = \"drill\"", 24, "unknown variant `drill`"),
        (
            "[[closed]]",
            "[[closed]]\ndate = 2026-01-26\nreason = \"twice\"\n[[closed]]",
            22,
            "a second [[closed]] entry",
        ),
        ("date = 2026-01-26", "date = 2026-01-26\nexchanges = []", 19, "exchanges is empty"),
        ("[[template]]\n", "[[template]]\nexchanges = []\n", 8, "exchanges is empty"),
        (
            "\"15:30\" }\n[[",
            "\"15:30\", expiring_index_end = \"15:40\" }\n[[",
            9,
            "expiring_index_end lies outside",
        ),
        ("[[special]]", "[special", 22, ""),
    ];
    for (from, to, expected_line, expected) in rows {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from} is in the file");
        let error = Calendar::parse(&text).map(|_| ()).expect_err(to);
        let CalendarError::Data { line, message, .. } = &error else { panic!("{to}: {error}") };
        assert!(message.contains(expected), "{to}: {message}");
        assert_eq!(*line, expected_line, "{to}: {message}");
    }
}

#[test]
fn the_message_shows_the_line() {
    let text = GOOD.replace("date = 2026-01-26", "  date = 2026-02-26");
    let error = Calendar::parse(&text).expect_err("a wrong date");
    let expected = "the calendar file is wrong in line 19 (`date = 2026-02-26`): 2026-02-26 is outside 2026-01-01 to \
                    2026-01-31: move known_from or known_until, or remove the entry";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn not_a_calendar_at_all() {
    assert!(matches!(Calendar::parse(""), Err(CalendarError::Data { line: 1, .. })));
    assert!(matches!(Calendar::parse("\u{0}\u{1}ü"), Err(CalendarError::Data { line: 1, .. })));
    let huge = "#".repeat(BYTES_MAX + 1);
    assert_eq!(
        Calendar::parse(&huge).err(),
        Some(CalendarError::TooLarge { bytes: BYTES_MAX + 1, limit: BYTES_MAX })
    );
}
