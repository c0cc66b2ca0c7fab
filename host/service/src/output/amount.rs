//! Money for people: thousands separated, to the paisa.

use model::{Money, Price};

/// Where the separators go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// Lakh and crore: `12,34,567.89`.
    #[default]
    Indian,
    /// Thousands: `1,234,567.89`.
    Thousands,
}

/// `12,34,567.89`.
pub fn money(amount: Money) -> String {
    grouped(&amount.to_string(), Grouping::Indian)
}

/// `1,523.50`.
pub fn price(amount: Price) -> String {
    grouped(&amount.to_string(), Grouping::Indian)
}

/// Puts separators into a plain decimal text.
pub fn grouped(number: &str, grouping: Grouping) -> String {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(whole, part)| (whole, Some(part)));
    let size = match grouping {
        Grouping::Indian => 2,
        Grouping::Thousands => 3,
    };
    let mut out = String::with_capacity(number.len() + 8);
    out.push_str(sign);
    let digits = whole.len();
    for (index, digit) in whole.chars().enumerate() {
        let left = digits - index;
        // The last three stand together; before them come groups of `size`.
        if index > 0 && left >= 3 && (left - 3) % size == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lakhs_and_crores() {
        for (number, indian, thousands) in [
            ("0.00", "0.00", "0.00"),
            ("999.50", "999.50", "999.50"),
            ("1000.00", "1,000.00", "1,000.00"),
            ("100000.00", "1,00,000.00", "100,000.00"),
            ("-1234567.89", "-12,34,567.89", "-1,234,567.89"),
            ("123456789", "12,34,56,789", "123,456,789"),
        ] {
            assert_eq!(grouped(number, Grouping::Indian), indian);
            assert_eq!(grouped(number, Grouping::Thousands), thousands);
        }
        assert_eq!(money(Money::from_rupees(1_000_000)), "10,00,000.00");
    }
}
