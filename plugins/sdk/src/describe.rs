//! Errors of the host in words for a log or a report.

use crate::bindings::tradeagent::strategy::types::{OrderError, ReadError, TaskError};

/// A failed read in words.
///
/// ```
/// use tradeagent_sdk::{describe, monitor::types::ReadError};
/// let error = ReadError::Stale("the quote of TCS is 90 s old".to_owned());
/// assert_eq!(describe::read_error(&error), "stale: the quote of TCS is 90 s old");
/// ```
pub fn read_error(error: &ReadError) -> String {
    match error {
        ReadError::NotFound(text) => format!("not found: {text}"),
        ReadError::Stale(text) => format!("stale: {text}"),
        ReadError::Unavailable(text) => format!("unavailable: {text}"),
        ReadError::Denied(text) => format!("not granted: {text}"),
        ReadError::Other(text) => text.clone(),
    }
}

/// An order that was not taken, in words.
///
/// ```
/// use tradeagent_sdk::{describe, buy::types::{Denial, OrderError}};
/// let error = OrderError::Denied(Denial { rule: "max-order-value".to_owned(), reason: "over 50000".to_owned() });
/// assert_eq!(describe::order_error(&error), "denied here by max-order-value: over 50000");
/// ```
pub fn order_error(error: &OrderError) -> String {
    match error {
        OrderError::Denied(it) => format!("denied here by {}: {}", it.rule, it.reason),
        OrderError::Refused(it) => format!("refused by the broker ({}): {}", it.code, it.reason),
        OrderError::Unknown(id) => format!("order {id} was sent and its fate is not known yet"),
        OrderError::NotNow(it) => format!("not in the phase {}: {}", it.phase, it.reason),
        OrderError::Other(text) => text.clone(),
    }
}

impl From<ReadError> for TaskError {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Denied(_) => Self::Config(read_error(&error)),
            _ => Self::Data(read_error(&error)),
        }
    }
}
