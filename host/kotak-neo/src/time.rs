//! Times of the wire to unix seconds. Wall-clock text is Indian time, which has no summer time.

use chrono::{DateTime, NaiveDateTime};

/// Seconds that Indian time is ahead of UTC.
const IST_OFFSET_S: i64 = 19_800;

/// `22-Jan-2025 14:28:01`, `2025/01/22 14:28:01`, `2026-07-07 12:07:34.440` in IST. `None` for anything else: a
/// time that cannot be read is not known.
pub(crate) fn ist_text(text: &str) -> Option<i64> {
    const FORMATS: [&str; 3] = ["%d-%b-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f"];
    let wall = FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text.trim(), format).ok())?;
    wall.and_utc().timestamp().checked_sub(IST_OFFSET_S)
}

/// `2026-10-01T09:15:00+0530`, or the same with `+05:30`.
pub(crate) fn iso_text(text: &str) -> Option<i64> {
    let text = text.trim();
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z")
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .ok()
        .map(|time| time.timestamp())
}

/// An HTTP `Date` header.
pub(crate) fn http_date(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|time| time.timestamp())
}
