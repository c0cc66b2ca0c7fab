//! The calls of a session.

mod data;
mod orders;
mod reports;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::address;
use crate::answer::{Answer, Reading, Rule};
use crate::error::Error;
use crate::login::FIN_KEY;
use crate::secrets::Secrets;
use crate::session::Session;
use crate::transport::{Body, Method, Request, Transport};

pub use reports::PositionsPath;

/// The most instruments of one quotes call (facts 2.11).
pub const QUOTES_MAX: usize = 50;

/// The longest that a call may take, connecting included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Place, modify, cancel.
    pub order: Duration,
    /// Reports and data.
    pub read: Duration,
    /// The files of the scrip master.
    pub file: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { order: Duration::from_secs(10), read: Duration::from_secs(15), file: Duration::from_secs(120) }
    }
}

/// A client of one session. Every call sends exactly one request; there is no retry inside. A renewed session
/// gets a new client.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    consumer_key: SecretString,
    session: Session,
    patience: Patience,
    secrets: Secrets,
}

/// Which of the two families of headers a call takes (facts 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Headers {
    /// Orders and reports.
    Trade,
    /// Quotes, candles, scrip files: the access token alone.
    Data,
}

/// One call, ready to be sent.
struct Call {
    method: Method,
    url: String,
    headers: Headers,
    form: Option<Map<String, Value>>,
    timeout: Duration,
    answer_bytes_max: usize,
    rule: Rule,
}

/// The longest answer of an order call, in bytes.
const SMALL_BYTES_MAX: usize = 256 * 1024;
/// The longest answer of a report or a data call, in bytes.
const LARGE_BYTES_MAX: usize = 32 * 1024 * 1024;

impl Client {
    /// For a session, over a transport. `consumer_key` is the access token of the dashboard.
    pub fn new(transport: Arc<dyn Transport>, consumer_key: SecretString, session: Session) -> Self {
        let secrets =
            Secrets::of([&session.token, &session.sid, &consumer_key]).and_in_texts(session.ucc.as_ref());
        Self { transport, consumer_key, session, patience: Patience::default(), secrets }
    }

    /// With other deadlines.
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Whose calls these are.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn get(&self, path: &str, rule: Rule) -> Call {
        Call {
            method: Method::Get,
            url: format!("{}/{path}", self.session.base_url),
            headers: Headers::Trade,
            form: None,
            timeout: self.patience.read,
            answer_bytes_max: LARGE_BYTES_MAX,
            rule,
        }
    }

    fn post(&self, path: &str, form: Map<String, Value>) -> Call {
        Call { method: Method::Post, form: Some(form), ..self.get(path, Rule::Stat) }
    }

    async fn call(&self, call: Call) -> Result<Answer, Error> {
        let rule = call.rule;
        let sent = self.transport.send(self.request(call)).await;
        let response = sent.map_err(|error| Error::from(error).cleaned(&self.secrets))?;
        Reading { rule, secrets: &self.secrets, login: false }.read(&response)
    }

    fn request(&self, call: Call) -> Request {
        let public = |text: &str| SecretString::from(text);
        let mut headers = vec![("Authorization", self.consumer_key.clone())];
        if call.headers == Headers::Trade {
            headers.push(("Auth", self.session.token.clone()));
            headers.push(("Sid", self.session.sid.clone()));
            headers.push(("neo-fin-key", public(FIN_KEY)));
        }
        headers.push(("Accept", public(if call.rule == Rule::Data { "*/*" } else { "application/json" })));
        let body = match call.form {
            Some(form) => Body::Form(format!("jData={}", address::encode(&Value::Object(form).to_string()))),
            None => Body::Empty,
        };
        Request {
            method: call.method,
            url: call.url,
            headers,
            body,
            timeout: call.timeout,
            answer_bytes_max: call.answer_bytes_max,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("session", &self.session).finish_non_exhaustive()
    }
}
