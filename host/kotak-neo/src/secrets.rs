//! Keeps what a request carried out of every text that comes back.

use secrecy::{ExposeSecret as _, SecretString};

use crate::json::Json;

/// The longest text of a server that is kept in an error or an event, in characters.
pub(crate) const TEXT_CHARS_MAX: usize = 300;
/// A value shorter than this is not looked for in texts.
const IN_TEXTS_BYTES_MIN: usize = 4;
/// A value shorter than this is not looked for in the rows of an answer: it might be part of an order number.
const IN_ROWS_BYTES_MIN: usize = 8;

/// The secrets of one request.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// Kept out of errors and events. The longest first: a secret inside another must not leave the other's
    /// rest standing.
    in_texts: Vec<SecretString>,
    /// Kept out of rows as well: tokens, which are long and random.
    in_rows: Vec<SecretString>,
}

impl Secrets {
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut all: Vec<SecretString> = secrets.into_iter().cloned().collect();
        all.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        let of_length = |least: usize| all.iter().filter(move |one| one.expose_secret().len() >= least);
        Self {
            in_texts: of_length(IN_TEXTS_BYTES_MIN).cloned().collect(),
            in_rows: of_length(IN_ROWS_BYTES_MIN).cloned().collect(),
        }
    }

    /// With one that is kept out of texts alone: a client code may look like anything.
    pub(crate) fn and_in_texts(mut self, secret: Option<&SecretString>) -> Self {
        self.in_texts.extend(secret.filter(|one| one.expose_secret().len() >= IN_TEXTS_BYTES_MIN).cloned());
        self
    }

    /// `text` without secrets and control characters, bounded.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.scrub(&mut text);
        bounded(&text)
    }

    /// Cuts the secrets out of every value.
    pub(crate) fn scrub_json(&self, json: &mut Json) {
        json.map_scalars(&|text| cut(&self.in_rows, text));
    }

    pub(crate) fn scrub(&self, text: &mut String) {
        cut(&self.in_texts, text);
    }
}

fn cut(secrets: &[SecretString], text: &mut String) {
    for secret in secrets {
        if text.contains(secret.expose_secret()) {
            *text = text.replace(secret.expose_secret(), "[secret]");
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
