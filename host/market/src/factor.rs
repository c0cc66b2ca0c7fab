//! Corporate actions, as far as prices tell them.
//!
//! **From PREV_CLOSE** ([`FactorSource::PreviousClose`]): where the exchange publishes with day *d* another
//! previous close than the close of the session before, it has re-based the share: the factor is their
//! ratio. Compared is only across sessions whose files are all there: over a missing session every previous
//! close differs and means nothing (2025-02-01, a Saturday, would make hundreds of false breaks).
//!
//! **Inferred from the open** ([`FactorSource::Open`]): the exchange's own `sec_bhavdata_full` does *not*
//! adjust PREV_CLOSE on the ex-date of a split, bonus or demerger (a 5:1 split of May 2025 prints the old
//! close and an open of a fifth of it). No order can trade that far out of the widest fixed band (20 %), so
//! such an open proves that the share was re-based. The ratio is the simple one nearby (1:2, 1:5, ...), as
//! splits and bonuses have, else what the open itself says (a demerger). These are kept apart in every
//! report, and can be left out ([`crate::replay::ReplayOptions`]).

use model::Date;
use serde::Serialize;

/// How a factor was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorSource {
    /// The published previous close differs from the close before.
    PreviousClose,
    /// The open lies outside every band, and the published previous close was not adjusted.
    Open,
}

/// A break in a symbol's prices: from `session` on, one old rupee is `numerator / denominator` new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Factor {
    /// The first session of the new prices; effective at its open.
    pub session: Date,
    /// New price of an old one is `old * numerator / denominator`.
    pub numerator: i64,
    /// See `numerator`; never zero.
    pub denominator: i64,
    /// How it was found.
    pub source: FactorSource,
}

impl Factor {
    /// An old price in new terms, rounded to the nearest ten-thousandth.
    pub fn price(&self, old: i64) -> i64 {
        Ratio { numerator: self.numerator, denominator: self.denominator }.price(old)
    }

    /// An old number of shares in new terms, rounded down (what a holder is credited).
    pub fn shares(&self, old: u64) -> u64 {
        let new =
            u128::from(old) * self.denominator.unsigned_abs() as u128 / self.numerator.unsigned_abs() as u128;
        u64::try_from(new).unwrap_or(u64::MAX)
    }
}

/// An exact positive ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    numerator: i64,
    denominator: i64,
}

impl Ratio {
    /// No change.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// This ratio after `factor` too. Reduced; where many factors overflow, the nearest ratio that fits.
    pub fn times(self, factor: &Factor) -> Self {
        let numerator = i128::from(self.numerator) * i128::from(factor.numerator);
        let denominator = i128::from(self.denominator) * i128::from(factor.denominator);
        let divisor = gcd(numerator, denominator);
        let (mut numerator, mut denominator) = (numerator / divisor, denominator / divisor);
        // Below 2^56, a price (under 2^37) times the numerator stays within an i128 by far.
        while numerator.max(denominator) >= 1 << 56 {
            (numerator, denominator) = ((numerator >> 1).max(1), (denominator >> 1).max(1));
        }
        Self { numerator: numerator as i64, denominator: denominator as i64 }
    }

    /// Whether it changes nothing.
    pub const fn is_one(self) -> bool {
        self.numerator == self.denominator
    }

    /// `old * ratio`, rounded to the nearest ten-thousandth, at least one.
    pub fn price(self, old: i64) -> i64 {
        let denominator = i128::from(self.denominator);
        let scaled = (i128::from(old) * i128::from(self.numerator) + denominator / 2).div_euclid(denominator);
        i64::try_from(scaled).unwrap_or(i64::MAX).max(1)
    }

