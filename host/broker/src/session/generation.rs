//! Which login a client belongs to.

use std::fmt;

use model::Timestamp;
use serde::Serialize;

/// The number of a login of this process: one more than the one before. Whoever saw his session expire
/// names the generation he used, so that a report that comes late does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// Before the first login: what to name when there was no session.
    pub const NONE: Self = Self(0);

    /// As a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// That of the login after this one.
    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A finished login.
pub struct Session<C> {
    /// Which one.
    pub generation: Generation,
    /// The client it gave.
    pub client: C,
    /// When it was finished, on this machine's clock.
    pub opened: Timestamp,
}

/// Without the client: it holds tokens.
impl<C> fmt::Debug for Session<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("generation", &self.generation)
            .field("opened", &self.opened)
            .finish_non_exhaustive()
    }
}
