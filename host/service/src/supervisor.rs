//! What the service manager is told: ready, how it goes, still alive, stopping (sd_notify(3)).
//!
//! "Still alive" is said only while the host's own loop goes round: it takes the desk's and the journal's
//! locks each time, so a host that hangs in either is started anew. Where no service manager listens,
//! nothing is said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The loop's turns so far.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// The loop has gone round once more.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The longest that one turn may take: a wait of a minute, and reads of the broker's books with their
/// patience.
const TURN: Duration = Duration::from_secs(180);

/// Whether the loop is alive: looked at now and then, with the time that has passed since.
#[derive(Debug, Default)]
struct Watch {
    seen: u64,
    silent: Duration,
}

impl Watch {
    fn look(&mut self, count: u64, passed: Duration) -> bool {
        if count == self.seen {
            self.silent += passed;
        } else {
            (self.seen, self.silent) = (count, Duration::ZERO);
        }
        self.silent <= TURN
    }
}

/// The host is ready; from now on it says how it goes until the guard is dropped.
#[cfg(target_os = "linux")]
pub fn ready(pulse: Pulse, status: impl Fn() -> String + Send + 'static) -> Guard {
    use sd_notify::NotifyState;
    let tell = |states: &[NotifyState<'_>]| {
        if let Err(error) = sd_notify::notify(states) {
            tracing::warn!(%error, "the service manager cannot be told");
        }
    };
    tell(&[NotifyState::Ready, NotifyState::Status(&status())]);
    // Half of the watchdog's time; without a watchdog only the status.
    let every = sd_notify::watchdog_enabled().map_or(Duration::from_secs(30), |limit| limit / 2);
    let task = tokio::spawn(async move {
        let mut watch = Watch::default();
        loop {
            #[expect(
                clippy::disallowed_methods,
                reason = "the service manager's watchdog runs on real time"
            )]
            tokio::time::sleep(every).await;
            if watch.look(pulse.count(), every) {
                tell(&[NotifyState::Watchdog, NotifyState::Status(&status())]);
            } else {
                tracing::error!("the host's loop stands still: the service manager's watchdog is not fed");
            }
        }
    });
    Guard(Some(task))
}

/// There is no such service manager here.
#[cfg(not(target_os = "linux"))]
pub fn ready(_pulse: Pulse, _status: impl Fn() -> String + Send + 'static) -> Guard {
    let _ = Watch::default().look(Pulse::default().count(), TURN);
    Guard(None)
}

/// Says at its end that the host is stopping.
#[must_use = "the service manager is told until it is dropped"]
pub struct Guard(Option<tokio::task::JoinHandle<()>>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
        #[cfg(target_os = "linux")]
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_stands_still_is_found_out_and_one_that_is_slow_is_not() {
        let (mut watch, pulse) = (Watch::default(), Pulse::default());
        let step = Duration::from_secs(60);
        for _ in 0..10 {
            pulse.beat();
            assert!(watch.look(pulse.count(), step));
        }
        let alive: Vec<bool> = (0..5).map(|_| watch.look(pulse.count(), step)).collect();
        assert_eq!(alive, [true, true, true, false, false]);
        pulse.beat();
        assert!(watch.look(pulse.count(), step), "it goes on");
    }
}
