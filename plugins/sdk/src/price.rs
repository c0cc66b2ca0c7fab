//! Prices and money: whole numbers of ten-thousandths of a rupee, and the price steps they stand on.

use std::fmt;

/// One rupee as a `price` or `money`.
pub const RUPEE: i64 = 10_000;

/// The highest price on a step of `tick` that is not above `price`. A tick of 0 or less leaves it as it is.
pub const fn round_down(price: i64, tick: i64) -> i64 {
    if tick <= 0 { price } else { price - price.rem_euclid(tick) }
}

/// The lowest price on a step of `tick` that is not below `price`. A tick of 0 or less leaves it as it is.
pub const fn round_up(price: i64, tick: i64) -> i64 {
    if tick <= 0 {
        return price;
    }
    match price.rem_euclid(tick) {
        0 => price,
        over => price.saturating_add(tick - over),
    }
}

/// The ten-thousandth nearest to a computed price. Without this step the last bits of a float would push a
/// price that stands on a tick to the next one.
pub fn nearest(price: f64) -> i64 {
    price.round() as i64
}

/// `price x numerator / denominator`, downwards, without overflow on the way. 0 when `denominator` is 0.
pub fn scale(price: i64, numerator: i64, denominator: i64) -> i64 {
    if denominator == 0 {
        return 0;
    }
    let wide = (i128::from(price) * i128::from(numerator)).div_euclid(i128::from(denominator));
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

/// Money as text in rupees: two decimals, four where paise are not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rupees(pub i64);

impl fmt::Display for Rupees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 10_000, self.0.unsigned_abs() % 10_000);
        if part % 100 == 0 {
            f.pad(&format!("{sign}{whole}.{:02}", part / 100))
        } else {
            f.pad(&format!("{sign}{whole}.{part:04}"))
        }
    }
}

/// A percentage, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub i64);

impl Percent {
    /// `percent` whole percent.
    pub const fn whole(percent: i64) -> Self {
        Self(percent * 100)
    }

    /// This share of `amount`, downwards.
    pub fn of(self, amount: i64) -> i64 {
        scale(amount, self.0, 10_000)
    }

    /// `price` and this much more, downwards.
    pub fn above(self, price: i64) -> i64 {
        scale(price, 10_000 + self.0, 10_000)
    }

    /// `price` less this much, downwards.
    pub fn below(self, price: i64) -> i64 {
        scale(price, 10_000 - self.0, 10_000)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match part {
            0 => write!(f, "{sign}{whole}"),
            part if part % 10 == 0 => write!(f, "{sign}{whole}.{}", part / 10),
            part => write!(f, "{sign}{whole}.{part:02}"),
        }
    }
}

/// A decimal number as a whole number of its `digits`-th decimal, exactly; nothing when it is no number, has
/// more decimals, or does not fit.
pub fn parse_decimal(text: &str, digits: u32) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) || part.len() > digits as usize {
        return None;
    }
    let missing = u32::try_from(part.len()).ok().and_then(|n| digits.checked_sub(n))?;
    let part = if part.is_empty() { 0 } else { part.parse::<i64>().ok()? };
    let value = whole
        .parse::<i64>()
        .ok()?
        .checked_mul(10_i64.checked_pow(digits)?)?
        .checked_add(part.checked_mul(10_i64.checked_pow(missing)?)?)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_the_tick_and_leaves_what_stands_on_it() {
        assert_eq!(round_up(1_234_501, 500), 1_235_000);
        assert_eq!(round_up(1_235_000, 500), 1_235_000);
        assert_eq!(round_down(1_234_999, 500), 1_234_500);
        assert_eq!(round_down(1_234_500, 500), 1_234_500);
        assert_eq!(round_up(7, 0), 7);
    }

    #[test]
    fn a_float_a_hair_above_a_tick_stays_on_it() {
        assert_eq!(round_up(nearest(1_000_000.000_000_1), 500), 1_000_000);
    }

    #[test]
    fn percentages_are_exact() {
        assert_eq!(Percent::whole(1).above(1_234_500), 1_246_845);
        assert_eq!(Percent(500).below(1_000_000), 950_000);
        assert_eq!(Percent(1).of(i64::MAX), i64::MAX / 10_000);
    }

    #[test]
    fn writes_money_to_the_paisa_and_further_only_where_needed() {
        assert_eq!(Rupees(1_234_500).to_string(), "123.45");
        assert_eq!(Rupees(-1).to_string(), "-0.0001");
        assert_eq!(Rupees(0).to_string(), "0.00");
        assert_eq!(Percent(150).to_string(), "1.5");
        assert_eq!(Percent(-25).to_string(), "-0.25");
    }

    #[test]
    fn reads_decimals_exactly_or_not_at_all() {
        assert_eq!(parse_decimal("123.45", 4), Some(1_234_500));
        assert_eq!(parse_decimal("-0.5", 2), Some(-50));
        assert_eq!(parse_decimal("7", 4), Some(70_000));
        for bad in ["", ".", "1e5", "1.23456", "--1", " 1", "1.-5", "99999999999999999"] {
            assert_eq!(parse_decimal(bad, 4), None, "{bad}");
        }
    }
}
