//! Amounts of money.

use std::fmt;

use crate::decimal::{DecimalError, scaled};

/// An amount in ten-thousandths of a rupee.
///
/// ```
/// use kotak_neo::Amount;
///
/// assert_eq!(Amount::parse("19.409999999999997").unwrap(), Amount::from_units(194_100));
/// assert_eq!(Amount::from_units(93_900).to_string(), "9.39");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(i64);

/// A text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Blank, `NaN`, `--`, or otherwise not decimal text.
    #[error("not a decimal number")]
    NotANumber,
    /// Beyond an `i64` of ten-thousandths of a rupee.
    #[error("too large for an amount")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From ten-thousandths of a rupee.
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// In ten-thousandths of a rupee.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Reads decimal text in rupees, plain or with an exponent. What is finer than a ten-thousandth (the
    /// wire carries float noise, facts 2.9) is rounded half away from zero.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        Self::parse_scaled(text, 4)
    }

    /// Reads text in paise, as the scrip master has it.
    pub(crate) fn parse_paise(text: &str) -> Result<Self, AmountError> {
        Self::parse_scaled(text, 2)
    }

    fn parse_scaled(text: &str, decimals: i32) -> Result<Self, AmountError> {
        match scaled(text, decimals) {
            Ok((units, _)) => Ok(Self(units)),
            Err(DecimalError::NotANumber) => Err(AmountError::NotANumber),
            Err(DecimalError::TooLarge) => Err(AmountError::TooLarge),
        }
    }
}

/// As the wire wants it: no trailing zeros, `0` for nothing (facts 2.1: `0.0` is refused).
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        let (whole, rest) = (size / 10_000, size % 10_000);
        if rest == 0 {
            return f.pad(&format!("{sign}{whole}"));
        }
        let fraction = format!("{rest:04}");
        f.pad(&format!("{sign}{whole}.{}", fraction.trim_end_matches('0')))
    }
}
