//! Time and chance are handed in.
//!
//! [`Clock`] is the only way to ask what time it is or to wait. The service has two: the machine's
//! (schedule on wall time, wait on monotonic time) and a simulated one that is event-driven (it jumps
//! to the next due instant when every task is idle; it is never scaled).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::time::Timestamp;

/// A future that can be kept behind a `dyn` port.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer that is there already, for a port that may have to wait.
pub fn ready<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(answer))
}

/// Who owns now and waiting.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Waits until `at`; at once when it has passed.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

/// A seeded stream of numbers (SplitMix64): small, exact on every platform, and forked by label so
/// that a draw added in one place does not shift the others.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent stream named `label`.
    pub fn fork(&self, label: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0.to_le_bytes());
        hasher.update(label.as_bytes());
        let bytes = hasher.finalize();
        let mut first = [0_u8; 8];
        first.copy_from_slice(&bytes.as_bytes()[..8]);
        Self(u64::from_le_bytes(first))
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound` (`bound` above zero).
    pub const fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no number");
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }
}
