//! What the exchange day has seen so far.

use model::{Date, Timestamp};
use serde::{Deserialize, Serialize};

use super::KeeperConfig;

/// Counts of one exchange day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    day: Date,
    /// Codes sent.
    pub attempts: u32,
    /// Of those, taken by the broker.
    pub logins: u32,
    /// Of those, on a contested account.
    pub probes: u32,
}

impl Tally {
    pub(super) const fn of(day: Date) -> Self {
        Self { day, attempts: 0, logins: 0, probes: 0 }
    }

    /// The counts at `now`: a new day begins at none.
    pub(super) fn at(self, now: Timestamp) -> Self {
        if self.day == now.ist_date() { self } else { Self::of(now.ist_date()) }
    }

    /// The limit that is reached.
    pub(super) fn spent(self, config: &KeeperConfig) -> Option<u32> {
        if self.logins >= config.logins_per_day {
            return Some(config.logins_per_day);
        }
        (self.attempts >= config.attempts_per_day).then_some(config.attempts_per_day)
    }
}
