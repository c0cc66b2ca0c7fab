//! A day's bar as a stated minute path.
//!
//! Where only the daily bar is known, the day is taken to run in straight lines from the open to the
//! extreme nearer to it (the low when both are equally near), to the other extreme, to the close; each leg
//! takes a third of the session. It is one of the paths that the bar allows, the same for everyone who
//! asks, and in minute *m* only what lies before is shown. The volume is spread evenly and adds up exactly.
//!
//! Real minute bars take its place where there are any ([`crate::replay`]).

use model::{Price, Tick};

/// What traded within one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinuteBar {
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
}

/// What a watcher has seen of a day up to some minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoFar {
    /// The last price.
    pub last: Price,
    /// The highest so far.
    pub high: Price,
    /// The lowest so far.
    pub low: Price,
    /// Shares traded so far.
    pub volume: u64,
}

/// A day's bar and the minutes of its session. Every answer is O(1).
#[derive(Debug, Clone, Copy)]
pub struct Path {
    /// Open, first extreme, second extreme, close.
    corners: [i64; 4],
    /// Minute at which each corner is reached.
    reached: [u32; 4],
    low: i64,
    high: i64,
    volume: u64,
    tick: Tick,
}

impl Path {
    /// The path of a checked bar over `minutes` minutes of continuous trading, on a grid of `tick`.
    /// The four published prices are kept as they are, on the grid or not. None for no minutes.
    pub fn new(
        (open, high, low, close): (Price, Price, Price, Price),
        volume: u64,
        minutes: u32,
        tick: Tick,
    ) -> Option<Self> {
        if minutes == 0 {
            return None;
        }
        let (open, high, low, close) = (open.units(), high.units(), low.units(), close.units());
        let low_first = open - low <= high - open;
        let corners = if low_first { [open, low, high, close] } else { [open, high, low, close] };
        // At least a minute a leg where there is one; a session of one or two minutes turns within them.
        let reached = [0, minutes / 3, minutes / 3 * 2, minutes];
        Some(Self { corners, reached, low, high, volume, tick })
    }

    /// Minutes of the session.
    pub const fn minutes(&self) -> u32 {
        self.reached[3]
    }

    /// The price at the start of minute `minute`; from the end of the last minute on, the close.
    pub fn price_at(&self, minute: u32) -> Price {
        if minute >= self.minutes() {
            return Price::from_units(self.corners[3]);
        }
        // The last corner reached: with legs of no length, the later one.
        let leg = self.reached[1..3].iter().filter(|reached| minute >= **reached && **reached > 0).count();
        let (from, to) = (self.corners[leg], self.corners[leg + 1]);
        let (start, end) = (self.reached[leg], self.reached[leg + 1]);
        if minute == start || end == start {
            return Price::from_units(from);
        }
        let step = i128::from(to - from) * i128::from(minute - start) / i128::from(end - start);
        let on_grid = self.tick.round_nearest(Price::from_units(from + step as i64)).units();
        // A rounded price must not leave its leg: corners may lie off the grid.
        Price::from_units(on_grid.clamp(from.min(to), from.max(to)))
    }

    /// What trades within minute `minute`; none after the session.
    pub fn minute(&self, minute: u32) -> Option<MinuteBar> {
        if minute >= self.minutes() {
            return None;
        }
        let (open, close) = (self.price_at(minute), self.price_at(minute + 1));
        let (mut low, mut high) = (open.min(close), open.max(close));
        for (corner, reached) in self.corners.iter().zip(self.reached).take(3).skip(1) {
            // A corner at the minute's start is its open already; one inside happens only in a session
            // too short for three legs.
            if reached == minute
                || (reached == minute + 1 && minute + 1 < self.minutes())
                || self.minutes() < 3
            {
                low = low.min(Price::from_units(*corner));
                high = high.max(Price::from_units(*corner));
            }
        }
        let volume = self.volume_through(minute + 1) - self.volume_through(minute);
        Some(MinuteBar { open, high, low, close, volume })
    }

    /// What is known at the start of minute `minute`: the minutes before it, and the price it opens at.
    pub fn so_far(&self, minute: u32) -> SoFar {
        let minute = minute.min(self.minutes());
        let last = self.price_at(minute);
        let open = Price::from_units(self.corners[0]);
        let (mut low, mut high) = (open.min(last), open.max(last));
        for (corner, reached) in self.corners.iter().zip(self.reached).take(3).skip(1) {
            let passed = if self.minutes() < 3 { minute > 0 } else { minute >= reached };
            if passed {
                low = low.min(Price::from_units(*corner));
                high = high.max(Price::from_units(*corner));
            }
        }
        SoFar { last, high, low, volume: self.volume_through(minute) }
    }

