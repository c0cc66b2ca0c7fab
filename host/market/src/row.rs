//! One symbol's figures for one day or one minute, and what makes them believable.

use serde::Serialize;

/// Why a row is not believable; shown to the operator beside its file and line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// A price that is zero or negative.
    #[error("{0} is not above zero")]
    NotPositive(&'static str),
    /// Above the stated high or below the stated low.
    #[error("{0} lies outside low..high")]
    OutsideRange(&'static str),
    /// Beyond what is believable for one share (a crore of rupees), or for a day's volume.
    #[error("{0} is too large to be true")]
    TooLarge(&'static str),
}

/// The dearest believable share: one crore rupees, in ten-thousandths.
const PRICE_MAX: i64 = 10_000_000 * 10_000;
/// The largest believable volume of one bar.
const VOLUME_MAX: u64 = 1 << 50;

/// Where a daily row is from, worst first: a better source replaces a worse one, never the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowSource {
    /// A broker's quotes after the close. Provisional: the last trade stands in for the official close.
    Quotes,
    /// A broker's historical candles.
    BrokerHistory,
    /// A file of the exchange, or one that the operator imported.
    #[default]
    ExchangeFile,
}

/// One daily bar as the exchange published it: unadjusted, prices in ten-thousandths of a rupee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// First trade.
    pub open: i64,
    /// Highest trade.
    pub high: i64,
    /// Lowest trade.
    pub low: i64,
    /// The official close (not always the last trade).
    pub close: i64,
    /// The previous close as published with this row; zero when the source has none.
    pub prev_close: i64,
    /// Shares traded.
    pub volume: u64,
    /// Index into the table's series names.
    pub series: u8,
    /// Who says so.
    pub source: RowSource,
}

/// One minute bar, unadjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinuteRow {
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

impl Row {
    /// The same day's figures, whatever each source knew about the previous close.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let previous = self.prev_close == other.prev_close || self.prev_close == 0 || other.prev_close == 0;
        previous
            && (self.open, self.high, self.low, self.close, self.volume)
                == (other.open, other.high, other.low, other.close, other.volume)
    }
}

/// Checks a bar: prices above zero, open and close within low..high, believable sizes.
pub fn check_bar(open: i64, high: i64, low: i64, close: i64, volume: u64) -> Result<(), RowFault> {
    for (price, name) in [(open, "open"), (high, "high"), (low, "low"), (close, "close")] {
        if price <= 0 {
            return Err(RowFault::NotPositive(name));
        }
        if price > PRICE_MAX {
            return Err(RowFault::TooLarge(name));
        }
    }
    for (price, name) in [(open, "open"), (close, "close")] {
        if price < low || price > high {
            return Err(RowFault::OutsideRange(name));
        }
    }
    if volume > VOLUME_MAX {
        return Err(RowFault::TooLarge("volume"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_must_be_believable() {
        assert_eq!(check_bar(10, 12, 9, 11, 5), Ok(()));
        assert_eq!(check_bar(0, 12, 9, 11, 5), Err(RowFault::NotPositive("open")));
        assert_eq!(check_bar(13, 12, 9, 11, 5), Err(RowFault::OutsideRange("open")));
        assert_eq!(check_bar(10, 12, 9, 8, 5), Err(RowFault::OutsideRange("close")));
        assert_eq!(check_bar(10, 9, 12, 10, 5), Err(RowFault::OutsideRange("open")));
        assert_eq!(check_bar(10, i64::MAX, 9, 10, 5), Err(RowFault::TooLarge("high")));
        assert_eq!(check_bar(10, 12, 9, 11, u64::MAX), Err(RowFault::TooLarge("volume")));
    }
}
