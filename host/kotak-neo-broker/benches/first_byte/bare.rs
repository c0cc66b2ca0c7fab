//! What the desk is held against: reqwest alone, sending what the adapter sent.

use std::time::Duration;

use kotak_neo::http::HttpOptions;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::marks::instant;
use crate::server::{Arrived, Server};

/// The longest that an order call may take, as in the client.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client with the settings of `kotak_neo::http`, and the request of one order.
pub struct Bare {
    client: reqwest::Client,
    url: String,
    headers: HeaderMap,
    /// The body it sends.
    pub body: String,
}

impl Bare {
    /// Sends what `order` was.
    pub fn like(order: &Arrived, server: &Server) -> Self {
        let options = HttpOptions::default();
        let client = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(options.pool_idle)
            .tcp_nodelay(true)
            .build()
            .expect("a client");
        let mut lines = order.head.lines();
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a request line");
        let url = format!("http://{}{path}", server.address);
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            // The client writes these two itself.
            .filter(|(name, _)| {
                !name.eq_ignore_ascii_case("host") && !name.eq_ignore_ascii_case("content-length")
            })
            .map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
                (name, HeaderValue::from_str(value).expect("a value"))
            })
            .collect();
        Self { client, url, headers, body: order.body.clone() }
    }

    /// From the call to the first byte at the server, in nanoseconds.
    pub async fn post(&self, server: &Server) -> u64 {
        let begun = instant();
        let answer = self
            .client
            .post(&self.url)
            .headers(self.headers.clone())
            .timeout(TIMEOUT)
            .body(self.body.clone())
            .send()
            .await
            .expect("an answer");
        answer.bytes().await.expect("a body");
        let arrived = server.arrived();
        assert_eq!(arrived.body, self.body, "the same body");
        crate::figures::nanos(begun, arrived.first_byte)
    }
}
