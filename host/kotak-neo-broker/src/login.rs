//! A login at Kotak Neo, as the session keeper wants it.

use std::sync::Arc;

use broker::session::{Login, LoginError, LoginErrorKind, Stepped};
use kotak_neo::Error;
use kotak_neo::client::Client;
use kotak_neo::credentials::Credentials;
use kotak_neo::login::Login as Steps;
use kotak_neo::session::ViewToken;
use kotak_neo::transport::Transport;
use model::time::SECOND;
use model::{BoxFuture, Timestamp};
use secrecy::SecretString;

/// Makes a transport with connections of its own.
pub type MakeTransport = Arc<dyn Fn() -> Result<Arc<dyn Transport>, String> + Send + Sync>;

/// Logs in with a new transport each time, so that nothing of an old session is left in a connection.
pub struct KotakLogin {
    make_transport: MakeTransport,
    base_url: String,
    credentials: Credentials,
}

impl KotakLogin {
    /// At `base_url`, with these credentials.
    pub fn new(make_transport: MakeTransport, base_url: String, credentials: Credentials) -> Self {
        Self { make_transport, base_url, credentials }
    }
}

/// What step one gave, with the connections it was made on.
pub struct View {
    steps: Steps,
    transport: Arc<dyn Transport>,
    token: ViewToken,
}

impl Login for KotakLogin {
    type Client = Client;
    type View = View;

    fn view<'a>(&'a self, code: SecretString) -> BoxFuture<'a, Result<Stepped<View>, LoginError>> {
        Box::pin(async move {
            let transport = (self.make_transport)().map_err(|why| LoginError {
                kind: LoginErrorKind::Unavailable,
                text: why,
                server_time: None,
            })?;
            let steps = Steps { base_url: self.base_url.clone(), ..Steps::new(Arc::clone(&transport)) };
            let answered = steps
                .view(&self.credentials, &code)
                .await
                .map_err(|error| login_error(&error, Step::Code))?;
            let value = View { steps, transport, token: answered.value };
            Ok(Stepped { value, server_time: instant(answered.server_time) })
        })
    }

    fn validate<'a>(&'a self, view: &'a View) -> BoxFuture<'a, Result<Stepped<Client>, LoginError>> {
        Box::pin(async move {
            let answered = view
                .steps
                .validate(&self.credentials, &view.token)
                .await
                .map_err(|error| login_error(&error, Step::Mpin))?;
            let key = self.credentials.consumer_key.clone();
            let value = Client::new(Arc::clone(&view.transport), key, answered.value);
            Ok(Stepped { value, server_time: instant(answered.server_time) })
        })
    }

    fn logout<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            // Best effort: a dead session cannot be logged out, and need not be.
            let _ = client.logout().await;
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Code,
    Mpin,
}

fn instant(unix_seconds: Option<i64>) -> Option<Timestamp> {
    unix_seconds.and_then(|seconds| seconds.checked_mul(SECOND)).map(Timestamp::from_nanos)
}

/// What can be done about a failed step (facts 1.1, 3.1 B to D). What does not clearly say that the account
/// or the code is refused may pass: the keeper's budget bounds how often it is tried.
fn login_error(error: &Error, step: Step) -> LoginError {
    LoginError { kind: kind(error, step), text: error.to_string(), server_time: instant(error.server_time()) }
}

fn kind(error: &Error, step: Step) -> LoginErrorKind {
    let Some(said) = error.said() else { return LoginErrorKind::Unavailable };
    if said.http >= 500 || error.is_rate_limited() {
        return LoginErrorKind::Unavailable;
    }
    let text = said.text.to_lowercase();
    // Whole words or their beginnings: "ucc" is not in "unsuccessful".
    let names = |words: &[&str]| {
        words.iter().any(|wanted| match wanted.split_once(' ') {
            Some(_) => text.contains(wanted),
            None => text.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(wanted)),
        })
    };
    let code = said.code.as_deref().unwrap_or_default();
    match step {
        // "Invalid credentials or TOTP.": the code is the likelier one, and a second refusal stops it.
        Step::Code if names(&["totp", "otp"]) => LoginErrorKind::WrongCode,
        _ if names(&[
            "mpin",
            "credential",
            "ucc",
            "mobile number",
            "not registered",
            "blocked",
            "locked",
            "unauthor",
        ]) =>
        {
            LoginErrorKind::WrongCredentials
        }
        _ if matches!(code, "400" | "401" | "403" | "10020" | "900901")
            || matches!(said.http, 400 | 401 | 403) =>
        {
            LoginErrorKind::WrongCredentials
        }
        Step::Code | Step::Mpin => LoginErrorKind::Unavailable,
    }
}
