//! Numbers of shares.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use crate::price::{ParseError, Price, Rupees};

/// Shares in an order or a position.
///
/// Sums and differences stop at the ends of the number's range: there are never fewer than no shares.
///
/// ```
/// use tradeagent_sdk::price::Quantity;
/// assert_eq!(Quantity(3) - Quantity(5), Quantity(0));
/// assert_eq!([3, 5].map(Quantity).into_iter().sum::<Quantity>().to_string(), "8");
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(pub u32);

impl Quantity {
    /// As many as `budget` pays for at `price`; none when one of them is 0 or less.
    ///
    /// ```
    /// use tradeagent_sdk::price::{Price, Quantity, Rupees};
    /// assert_eq!(Quantity::affordable(Rupees::whole(1_000), Price::rupees(300)), Quantity(3));
    /// assert_eq!(Quantity::affordable(Rupees::whole(1_000), Price(0)), Quantity(0));
    /// ```
    pub fn affordable(budget: Rupees, price: Price) -> Self {
        let shares = if budget.0 > 0 && price.0 > 0 { budget.0 / price.0 } else { 0 };
        Self(u32::try_from(shares).unwrap_or(u32::MAX))
    }

    /// The part of it that is whole lots. A lot of 0 is taken for one share.
    ///
    /// ```
    /// use tradeagent_sdk::price::Quantity;
    /// assert_eq!(Quantity(17).whole_lots(5), Quantity(15));
    /// ```
    pub const fn whole_lots(self, lot: u32) -> Self {
        if lot == 0 { self } else { Self(self.0 - self.0 % lot) }
    }

    /// The part of it that one order may have: an instrument's `freeze`, of which 0 means that there is no end.
    ///
    /// ```
    /// use tradeagent_sdk::price::Quantity;
    /// assert_eq!(Quantity(17).within_freeze(10), Quantity(10));
    /// assert_eq!(Quantity(17).within_freeze(0), Quantity(17));
    /// ```
    pub fn within_freeze(self, freeze: u32) -> Self {
        if freeze == 0 { self } else { self.min(Self(freeze)) }
    }

    /// Whether there are none.
    ///
    /// ```
    /// assert!(tradeagent_sdk::price::Quantity(0).is_none());
    /// ```
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl From<u32> for Quantity {
    fn from(shares: u32) -> Self {
        Self(shares)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self(0), Add::add)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Quantity {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = |_| ParseError { text: text.to_owned(), expected: "number of shares such as 10" };
        text.parse().map(Self).map_err(error)
    }
}
