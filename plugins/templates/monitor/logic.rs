//! Decisions, without the host: `cargo test` runs them natively.

use tradeagent_sdk::price::Percent;

/// Whether `last` is more than `fall` below the average price paid: `cost` for `quantity` shares.
pub fn has_fallen(cost: i64, quantity: u32, last: i64, fall: Percent) -> bool {
    quantity > 0 && last < fall.below(cost / i64::from(quantity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_of_more_than_five_percent_is_told() {
        let cost = 10 * 1_000_000;
        assert!(has_fallen(cost, 10, 949_999, Percent::whole(5)));
        assert!(!has_fallen(cost, 10, 950_000, Percent::whole(5)));
        assert!(!has_fallen(0, 0, 1, Percent::whole(5)));
    }
}
