//! At most so many calls in *any* second.
//!
//! A bucket allows a burst and then a rate, so a window over both holds more than the rate. Here the
//! last calls themselves are remembered: the next may go a second after the n-th last went.

use std::collections::VecDeque;

use model::Timestamp;
use model::time::SECOND;

/// A queue longer than this is refused instead of waited for.
pub const WAIT_NANOS_MAX: i64 = 30 * SECOND;

/// The last `size` instants of one lane.
#[derive(Debug)]
pub struct Lane {
    size: usize,
    sent: VecDeque<Timestamp>,
}

impl Lane {
    /// A lane for `size` calls in any second; none at all when it is zero.
    pub fn new(size: u32) -> Self {
        let size = size as usize;
        Self { size, sent: VecDeque::with_capacity(size) }
    }

    /// Calls in any second.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The earliest instant at which the next call may go.
    pub fn next(&mut self, now: Timestamp) -> Timestamp {
        // The clock was set back: what lies impossibly far ahead was not reserved under this time.
        let horizon = now.plus_nanos(WAIT_NANOS_MAX + SECOND);
        if self.sent.back().is_some_and(|last| *last > horizon) {
            self.sent.clear();
        }
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= self.size => now.max(oldest.plus_nanos(SECOND + 1)),
            _ => now,
        }
    }

    /// A call goes at `at`.
    pub fn take(&mut self, at: Timestamp) {
        if self.sent.len() >= self.size {
            self.sent.pop_front();
        }
        self.sent.push_back(at);
    }

    /// The instant at which a call may go, reserved for it; `None` when the queue is too long.
    pub fn reserve(&mut self, now: Timestamp) -> Option<Timestamp> {
        let at = self.next(now);
        if at.nanos_since(now) > WAIT_NANOS_MAX {
            return None;
        }
        self.take(at);
        Some(at)
    }
}
