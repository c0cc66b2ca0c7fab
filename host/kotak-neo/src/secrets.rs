//! Keeps what a request carried out of every text that comes back.

use secrecy::{ExposeSecret as _, SecretString};

use crate::json::Json;

/// The longest text of a server that is kept in an error or an event, in characters.
pub(crate) const TEXT_CHARS_MAX: usize = 300;
/// A value shorter than this is no secret, and cutting it out would garble innocent text.
const SECRET_BYTES_MIN: usize = 4;

/// The secrets of one request.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<SecretString>);

impl Secrets {
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut secrets: Vec<SecretString> = secrets
            .into_iter()
            .filter(|secret| secret.expose_secret().len() >= SECRET_BYTES_MIN)
            .cloned()
            .collect();
        // The longest first: a secret inside another must not leave the other's rest standing.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self(secrets)
    }

    /// `text` without secrets and control characters, bounded.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.scrub(&mut text);
        bounded(&text)
    }

    /// Cuts the secrets out of every value.
    pub(crate) fn scrub_json(&self, json: &mut Json) {
        if !self.0.is_empty() {
            json.map_scalars(&|text| self.scrub(text));
        }
    }

    pub(crate) fn scrub(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret.expose_secret()) {
                *text = text.replace(secret.expose_secret(), "[secret]");
            }
        }
    }
}

/// `text` without control characters, at most [`TEXT_CHARS_MAX`] long.
pub(crate) fn bounded(text: &str) -> String {
    let mut shown: String =
        text.chars().take(TEXT_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(TEXT_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown.trim().to_owned()
}
