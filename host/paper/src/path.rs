//! The price path within a minute, and how much of its volume is for us.
//!
//! A minute bar is a stated path of four points: its open at second 0, the extreme nearer the open at
//! second 20, the other extreme at second 40, its close at second 59. A point exists from its instant on,
//! and an order can only meet points later than its own arrival: what happens at an instant depends on
//! nothing after the end of the minute that holds it, and the minutes are the finest data there is.

use market::MinuteBar;
use model::time::SECOND;
use model::{Date, Price, Symbol, Timestamp};

/// Points of a minute.
pub(crate) const POINTS: u32 = 4;
/// Their seconds.
const SECONDS: [i64; POINTS as usize] = [0, 20, 40, 59];

/// A point of the session's path: minute from the open, and place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PathPoint {
    pub minute: u32,
    pub place: u32,
}

impl PathPoint {
    /// When it is, in a session that opens at `open`.
    pub const fn at(self, open: Timestamp) -> Timestamp {
        open.plus_nanos((self.minute as i64 * 60 + SECONDS[self.place as usize]) * SECOND)
    }

    /// The first point later than `now`.
    pub fn after(open: Timestamp, now: Timestamp) -> Self {
        let passed = now.nanos_since(open);
        if passed < 0 {
            return Self { minute: 0, place: 0 };
        }
        let minute = u32::try_from(passed / (60 * SECOND)).unwrap_or(u32::MAX - 1);
        let within = passed % (60 * SECOND);
        match SECONDS.iter().position(|second| second * SECOND > within) {
            Some(place) => Self { minute, place: place as u32 },
            None => Self { minute: minute + 1, place: 0 },
        }
    }
}

/// The price of `bar` at its `place`-th point.
pub(crate) fn price_at(bar: &MinuteBar, place: u32) -> Price {
    let low_first = (bar.open - bar.low).abs() <= (bar.high - bar.open).abs();
    match (place, low_first) {
        (0, _) => bar.open,
        (1, true) | (2, false) => bar.low,
        (1, false) | (2, true) => bar.high,
        _ => bar.close,
    }
}

/// `percent` of a minute's `volume`. The fraction of a share is rounded up or down by a draw that depends
/// on seed, symbol, session and minute alone, so that thinly traded shares are not shut out and no order
/// changes another's luck.
pub(crate) fn volume_share(
    volume: u64,
    percent: u32,
    seed: u64,
    symbol: &Symbol,
    session: Date,
    minute: u32,
) -> u64 {
    let hundredths = u128::from(volume) * u128::from(percent);
    let whole = (hundredths / 100) as u64;
    let rest = (hundredths % 100) as u64;
    if rest == 0 {
        return whole;
    }
    let mut draw = model::clock::Rng::new(seed).fork(&format!("volume/{symbol}/{session}/{minute}"));
    whole + u64::from(draw.below(100) < rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(open: i64, high: i64, low: i64, close: i64) -> MinuteBar {
        let [open, high, low, close] = [open, high, low, close].map(Price::from_rupees);
        MinuteBar { open, high, low, close, volume: 1_000 }
    }

    #[test]
    fn the_nearer_extreme_comes_first() {
        for (bar, path) in [
            (bar(100, 110, 98, 105), [100, 98, 110, 105]),
            (bar(100, 102, 90, 95), [100, 102, 90, 95]),
            (bar(100, 100, 100, 100), [100, 100, 100, 100]),
        ] {
            let seen: Vec<Price> = (0..POINTS).map(|place| price_at(&bar, place)).collect();
            assert_eq!(seen, path.map(Price::from_rupees));
        }
    }

    #[test]
    fn an_order_meets_only_later_points() {
        let open = Timestamp::at_ist(Date::from_ymd_opt(2025, 3, 4).expect("a date"), 9, 15);
        for (nanos, minute, place) in [
            (-1, 0, 0),
            (0, 0, 1),
            (20 * SECOND - 1, 0, 1),
            (20 * SECOND, 0, 2),
            (59 * SECOND, 1, 0),
            (60 * SECOND, 1, 1),
        ] {
            let point = PathPoint::after(open, open.plus_nanos(nanos));
            assert_eq!(point, PathPoint { minute, place }, "{nanos}");
            assert!(point.at(open).nanos_since(open) > nanos);
        }
    }

    #[test]
    fn a_tenth_of_five_shares_is_sometimes_one() {
        let symbol = Symbol::from("THIN");
        let day = Date::from_ymd_opt(2025, 3, 4).expect("a date");
        let total: u64 = (0..1_000).map(|minute| volume_share(5, 10, 7, &symbol, day, minute)).sum();
        assert!((400..600).contains(&total), "{total}");
        assert_eq!(volume_share(1_000, 10, 7, &symbol, day, 0), 100);
        assert_eq!(volume_share(0, 10, 7, &symbol, day, 0), 0);
    }
}
