//! Decimal text to integers, exactly: no float on the way.

/// The longest text that is looked at.
const TEXT_BYTES_MAX: usize = 64;

/// Why a text is no number of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecimalError {
    NotANumber,
    TooLarge,
}

/// `text` times ten to the power of `decimals`, rounded half away from zero, and whether nothing was lost
/// by rounding. Plain (`-12.5`) and exponent (`1.25E7`) forms; blanks around are allowed, blanks alone not.
pub(crate) fn scaled(text: &str, decimals: i32) -> Result<(i64, bool), DecimalError> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return Err(DecimalError::NotANumber);
    }
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || whole.len() + fraction.len() == 0 {
        return Err(DecimalError::NotANumber);
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let shift = exponent - i32::try_from(fraction.len()).map_err(|_| DecimalError::NotANumber)? + decimals;
    let (size, exact) = shifted(digits, shift)?;
    let size = if negative { -size } else { size };
    Ok((i64::try_from(size).map_err(|_| DecimalError::TooLarge)?, exact))
}

/// A whole number; `5.00` is one, `5.5` is not.
pub(crate) fn whole(text: &str) -> Result<i64, DecimalError> {
    match scaled(text, 0)? {
        (value, true) => Ok(value),
        (_, false) => Err(DecimalError::NotANumber),
    }
}

fn read_exponent(text: &str) -> Result<i32, DecimalError> {
    let exponent: i32 = text.parse().map_err(|_| DecimalError::NotANumber)?;
    if exponent.abs() > 1_000 { Err(DecimalError::NotANumber) } else { Ok(exponent) }
}

/// `digits` (without leading zeros) times ten to the power of `shift`.
fn shifted(digits: &str, shift: i32) -> Result<(i128, bool), DecimalError> {
    /// Digits of the largest `i64`.
    const DIGITS_MAX: usize = 19;
    if digits.is_empty() {
        return Ok((0, true));
    }
    let places = shift.unsigned_abs() as usize;
    if shift >= 0 {
        if digits.len() + places > DIGITS_MAX {
            return Err(DecimalError::TooLarge);
        }
        let size = format!("{digits}{}", "0".repeat(places)).parse().map_err(|_| DecimalError::TooLarge)?;
        return Ok((size, true));
    }
    if places > digits.len() {
        return Ok((0, false));
    }
    let (kept, dropped) = digits.split_at(digits.len() - places);
    if kept.len() > DIGITS_MAX {
        return Err(DecimalError::TooLarge);
    }
    let size: i128 = if kept.is_empty() { 0 } else { kept.parse().map_err(|_| DecimalError::TooLarge)? };
    let up = dropped.as_bytes()[0] >= b'5';
    Ok((size + i128::from(up), dropped.bytes().all(|byte| byte == b'0')))
}
