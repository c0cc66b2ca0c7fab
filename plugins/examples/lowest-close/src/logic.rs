//! Decisions, without the host: `cargo test` runs them natively.

/// Whether the last of `closes`, oldest first, is the lowest of `days`.
///
/// # Errors
/// In a sentence, when there are too few.
pub fn signal(closes: &[i64], days: u32) -> Result<bool, &'static str> {
    if closes.len() < days as usize {
        return Err("its history is too short");
    }
    let Some((last, before)) = closes.split_last() else { return Err("it has no history") };
    Ok(before.iter().all(|close| close > last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_new_low_is_a_signal() {
        assert_eq!(signal(&[5, 4, 3], 3), Ok(true));
        assert_eq!(signal(&[5, 3, 3], 3), Ok(false));
        assert!(signal(&[5, 4], 3).is_err());
    }
}
