//! What happened, for the journal and for alerts.

use model::Timestamp;
use serde::Serialize;

use super::Generation;

/// What the keeper did or saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SessionEvent {
    /// A login is finished.
    Opened {
        /// Its number.
        generation: Generation,
        /// The broker's clock less this machine's, in milliseconds, when it is known.
        skew_ms: Option<i64>,
        /// Whether it is a probe after a contest.
        probe: bool,
    },
    /// A session was reported expired.
    Expired {
        /// Its number.
        generation: Generation,
        /// How long it lived, in milliseconds.
        lived_ms: i64,
        /// Whether it was from an earlier day: every session ends at midnight.
        expected: bool,
    },
    /// Another program is logged in to this account. Trading stops.
    Contested {
        /// What the look for conflicts found.
        found: Vec<String>,
        /// No login before this instant.
        until: Timestamp,
    },
    /// A login is held back because something on this machine could be logged in. Said once, until it
    /// changes.
    Conflict {
        /// What, each with how to stop it.
        found: Vec<String>,
    },
    /// A login is held back because the look for conflicts failed. Said once, until it changes.
    ConflictUnknown {
        /// How it failed.
        text: String,
    },
    /// A contested account is tried again.
    ProbeStarted,
    /// The probe's session outlived the window: the account is this host's alone again.
    Recovered,
    /// A login failed.
    LoginFailed {
        /// What failed.
        text: String,
        /// When the next may be made; none: not before the operator acted.
        until: Option<Timestamp>,
    },
    /// This machine's clock is off by more than the alarm allows.
    Skew {
        /// The broker's clock less this machine's, in milliseconds.
        ms: i64,
    },
    /// What a later process must know cannot be kept: one started now could send a code twice, or forget a
    /// contest. Said once, until it can be kept again.
    NotKept {
        /// Why.
        text: String,
    },
    /// The operator says that the credentials are good now.
    Cleared,
    /// The last session is logged out; there will be no other.
    Ended,
}
