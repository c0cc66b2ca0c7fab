//! What the keeper asks of an adapter and of the machine.

use std::fmt;
use std::sync::Arc;

use model::{BoxFuture, Timestamp};
use secrecy::SecretString;

use super::SessionEvent;

/// One way to log in to one account. Every call builds everything anew: connections, cookies, tokens.
///
/// The keeper owns repetition, order and time. An implementation asks once and says what it heard; it may
/// be dropped in the middle when its time is up.
pub trait Login: Send + Sync + 'static {
    /// What a finished login gives: a client with its own connections.
    type Client: Send + Sync + 'static;
    /// What step one gave, on which step two is made.
    type View: Send + Sync + 'static;

    /// Step one, with a one-time code that no call before this one was given.
    fn view<'a>(&'a self, code: SecretString) -> BoxFuture<'a, Result<Stepped<Self::View>, LoginError>>;

    /// Step two, on the answer of step one. It is called again on the same answer when it was
    /// [`LoginErrorKind::Unavailable`].
    fn validate<'a>(
        &'a self,
        view: &'a Self::View,
    ) -> BoxFuture<'a, Result<Stepped<Self::Client>, LoginError>>;

    /// Best-effort logout. The keeper bounds it by time, ignores how it ends, and drops the client.
    fn logout<'a>(&'a self, client: &'a Self::Client) -> BoxFuture<'a, ()>;
}

/// The answer of a step, and the server's time when it said it.
#[derive(Clone)]
pub struct Stepped<T> {
    /// What the step gave.
    pub value: T,
    /// The `Date` header of the answer.
    pub server_time: Option<Timestamp>,
}

/// Without the value: it holds tokens.
impl<T> fmt::Debug for Stepped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepped").field("server_time", &self.server_time).finish_non_exhaustive()
    }
}

/// Why a step gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct LoginError {
    /// What can be done about it.
    pub kind: LoginErrorKind,
    /// The broker's words or the transport's; nothing secret.
    pub text: String,
    /// The `Date` header, when there was an answer: a refused code is often a wrong clock.
    pub server_time: Option<Timestamp>,
}

/// What can be done about a failed step. What is not clearly one of the first two is `Unavailable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginErrorKind {
    /// The account, the access token or the MPIN is refused: nobody tries again until the operator acted.
    WrongCredentials,
    /// The one-time code is refused.
    WrongCode,
    /// No answer, an unreadable one, or one that says "later": try again within the budget.
    Unavailable,
}

/// What else on this machine could be logged in to the account.
pub trait Conflicts: Send + Sync + 'static {
    /// Looks once. Each text names one thing found and how to stop it. An error means that the check
    /// itself failed: then nothing is known, and nobody logs in.
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>>;

    /// Looks because the account has just been found to be contested: what was stopped on this occasion is
    /// named as well.
    fn look_at_contest(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        self.look()
    }
}

/// Runs a future to its end without anybody waiting for it.
pub type Spawn = Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// Hears what happened, in order. Called from any thread: it must neither block nor call the keeper.
pub type Events = Arc<dyn Fn(SessionEvent) + Send + Sync>;
