//! The two clocks: the machine's, and a simulated one that jumps.
//!
//! Here, and in the runtime's watchdog, are the only places that name the machine's time (clippy's
//! `disallowed-methods` holds the rest to [`model::Clock`]).

use std::sync::Arc;
use std::time::Duration;

use model::clock::SharedClock;
use model::{BoxFuture, Clock, Timestamp};

/// Longest stretch of monotonic waiting before wall time is read again: a clock that was set, or a
/// machine that slept, is noticed within it.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// The machine's clock: wall time for the schedule, monotonic time for the waiting.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the rest is handed")]
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(chrono::Utc::now().timestamp_nanos_opt().expect("before the year 2262"))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that the rest is handed")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let left = at.nanos_since(self.now());
                if left <= 0 {
                    return;
                }
                let left = Duration::from_nanos(left.unsigned_abs());
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
        })
    }
}

/// Real pace from another instant: for a rehearsal beside a simulator that has a clock of its own.
#[derive(Debug)]
pub struct PacedClock {
    /// Nanoseconds ahead of the machine's clock.
    ahead: i64,
}

impl PacedClock {
    /// A clock that shows `now` now.
    pub fn showing(now: Timestamp) -> Self {
        Self { ahead: now.nanos_since(SystemClock.now()) }
    }
}

impl Clock for PacedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_nanos(self.ahead)
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let at = at.plus_nanos(-self.ahead);
        Box::pin(async move { SystemClock.sleep_until(at).await })
    }
}

/// Simulated time. It is event-driven: on a current-thread runtime whose time is paused, tokio jumps to
/// the next due instant when every task is idle and no blocking call is out, and this clock reads from
/// there. It is never scaled.
#[derive(Debug)]
pub struct SimulatedClock {
    base: Timestamp,
    start: tokio::time::Instant,
}

impl SimulatedClock {
    /// A clock that shows `base` now. Must be called inside a runtime built by [`simulated_runtime`].
    #[expect(clippy::disallowed_methods, reason = "tokio's paused instant, not the machine's")]
    pub fn starting_at(base: Timestamp) -> Self {
        Self { base, start: tokio::time::Instant::now() }
    }
}

impl Clock for SimulatedClock {
    #[expect(clippy::disallowed_methods, reason = "tokio's paused instant, not the machine's")]
    fn now(&self) -> Timestamp {
        let elapsed = tokio::time::Instant::now() - self.start;
        self.base.plus_nanos(i64::try_from(elapsed.as_nanos()).expect("less than 292 years"))
    }

    #[expect(clippy::disallowed_methods, reason = "tokio's paused timer, not the machine's")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let offset = at.nanos_since(self.base).max(0).unsigned_abs();
        Box::pin(tokio::time::sleep_until(self.start + Duration::from_nanos(offset)))
    }
}

/// The runtime that simulated time needs: one thread, time paused.
pub fn simulated_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}

/// A clock that stands where it was put: for the inline driver of `simulate` and `backtest`, which moves
/// it between events. Waiting returns at once, because nothing in those two may wait.
#[derive(Debug, Default)]
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    /// A clock that shows `at`.
    pub fn at(at: Timestamp) -> Arc<Self> {
        Arc::new(Self(std::sync::atomic::AtomicI64::new(at.nanos())))
    }

    /// Puts it to `at`.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.nanos(), std::sync::atomic::Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(std::sync::atomic::Ordering::Relaxed))
    }

    fn sleep_until(&self, _at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The machine's clock, shared.
pub fn system() -> SharedClock {
    Arc::new(SystemClock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_time_jumps_and_does_not_wait() {
        let runtime = simulated_runtime().expect("a runtime");
        runtime.block_on(async {
            let base = Timestamp::at_ist("2025-03-04".parse().expect("a date"), 9, 15);
            let clock = SimulatedClock::starting_at(base);
            let target = base.plus_minutes(60 * 24 * 30);
            clock.sleep_until(target).await;
            assert_eq!(clock.now(), target);
            clock.sleep_until(base).await;
            assert_eq!(clock.now(), target, "an instant that has passed is not waited for");
        });
    }
}
