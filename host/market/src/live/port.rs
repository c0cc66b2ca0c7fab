//! What the host must be given to see the market of today: a broker's historical bars and its quotes.
//!
//! The sources are asked one bounded request at a time; how fast they may be asked is their own matter (an
//! adapter waits for its turn inside the call). They retry nothing: whether to ask again is decided here.

use model::{BoxFuture, Date, Instrument, Price, Series, Symbol, Timestamp};
use serde::{Deserialize, Serialize};

/// Most days of one request for daily bars, both ends counted (broker: 180 for D; facts/kotak-neo.md 2.13).
pub const HISTORY_DAYS_MAX: i64 = 180;
/// Most symbols of one request for quotes (facts/kotak-neo.md 2.11).
pub const QUOTES_MAX: usize = 50;

/// Why a source gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum SourceError {
    /// No answer, or none that can be read.
    #[error("the broker did not answer: {0}")]
    Unavailable(String),
    /// Too many requests; later it will do.
    #[error("the broker asks to slow down")]
    RateLimited,
    /// The broker answered that it has nothing for this request. That is an answer.
    #[error("the broker has no data for it")]
    NoData,
    /// The session is over.
    #[error("the broker session has expired: {0}")]
    SessionExpired(String),
    /// The broker understood and will never answer this request, such as one for a symbol it does not know.
    #[error("the broker refused the request: {0}")]
    Refused(String),
}

impl SourceError {
    /// Whether the source itself is out of order, so that the next request is likely to fail as well.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::RateLimited | Self::SessionExpired(_))
    }
}

/// One session of one share as the broker's history tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyBar {
    /// The session.
    pub date: Date,
    /// First trade.
    pub open: Price,
    /// Highest trade.
    pub high: Price,
    /// Lowest trade.
    pub low: Price,
    /// Close.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
}

/// A share's price as the broker tells it now. A figure that the broker leaves out or prints as zero is
/// zero here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveQuote {
    /// Of which symbol.
    pub symbol: Symbol,
    /// The last traded price.
    pub last: Price,
    /// First price of the day.
    pub open: Price,
    /// Highest price of the day.
    pub high: Price,
    /// Lowest price of the day.
    pub low: Price,
    /// The close of the session before, as the broker states it.
    pub previous_close: Price,
    /// Shares traded today.
    pub volume: u64,
    /// The exchange's own time of the quote (Kotak: `lstup_time`); none where the broker gives none.
    pub exchange_time: Option<Timestamp>,
}

/// A share to keep data of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its symbol.
    pub symbol: Symbol,
    /// Its series, as far as known; rows made from the broker's figures carry it.
    pub series: Series,
    /// Its ISIN; empty where not known.
    pub isin: String,
}

impl Listed {
    /// A share of which only the name is known: it is taken to trade in the rolling series of its exchange.
    pub fn by_name(symbol: Symbol) -> Self {
        let series = match crate::table::exchange_of(symbol.as_str()) {
            model::Exchange::Nse => "EQ",
            model::Exchange::Bse => "A",
        };
        Self { symbol, series: Series(series.to_owned()), isin: String::new() }
    }
}

impl From<&Instrument> for Listed {
    fn from(instrument: &Instrument) -> Self {
        Self {
            symbol: instrument.symbol.clone(),
            series: instrument.series.clone(),
            isin: instrument.isin.clone(),
        }
    }
}

/// Daily bars of past sessions.
pub trait HistorySource: Send + Sync {
    /// The bars of `from..=to`, at most [`HISTORY_DAYS_MAX`] days, in any order. Days on which the share did
    /// not trade are left out.
    ///
    /// # Errors
    /// See [`SourceError`]; an empty list and [`SourceError::NoData`] mean the same.
    fn daily<'a>(
        &'a self,
        symbol: &'a Symbol,
        from: Date,
        to: Date,
    ) -> BoxFuture<'a, Result<Vec<DailyBar>, SourceError>>;
}

/// Prices of now.
pub trait QuoteSource: Send + Sync {
    /// The quotes of `symbols`, at most [`QUOTES_MAX`], in any order. A symbol that the broker does not know
    /// is left out.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn quotes<'a>(&'a self, symbols: &'a [Symbol]) -> BoxFuture<'a, Result<Vec<LiveQuote>, SourceError>>;
}
