//! What one strategy may use. Every number has a default that the shipped strategies stay far under.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmtime::{ResourceLimiter, bail};

use crate::outcome::StopReason;

/// The limits of one strategy. What a limit ends is one run; the strategy begins anew with the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Linear memory of one instance, in bytes. Default 64 MiB.
    pub memory_bytes: usize,
    /// Real time of one live run, computing and waiting together. Default 10 s.
    pub run_time: Duration,
    /// Fuel of one deterministic run (about one unit per instruction). Default 10,000,000,000.
    pub fuel: u64,
    /// Core instances of one component; the WASI adapters need a few. Default 64.
    pub instances: usize,
    /// Memories of one component. Default 8.
    pub memories: usize,
    /// Tables of one component. Default 16.
    pub tables: usize,
    /// Elements of one table. Default 20,000.
    pub table_elements: usize,
    /// Host calls of one run. Default 100,000.
    pub host_calls: u64,
    /// Bytes that one host call, or the answer to a run, may hand to the host. Default 16 MiB.
    pub call_bytes: usize,
    /// Log text of one run, in bytes; what is over is dropped and counted. Default 64 KiB.
    pub log_bytes: usize,
    /// Alerts of one run. Default 200.
    pub alerts: u32,
    /// Bars that one `get-candles` may answer with, over all symbols. Default 1,000,000 (48 MB).
    pub candle_bars: usize,
    /// Length of a state key, in bytes. Default 128.
    pub state_key_bytes: usize,
    /// Size of a state value, in bytes. Default 64 KiB.
    pub state_value_bytes: usize,
    /// Keys that the strategy's state may hold. Default 4,096.
    pub state_keys: usize,
    /// Bytes that one run may write into its state. Default 8 MiB.
    pub state_write_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            run_time: Duration::from_secs(10),
            fuel: 10_000_000_000,
            instances: 64,
            memories: 8,
            tables: 16,
            table_elements: 20_000,
            host_calls: 100_000,
            call_bytes: 16 << 20,
            log_bytes: 64 << 10,
            alerts: 200,
            candle_bars: 1_000_000,
            state_key_bytes: 128,
            state_value_bytes: 64 << 10,
            state_keys: 4_096,
            state_write_bytes: 8 << 20,
        }
    }
}

/// Holds an instance to its memory and tables, and remembers which limit it hit.
///
/// Unlike wasmtime's own `StoreLimits` it bounds the sum over all memories, and it traps: an allocator
/// that gets -1 aborts with `unreachable`, which says nothing.
pub(crate) struct Meter {
    limits: Limits,
    memory_bytes: usize,
    /// The limit that was hit.
    pub(crate) hit: Option<StopReason>,
}

impl Meter {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { limits, memory_bytes: 0, hit: None }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_sub(current).saturating_add(desired);
        if total > self.limits.memory_bytes {
            self.hit =
                Some(StopReason::OutOfMemory { limit_bytes: self.limits.memory_bytes, asked_bytes: total });
            bail!("the memory limit is {} bytes", self.limits.memory_bytes);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.limits.table_elements {
            self.hit = Some(StopReason::TableTooLarge { limit: self.limits.table_elements });
            bail!("the table limit is {} elements", self.limits.table_elements);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_limit_is_over_all_memories() {
        let limits = Limits { memory_bytes: 100, ..Limits::default() };
        let mut meter = Meter::new(limits);
        assert!(meter.memory_growing(0, 60, None).expect("fits"));
        assert!(meter.memory_growing(60, 70, None).expect("grows"));
        assert!(meter.memory_growing(0, 31, None).is_err());
        assert_eq!(meter.hit, Some(StopReason::OutOfMemory { limit_bytes: 100, asked_bytes: 101 }));
        assert!(meter.memory_growing(0, 30, None).expect("just fits"));
    }
}
