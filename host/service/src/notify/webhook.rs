//! `[notify] webhook`: a URL that gets the alert by POST.

use std::time::Duration;

use reqwest::{Client, Url};

/// A URL, ready to be posted to.
#[derive(Debug)]
pub(super) struct Webhook {
    client: Client,
    url: Url,
}

impl Webhook {
    /// For `url`; each delivery takes at most `timeout`.
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("the webhook is not a URL: {error}"))?;
        // Twice is once: whoever was first has set the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tradeagent/", env!("CARGO_PKG_VERSION")));
        if on_this_machine(&url) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| format!("no HTTP client: {error}"))?;
        Ok(Self { client, url })
    }

    /// Posts `message`; an error says what went wrong. The URL may hold a secret and is not repeated.
    pub(super) async fn deliver(&self, key: &str, message: &[u8]) -> Result<(), String> {
        // Header values are visible ASCII; the same key gives the same value.
        let key: String = key.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
        let answer = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(message.to_vec())
            .send()
            .await
            .map_err(|error| format!("the webhook did not answer: {}", chain(&error.without_url())))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("the webhook answered {status}")) }
    }
}

fn on_this_machine(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