    /// `old / ratio`, rounded to the nearest share.
    pub fn volume(self, old: u64) -> u64 {
        let numerator = i128::from(self.numerator);
        let scaled = (i128::from(old) * i128::from(self.denominator) + numerator / 2) / numerator;
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// Differences up to this are the rounding of published prices and corrections of a paisa or two.
const TOLERANCE_UNITS: i64 = 500;
/// Or up to this part of the price (a thousandth), whichever is more.
const TOLERANCE_PART: i64 = 1_000;

/// The factor that a published previous close tells, if it differs from `close_before` by more than five
/// paise and by more than 0.1 %.
pub fn from_previous_close(session: Date, close_before: i64, prev_close: i64) -> Option<Factor> {
    let difference = (prev_close - close_before).abs();
    if prev_close <= 0
        || close_before <= 0
        || difference <= TOLERANCE_UNITS.max(close_before / TOLERANCE_PART)
    {
        return None;
    }
    Some(reduced(session, prev_close, close_before, FactorSource::PreviousClose))
}

/// Below this part of the previous close (in percent) no fixed band lets a share open.
const OPEN_BELOW_PERCENT: i64 = 79;
/// A consolidation at least doubles the price.
const OPEN_ABOVE_PERCENT: i64 = 170;
/// Below a rupee a tick is more than a percent and bands say little.
const CHEAPEST_UNITS: i64 = 10_000;
/// New price to old of usual splits, bonuses and consolidations.
const USUAL: [(i64, i64); 20] = [
    (3, 4),
    (2, 3),
    (3, 5),
    (1, 2),
    (2, 5),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 6),
    (1, 7),
    (1, 8),
    (1, 9),
    (1, 10),
    (1, 11),
    (1, 15),
    (1, 20),
    (1, 50),
    (1, 100),
    (2, 1),
    (10, 1),
];
/// A usual ratio is taken when the open is this near to it (percent).
const USUAL_WITHIN_PERCENT: i64 = 6;

/// The factor that an impossible open tells, given that the published previous close shows none.
pub fn from_open(session: Date, close_before: i64, open: i64) -> Option<Factor> {
    if close_before < CHEAPEST_UNITS || open <= 0 {
        return None;
    }
    let outside =
        open * 100 < close_before * OPEN_BELOW_PERCENT || open * 100 > close_before * OPEN_ABOVE_PERCENT;
    if !outside {
        return None;
    }
    let usual = USUAL
        .iter()
        .map(|&(numerator, denominator)| {
            let expected = close_before * numerator / denominator;
            ((open - expected).abs() * 1_000 / expected.max(1), numerator, denominator)
        })
        .min()
        .filter(|(off, ..)| *off <= USUAL_WITHIN_PERCENT * 10);
    match usual {
        Some((_, numerator, denominator)) => {
            Some(Factor { session, numerator, denominator, source: FactorSource::Open })
        }
        // Upwards, only a usual consolidation is believed: a relisted share may open anywhere.
        None if open > close_before => None,
        None => Some(reduced(session, open, close_before, FactorSource::Open)),
    }
}

fn reduced(session: Date, numerator: i64, denominator: i64, source: FactorSource) -> Factor {
    let divisor = gcd(i128::from(numerator), i128::from(denominator)) as i64;
    Factor { session, numerator: numerator / divisor, denominator: denominator / divisor, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Date {
        Date::from_ymd_opt(2025, 5, 7).expect("a date")
    }

    #[test]
    fn previous_close_beyond_rounding_is_a_factor() {
        let half = from_previous_close(day(), 2_000_000, 1_000_000).expect("a bonus");
        assert_eq!((half.numerator, half.denominator), (1, 2));
        assert_eq!(half.price(1_234_500), 617_250);
        assert_eq!(half.shares(15), 30);
        assert_eq!(from_previous_close(day(), 2_000_000, 2_000_100), None, "a paisa");
        assert_eq!(from_previous_close(day(), 2_000_000, 0), None, "unknown");
        assert!(from_previous_close(day(), 4_044_000, 4_029_000).is_some());
    }

    #[test]
    fn an_open_outside_every_band_is_a_split() {
        for (before, open, expected) in [
            (69_845_000, 13_875_000, Some((1, 5))),
            (69_965_000, 23_580_000, Some((1, 3))),
            (6_520_000, 2_590_500, Some((2, 5))),
            (8_577_500, 5_790_000, Some((2, 3))),
            (6_000_000, 4_860_000, None),
            (5_000, 2_500, None),
            (1_000_000, 1_400_000, None),
        ] {
            let found = from_open(day(), before, open).map(|factor| (factor.numerator, factor.denominator));
            assert_eq!(found, expected, "{before} {open}");
        }
        let demerger = from_open(day(), 2_689_500, 980_000).expect("far out of the band");
        assert_eq!(demerger.price(2_689_500), 980_000);
    }

    #[test]
    fn ratios_compose_exactly_and_survive_many() {
        let factor = Factor { session: day(), numerator: 1, denominator: 3, source: FactorSource::Open };
        let back = Factor { numerator: 3, denominator: 1, ..factor };
        assert!(Ratio::ONE.times(&factor).times(&back).is_one());
        assert_eq!(Ratio::ONE.times(&factor).price(100), 33);
        assert_eq!(Ratio::ONE.times(&factor).volume(10), 30);
        let odd = Factor { numerator: 999_983, denominator: 1_000_003, ..factor };
        let many = (0..50).fold(Ratio::ONE, |ratio, _| ratio.times(&odd));
        let price = many.price(10_000_000);
        let expected = 10_000_000.0 * (999_983.0_f64 / 1_000_003.0).powi(50);
        assert!((price as f64 - expected).abs() < 5.0, "{price} {expected}");
    }
}
