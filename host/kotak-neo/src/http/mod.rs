//! The transport over real sockets: HTTP/1.1 by reqwest, websockets by tungstenite, TLS by rustls with the
//! machine's roots.
//!
//! Sends each request once: no retry (a reused connection that dies is [`TransportError::NoAnswer`]), no
//! redirect, no proxy, no cookies, no cache. The one thing that hyper may do again is to look for a connection:
//! a request that it has not begun to write goes to a new one when the kept one turns out to be closed.

mod failure;
mod socket;

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use crate::transport::{Body, BoxFuture, FeedSocket, Method, Request, Response, Transport, TransportError};

/// How connections are made and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpOptions {
    /// The longest that connecting may take, TLS included.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept. Short: one that the server has closed meanwhile turns the next
    /// order into an unknown one.
    pub pool_idle: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(5), pool_idle: Duration::from_secs(15) }
    }
}

/// Real sockets.
#[derive(Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    options: HttpOptions,
}

impl HttpTransport {
    /// An error says why there can be no client: no TLS roots, for one.
    pub fn new(options: HttpOptions) -> Result<Self, TransportError> {
        // Twice is once: whoever was first has set the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(options.pool_idle)
            .tcp_nodelay(true)
            .user_agent(concat!("tradeagent/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                TransportError::NotSent(format!("no HTTP client: {}", failure::chain(&error)))
            })?;
        Ok(Self { client, options })
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let answer_bytes_max = request.answer_bytes_max;
        let request = self.build(request)?;
        let mut answer = self.client.execute(request).await.map_err(failure::class)?;
        let status = answer.status().as_u16();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failure::class)? {
            if body.len() + chunk.len() > answer_bytes_max {
                return Err(TransportError::NoAnswer(format!(
                    "the answer is longer than {answer_bytes_max} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body })
    }

    fn build(&self, request: Request) -> Result<reqwest::Request, TransportError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = self.client.request(method, request.url.as_str()).timeout(request.timeout);
        for (name, value) in &request.headers {
            builder = builder.header(header_name(name)?, header_value(name, value.expose_secret())?);
        }
        let builder = match request.body {
            Body::Empty => builder,
            Body::Json(text) => {
                builder.header(CONTENT_TYPE, "application/json").body(text.expose_secret().to_owned())
            }
            Body::Form(text) => builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(text),
        };
        builder.build().map_err(|error| TransportError::NotSent(failure::chain(&error.without_url())))
    }
}

fn header_name(name: &str) -> Result<HeaderName, TransportError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| TransportError::NotSent(format!("`{name}` is not a header's name")))
}

/// The value is not repeated: it is a secret.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, TransportError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| TransportError::NotSent(format!("the value of `{name}` is not visible ASCII")))?;
    value.set_sensitive(true);
    Ok(value)
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }

    fn connect(&self, url: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        let url = url.to_owned();
        Box::pin(socket::connect(url, self.options.connect_timeout))
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("options", &self.options).finish_non_exhaustive()
    }
}
