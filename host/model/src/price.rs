//! Exact prices, money and quantities.
//!
//! Unit: ten-thousandths of a rupee in an `i64` (exact; ticks are 0.01 to 5.00). A price cannot be
//! added to a quantity, and a price times a quantity is [`Money`].

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ten-thousandths in a rupee.
pub const UNITS_PER_RUPEE: i64 = 10_000;
/// Ten-thousandths in a paisa.
pub const UNITS_PER_PAISA: i64 = 100;

/// A text that is not an exact amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not a decimal number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// More than four decimals, so it cannot be held exactly.
    #[error("`{0}` has more than four decimals")]
    TooFine(String),
    /// Outside the range of an `i64` of ten-thousandths.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

fn parse_units(text: &str) -> Result<i64, PriceError> {
    let trimmed = text.trim();
    // The ordinary shape (`-123.45`) without the detour over Decimal: importers parse millions.
    if let Some(units) = parse_plain(trimmed) {
        return Ok(units);
    }
    let decimal = Decimal::from_str(trimmed)
        .or_else(|_| Decimal::from_scientific(trimmed))
        .map_err(|_| PriceError::NotANumber(text.to_owned()))?;
    let scaled = decimal
        .checked_mul(Decimal::from(UNITS_PER_RUPEE))
        .ok_or_else(|| PriceError::TooLarge(text.to_owned()))?;
    if !scaled.fract().is_zero() {
        return Err(PriceError::TooFine(text.to_owned()));
    }
    i64::try_from(scaled.trunc()).map_err(|_| PriceError::TooLarge(text.to_owned()))
}

fn parse_plain(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || whole.len() > 13 || fraction.len() > 4 {
        return None;
    }
    let mut units = 0_i64;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        units = units * 10 + i64::from(byte - b'0');
    }
    for _ in fraction.len()..4 {
        units *= 10;
    }
    Some(if negative { -units } else { units })
}

fn write_units(f: &mut fmt::Formatter<'_>, units: i64) -> fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    let units = units.unsigned_abs();
    let (whole, fraction) = (units / 10_000, units % 10_000);
    let text = if fraction % 100 == 0 {
        format!("{sign}{whole}.{:02}", fraction / 100)
    } else {
        format!("{sign}{whole}.{fraction:04}")
    };
    f.pad(&text)
}

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// From ten-thousandths of a rupee.
            pub const fn from_units(units: i64) -> Self {
                Self(units)
            }

            /// From paise.
            pub const fn from_paise(paise: i64) -> Self {
                Self(paise * UNITS_PER_PAISA)
            }

            /// From whole rupees.
            pub const fn from_rupees(rupees: i64) -> Self {
                Self(rupees * UNITS_PER_RUPEE)
            }

            /// In ten-thousandths of a rupee.
            pub const fn units(self) -> i64 {
                self.0
            }

            /// The nearest `f64` of rupees: for indicators and charts, never for accounts.
            pub fn as_rupees_f64(self) -> f64 {
                self.0 as f64 / UNITS_PER_RUPEE as f64
            }

            /// The size without the sign.
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// Whether it is above zero.
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// Whether it is zero.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_units(f, self.0)
            }
        }
        impl FromStr for $name {
            type Err = PriceError;
            fn from_str(text: &str) -> Result<Self, PriceError> {
                parse_units(text).map(Self)
            }
        }
        /// As a decimal text (`"123.45"`), which no JSON reader rounds.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an amount in rupees, such as 1234.50")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_i64<E: serde::de::Error>(self, rupees: i64) -> Result<$name, E> {
                        rupees
                            .checked_mul(UNITS_PER_RUPEE)
                            .map($name)
                            .ok_or_else(|| E::custom(PriceError::TooLarge(rupees.to_string())))
                    }
                    fn visit_u64<E: serde::de::Error>(self, rupees: u64) -> Result<$name, E> {
                        i64::try_from(rupees)
                            .map_err(|_| E::custom(PriceError::TooLarge(rupees.to_string())))
                            .and_then(|rupees| self.visit_i64(rupees))
                    }
                    fn visit_f64<E: serde::de::Error>(self, rupees: f64) -> Result<$name, E> {
                        rupees.to_string().parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    };
}

amount! {
    /// The price of one share.
    Price
}
amount! {
    /// An amount of money: cash, a value, a charge, a profit.
    Money
}

impl Price {
    /// This price times `1 + percent / 100`, where `percent` is in hundredths of a percent
    /// (basis points), rounded toward zero to a ten-thousandth.
    pub fn plus_bps(self, bps: i64) -> Self {
        let units = i128::from(self.0) * i128::from(10_000 + bps) / 10_000;
        Self(units as i64)
    }

    /// From an `f64` of rupees, rounded to the nearest ten-thousandth; `None` for NaN, infinities
    /// and what does not fit.
    pub fn from_rupees_f64(rupees: f64) -> Option<Self> {
        let units = (rupees * UNITS_PER_RUPEE as f64).round();
        (units.is_finite() && units.abs() < 9.0e18).then_some(Self(units as i64))
    }
}

