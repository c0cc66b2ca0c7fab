//! Medians, and how they are printed.

use std::time::Instant;

/// From `from` to `to`, in nanoseconds.
pub fn nanos(from: Instant, to: Instant) -> u64 {
    let passed = to.checked_duration_since(from).expect("marks are passed in their order");
    u64::try_from(passed.as_nanos()).expect("within centuries")
}

/// Measurements of one kind, in nanoseconds.
#[derive(Default)]
pub struct Figures(Vec<u64>);

impl Figures {
    /// One more.
    pub fn add(&mut self, nanos: u64) {
        self.0.push(nanos);
    }

    /// The middle one.
    pub fn median(&self) -> u64 {
        self.quantile(50)
    }

    /// The one that `percent` of them do not exceed.
    pub fn quantile(&self, percent: usize) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * percent / 100]
    }

    /// Median and 99th percentile, in microseconds.
    pub fn print(&self, what: &str) {
        println!("  {what:<44} {:>9} us {:>9} us", micros(self.median()), micros(self.quantile(99)));
    }
}

/// Microseconds with one decimal.
pub fn micros(nanos: u64) -> String {
    format!("{}.{}", nanos / 1_000, nanos % 1_000 / 100)
}
