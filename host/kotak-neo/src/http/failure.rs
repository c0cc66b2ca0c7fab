//! What a failure of reqwest proves.

use crate::transport::TransportError;

/// Only a failure to connect (name, connection, TLS) or to build the request proves that no byte of it left.
/// Everything else, a reused connection that dies above all, may have come after the request.
pub(super) fn class(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        return TransportError::NotSent(chain(&error));
    }
    TransportError::NoAnswer(chain(&error))
}

/// An error with its causes: reqwest's own text names none.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
