//! What is kept of a position for the rest of the day. One line of text per symbol in `state`, written when
//! it changes.

use tradeagent_sdk::store;

/// What is kept of one position today.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The lowest price asked today; 0: none yet.
    pub low: i64,
    /// The first number that may be used for a new order; 0: any.
    pub number_min: u32,
    /// What was last reported as skipped; empty: nothing.
    pub why: String,
}

const PREFIX: &str = "day:";

fn day_prefix(day: &str) -> String {
    format!("{PREFIX}{day}:")
}

/// Throws away what is kept of other days.
pub fn forget_other_days(day: &str) {
    store::forget_all_but(PREFIX, &day_prefix(day));
}

/// What is kept of `symbol`.
pub fn load(day: &str, symbol: &str) -> Kept {
    store::text(&(day_prefix(day) + symbol)).map(|text| parse(&text)).unwrap_or_default()
}

/// Keeps it.
pub fn save(day: &str, symbol: &str, kept: &Kept) {
    store::set_text(&(day_prefix(day) + symbol), &write(kept));
}

fn write(kept: &Kept) -> String {
    format!("{};{};{}", kept.low, kept.number_min, kept.why)
}

fn parse(text: &str) -> Kept {
    let mut parts = text.splitn(3, ';');
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok()).unwrap_or(0);
    let (low, number_min) = (number(), number());
    let why = parts.next().unwrap_or_default().to_owned();
    Kept { low, number_min: u32::try_from(number_min).unwrap_or(0), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was_kept() {
        let kept = Kept { low: 1_234_500, number_min: 3, why: "no price; or so".to_owned() };
        assert_eq!(parse(&write(&kept)), kept);
        assert_eq!(parse("rubbish"), Kept::default());
    }
}
