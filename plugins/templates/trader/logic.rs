//! Decisions, without the host: `cargo test` runs them natively.

use tradeagent_sdk::price::Percent;

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Act {
    Wait,
    Buy,
    Sell,
}

/// Buys `step` below the previous close when nothing is owned; sells `step` above what was paid.
pub fn decide(last: i64, previous_close: i64, free: u32, average: i64, step: Percent) -> Act {
    if free == 0 {
        return if average == 0 && last < step.below(previous_close) { Act::Buy } else { Act::Wait };
    }
    if last > step.above(average) { Act::Sell } else { Act::Wait }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buys_a_dip_and_sells_a_rise() {
        let step = Percent::whole(1);
        assert_eq!(decide(989_999, 1_000_000, 0, 0, step), Act::Buy);
        assert_eq!(decide(990_000, 1_000_000, 0, 0, step), Act::Wait);
        // Owned and not settled: wait.
        assert_eq!(decide(900_000, 1_000_000, 0, 950_000, step), Act::Wait);
        assert_eq!(decide(1_010_001, 1_000_000, 10, 1_000_000, step), Act::Sell);
        assert_eq!(decide(1_010_000, 1_000_000, 10, 1_000_000, step), Act::Wait);
    }
}
