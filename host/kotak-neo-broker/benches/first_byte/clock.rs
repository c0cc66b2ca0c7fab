//! The machine's pace from another instant, with days that can be passed over.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use model::time::SECOND;
use model::{BoxFuture, Clock, Date, Timestamp};

use crate::marks::instant;

/// Shows ten in the morning when it is made.
pub struct Paced {
    base: Timestamp,
    start: Instant,
    days: AtomicI64,
}

impl Paced {
    /// On `day`.
    pub fn on(day: Date) -> Self {
        Self { base: Timestamp::at_ist(day, 10, 0), start: instant(), days: AtomicI64::new(0) }
    }

    /// The same time on the next day.
    pub fn pass_a_day(&self) {
        self.days.fetch_add(1, Ordering::Relaxed);
    }
}

impl Clock for Paced {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.start.elapsed().as_nanos()).expect("within centuries");
        self.base.plus_nanos(elapsed + self.days.load(Ordering::Relaxed) * 24 * 60 * 60 * SECOND)
    }

    #[expect(clippy::disallowed_methods, reason = "real pace is this clock's work")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let left = at.nanos_since(self.now()).max(0).unsigned_abs();
        Box::pin(tokio::time::sleep(Duration::from_nanos(left)))
    }
}
