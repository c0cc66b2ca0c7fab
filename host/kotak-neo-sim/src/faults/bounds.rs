//! Numbers of a script that would never act, or never end, are refused where they are read.

use std::fmt::Display;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The longest that an answer, or a piece of one, may be held back: an hour.
const MS_MAX: u64 = 3_600_000;

fn within<'de, D, N>(number: N, least: N, most: N) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: PartialOrd + Display,
{
    if number < least || number > most {
        return Err(D::Error::custom(format_args!("{number} is not within {least} and {most}")));
    }
    Ok(number)
}

/// A count from 1.
pub(super) fn ordinal<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<u64>::deserialize(from)?;
    number.map(|number| within::<D, _>(number, 1, u64::MAX)).transpose()
}

/// A rate.
pub(super) fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let number = Option::<u32>::deserialize(from)?;
    number.map(|number| within::<D, _>(number, 1, 100)).transpose()
}

/// A wait in milliseconds.
pub(super) fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    within::<D, _>(u64::deserialize(from)?, 0, MS_MAX)
}

/// Bytes of a piece.
pub(super) fn piece<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    within::<D, _>(usize::deserialize(from)?, 1, usize::MAX)
}