impl Money {
    /// Rounded half away from zero to the paisa.
    pub fn round_to_paisa(self) -> Self {
        let half = UNITS_PER_PAISA / 2 * self.0.signum();
        Self((self.0 + half) / UNITS_PER_PAISA * UNITS_PER_PAISA)
    }

    /// Rounded half away from zero to the rupee.
    pub fn round_to_rupee(self) -> Self {
        let half = UNITS_PER_RUPEE / 2 * self.0.signum();
        Self((self.0 + half) / UNITS_PER_RUPEE * UNITS_PER_RUPEE)
    }

    /// `self * numerator / denominator`, rounded half away from zero to a ten-thousandth.
    pub fn scale(self, numerator: i64, denominator: i64) -> Self {
        let product = i128::from(self.0) * i128::from(numerator);
        let denominator = i128::from(denominator);
        let half = denominator / 2 * product.signum();
        Self(((product + half) / denominator) as i64)
    }

    /// The price per share that makes up this value, rounded half away from zero.
    pub fn per_share(self, quantity: Quantity) -> Price {
        if quantity.is_zero() {
            return Price::ZERO;
        }
        Price(self.scale(1, i64::from(quantity.get())).0)
    }
}

impl Mul<Quantity> for Price {
    type Output = Money;
    fn mul(self, quantity: Quantity) -> Money {
        Money(self.0 * i64::from(quantity.get()))
    }
}

/// A number of shares in an order or position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// No shares.
    pub const ZERO: Self = Self(0);

    /// `shares` shares.
    pub const fn new(shares: u32) -> Self {
        Self(shares)
    }

    /// The number of shares.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether there are none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self - other`, at least zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The step of valid prices: a positive number of ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Price", into = "Price")]
pub struct Tick(i64);

impl Tick {
    /// One paisa.
    pub const PAISA: Self = Self(UNITS_PER_PAISA);

    /// A tick of this size; `None` unless positive.
    pub const fn new(step: Price) -> Option<Self> {
        if step.0 > 0 { Some(Self(step.0)) } else { None }
    }

    /// The step as a price.
    pub const fn step(self) -> Price {
        Price(self.0)
    }

    /// Whether `price` is on the grid.
    pub const fn allows(self, price: Price) -> bool {
        price.0 % self.0 == 0
    }

    /// The largest valid price not above `price`.
    pub const fn round_down(self, price: Price) -> Price {
        Price(price.0.div_euclid(self.0) * self.0)
    }

    /// The smallest valid price not below `price`.
    pub const fn round_up(self, price: Price) -> Price {
        Price((price.0 + self.0 - 1).div_euclid(self.0) * self.0)
    }

    /// The nearest valid price, halves up.
    pub const fn round_nearest(self, price: Price) -> Price {
        self.round_down(Price(price.0 + self.0 / 2))
    }
}

impl TryFrom<Price> for Tick {
    type Error = String;
    fn try_from(step: Price) -> Result<Self, String> {
        Self::new(step).ok_or_else(|| format!("a tick of {step} is not positive"))
    }
}
impl From<Tick> for Price {
    fn from(tick: Tick) -> Self {
        tick.step()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_to_price_and_back_is_exact() {
        for (text, units, shown) in [
            ("123.45", 1_234_500, "123.45"),
            ("0.01", 100, "0.01"),
            ("-7", -70_000, "-7.00"),
            ("10.1234", 101_234, "10.1234"),
            (" 1e3 ", 10_000_000, "1000.00"),
        ] {
            let price: Price = text.parse().expect(text);
            assert_eq!(price.units(), units, "{text}");
            assert_eq!(price.to_string(), shown);
        }
        assert!(matches!("1.23456".parse::<Price>(), Err(PriceError::TooFine(_))));
        assert!(matches!("x".parse::<Price>(), Err(PriceError::NotANumber(_))));
        assert!(matches!("".parse::<Price>(), Err(PriceError::NotANumber(_))));
        assert!("99999999999999999999".parse::<Price>().is_err());
    }

    #[test]
    fn sell_targets_round_up_and_buy_limits_round_down() {
        let tick = Tick::new(Price::from_paise(5)).expect("positive");
        let price: Price = "100.03".parse().expect("number");
        assert_eq!(tick.round_up(price).to_string(), "100.05");
        assert_eq!(tick.round_down(price).to_string(), "100.00");
        assert_eq!(tick.round_up(tick.round_down(price)), tick.round_down(price));
        assert!(!tick.allows(price));
    }

    #[test]
    fn money_rounds_half_away_from_zero() {
        assert_eq!(Money::from_units(150).round_to_paisa(), Money::from_paise(2));
        assert_eq!(Money::from_units(-150).round_to_paisa(), Money::from_paise(-2));
        assert_eq!(Money::from_units(149).round_to_paisa(), Money::from_paise(1));
        assert_eq!(Money::from_rupees(100_000).scale(15, 100_000), Money::from_rupees(15));
    }
}
