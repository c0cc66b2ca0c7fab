//! The login: two steps (facts 1.1). Each sends exactly one request.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::address;
use crate::answer::{Answer, Reading, Rule};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::fields::Fields;
use crate::secrets::Secrets;
use crate::session::{Session, ViewToken};
use crate::transport::{Body, Method, Request, Transport};

/// The broker's login.
pub const DEFAULT_BASE_URL: &str = "https://mis.kotaksecurities.com";
/// The constant that the broker's documents ask for in `neo-fin-key`.
pub(crate) const FIN_KEY: &str = "neotradeapi";
/// The longest answer of a login, in bytes; the risk disclosure in it is long.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Logs in over a transport.
#[derive(Clone)]
pub struct Login {
    /// What carries the requests.
    pub transport: Arc<dyn Transport>,
    /// Where to log in; [`DEFAULT_BASE_URL`] at the broker. A session may be on plain HTTP only if this is.
    pub base_url: String,
    /// The longest that one step may take.
    pub timeout: Duration,
}

/// A value, and what the server's clock was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The value.
    pub value: T,
    /// The server's clock in unix seconds, from the `Date` header: a skewed clock makes wrong codes.
    pub server_time: Option<i64>,
}

impl Login {
    /// At the broker, 15 s a step.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, base_url: DEFAULT_BASE_URL.to_owned(), timeout: Duration::from_secs(15) }
    }

    /// The first step: a code of the authenticator against a view token.
    ///
    /// Any answer without `data`, `token` and `sid` is an error, never a login (facts 3.4).
    pub async fn view(
        &self,
        credentials: &Credentials,
        totp_code: &SecretString,
    ) -> Result<Answered<ViewToken>, Error> {
        let body = json!({
            "mobileNumber": credentials.mobile_number.expose_secret(),
            "ucc": credentials.ucc.expose_secret(),
            "totp": totp_code.expose_secret(),
        });
        let secrets = [&credentials.mobile_number, &credentials.ucc, totp_code];
        let headers = vec![("Authorization", credentials.consumer_key.clone())];
        let answer = self.step("tradeApiLogin", headers, body.to_string(), &secrets).await?;
        let mut view = read_view(&answer)?;
        view.hide(&Secrets::of(secrets.into_iter().chain([&credentials.consumer_key])));
        Ok(Answered { value: view, server_time: answer.server_time })
    }

    /// The second step: the MPIN against a trade token and the base URL of everything else.
    ///
    /// Any answer without `data`, `token`, `sid` and a usable `baseUrl` is an error, never a login.
    pub async fn validate(
        &self,
        credentials: &Credentials,
        view: &ViewToken,
    ) -> Result<Answered<Session>, Error> {
        let body = json!({ "mpin": credentials.mpin.expose_secret() });
        let secrets = [&credentials.mpin, &credentials.mobile_number, &credentials.ucc];
        let headers = vec![
            ("Authorization", credentials.consumer_key.clone()),
            ("Auth", view.token.clone()),
            ("sid", view.sid.clone()),
        ];
        let answer = self.step("tradeApiValidate", headers, body.to_string(), &secrets).await?;
        let login_url = self.base()?;
        let mut session = read_session(&answer, login_url)?;
        session.hide(&Secrets::of(secrets.into_iter().chain([
            &credentials.consumer_key,
            &view.token,
            &view.sid,
        ])));
        Ok(Answered { value: session, server_time: answer.server_time })
    }

    async fn step(
        &self,
        path: &str,
        mut headers: Vec<(&'static str, SecretString)>,
        body: String,
        secrets: &[&SecretString],
    ) -> Result<Answer, Error> {
        let url = format!("{}/login/1.0/{path}", self.base()?);
        let secrets = Secrets::of(headers.iter().map(|(_, value)| value).chain(secrets.iter().copied()));
        headers.push(("neo-fin-key", SecretString::from(FIN_KEY)));
        headers.push(("Accept", SecretString::from("application/json")));
        let request = Request {
            method: Method::Post,
            url,
            headers,
            body: Body::Json(SecretString::from(body)),
            timeout: self.timeout,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let response =
            self.transport.send(request).await.map_err(|error| Error::from(error).cleaned(&secrets))?;
        Reading { rule: Rule::Data, secrets: &secrets, login: true }.read(&response)
    }

    fn base(&self) -> Result<String, Error> {
        address::base(&self.base_url, true)
            .map_err(|why| Error::invalid(format!("the login's base URL is {why}")))
    }
}

fn read_view(answer: &Answer) -> Result<ViewToken, Error> {
    let data = login_data(answer)?;
    Ok(ViewToken {
        token: secret(answer, &data, "token")?,
        sid: secret(answer, &data, "sid")?,
        kind: text(&data, "kType"),
    })
}

fn read_session(answer: &Answer, login_url: String) -> Result<Session, Error> {
    let data = login_data(answer)?;
    let kind = text(&data, "kType");
    if kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("view")) {
        return Err(answer.unreadable("a view token where a trade token was due"));
    }
    let plain_allowed = address::is_plain(&login_url);
    let named = text(&data, "baseUrl").ok_or_else(|| answer.unreadable("a login without `baseUrl`"))?;
    let base_url = address::base(&named, plain_allowed)
        .map_err(|why| answer.unreadable(&format!("the login's `baseUrl` is {why}")))?;
    // A feed's address is a hint; one that is not usable leaves the default in force.
    let feed = |name| {
        text(&data, name)
            .and_then(|url| address::base(&url, plain_allowed).ok())
            .map(|url| address::websocket(&url))
    };
    Ok(Session {
        token: secret(answer, &data, "token")?,
        sid: secret(answer, &data, "sid")?,
        base_url,
        login_url,
        feed_url: feed("feedUrl"),
        rt_url: feed("rtUrl"),
        ucc: text(&data, "ucc").map(SecretString::from),
        data_center: text(&data, "dataCenter"),
        greeting_name: text(&data, "greetingName"),
        kind,
    })
}

fn login_data<'a>(answer: &'a Answer) -> Result<Fields<'a>, Error> {
    let data = answer.json.get("data").ok_or_else(|| answer.unreadable("a login without `data`"))?;
    Fields::of(data).map_err(|_| answer.unreadable("a login whose `data` is not an object"))
}

fn secret(answer: &Answer, data: &Fields<'_>, name: &str) -> Result<SecretString, Error> {
    match data.whole_text(name) {
        Some(text) => Ok(SecretString::from(text)),
        None => Err(answer.unreadable(&format!("a login without `{name}`"))),
    }
}

fn text(data: &Fields<'_>, name: &str) -> Option<String> {
    data.text(name).ok().flatten()
}
