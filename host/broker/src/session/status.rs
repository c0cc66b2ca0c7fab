//! What the operator is shown.

use model::Timestamp;
use serde::Serialize;

use super::standing::Standing;
use super::{Generation, NoSession};

/// Where the keeper stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeeperState {
    /// No session, and nothing in the way of one: the first call logs in.
    Idle,
    /// A login is under way.
    LoggingIn,
    /// There is a session.
    Open,
    /// There is a session after a contest; it has yet to outlive the window.
    Probing,
    /// The night: no login before the daily hour unless a task is due.
    Resting,
    /// The last login failed; the next is tried after a wait.
    Failed,
    /// Another program on this machine could be logged in.
    Conflict,
    /// Whether another program is logged in could not be found out.
    ConflictUnknown,
    /// Another program is logged in to this account.
    Contested,
    /// The broker refused the credentials.
    WrongCredentials,
    /// As many logins as one day may have were made.
    BudgetSpent,
    /// The host is going down.
    Ended,
}

/// A keeper at one instant. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeeperStatus {
    /// Where it stands.
    pub state: KeeperState,
    /// The last session's number.
    pub generation: Generation,
    /// When the present session was opened.
    pub opened: Option<Timestamp>,
    /// Logins today, the first of the day included.
    pub renewals: u32,
    /// Attempts today, those included to which nobody answered.
    pub attempts: u32,
    /// Probes today.
    pub probes: u32,
    /// The broker's clock less this machine's, in milliseconds, as last measured. An answer carries whole
    /// seconds, so it is up to a second low.
    pub skew_ms: Option<i64>,
    /// What failed last, until a login is finished.
    pub last_error: Option<String>,
    /// Since when it stands there.
    pub since: Timestamp,
    /// Why there is no trading.
    pub reason: Option<String>,
}

impl KeeperStatus {
    /// Why there is no trading, in one sentence; none when all is well.
    pub fn sentence(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl Standing {
    /// As the operator is shown it; `flying` while a renewal is under way.
    pub(super) fn status(&self, now: Timestamp, due: bool, flying: bool) -> KeeperStatus {
        let tally = self.tally(now);
        let (state, reason) = self.state(now, due, flying);
        KeeperStatus {
            state,
            generation: self.generation,
            opened: self.live,
            renewals: tally.logins,
            attempts: tally.attempts,
            probes: tally.probes,
            skew_ms: self.skew_ms(),
            last_error: self.last_error.clone(),
            since: self.since,
            reason,
        }
    }

    fn state(&self, now: Timestamp, due: bool, flying: bool) -> (KeeperState, Option<String>) {
        if self.ended {
            return (KeeperState::Ended, Some(NoSession::Ended.to_string()));
        }
        if flying {
            let failed = self.last_error.as_ref();
            let reason = failed.map(|text| format!("a login is under way; the last one failed ({text})"));
            return (KeeperState::LoggingIn, reason);
        }
        if self.live.is_some() {
            let probing = self.contest.open().is_some();
            return (if probing { KeeperState::Probing } else { KeeperState::Open }, None);
        }
        match self.may_log_in(now, due).err().or_else(|| self.hindrance()) {
            None => (KeeperState::Idle, None),
            Some(no) => (no.state(), Some(no.to_string())),
        }
    }
}

impl NoSession {
    const fn state(&self) -> KeeperState {
        match self {
            Self::Contested { .. } => KeeperState::Contested,
            Self::WrongCredentials { .. } => KeeperState::WrongCredentials,
            Self::Budget { .. } => KeeperState::BudgetSpent,
            Self::TooEarly { .. } => KeeperState::Resting,
            Self::Unavailable { .. } => KeeperState::Failed,
            Self::ConflictUnknown { .. } => KeeperState::ConflictUnknown,
            Self::Conflict { .. } => KeeperState::Conflict,
            Self::Ended => KeeperState::Ended,
        }
    }
}
