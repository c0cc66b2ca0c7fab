//! What the service manager is told: ready, how it goes, still alive, stopping.
//!
//! "Still alive" is said only while the host's own loop goes round: it takes the desk's and the journal's
//! locks each time, so a host that hangs in either is started anew. Where no service manager listens,
//! nothing is said.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(target_os = "linux")]
pub use linux::ready;
#[cfg(windows)]
pub use windows::{NAME, as_service, ready, stop_wanted};

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

/// Nobody is told.
#[cfg(not(any(target_os = "linux", windows)))]
pub fn ready(pulse: Pulse, _status: impl Fn() -> String + Send + 'static) -> Guard {
    let _ = Watch::default().look(pulse.count(), TURN);
    Guard::new(|| {})
}

/// Says at its end that the host is stopping.
#[must_use = "the service manager is told until it is dropped"]
pub struct Guard(Option<Box<dyn FnOnce() + Send>>);

impl Guard {
    fn new(end: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(end)))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
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
