//! Decisions, without the host: `cargo test` runs them natively.

use tradeagent_sdk::price::{Percent, round_up};

/// `profit` above the average price paid, on the next price step.
pub fn target(cost: i64, quantity: u32, profit: Percent, tick: i64) -> i64 {
    round_up(profit.above(cost / i64::from(quantity.max(1))), tick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_stands_on_a_price_step() {
        // 100.03 paid, 5 % more is 105.0315: the next step of 0.05 is 105.05.
        assert_eq!(target(10 * 1_000_300, 10, Percent::whole(5), 500), 1_050_500);
    }
}
