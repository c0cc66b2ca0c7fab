//! When to buy and when to sell.

use tradeagent_sdk::indicators::Ema;

/// What the averages say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Nothing yet, or they are equal.
    None,
    /// The fast average is above the slow one.
    Above,
    /// The fast average is below the slow one.
    Below,
}

/// Two averages of the close.
#[derive(Debug, Clone, Copy)]
pub struct Cross {
    fast: Ema,
    slow: Ema,
    warm_up: u32,
}

impl Cross {
    /// Averages over `fast` and `slow` bars; the first signal comes with bar number `slow`.
    pub fn new(fast: u32, slow: u32) -> Self {
        Self { fast: Ema::new(fast), slow: Ema::new(slow), warm_up: slow }
    }

    /// Takes in a close in rupees.
    #[inline]
    pub fn push(&mut self, close: f64) -> Signal {
        let (fast, slow) = (self.fast.push(close), self.slow.push(close));
        if self.warm_up > 1 {
            self.warm_up -= 1;
            Signal::None
        } else if fast > slow {
            Signal::Above
        } else if fast < slow {
            Signal::Below
        } else {
            Signal::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_comes_with_the_twentieth_bar() {
        let mut cross = Cross::new(10, 20);
        let signals: Vec<_> = (1..=21).map(|n| cross.push(f64::from(n))).collect();
        assert!(signals[..19].iter().all(|signal| *signal == Signal::None));
        assert_eq!(signals[19..], [Signal::Above, Signal::Above]);
    }

    #[test]
    fn a_fall_turns_the_averages_around() {
        let mut cross = Cross::new(10, 20);
        for n in 1..=30 {
            cross.push(f64::from(n));
        }
        let turned = (1..=30).find(|n| cross.push(f64::from(30 - n)) == Signal::Below);
        // No later than the slow average has seen as many falling bars as its length.
        assert!(turned.is_some_and(|bars| bars > 1 && bars <= 20), "{turned:?}");
    }
}
