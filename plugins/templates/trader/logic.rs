//! Decisions, without the host: `cargo test` runs them natively.

use tradeagent_sdk::price::{Percent, Price, Quantity};

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Act {
    Wait,
    Buy,
    Sell,
}

/// Buys `step` below the previous close when nothing is owned; sells `step` above the `average` that was paid.
pub fn decide(last: Price, previous_close: Price, free: Quantity, average: Price, step: Percent) -> Act {
    if free.is_none() {
        let nothing_owned = average == Price(0);
        return if nothing_owned && last < previous_close.minus(step) { Act::Buy } else { Act::Wait };
    }
    if last > average.plus(step) { Act::Sell } else { Act::Wait }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buys_a_dip_and_sells_a_rise() {
        let decide = |last, free, average| {
            let previous_close = Price::rupees(100);
            decide(Price(last), previous_close, Quantity(free), Price(average), Percent::whole(1))
        };
        assert_eq!(decide(989_999, 0, 0), Act::Buy);
        assert_eq!(decide(990_000, 0, 0), Act::Wait);
        // Owned and not settled: wait.
        assert_eq!(decide(900_000, 0, 950_000), Act::Wait);
        assert_eq!(decide(1_010_001, 10, 1_000_000), Act::Sell);
        assert_eq!(decide(1_010_000, 10, 1_000_000), Act::Wait);
    }
}
