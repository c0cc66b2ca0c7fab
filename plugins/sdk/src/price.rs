//! Prices and money: whole numbers of ten-thousandths of a rupee, and the price steps they stand on.
//!
//! The contract carries plain numbers. [`Price`] and [`Quantity`] keep them apart in a strategy's own code; both
//! are made `from` the number and hold it as `.0`.
//!
//! ```
//! use tradeagent_sdk::price::{Percent, Price, Quantity, Rupees};
//!
//! let (last, tick) = (Price::from(1_234_500), Price::from(500)); // as a quote and an instrument have them
//! let limit = last.minus(Percent::whole(1)).on_or_below(tick);
//! assert_eq!(limit.to_string(), "122.20");
//! let quantity = Quantity::affordable(Rupees::whole(5_000), limit);
//! assert_eq!((quantity, limit * quantity), (Quantity(40), Rupees::whole(4_888)));
//! ```

use std::fmt;
use std::ops::{Add, Mul, Sub};
use std::str::FromStr;

pub use crate::quantity::Quantity;

/// One rupee as a `price` or `money`.
///
/// ```
/// use tradeagent_sdk::price::{RUPEE, Rupees};
/// assert_eq!(Rupees(20 * RUPEE).to_string(), "20.00");
/// ```
pub const RUPEE: i64 = 10_000;

/// The highest price on a step of `tick` that is not above `price`. A tick of 0 or less leaves it as it is.
///
/// ```
/// assert_eq!(tradeagent_sdk::price::round_down(1_234_999, 500), 1_234_500);
/// ```
pub const fn round_down(price: i64, tick: i64) -> i64 {
    if tick <= 0 { price } else { price - price.rem_euclid(tick) }
}

/// The lowest price on a step of `tick` that is not below `price`. A tick of 0 or less leaves it as it is.
///
/// ```
/// assert_eq!(tradeagent_sdk::price::round_up(1_234_501, 500), 1_235_000);
/// ```
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
///
/// ```
/// assert_eq!(tradeagent_sdk::price::nearest(1_000_000.000_000_1), 1_000_000);
/// ```
pub fn nearest(price: f64) -> i64 {
    price.round() as i64
}

