//! Decisions, without the host: `cargo test` runs them natively.

use tradeagent_sdk::price::{Percent, Price, Quantity};

/// `profit` above the average price paid, on the next price step; `cost` was paid for `quantity` shares.
pub fn target(cost: i64, quantity: Quantity, profit: Percent, tick: Price) -> Price {
    Price(cost / i64::from(quantity.0.max(1))).plus(profit).on_or_above(tick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_stands_on_a_price_step() {
        // 100.03 paid, 5 % more is 105.0315: the next step of 0.05 is 105.05.
        let target = target(10 * 1_000_300, Quantity(10), Percent::whole(5), Price(500));
        assert_eq!(target.to_string(), "105.05");
    }
}
