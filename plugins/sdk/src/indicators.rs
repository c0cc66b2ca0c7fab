//! Moving average and relative strength, as the shipped strategies trade by them, and [`kand`] for all others.
//!
//! The arithmetic is `kand`'s, which follows TA-Lib. What is here adds what a strategy needs beside it: integer prices
//! in, nothing instead of an error when the history is too short, and an average that begins with its first value, as
//! the moving average of a chart does. From a float, [`price::nearest`](crate::price::nearest) leads back.
//!
//! ```
//! use tradeagent_sdk::indicators::kand::ohlcv::atr::atr;
//! # fn main() -> Result<(), tradeagent_sdk::indicators::kand::KandError> {
//! let (high, low, close) = ([102.0, 104.0, 103.0], [100.0, 101.0, 100.0], [101.0, 103.0, 101.0]);
//! let mut range = [0.0; 3];
//! atr(&high, &low, &close, 2, &mut range)?;
//! assert_eq!(range[2], 3.0);
//! # Ok(())
//! # }
//! ```

pub use kand;
use kand::ohlcv::{ema::ema_inc, rsi};

/// An exponential moving average with alpha = 2/(n+1), seeded with its first value.
///
/// ```
/// let mut average = tradeagent_sdk::indicators::Ema::new(9);
/// assert_eq!((average.push(100.0), average.push(110.0)), (100.0, 102.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ema {
    period: u32,
    value: Option<f64>,
}

impl Ema {
    /// One over `n` values, still empty.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::indicators::Ema::new(9).value(), None);
    /// ```
    pub fn new(n: u32) -> Self {
        Self { period: n, value: None }
    }

    /// Takes in the next value; answers with the average.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::indicators::Ema::new(9).push(100.0), 100.0);
    /// ```
    #[inline]
    pub fn push(&mut self, value: f64) -> f64 {
        let next = match self.value {
            Some(average) => blend(average, value, self.period),
            None => value,
        };
        self.value = Some(next);
        next
    }

    /// The average so far.
    ///
    /// ```
    /// let mut average = tradeagent_sdk::indicators::Ema::new(9);
    /// average.push(100.0);
    /// assert_eq!(average.value(), Some(100.0));
    /// ```
    pub const fn value(&self) -> Option<f64> {
        self.value
    }
}

/// The average of all `values`, oldest first; nothing when there are none.
///
/// ```
/// assert_eq!(tradeagent_sdk::indicators::ema(&[100, 110], 9), Some(102.0));
/// ```
pub fn ema(values: &[i64], n: u32) -> Option<f64> {
    let mut average = Ema::new(n);
    for value in values {
        average.push(*value as f64);
    }
    average.value()
}

/// The average after one more value: what today's EMA is while today's price is `last`. Over one value or none
/// that is the value.
///
/// ```
/// assert_eq!(tradeagent_sdk::indicators::blend(100.0, 110.0, 9), 102.0);
/// ```
#[inline]
pub fn blend(average: f64, last: f64, n: u32) -> f64 {
    ema_inc(last, average, n as usize, None).unwrap_or(last)
}

/// Wilder's relative strength index (New Concepts in Technical Trading Systems, 1978) of `closes`, oldest
/// first, from 0 to 100: the averages start as the mean of the first `n` changes. Nothing with fewer than
/// `n + 1` closes, or with `n` under 2. 50 when nothing ever moved.
///
/// ```
/// assert_eq!(tradeagent_sdk::indicators::rsi(&[100, 110, 105], 2), Some(100.0 - 100.0 / 3.0));
/// ```
pub fn rsi(closes: &[i64], n: u32) -> Option<f64> {
    let prices: Vec<f64> = closes.iter().map(|close| *close as f64).collect();
    let empty = || vec![0.0; prices.len()];
    let (mut strength, mut gain, mut loss) = (empty(), empty(), empty());
    rsi::rsi(&prices, n as usize, &mut strength, &mut gain, &mut loss).ok()?;
    // Where nothing was lost `kand` says 100, whether anything was gained or not.
    let still = *gain.last()? == 0.0 && *loss.last()? == 0.0;
    if still { Some(50.0) } else { strength.last().copied() }
}

/// The mean of the last `n` values; nothing when there are fewer.
///
/// ```
/// assert_eq!(tradeagent_sdk::indicators::mean(&[100, 1, 2, 3], 3), Some(2));
/// ```
pub fn mean(values: &[u64], n: u32) -> Option<u64> {
    let tail = values.get(values.len().checked_sub(n as usize)?..)?;
    let sum = tail.iter().map(|value| u128::from(*value)).sum::<u128>();
    u64::try_from(sum.checked_div(u128::from(n))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_seeds_the_average() {
        let mut average = Ema::new(9);
        assert_eq!(average.push(100.0), 100.0);
        assert_eq!(average.push(110.0), 0.2 * 110.0 + 0.8 * 100.0);
        assert_eq!(blend(100.0, 110.0, 1), 110.0);
        assert_eq!(ema(&[100, 110], 9), average.value());
        assert_eq!(ema(&[], 9), None);
        assert_eq!(blend(100.0, 110.0, 9), 102.0);
    }

    /// The closes and figures of the worked 14-day example that StockCharts publishes in "Relative Strength
    /// Index (RSI)"; it keeps two decimals, we all.
    #[test]
    fn relative_strength_matches_a_published_example() {
        let closes = [
            443_389, 440_902, 441_497, 436_124, 443_278, 448_264, 450_955, 454_245, 458_433, 460_826,
            458_931, 460_328, 456_140, 462_820, 462_820, 460_028, 460_328, 464_116, 462_222, 456_439,
        ];
        let at = |days: usize| rsi(&closes[..days], 14).expect("enough closes");
        assert!((at(15) - 70.53).abs() < 0.02, "{}", at(15));
        assert!((at(16) - 66.32).abs() < 0.02, "{}", at(16));
        assert!((at(20) - 57.97).abs() < 0.1, "{}", at(20));
    }

    #[test]
    fn relative_strength_at_its_ends() {
        assert_eq!(rsi(&[1, 2, 3], 2), Some(100.0));
        assert_eq!(rsi(&[3, 2, 1], 2), Some(0.0));
        assert_eq!(rsi(&[5, 5, 5], 2), Some(50.0));
        assert_eq!(rsi(&[1, 2], 2), None);
        assert_eq!(rsi(&[], 2), None);
        assert_eq!(rsi(&[1, 2, 3], 1), None);
    }

    #[test]
    fn a_mean_needs_all_its_values() {
        assert_eq!(mean(&[100, 1, 2, 3], 3), Some(2));
        assert_eq!(mean(&[1, 2], 3), None);
        assert_eq!(mean(&[u64::MAX, u64::MAX], 2), Some(u64::MAX));
        assert_eq!(mean(&[], 0), None);
    }
}
