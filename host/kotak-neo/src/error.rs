//! What can go wrong with a call, by what is known about it.

use crate::said::Said;
use crate::secrets::Secrets;
use crate::transport::TransportError;

/// A call that did not succeed.
///
/// No text in it holds a secret of the request, whatever the server sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Proof that no byte left: the call may be repeated.
    #[error("not sent, so it may be repeated: {why}")]
    NotSent {
        /// What stood in the way.
        why: String,
    },
    /// Timeout, reset, or an answer cut short: what the server did is unknown.
    #[error("no answer, so what the broker did is unknown (look it up, do not repeat an order): {why}")]
    NoAnswer {
        /// What happened.
        why: String,
    },
    /// The server answered with an error of a known shape, whatever its HTTP status.
    #[error("the broker says: {0}")]
    Said(Box<Said>),
    /// HTML, an empty body, or JSON that is neither success nor a known error: what the server did is unknown.
    #[error("an answer that cannot be read (HTTP {http}): {why}")]
    Unreadable {
        /// The HTTP status.
        http: u16,
        /// What is wrong with the body.
        why: String,
        /// The server's clock in unix seconds, from the `Date` header.
        server_time: Option<i64>,
    },
    /// Refused here, before anything was sent.
    #[error("not sent, the request is not valid: {what}")]
    Invalid {
        /// What is wrong, and what would be right.
        what: String,
    },
}

impl Error {
    /// The HTTP status, where an answer was had.
    pub fn http(&self) -> Option<u16> {
        match self {
            Self::Said(said) => Some(said.http),
            Self::Unreadable { http, .. } => Some(*http),
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::Invalid { .. } => None,
        }
    }

    /// The broker's code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        self.said().and_then(|said| said.code.as_deref())
    }

    /// The broker's text, or the reason in our words.
    pub fn text(&self) -> &str {
        match self {
            Self::NotSent { why } | Self::NoAnswer { why } | Self::Unreadable { why, .. } => why,
            Self::Said(said) => &said.text,
            Self::Invalid { what } => what,
        }
    }

    /// The server's clock in unix seconds, where an answer with a `Date` was had.
    pub fn server_time(&self) -> Option<i64> {
        match self {
            Self::Said(said) => said.server_time,
            Self::Unreadable { server_time, .. } => *server_time,
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::Invalid { .. } => None,
        }
    }

    /// The broker's own words, where there are any.
    pub fn said(&self) -> Option<&Said> {
        match self {
            Self::Said(said) => Some(said),
            _ => None,
        }
    }

    /// The session is dead: see [`Said::is_session_expired`].
    pub fn is_session_expired(&self) -> bool {
        self.said().is_some_and(Said::is_session_expired)
    }

    /// Our address is not allowed: see [`Said::is_ip_refusal`].
    pub fn is_ip_refusal(&self) -> bool {
        self.said().is_some_and(Said::is_ip_refusal)
    }

    /// Too many requests: HTTP 429 in whatever shape, or the code 429.
    pub fn is_rate_limited(&self) -> bool {
        self.http() == Some(429) || self.code() == Some("429")
    }

    /// Without the secrets of the request: a transport's text may repeat one.
    pub(crate) fn cleaned(self, secrets: &Secrets) -> Self {
        match self {
            Self::NotSent { why } => Self::NotSent { why: secrets.clean(&why) },
            Self::NoAnswer { why } => Self::NoAnswer { why: secrets.clean(&why) },
            other => other,
        }
    }

    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::NotSent(why) => Self::NotSent { why },
            TransportError::NoAnswer(why) => Self::NoAnswer { why },
        }
    }
}
