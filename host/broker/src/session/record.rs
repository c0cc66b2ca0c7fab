//! What a keeper must still know after its process died.

use std::sync::Arc;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeeperConfig;
use super::bounded::after;
use super::contest::Contest;
use super::tally::Tally;

/// The half minutes sent, the day's counts, the contest, and whether the credentials were refused: what a
/// host that is started anew must not forget, or it would send a code twice, fight the other program with
/// fresh courage, or lock the account.
///
/// Nothing in it is secret. Not in it: the session itself (a token is never written down), the wait after a
/// failed login (the day's counts bound a host that fails in a circle), and the clock's skew (measured
/// anew at the first answer).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub(super) sent: Vec<i64>,
    pub(super) tally: Option<Tally>,
    pub(super) contest: Contest,
    pub(super) wrong: Option<String>,
    pub(super) refused_codes: u32,
}

impl Record {
    /// The same for other credentials: what was said of the old ones does not hold.
    #[must_use]
    pub fn for_other_credentials(self) -> Self {
        Self { wrong: None, refused_codes: 0, ..self }
    }

    /// As it counts at `now`. A cool-down is never longer than one from now: the clock may have been wrong
    /// when it was written.
    pub(super) fn at(mut self, now: Timestamp, config: &KeeperConfig) -> Self {
        self.contest.at_most(after(now, config.cool_down));
        self
    }
}

/// Keeps the record where a later process finds it, before it comes back. An error says why it cannot.
pub type Save = Arc<dyn Fn(&Record) -> Result<(), String> + Send + Sync>;

/// What an earlier keeper of the account left behind, and where this one leaves its own.
#[derive(Clone)]
pub struct Memory {
    /// What the earlier one knew; [`Record::default`] when there was none.
    pub record: Record,
    /// Keeps what this one knows.
    pub save: Save,
}

impl Memory {
    /// Of a keeper that lives once, for an account that lives no longer: tests and simulations.
    pub fn none() -> Self {
        Self { record: Record::default(), save: Arc::new(|_| Ok(())) }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("record", &self.record).finish_non_exhaustive()
    }
}
