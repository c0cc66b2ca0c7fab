//! What a call is answered with.

use model::Timestamp;
use serde_json::Value;

/// An answer that comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drip {
    /// Bytes at a time.
    pub chunk_bytes: usize,
    /// Milliseconds between them.
    pub every_ms: u64,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// Names in lower case, and values.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
        /// It leaves so much after the call came in.
        delay_ms: u64,
        /// It comes in pieces.
        drip: Option<Drip>,
    },
    /// The connection is closed without an answer. Whatever happened before, happened.
    Drop,
    /// The connection is refused: nothing was sent.
    Refuse,
}

impl Reply {
    /// JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", body.to_string().into_bytes())
    }

    /// HTTP 200 with JSON.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// Any body.
    pub(crate) fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Answer { status, headers, body, delay_ms: 0, drip: None }
    }

    /// The same with one more header.
    pub(crate) fn with_header(mut self, name: &str, value: String) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value));
        }
        self
    }

    /// The same with its `Date`.
    pub(crate) fn dated(self, at: Timestamp) -> Self {
        let utc = chrono::DateTime::from_timestamp_nanos(at.nanos());
        self.with_header("date", utc.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }

    /// The same, later.
    pub(crate) fn later(mut self, ms: u64) -> Self {
        if let Self::Answer { delay_ms, .. } = &mut self {
            *delay_ms += ms;
        }
        self
    }

    /// The same, in pieces.
    pub(crate) fn dripping(mut self, pieces: Drip) -> Self {
        if let Self::Answer { drip, .. } = &mut self {
            *drip = Some(pieces);
        }
        self
    }

    /// How long after the call the last byte comes, in milliseconds.
    pub(crate) fn complete_after_ms(&self) -> u64 {
        match self {
            Self::Answer { body, delay_ms, drip, .. } => {
                let pieces =
                    drip.map_or(0, |drip| (body.len() / drip.chunk_bytes.max(1)) as u64 * drip.every_ms);
                delay_ms + pieces
            }
            Self::Drop | Self::Refuse => 0,
        }
    }
}
