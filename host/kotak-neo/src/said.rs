//! An error in the broker's own words.

use std::fmt;

/// Which spelling of failure it was: the rows of facts 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// `{"stCode":N,"errMsg":"…","stat":"Not_Ok"}`: the order system.
    A,
    /// `{"stCode":401,"errMsg":"…","status":"failure"}`: the login, with HTTP 200.
    B,
    /// `{"status":"error","message":"…","errorCode":"401"}`: the login, by its documents.
    C,
    /// `{"error":[{"code":"400","message":"…"}]}`: the login's validation.
    D,
    /// `{"code":"900901","message":"…"}` or the same in `fault`: the gateway.
    E,
    /// `{"code":429,"error":"…","message":"…"}`: the data calls.
    F,
    /// `{"status":"ERROR","fault":{"code":400,"message":"…"}}`: candles and quotes.
    G,
}

/// An error that the broker said. Its texts are bounded and hold no secret of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The HTTP status; it alone says nothing (facts 3.1).
    pub http: u16,
    /// `stCode`, `code` or `errorCode`, as text.
    pub code: Option<String>,
    /// `stat` or `status`, as it came.
    pub stat: Option<String>,
    /// What went wrong, in the broker's words; empty where there were none.
    pub text: String,
    /// Its spelling.
    pub shape: Shape,
    /// The server's clock in unix seconds, from the `Date` header.
    pub server_time: Option<i64>,
    /// Said to one of the two login calls, where there is no session that could have expired.
    pub login: bool,
}

/// Codes that mean a dead or wrong token (facts 3.3).
const EXPIRED: [&str; 4] = ["1003", "100021", "100022", "900901"];
/// Codes that mean a wrong address (facts 3.3).
const WRONG_ADDRESS: [&str; 2] = ["1037", "100008"];

impl Said {
    /// The session is dead and a new login is due (facts 3.3): HTTP 401 or 403, one of the codes 401 (shapes
    /// A and E), 1003, 100021, 100022, 900901, or a text about a dead session or token.
    ///
    /// Never for a refusal of the address, a rate limit, or an answer of the logins themselves. A text alone
    /// does not count with a 5xx, and "session" in a sentence about trading sessions does not count at all.
    pub fn is_session_expired(&self) -> bool {
        if self.login || self.is_ip_refusal() || self.is_rate_limited() {
            return false;
        }
        let code = self.code.as_deref().unwrap_or_default();
        let by_code = EXPIRED.contains(&code) || (code == "401" && matches!(self.shape, Shape::A | Shape::E));
        let by_status = matches!(self.http, 401 | 403);
        let by_text = self.http < 500 && (names_dead_session(&self.text) || self.stat_names_dead_session());
        by_code || by_status || by_text
    }

    /// The broker does not take orders from our address (facts 3.3: 1037, and 100008, which has also been
    /// seen for a dead session): a new login does not help. Probe with a report call to tell them apart.
    pub fn is_ip_refusal(&self) -> bool {
        self.code.as_deref().is_some_and(|code| WRONG_ADDRESS.contains(&code))
    }

    /// Too many requests.
    pub fn is_rate_limited(&self) -> bool {
        self.http == 429 || self.code.as_deref() == Some("429")
    }

    fn stat_names_dead_session(&self) -> bool {
        self.stat.as_deref().is_some_and(names_dead_session)
    }
}

/// "invalid session token", "session expired", "Invalid JWT token"; not "closing auction session".
fn names_dead_session(text: &str) -> bool {
    const OF_THE_MARKET: [&str; 5] = ["auction", "pre-open", "preopen", "pre open", "trading session"];
    const DEAD: [&str; 12] = [
        "invalid",
        "expire",
        "login",
        "log in",
        "logged",
        "token",
        "unauthor",
        "terminat",
        "timed out",
        "timeout",
        "active",
        "not found",
    ];
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    text.contains("jwt") || (text.contains("session") && has(&DEAD) && !has(&OF_THE_MARKET))
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.text.is_empty() { self.stat.as_deref().unwrap_or("an error") } else { &self.text };
        write!(f, "{text} (")?;
        if let Some(code) = &self.code {
            write!(f, "code {code}, ")?;
        }
        write!(f, "HTTP {})", self.http)
    }
}
