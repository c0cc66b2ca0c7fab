//! The broker's number of an order.

use std::fmt;

use crate::error::Error;

/// The broker's order number (`nOrdNo`): it starts with the day as YYMMDD (facts 2.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(String);

/// The longest number that is believed.
const CHARS_MAX: usize = 40;

impl OrderNumber {
    /// From text: letters, digits, `-` and `_`, at most 40 of them. Anything else is [`Error::Invalid`].
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > CHARS_MAX || !text.bytes().all(known) {
            return Err(Error::invalid("an order number is 1 to 40 letters, digits, `-` and `_`"));
        }
        Ok(Self(text))
    }

    /// As it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
