//! When an order passed which point on its way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The machine's monotonic clock.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub fn instant() -> Instant {
    Instant::now()
}

/// The points, in the order in which an order passes them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passed {
    /// In the guest, the instruction before `place`.
    pub guest: Option<Instant>,
    /// The host function hands the order to the desk.
    pub desk: Option<Instant>,
    /// The desk asks whether the broker is ready: first check done.
    pub ready: Option<Instant>,
    /// The desk calls the broker: intent and attempt are in the journal.
    pub broker: Option<Instant>,
    /// The client hands the request to the transport.
    pub transport: Option<Instant>,
}

/// Where they are noted down. Clones share it.
#[derive(Clone, Default)]
pub struct Marks(Arc<Mutex<Passed>>);

impl Marks {
    /// Notes that a point is passed now.
    pub fn pass(&self, point: impl FnOnce(&mut Passed) -> &mut Option<Instant>) {
        let now = instant();
        *point(&mut self.lock()) = Some(now);
    }

    /// What was passed since this was last asked.
    pub fn take(&self) -> Passed {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
