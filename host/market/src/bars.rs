//! One symbol's bars for a backtest: compact columns, read from CSV without holding the file.
//!
//! A bar takes 28 bytes (a million: 28 MB): a column holds 32-bit differences from its first value and
//! widens as a whole the first time one does not fit.

mod read;

pub use read::{BarsError, BarsFile, ReadOptions, read};

/// One bar: start in nanoseconds UTC, prices in ten-thousandths of a rupee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bar {
    /// Start of the bar.
    pub start: i64,
    /// First trade.
    pub open: i64,
    /// Highest trade.
    pub high: i64,
    /// Lowest trade.
    pub low: i64,
    /// Last trade.
    pub close: i64,
    /// Shares traded.
    pub volume: u64,
}

/// Columns of bars, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Bars {
    start: Column,
    open: Column,
    high: Column,
    low: Column,
    close: Column,
    volume: Column,
}

/// Starts are held in seconds where all are whole ones.
const SECOND: i64 = model::time::SECOND;

impl Bars {
    /// Room for `bars` bars.
    pub fn with_capacity(bars: usize) -> Self {
        let column = || Column::Narrow { base: 0, unit: 1, values: Vec::with_capacity(bars) };
        Self {
            start: column(),
            open: column(),
            high: column(),
            low: column(),
            close: column(),
            volume: column(),
        }
    }

    /// Appends a bar. Volumes beyond `i64::MAX` are held as that.
    pub fn push(&mut self, start: i64, open: i64, high: i64, low: i64, close: i64, volume: u64) {
        self.start.push(start, SECOND);
        self.open.push(open, 1);
        self.high.push(high, 1);
        self.low.push(low, 1);
        self.close.push(close, 1);
        self.volume.push(i64::try_from(volume).unwrap_or(i64::MAX), 1);
    }

    /// How many bars there are.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bar number `at`. Panics when there is none, as indexing does.
    pub fn get(&self, at: usize) -> Bar {
        Bar {
            start: self.start.get(at),
            open: self.open.get(at),
            high: self.high.get(at),
            low: self.low.get(at),
            close: self.close.get(at),
            volume: self.volume.get(at) as u64,
        }
    }

    /// The start of bar `at`.
    pub fn start(&self, at: usize) -> i64 {
        self.start.get(at)
    }

    /// The close of bar `at`.
    pub fn close(&self, at: usize) -> i64 {
        self.close.get(at)
    }

    /// How many bars start before `instant` (nanoseconds UTC); bars are in ascending order.
    pub fn count_before(&self, instant: i64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle) < instant { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Bytes held by the columns.
    pub fn bytes(&self) -> usize {
        [&self.start, &self.open, &self.high, &self.low, &self.close, &self.volume]
            .iter()
            .map(|column| column.bytes())
            .sum()
    }

    /// Gives back room that was reserved and not needed.
    pub fn shrink(&mut self) {
        for column in [
            &mut self.start,
            &mut self.open,
            &mut self.high,
            &mut self.low,
            &mut self.close,
            &mut self.volume,
        ] {
            column.shrink();
        }
    }
}

#[derive(Debug, Clone)]
enum Column {
    /// `base + value * unit`.
    Narrow {
        base: i64,
        unit: i64,
        values: Vec<i32>,
    },
    Wide(Vec<i64>),
}

impl Default for Column {
    fn default() -> Self {
        Self::Narrow { base: 0, unit: 1, values: Vec::new() }
    }
}

impl Column {
    fn push(&mut self, value: i64, unit_wanted: i64) {
        match self {
            Self::Wide(values) => values.push(value),
            Self::Narrow { base, unit, values } => {
                if values.is_empty() {
                    (*base, *unit) = (value, unit_wanted);
                }
                let narrow = value
                    .checked_sub(*base)
                    .filter(|difference| difference % *unit == 0)
                    .and_then(|difference| i32::try_from(difference / *unit).ok());
                if let Some(narrow) = narrow {
                    values.push(narrow);
                } else {
                    let mut wide = Vec::with_capacity(values.len() + values.len() / 2 + 16);
                    wide.extend(values.iter().map(|value| *base + i64::from(*value) * *unit));
                    wide.push(value);
                    *self = Self::Wide(wide);
                }
            }
        }
    }

    #[inline]
    fn get(&self, at: usize) -> i64 {
        match self {
            Self::Narrow { base, unit, values } => *base + i64::from(values[at]) * *unit,
            Self::Wide(values) => values[at],
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Narrow { values, .. } => values.len(),
            Self::Wide(values) => values.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Narrow { values, .. } => values.capacity() * 4,
            Self::Wide(values) => values.capacity() * 8,
        }
    }

    fn shrink(&mut self) {
        match self {
            Self::Narrow { values, .. } => values.shrink_to_fit(),
            Self::Wide(values) => values.shrink_to_fit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn columns_give_back_what_was_put(values: Vec<(i64, i64, i64, i64, i64, u64)>) {
            let mut bars = Bars::default();
            for (start, open, high, low, close, volume) in &values {
                bars.push(*start, *open, *high, *low, *close, volume >> 1);
            }
            prop_assert_eq!(bars.len(), values.len());
            for (at, (start, open, high, low, close, volume)) in values.into_iter().enumerate() {
                prop_assert_eq!(bars.get(at), Bar { start, open, high, low, close, volume: volume >> 1 });
            }
        }
    }

    #[test]
    fn a_million_ordinary_minutes_stay_small() {
        let mut bars = Bars::with_capacity(100_000);
        for at in 0..100_000_i64 {
            let close = 1_000_000 + (at % 1_000) * 500;
            bars.push(
                1_700_000_040 * SECOND + at * 60 * SECOND,
                close,
                close + 500,
                close - 500,
                close,
                1_234,
            );
        }
        assert!(bars.bytes() <= 100_000 * 24, "{}", bars.bytes());
        assert_eq!(bars.count_before(bars.start(777)), 777);
        assert_eq!(bars.count_before(i64::MAX), 100_000);
    }
}
