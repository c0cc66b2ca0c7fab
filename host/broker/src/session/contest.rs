//! Is another program logged in to this account?

use model::{Date, Timestamp};
use serde::{Deserialize, Serialize};

use super::KeeperConfig;
use super::bounded::after;

/// "Dies within minutes of a good login, twice".
const EARLY_DEATHS: u32 = 2;
/// When the look finds nothing, it is where the look cannot see.
const ELSEWHERE: &str =
    "nothing found on this machine: another machine, the web or mobile app, or a container";

/// What speaks for a contest, and the contest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contest {
    /// Sessions in a row that died early, on this day.
    early: u32,
    day: Option<Date>,
    /// Logins since the first of those, it included.
    logins: u32,
    /// It must be declared as soon as somebody has looked.
    pending: bool,
    open: Option<Open>,
}

/// A contest that was declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    /// No login before this instant.
    pub until: Timestamp,
    /// What the look found.
    pub found: Vec<String>,
}

impl Contest {
    pub(super) const fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    pub(super) const fn pending(&self) -> bool {
        self.pending
    }

    /// A session died early. That of a probe says it all.
    pub(super) fn died_early(&mut self, day: Date, config: &KeeperConfig) {
        self.turn_to(day);
        self.early += 1;
        self.logins = self.logins.max(1);
        self.pending =
            self.open.is_some() || self.early >= EARLY_DEATHS || self.logins >= config.contest_logins;
    }

    /// The broker took a code.
    pub(super) fn login(&mut self, day: Date) {
        self.turn_to(day);
        if self.early > 0 {
            self.logins += 1;
        }
    }

    /// A login after that came to nothing. A probe that did restarts the cool-down.
    pub(super) fn login_failed(&mut self, now: Timestamp, config: &KeeperConfig) {
        match &mut self.open {
            Some(open) => open.until = after(now, config.cool_down),
            None => self.pending = self.early > 0 && self.logins >= config.contest_logins,
        }
    }

    /// Somebody looked: the cool-down begins.
    pub(super) fn declare(&mut self, now: Timestamp, found: Vec<String>, config: &KeeperConfig) -> Open {
        let found = if found.is_empty() { vec![ELSEWHERE.to_owned()] } else { found };
        let open = Open { until: after(now, config.cool_down), found };
        *self = Self { open: Some(open.clone()), ..Self::default() };
        open
    }

    /// A later look, before a probe, found this.
    pub(super) fn still(&mut self, found: Vec<String>) {
        if let Some(open) = &mut self.open {
            open.found = found;
        }
    }

    /// No cool-down ends after `latest`.
    pub(super) fn at_most(&mut self, latest: Timestamp) {
        if let Some(open) = &mut self.open {
            open.until = open.until.min(latest);
        }
    }

    /// A session outlived the window. True when that ends a contest.
    pub(super) fn survived(&mut self) -> bool {
        std::mem::take(self).open.is_some()
    }

    /// Early deaths count within one day.
    fn turn_to(&mut self, day: Date) {
        if self.day != Some(day) {
            (self.day, self.early, self.logins) = (Some(day), 0, 0);
        }
    }
}
