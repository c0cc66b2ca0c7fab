//! Two clocks for sims: one that is told the time, and one that begins at an instant and runs.

use std::sync::Mutex;
use std::time::Duration;

use model::{BoxFuture, Clock, Timestamp};
use tokio::sync::watch;

/// A clock that shows the latest instant it was told. For a server whose callers live in simulated time:
/// theirs cannot be read from the server's thread.
#[derive(Debug)]
pub struct SharedInstant(watch::Sender<Timestamp>);

impl SharedInstant {
    /// A clock that shows `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(watch::Sender::new(at))
    }

    /// Shows `at` from now on, unless a later instant was told before.
    pub fn tell(&self, at: Timestamp) {
        self.0.send_if_modified(|now| {
            let later = *now < at;
            if later {
                *now = at;
            }
            later
        });
    }
}

impl Clock for SharedInstant {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut told = self.0.subscribe();
        Box::pin(async move {
            // The sender is `self`: it cannot be gone.
            let _ = told.wait_for(|now| *now >= at).await;
        })
    }
}

/// A clock that begins at a given instant, runs at real speed, and can be moved forward.
#[derive(Debug)]
pub struct PacedClock {
    start: Timestamp,
    began: std::time::Instant,
    moved: Mutex<i64>,
}

/// How long a sleeper waits before it looks whether the clock was moved.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl PacedClock {
    /// A clock that shows `start` now.
    #[expect(clippy::disallowed_methods, reason = "this clock runs with the machine's")]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, began: std::time::Instant::now(), moved: Mutex::new(0) }
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let mut moved = self.moved.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *moved = moved.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX));
    }
}

impl Clock for PacedClock {
    fn now(&self) -> Timestamp {
        let moved = *self.moved.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ran = i64::try_from(self.began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        self.start.plus_nanos(ran.saturating_add(moved))
    }

    #[expect(clippy::disallowed_methods, reason = "this clock runs with the machine's")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let left = at.nanos_since(self.now());
                if left <= 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_nanos(left.unsigned_abs()).min(LOOK_AGAIN)).await;
            }
        })
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(chrono::Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the machine's clock")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let left = u64::try_from(at.nanos_since(self.now())).unwrap_or(0);
        Box::pin(tokio::time::sleep(Duration::from_nanos(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_instant_never_goes_back() {
        let base = Timestamp::from_nanos(100);
        let clock = SharedInstant::at(base);
        clock.tell(base.plus_nanos(50));
        clock.tell(base);
        assert_eq!(clock.now(), base.plus_nanos(50));
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_it_is_told_the_instant() {
        let base = Timestamp::from_nanos(0);
        let clock = SharedInstant::at(base);
        let slept = clock.sleep_until(base.plus_seconds(2));
        clock.tell(base.plus_seconds(1));
        tokio::select! {
            biased;
            () = slept => panic!("a second too early"),
            () = clock.sleep_until(base.plus_seconds(1)) => {}
        }
        let slept = clock.sleep_until(base.plus_seconds(2));
        clock.tell(base.plus_seconds(3));
        slept.await;
    }

    #[test]
    fn a_paced_clock_runs_on_from_where_it_was_moved() {
        let base = Timestamp::from_nanos(0);
        let clock = PacedClock::starting_at(base);
        clock.advance(Duration::from_secs(3600));
        let now = clock.now();
        assert!(now >= base.plus_seconds(3600) && now < base.plus_seconds(7200));
        assert!(clock.now() >= now);
    }
}
