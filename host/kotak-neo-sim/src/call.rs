//! A call as it comes in, whatever carried it.

use std::collections::BTreeMap;

use kotak_neo::transport::{Body, Method, Request};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;

/// Where the in-process transport seems to be.
pub(crate) const IN_PROCESS: &str = "http://sim.invalid";

/// One call.
#[derive(Clone)]
pub struct Call {
    /// `POST`; else `GET`.
    pub post: bool,
    /// Scheme and host that the caller used: what `baseUrl` and file paths are made of.
    pub origin: String,
    /// Decoded, with single slashes.
    pub path: String,
    /// Decoded.
    pub query: BTreeMap<String, String>,
    /// Names in lower case, and values.
    pub headers: BTreeMap<String, String>,
    /// As it came.
    pub body: Vec<u8>,
}

impl Call {
    /// From the parts of an HTTP request. `target` is path and query, percent-encoded or not.
    pub fn new(
        post: bool,
        origin: String,
        target: &str,
        headers: impl IntoIterator<Item = (String, String)>,
        body: Vec<u8>,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Self { post, origin, path: clean(path), query: pairs(query), headers, body }
    }

    /// From a request of the client's transport port.
    pub fn of(request: &Request) -> Self {
        let target = match request.url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => request.url.as_str(),
        };
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.expose_secret().to_owned()));
        let body = match &request.body {
            Body::Empty => Vec::new(),
            Body::Json(text) => text.expose_secret().as_bytes().to_vec(),
            Body::Form(text) => text.as_bytes().to_vec(),
        };
        Self::new(request.method == Method::Post, IN_PROCESS.to_owned(), target, headers, body)
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        std::str::from_utf8(&self.body).map(pairs).unwrap_or_default()
    }
}

/// Decoded, and `//` made `/`: one SDK writes the latter.
fn clean(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Python writes blanks as `+`, others as `%20`.
fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
