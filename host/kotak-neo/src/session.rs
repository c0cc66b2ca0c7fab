//! What a login gives.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::jwt;
use crate::secrets::Secrets;

/// The first step's answer: good for the second step and nothing else.
#[derive(Clone)]
pub struct ViewToken {
    /// The view token.
    pub token: SecretString,
    /// Its session id.
    pub sid: SecretString,
    /// `kType`, normally `View`.
    pub kind: Option<String>,
}

/// A session that may trade. It lives until midnight IST at the latest (facts 1.1).
#[derive(Clone)]
pub struct Session {
    /// The trade token, a JWT.
    pub token: SecretString,
    /// The session id.
    pub sid: SecretString,
    /// Where everything after the login goes: with scheme, without a slash at its end.
    pub base_url: String,
    /// Where the login was: the address call goes there (facts 1.1).
    pub login_url: String,
    /// The market data feed, where the server names one.
    pub feed_url: Option<String>,
    /// The order feed, where the server names one.
    pub rt_url: Option<String>,
    /// The client code, as the server has it.
    pub ucc: Option<SecretString>,
    /// `E21`, `E43`, `gdc`, …
    pub data_center: Option<String>,
    /// The client's name. Not in `Debug`: it is nobody's business in a log.
    pub greeting_name: Option<String>,
    /// `kType`, normally `Trade`.
    pub kind: Option<String>,
}

impl ViewToken {
    /// Cuts secrets out of what may be shown.
    pub(crate) fn hide(&mut self, secrets: &Secrets) {
        let own = Secrets::of([&self.token, &self.sid]);
        for text in self.kind.iter_mut() {
            secrets.scrub(text);
            own.scrub(text);
        }
    }
}

impl Session {
    /// When the token expires by its own `exp` claim, in unix seconds; not verified.
    pub fn token_expiry(&self) -> Option<i64> {
        jwt::expiry(self.token.expose_secret())
    }

    /// Cuts secrets out of what may be shown.
    pub(crate) fn hide(&mut self, secrets: &Secrets) {
        let own = Secrets::of([&self.token, &self.sid]);
        for text in [&mut self.data_center, &mut self.greeting_name, &mut self.kind].into_iter().flatten() {
            secrets.scrub(text);
            own.scrub(text);
        }
    }
}

impl fmt::Debug for ViewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewToken").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("base_url", &self.base_url)
            .field("data_center", &self.data_center)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
