//! Amounts as the wire writes them.

use model::{Money, Price};

/// Six decimals, as `check-margin` does: `38.190000`.
pub(crate) fn six(amount: Money) -> String {
    let units = amount.units();
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}00", units.unsigned_abs() / 10_000, units.unsigned_abs() % 10_000)
}

/// Paise, as the scrip master does; what is finer than a paisa is cut off.
pub(crate) const fn paise(price: Price) -> i64 {
    price.units() / 100
}

/// Rupees computed in binary floating point, as `limits` does: `19.409999999999997`.
pub(crate) fn noisy_difference(a: Money, b: Money) -> String {
    format!("{:?}", a.as_rupees_f64() - b.as_rupees_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_on_the_wire() {
        assert_eq!(six(Money::from_paise(3819)), "38.190000");
        assert_eq!(six(Money::from_paise(-5)), "-0.050000");
        assert_eq!(paise(Price::from_paise(13168)), 13168);
        assert_eq!(noisy_difference(Money::from_paise(5760), Money::from_paise(3819)), "19.410000000000004");
        assert_eq!(noisy_difference(Money::from_rupees(100), Money::ZERO), "100.0");
    }
}