/// `price x numerator / denominator`, downwards, without overflow on the way. 0 when `denominator` is 0.
///
/// ```
/// assert_eq!(tradeagent_sdk::price::scale(1_000_000, 2, 3), 666_666);
/// ```
pub fn scale(price: i64, numerator: i64, denominator: i64) -> i64 {
    if denominator == 0 {
        return 0;
    }
    let wide = (i128::from(price) * i128::from(numerator)).div_euclid(i128::from(denominator));
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

/// Money. As text in rupees: two decimals, four where paise are not enough.
///
/// ```
/// use tradeagent_sdk::price::Rupees;
/// assert_eq!(Rupees::whole(20).to_string(), "20.00");
/// assert_eq!(Rupees(-1).to_string(), "-0.0001");
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rupees(pub i64);

impl Rupees {
    /// So many whole rupees.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::price::Rupees::whole(2).0, 20_000);
    /// ```
    pub const fn whole(rupees: i64) -> Self {
        Self(rupees.saturating_mul(RUPEE))
    }
}

/// A price per share.
///
/// Sums and differences stop at the ends of the number's range instead of wrapping around.
///
/// ```
/// use tradeagent_sdk::price::Price;
/// let price: Price = "99.95".parse().unwrap();
/// assert_eq!(price, Price::rupees(100) - Price::from(500));
/// assert_eq!(price.to_string(), "99.95");
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(pub i64);

impl Price {
    /// So many whole rupees.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::price::Price::rupees(2).0, 20_000);
    /// ```
    pub const fn rupees(rupees: i64) -> Self {
        Self(rupees.saturating_mul(RUPEE))
    }

    /// Whether it stands on a step of `tick`. On a tick of 0 or less everything does.
    ///
    /// ```
    /// use tradeagent_sdk::price::Price;
    /// assert!(Price(1_234_500).is_on(Price(500)) && !Price(1_234_501).is_on(Price(500)));
    /// ```
    pub const fn is_on(self, tick: Self) -> bool {
        tick.0 <= 0 || self.0.rem_euclid(tick.0) == 0
    }

    /// The highest price on a step that is not above it.
    ///
    /// ```
    /// use tradeagent_sdk::price::Price;
    /// assert_eq!(Price(1_234_999).on_or_below(Price(500)), Price(1_234_500));
    /// ```
    pub const fn on_or_below(self, tick: Self) -> Self {
        Self(round_down(self.0, tick.0))
    }

    /// The lowest price on a step that is not below it.
    ///
    /// ```
    /// use tradeagent_sdk::price::Price;
    /// assert_eq!(Price(1_234_501).on_or_above(Price(500)), Price(1_235_000));
    /// ```
    pub const fn on_or_above(self, tick: Self) -> Self {
        Self(round_up(self.0, tick.0))
    }

    /// The nearest price on a step; half way, the higher one.
    ///
    /// ```
    /// use tradeagent_sdk::price::Price;
    /// assert_eq!(Price(1_234_749).nearest(Price(500)), Price(1_234_500));
    /// assert_eq!(Price(1_234_750).nearest(Price(500)), Price(1_235_000));
    /// ```
    pub const fn nearest(self, tick: Self) -> Self {
        Self(round_down(self.0.saturating_add(if tick.0 > 0 { tick.0 / 2 } else { 0 }), tick.0))
    }

    /// So many steps up, or down when negative. What stands on a step stays on one.
    ///
    /// ```
    /// use tradeagent_sdk::price::Price;
    /// assert_eq!(Price(1_234_500).ticks(-2, Price(500)), Price(1_233_500));
    /// ```
    pub const fn ticks(self, steps: i64, tick: Self) -> Self {
        Self(self.0.saturating_add(tick.0.saturating_mul(steps)))
    }

    /// This much more, rounded down to a ten-thousandth.
    ///
    /// ```
    /// use tradeagent_sdk::price::{Percent, Price};
    /// assert_eq!(Price::rupees(200).plus(Percent(150)), Price::rupees(203));
    /// ```
    pub fn plus(self, share: Percent) -> Self {
        Self(share.above(self.0))
    }

    /// This much less, rounded down to a ten-thousandth.
    ///
    /// ```
    /// use tradeagent_sdk::price::{Percent, Price};
    /// assert_eq!(Price::rupees(200).minus(Percent(150)), Price::rupees(197));
    /// ```
    pub fn minus(self, share: Percent) -> Self {
        Self(share.below(self.0))
    }
}

impl From<i64> for Price {
    fn from(price: i64) -> Self {
        Self(price)
    }
}

impl From<Price> for i64 {
    fn from(price: Price) -> Self {
        price.0
    }
}

impl Add for Price {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Price {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<Quantity> for Price {
    type Output = Rupees;

    fn mul(self, quantity: Quantity) -> Rupees {
        Rupees(self.0.saturating_mul(i64::from(quantity.0)))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rupees(self.0).fmt(f)
    }
}

/// A text that is no price or quantity.
///
/// ```
/// use tradeagent_sdk::price::{Price, Quantity};
/// assert_eq!("1e5".parse::<Price>().unwrap_err().to_string(), "`1e5` is no price such as 99.95");
/// assert_eq!("-1".parse::<Quantity>().unwrap_err().to_string(), "`-1` is no number of shares such as 10");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    pub(crate) text: String,
    pub(crate) expected: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no {}", self.text, self.expected)
    }
}

impl std::error::Error for ParseError {}

impl FromStr for Price {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError { text: text.to_owned(), expected: "price such as 99.95" };
        parse_decimal(text, 4).map(Self).ok_or_else(error)
    }
}

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
///
/// ```
/// assert_eq!(tradeagent_sdk::price::Percent(150).to_string(), "1.5");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub i64);

impl Percent {
    /// `percent` whole percent.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::price::Percent::whole(5).0, 500);
    /// ```
    pub const fn whole(percent: i64) -> Self {
        Self(percent * 100)
    }

    /// This share of `amount`, downwards.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::price::Percent(250).of(1_000_000), 25_000);
    /// ```
    pub fn of(self, amount: i64) -> i64 {
        scale(amount, self.0, 10_000)
    }

    /// `price` and this much more, downwards.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::price::Percent::whole(1).above(1_234_500), 1_246_845);
    /// ```
    pub fn above(self, price: i64) -> i64 {
        scale(price, 10_000 + self.0, 10_000)
    }

    /// `price` less this much, downwards.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::price::Percent::whole(5).below(1_000_000), 950_000);
    /// ```
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
///
/// ```
/// use tradeagent_sdk::price::parse_decimal;
/// assert_eq!((parse_decimal("123.45", 4), parse_decimal("1.23456", 4)), (Some(1_234_500), None));
/// ```
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
