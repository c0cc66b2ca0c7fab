//! Decisions, without the host: `cargo test` runs them natively.

use tradeagent_sdk::price::Rupees;

/// The day in a sentence; `result` is the realised profit after charges.
pub fn summary(orders: u32, fills: u32, result: i64) -> String {
    format!("{orders} orders, {fills} fills, {} rupees after charges", Rupees(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_written_with_its_sign() {
        assert_eq!(summary(2, 1, -12_345_000), "2 orders, 1 fills, -1234.50 rupees after charges");
    }
}