    /// The day's range: for a check by the caller, not for showing before the close.
    pub const fn range(&self) -> (Price, Price) {
        (Price::from_units(self.low), Price::from_units(self.high))
    }

    fn volume_through(&self, minute: u32) -> u64 {
        (u128::from(self.volume) * u128::from(minute) / u128::from(self.minutes())) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rupees(text: &str) -> Price {
        text.parse().expect("a price")
    }

    fn tick(paise: i64) -> Tick {
        Tick::new(Price::from_paise(paise)).expect("positive")
    }

    #[test]
    fn an_ordinary_day_turns_at_its_extremes() {
        let bar = (rupees("100"), rupees("104"), rupees("99"), rupees("103.37"));
        let path = Path::new(bar, 1_000, 375, tick(5)).expect("minutes");
        assert_eq!(path.price_at(0), rupees("100"));
        assert_eq!(path.price_at(125), rupees("99"), "the low is nearer to the open");
        assert_eq!(path.price_at(250), rupees("104"));
        assert_eq!(path.price_at(375), rupees("103.37"), "the published close, on the grid or not");
        assert_eq!(path.price_at(62), rupees("99.50"));
        assert_eq!(path.so_far(10).high, rupees("100"));
        assert_eq!(path.so_far(300).low, rupees("99"));
        assert_eq!(path.minute(375), None);
    }

    #[test]
    fn the_path_so_far_does_not_know_the_close() {
        let bar = |close| (rupees("100"), rupees("104"), rupees("99"), close);
        let one = Path::new(bar(rupees("100.10")), 375_000, 375, tick(5)).expect("minutes");
        let other = Path::new(bar(rupees("103.90")), 375_000, 375, tick(5)).expect("minutes");
        for minute in 0..250 {
            assert_eq!(one.minute(minute), other.minute(minute));
        }
        assert_ne!(one.minute(300), other.minute(300));
    }

    proptest! {
        #[test]
        fn any_bar_is_kept_exactly(
            low in 1_i64..50_000_000, above in 0_i64..5_000_000, open in 0.0..=1.0, close in 0.0..=1.0,
            volume in 0_u64..1 << 50, minutes in 1_u32..400, paise in prop::sample::select(vec![1_i64, 5, 10, 50, 100]),
        ) {
            let price = |part: f64| low + (above as f64 * part) as i64;
            let high = low + above;
            let units = Price::from_units;
            let bar = (units(price(open)), units(high), units(low), units(price(close)));
            let path = Path::new(bar, volume, minutes, tick(paise)).expect("minutes");
            let minutes: Vec<MinuteBar> = (0..minutes).map(|minute| path.minute(minute).expect("within")).collect();
            prop_assert_eq!(minutes[0].open, bar.0);
            prop_assert_eq!(minutes.iter().map(|minute| minute.high).max(), Some(bar.1));
            prop_assert_eq!(minutes.iter().map(|minute| minute.low).min(), Some(bar.2));
            prop_assert_eq!(minutes[minutes.len() - 1].close, bar.3);
            prop_assert_eq!(minutes.iter().map(|minute| minute.volume).sum::<u64>(), volume);
            let mut seen = SoFar { last: bar.0, high: bar.0, low: bar.0, volume: 0 };
            for (at, minute) in minutes.iter().enumerate() {
                prop_assert!(minute.low <= minute.open.min(minute.close) && minute.high >= minute.open.max(minute.close));
                if at > 0 {
                    prop_assert_eq!(minute.open, minutes[at - 1].close);
                }
                let so_far = path.so_far(at as u32);
                prop_assert_eq!((so_far.last, so_far.volume), (minute.open, seen.volume));
                prop_assert_eq!((so_far.high, so_far.low), (seen.high.max(minute.open), seen.low.min(minute.open)));
                seen = SoFar {
                    last: minute.close, high: seen.high.max(minute.high), low: seen.low.min(minute.low),
                    volume: seen.volume + minute.volume,
                };
            }
            prop_assert_eq!(path.so_far(u32::MAX), seen);
        }
    }
}
