//! Historical candles.

use chrono::NaiveDate;

use crate::amount::Amount;
use crate::decimal;
use crate::error::Error;
use crate::fields::RowError;
use crate::json::Json;
use crate::rows::quote::Instrument;
use crate::time;

/// How long a candle is (facts 2.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interval {
    /// One minute.
    Min1,
    /// Three minutes.
    Min3,
    /// Five minutes.
    Min5,
    /// Ten minutes.
    Min10,
    /// A quarter of an hour.
    Min15,
    /// Half an hour.
    Min30,
    /// An hour.
    Min60,
    /// A day.
    Day,
    /// A week.
    Week,
}

/// Which candles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandleQuery {
    /// Of what; by the documents only nse_cm, nse_fo, bse_cm and bse_fo.
    pub instrument: Instrument,
    /// How long each is.
    pub interval: Interval,
    /// The first day.
    pub from: NaiveDate,
    /// The last day, included.
    pub to: NaiveDate,
}

/// A candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candle {
    /// Its start in unix seconds.
    pub time: i64,
    /// The first price.
    pub open: Amount,
    /// The highest.
    pub high: Amount,
    /// The lowest.
    pub low: Amount,
    /// The last.
    pub close: Amount,
    /// Traded in it.
    pub volume: i64,
    /// Open interest; not filled by the broker yet.
    pub open_interest: Option<i64>,
}

impl Interval {
    /// The word on the wire.
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::Min1 => "1min",
            Self::Min3 => "3min",
            Self::Min5 => "5min",
            Self::Min10 => "10min",
            Self::Min15 => "15min",
            Self::Min30 => "30min",
            Self::Min60 => "60min",
            Self::Day => "D",
            Self::Week => "W",
        }
    }

    /// The most days of one call, both ends counted (the broker's `docs/market-data-apis/historical-data.md`).
    pub fn span_days_max(self) -> i64 {
        match self {
            Self::Min1 | Self::Min3 | Self::Min5 => 30,
            Self::Min10 | Self::Min15 => 60,
            Self::Min30 | Self::Min60 => 90,
            Self::Day | Self::Week => 180,
        }
    }
}

impl CandleQuery {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let days = (self.to - self.from).num_days() + 1;
        let (word, most) = (self.interval.as_wire(), self.interval.span_days_max());
        match days {
            ..=0 => Err(Error::invalid("the candles end before they begin")),
            days if days > most => {
                Err(Error::invalid(format!("{days} days of {word} candles: at most {most} in one call")))
            }
            _ => Ok(()),
        }
    }
}

impl Candle {
    /// `[time, open, high, low, close, volume, open interest]`.
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let items = json.list().ok_or("a candle is not a list")?;
        let at = |index: usize| {
            items.get(index).and_then(Json::scalar).map(str::trim).filter(|text| !text.is_empty())
        };
        let required = |index: usize, name: &str| at(index).ok_or_else(|| format!("a candle without {name}"));
        let price = |index, name: &str| {
            Amount::parse(required(index, name)?).map_err(|error| format!("a candle's {name}: {error}"))
        };
        let count = |text: &str| {
            decimal::whole(text).map_err(|_| "a candle's count is not a whole number".to_owned())
        };
        Ok(Self {
            time: time::iso_text(required(0, "time")?).ok_or("a candle's time cannot be read")?,
            open: price(1, "open")?,
            high: price(2, "high")?,
            low: price(3, "low")?,
            close: price(4, "close")?,
            volume: count(required(5, "volume")?)?,
            open_interest: at(6).map(count).transpose()?,
        })
    }
}

/// Whether an error text says that there are no candles, which is an answer (facts 2.13).
pub(crate) fn says_no_data(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("no data") || text.contains("not yet opened")
}
