//! The port between the client and a network: one request, one answer, and how surely it was sent.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

/// A future that can be kept behind a `dyn` port.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Everything else.
    Post,
}

/// What a request carries.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    Empty,
    /// `application/json`. The logins: secret.
    Json(SecretString),
    /// `application/x-www-form-urlencoded`, encoded already.
    Form(String),
}

/// One request. Its `Debug` shows no header value and no body.
#[derive(Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Absolute URL, percent-encoded.
    pub url: String,
    /// Names in their usual spelling, and values; all of them are treated as secret.
    pub headers: Vec<(&'static str, SecretString)>,
    /// What it carries.
    pub body: Body,
    /// The longest that connecting, sending and reading may take together: real time on a real socket.
    pub timeout: Duration,
    /// The longest answer that is read, in bytes.
    pub answer_bytes_max: usize,
}

/// One answer, whatever its status.
#[derive(Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Proof that no byte of the request left: no name, no connection, no TLS.
    #[error("not sent: {0}")]
    NotSent(String),
    /// Some of it may have left: timeout, reset, an answer cut short or too long.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// Carries requests. Sends each exactly once: no retry, no redirect, no cache.
///
/// Dropping the future of [`Transport::send`] may leave the request sent.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and reads its answer.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;

    /// Opens a websocket to `url` (`ws://` or `wss://`).
    fn connect(&self, url: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>>;

    /// Waits between two attempts to connect a feed. Real time; a transport on simulated time brings its own.
    #[expect(clippy::disallowed_methods, reason = "between two connections of a real socket")]
    fn pause(&self, length: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

/// What comes over an open websocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedFrame {
    /// Text.
    Text(String),
    /// The answer to a ping.
    Pong,
    /// Nothing came within the time that was given.
    Quiet,
    /// The other side is gone.
    Closed(String),
}

/// An open websocket.
pub trait FeedSocket: Send {
    /// Sends text.
    fn send_text(&mut self, text: SecretString) -> BoxFuture<'_, Result<(), TransportError>>;
    /// Sends a ping.
    fn ping(&mut self) -> BoxFuture<'_, Result<(), TransportError>>;
    /// Waits for the next frame, at most `patience` (real time on a real socket). Pings of the other side
    /// are answered and not shown.
    fn next(&mut self, patience: Duration) -> BoxFuture<'_, FeedFrame>;
}

impl Request {
    /// The value of a header, by name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.expose_secret())
    }
}

impl Response {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
