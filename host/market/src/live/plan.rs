//! Which sessions of a share are missing, and in which requests they are asked for. Pure.

use std::collections::BTreeMap;

use calendar::Calendar;
use chrono::{Days, NaiveDate};
use model::{Date, Exchange};

use super::port::HISTORY_DAYS_MAX;
use crate::replay::clock::session_through;
use crate::row::{Row, RowSource};
use crate::table::SourceNote;

/// A bar may come late: the last sessions are asked for again as long as they are missing.
const RECENT_SESSIONS: usize = 5;
/// A request reaches over so many days on either side that may be known already, to be compared.
const OVERLAP_DAYS: u64 = 6;
/// Days that a request covers beside its overlaps.
const SPAN_DAYS: i64 = HISTORY_DAYS_MAX - 2 * OVERLAP_DAYS as i64;

/// The last `count` sessions of `exchange` up to and including `through`, oldest first. Before the days that
/// the calendar knows every weekday counts: there a holiday is asked for once and answered with nothing.
pub fn window(calendar: &Calendar, exchange: Exchange, through: Date, count: usize) -> Vec<Date> {
    let first = session_through(calendar, exchange, through);
    let mut dates: Vec<Date> =
        std::iter::successors(first, |date| session_through(calendar, exchange, date.pred_opt()?))
            .take(count)
            .collect();
    dates.reverse();
    dates
}

/// The sessions of `window` that have to be asked for.
pub fn missing(
    window: &[Date],
    rows: &BTreeMap<Date, Row>,
    note: SourceNote,
    replace_quotes: bool,
) -> Vec<Date> {
    let settled = |date: &Date| {
        rows.get(date).is_some_and(|row| !(replace_quotes && row.source == RowSource::Quotes))
            || note.asked.is_some_and(|(from, through)| from <= *date && *date <= through)
    };
    window.iter().copied().filter(|date| !settled(date)).collect()
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

/// The requests for `missing` (ascending), newest first, none after `last` and each within the broker's
/// bound. One request bridges what is known between missing days.
pub fn spans(missing: &[Date], last: Date) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut left = missing;
    while let Some(newest) = left.last() {
        let oldest = *newest - Days::new(SPAN_DAYS.unsigned_abs() - 1);
        let kept = left.partition_point(|date| *date < oldest);
        spans.push(Span {
            from: left[kept] - Days::new(OVERLAP_DAYS),
            to: (*newest + Days::new(OVERLAP_DAYS)).min(last),
        });
        left = &left[..kept];
    }
    spans
}

/// What is known once every missing session of `window` was asked for.
pub fn asked(window: &[Date], before: Option<(Date, Date)>) -> Option<(Date, Date)> {
    let first = *window.first()?;
    let through = window.len().checked_sub(RECENT_SESSIONS + 1).map(|at| window[at]);
    match (before.filter(|(_, through)| *through >= first), through) {
        (Some((from, old)), through) => Some((from.min(first), through.map_or(old, |new| new.max(old)))),
        (None, through) => through.map(|through| (first, through)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testkit::date;

    fn row(source: RowSource) -> Row {
        Row { open: 1, high: 1, low: 1, close: 1, prev_close: 0, volume: 1, series: 0, source }
    }

    #[test]
    fn a_window_counts_sessions_and_not_days() {
        let calendar = Calendar::bundled();
        let window = window(&calendar, Exchange::Nse, date("2026-11-27"), 250);
        assert_eq!(window.len(), 250);
        assert_eq!(window.last(), Some(&date("2026-11-27")));
        assert!(!window.contains(&date("2026-01-26")), "Republic Day");
        assert!(window.contains(&date("2026-02-01")), "a Sunday with a budget");
        assert!(window.windows(2).all(|pair| pair[0] < pair[1]));
        let days = (window[249] - window[0]).num_days();
        assert!((355..=375).contains(&days), "250 sessions are about a year: {days}");
    }

    #[test]
    fn before_the_calendar_begins_weekdays_count() {
        let calendar = Calendar::bundled();
        let window = window(&calendar, Exchange::Nse, date("2025-01-02"), 4);
        assert_eq!(window, ["2024-12-30", "2024-12-31", "2025-01-01", "2025-01-02"].map(date));
    }

    #[test]
    fn requests_stay_within_the_bound_and_cover_every_missing_day() {
        let calendar = Calendar::bundled();
        let window = window(&calendar, Exchange::Nse, date("2026-11-27"), 260);
        let spans = spans(&window, date("2026-11-27"));
        assert_eq!(spans.len(), 3);
        assert_eq!(spans[0].to, date("2026-11-27"), "nothing is asked for after the last finished session");
        for span in &spans {
            assert!((span.to - span.from).num_days() < HISTORY_DAYS_MAX, "{span:?}");
        }
        for day in &window {
            assert!(spans.iter().any(|span| span.from <= *day && *day <= span.to), "{day}");
        }
        assert!(spans.windows(2).all(|pair| pair[1].to < pair[0].to), "newest first: {spans:?}");
        assert_eq!(super::spans(&[], date("2026-11-27")), []);
    }

    #[test]
    fn what_is_known_or_was_asked_for_is_not_missing() {
        let window: Vec<Date> = (2..=9).map(|day| date(&format!("2026-03-0{day}"))).collect();
        let mut rows = BTreeMap::new();
        rows.insert(window[7], row(RowSource::Quotes));
        rows.insert(window[6], row(RowSource::BrokerHistory));
        rows.insert(window[5], row(RowSource::ExchangeFile));
        let note = SourceNote { asked: Some((window[0], window[2])), quiet: None };
        assert_eq!(missing(&window, &rows, note, true), [window[3], window[4], window[7]]);
        assert_eq!(missing(&window, &rows, note, false), [window[3], window[4]]);
    }

    #[test]
    fn the_last_sessions_are_never_taken_for_asked() {
        let window: Vec<Date> = (1..=9).map(|day| date(&format!("2026-03-0{day}"))).collect();
        assert_eq!(asked(&window, None), Some((window[0], window[3])));
        assert_eq!(asked(&window[..5], None), None);
        let before = Some((date("2026-01-01"), window[0]));
        assert_eq!(asked(&window, before), Some((date("2026-01-01"), window[3])), "they touch");
        let long_ago = Some((date("2025-01-01"), date("2025-06-01")));
        assert_eq!(asked(&window, long_ago), Some((window[0], window[3])), "between them lies the unknown");
    }
}
