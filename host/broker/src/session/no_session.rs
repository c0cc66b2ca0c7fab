//! Why there is no session.

use model::Timestamp;

/// Why a renewal gave no session: one sentence each, with what to do where that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    /// Sessions die within minutes of their login: somebody else logs in to this account.
    #[error(
        "contested: another program is logged in to this account ({}); stop it; the next login is tried at {until}",
        found.join("; ")
    )]
    Contested {
        /// What the look for conflicts found.
        found: Vec<String>,
        /// No login before this instant.
        until: Timestamp,
    },
    /// The broker refused what the account is known by.
    #[error(
        "the broker refused the credentials ({text}); nobody tries again, because accounts lock: correct \
         them and start the host again; when they were right, stop the host, and let `tradeagent login --check` \
         show it"
    )]
    WrongCredentials {
        /// The broker's words.
        text: String,
    },
    /// As many logins as one day may have.
    #[error(
        "the day's {limit} logins, or tries at one, are used up; the next is allowed at {until} (logins_per_day in the \
         configuration raises the first)"
    )]
    Budget {
        /// How many.
        limit: u32,
        /// When the next day's begin.
        until: Timestamp,
    },
    /// The night: sessions end at midnight and the next begins at the daily hour.
    #[error("no login before {until} unless a task is due")]
    TooEarly {
        /// The daily hour.
        until: Timestamp,
    },
    /// The last login failed for a reason that may pass.
    #[error("the login failed ({text}); the next is tried from {until}")]
    Unavailable {
        /// What failed.
        text: String,
        /// No login before this instant.
        until: Timestamp,
    },
    /// The look for conflicts failed, so nothing is known.
    #[error("whether another program is logged in could not be found out ({text}); no login until it can")]
    ConflictUnknown {
        /// How it failed.
        text: String,
    },
    /// Something else on this machine could be logged in.
    #[error("another program on this machine may be logged in to this account: {}", found.join("; "))]
    Conflict {
        /// What, each with how to stop it.
        found: Vec<String>,
    },
    /// The host is going down.
    #[error("the session was ended: the host is shutting down")]
    Ended,
}
