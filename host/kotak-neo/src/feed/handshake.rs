//! The first frame of a feed: two spellings, and reports conflict about which one works (facts 4.1, 9).

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::session::Session;

/// A spelling of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handshake {
    /// `{type:cn,Authorization:…}`: the documents and the broker's own client.
    Raw,
    /// `{"type":"cn","Authorization":"…"}`: what a third party found to work.
    Json,
}

impl Handshake {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Raw => Self::Json,
            Self::Json => Self::Raw,
        }
    }

    pub(super) fn frame(self, session: &Session) -> SecretString {
        let (token, sid) = (session.token.expose_secret(), session.sid.expose_secret());
        SecretString::from(match self {
            Self::Raw => format!("{{type:cn,Authorization:{token},Sid:{sid},src:WEB}}"),
            Self::Json => {
                serde_json::json!({ "type": "cn", "Authorization": token, "Sid": sid, "src": "WEB" })
                    .to_string()
            }
        })
    }
}

impl fmt::Display for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::Json => "JSON",
        })
    }
}
