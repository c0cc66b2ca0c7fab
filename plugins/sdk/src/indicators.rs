//! Moving average and relative strength, as the shipped strategies trade by them.
//!
//! They are our own because no crate gives these figures. Over the worked example of 14 days that the tests have,
//! Wilder's RSI is 70.53 on day 15 and 57.97 on day 20; `yata` 0.7 with its RMA says 71.86 and 54.23, because it begins
//! its averages with the first change, and `ta` 0.5 says 70.29 and 46.82, because it smooths with an EMA. Both
//! compile to WebAssembly for what else they have: a strategy adds one to its own `Cargo.toml` and hands it prices as
//! floats; [`price::nearest`](crate::price::nearest) leads back.

/// An exponential moving average with alpha = 2/(n+1), seeded with its first value.
///
/// ```
/// let mut average = tradeagent_sdk::indicators::Ema::new(9);
/// assert_eq!((average.push(100.0), average.push(110.0)), (100.0, 102.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ema {
    alpha: f64,
    value: Option<f64>,
}

impl Ema {
    /// One over `n` values, still empty.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::indicators::Ema::new(9).value(), None);
    /// ```
    pub fn new(n: u32) -> Self {
        Self { alpha: 2.0 / (f64::from(n) + 1.0), value: None }
    }

    /// Takes in the next value; answers with the average.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::indicators::Ema::new(9).push(100.0), 100.0);
    /// ```
    #[inline]
    pub fn push(&mut self, value: f64) -> f64 {
        let next = match self.value {
            Some(average) => self.alpha * value + (1.0 - self.alpha) * average,
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

/// The average after one more value: what today's EMA is while today's price is `last`.
///
/// ```
/// assert_eq!(tradeagent_sdk::indicators::blend(100.0, 110.0, 9), 102.0);
/// ```
pub fn blend(average: f64, last: f64, n: u32) -> f64 {
    let alpha = 2.0 / (f64::from(n) + 1.0);
    alpha * last + (1.0 - alpha) * average
}

/// Wilder's relative strength index (New Concepts in Technical Trading Systems, 1978) of `closes`, oldest
/// first, from 0 to 100: the averages start as the mean of the first `n` changes. Nothing with fewer than
/// `n + 1` closes. 50 when nothing ever moved.
///
/// ```
/// assert_eq!(tradeagent_sdk::indicators::rsi(&[100, 110, 105], 2), Some(100.0 - 100.0 / 3.0));
/// ```
pub fn rsi(closes: &[i64], n: u32) -> Option<f64> {
    let n = n as usize;
    if n == 0 || closes.len() <= n {
        return None;
    }
    let changes = closes.windows(2).map(|pair| (pair[1] - pair[0]) as f64);
    let (mut gain, mut loss) = (0.0, 0.0);
    let count = n as f64;
    for (at, change) in changes.enumerate() {
        let (up, down) = (change.max(0.0), (-change).max(0.0));
        if at < n {
            gain += up / count;
            loss += down / count;
        } else {
            gain = (gain * (count - 1.0) + up) / count;
            loss = (loss * (count - 1.0) + down) / count;
        }
    }
    Some(match (gain == 0.0, loss == 0.0) {
        (true, true) => 50.0,
        (_, true) => 100.0,
        _ => 100.0 - 100.0 / (1.0 + gain / loss),
    })
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
    }

    #[test]
    fn a_mean_needs_all_its_values() {
        assert_eq!(mean(&[100, 1, 2, 3], 3), Some(2));
        assert_eq!(mean(&[1, 2], 3), None);
        assert_eq!(mean(&[u64::MAX, u64::MAX], 2), Some(u64::MAX));
        assert_eq!(mean(&[], 0), None);
    }
}
