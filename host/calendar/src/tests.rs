//! Each dated fact about the exchanges is a row here; then searching, settlement, after-market orders,
//! warnings and bad files.

mod amo;
mod days;
mod files;
mod hours;
mod settlement;

use model::{Date, Exchange, Timestamp};

pub(crate) const BOTH: [Exchange; 2] = [Exchange::Nse, Exchange::Bse];

/// `2026-08-03`
pub(crate) fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

/// `2026-08-03 15:20`
pub(crate) fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').expect("a date and a time");
    let (hour, minute) = time.split_once(':').expect("a time");
    Timestamp::at_ist(date(day), hour.parse().expect("an hour"), minute.parse().expect("a minute"))
}
