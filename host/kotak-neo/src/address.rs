//! URLs: bases that come with or without a scheme, and parts that have to be encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a path segment or a form as it is. `|` and blanks are encoded (facts 2.11).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A base URL with a scheme and without a slash at its end (facts 1.1: it comes with or without them). Plain
/// HTTP is believed only where `plain_allowed`: a token must not leave an encrypted login in the clear.
pub(crate) fn base(text: &str, plain_allowed: bool) -> Result<String, &'static str> {
    let (scheme, rest) = split(text)?;
    match scheme {
        "https" | "wss" => Ok(format!("https://{rest}")),
        "http" | "ws" if plain_allowed => Ok(format!("http://{rest}")),
        "http" | "ws" => Err("a URL without encryption"),
        _ => Err("a URL of an unknown scheme"),
    }
}

/// The websocket at the same place: `https` becomes `wss`, `http` becomes `ws`.
pub(crate) fn websocket(base: &str) -> String {
    match base.split_once("://") {
        Some(("http" | "ws", rest)) => format!("ws://{rest}"),
        Some((_, rest)) => format!("wss://{rest}"),
        None => format!("wss://{base}"),
    }
}

/// Whether a base is plain HTTP.
pub(crate) fn is_plain(base: &str) -> bool {
    base.starts_with("http://") || base.starts_with("ws://")
}

/// Whether nothing comes after the host.
pub(crate) fn has_no_path(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    !rest.trim_end_matches('/').contains('/')
}

fn split(text: &str) -> Result<(&str, &str), &'static str> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let rest = rest.trim_end_matches('/');
    let host = rest.split('/').next().unwrap_or_default();
    let strange = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '@' | '\\');
    if host.is_empty() || host.starts_with(':') || rest.contains(strange) {
        return Err("not a URL");
    }
    Ok((scheme, rest))
}
