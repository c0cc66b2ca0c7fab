//! Recorded runs, had again: the same as they were, or as another component would have done.
//!
//! [`again()`] answers each call from the tape, strictly in order. [`what_if()`] lets another component or other
//! parameters into the recorded world: market and account as they were, orders and state its own.

mod again;
mod compare;
mod overlay;
mod past;
mod standing;
mod what_if;

use runtime::instance::RuntimeError;
use runtime::{Limits, LoadError};

pub use again::{Again, CutOff, Different, Loader, again};
pub use compare::{AlertRow, Content, EndRow, OrderRow, What};
pub use past::Past;
pub use what_if::{Answer, Question, what_if};

use crate::recording::RecordingError;

/// Fuel for what real time bounded: several times what is computed in the run time, and no more, because what has
/// left its recording may never end.
fn patience(limits: &Limits) -> u64 {
    let tens = (limits.run_time.as_secs() / 10).max(1);
    limits.fuel.saturating_mul(4 * tens)
}

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording cannot be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The runtime does not start.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A component does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
}

#[cfg(test)]
mod tests;
