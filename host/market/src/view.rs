//! The two ways to look at prices: what a watcher sees at an instant, and what an exchange trades at.

use model::{Date, Exchange, Instrument, Price, Symbol, Timestamp};
use serde::{Deserialize, Serialize};

use crate::factor::Factor;
pub use crate::path::MinuteBar;

/// Most candles of one symbol in one call.
pub const CANDLES_MAX: u32 = 5_000;
/// Most candles of all symbols of one call together.
pub const CANDLES_TOTAL_MAX: u64 = 8_000_000;

/// Length of a candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    /// One minute of continuous trading.
    Minute,
    /// One session.
    Day,
}

/// Which instruments are asked for; an empty list leaves that side open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentFilter {
    /// Only of this exchange.
    pub exchange: Option<Exchange>,
    /// Only of these series.
    pub series: Vec<String>,
    /// Only these symbols.
    pub symbols: Vec<Symbol>,
}

/// The last price and the day so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Of which symbol.
    pub symbol: Symbol,
    /// The last price.
    pub last: Price,
    /// When it was the price: before the open, the close of the session before.
    pub at: Timestamp,
    /// First price of the day of `at`.
    pub open: Price,
    /// Highest price so far of the day of `at`.
    pub high: Price,
    /// Lowest price so far of the day of `at`.
    pub low: Price,
    /// The close of the session before that day, in today's terms.
    pub previous_close: Price,
    /// Shares traded so far on the day of `at`.
    pub volume: u64,
}

/// Candles of one symbol as columns, oldest first, all of one length. Prices are in ten-thousandths of a
/// rupee and adjusted for the corporate actions known at the instant of asking, volumes inversely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candles {
    /// Of which symbol.
    pub symbol: Symbol,
    /// Start, nanoseconds since 1970 UTC: a day starts at the open of its session.
    pub start: Vec<i64>,
    /// First price.
    pub open: Vec<i64>,
    /// Highest price.
    pub high: Vec<i64>,
    /// Lowest price.
    pub low: Vec<i64>,
    /// Last price; of a day, the official close.
    pub close: Vec<i64>,
    /// Shares traded.
    pub volume: Vec<u64>,
}

impl Candles {
    /// No candles of `symbol`.
    pub const fn empty(symbol: Symbol) -> Self {
        Self {
            symbol,
            start: Vec::new(),
            open: Vec::new(),
            high: Vec::new(),
            low: Vec::new(),
            close: Vec::new(),
            volume: Vec::new(),
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.start.is_empty()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// No such symbol.
    #[error(
        "`{symbol}` is not in the market data: check the spelling (NSE symbols without series, BSE ones as BSE:NAME), or import files that have it"
    )]
    Unknown {
        /// What was asked for.
        symbol: Symbol,
    },
    /// Its last bar is too old to trade on.
    #[error(
        "`{symbol}` has no recent price: it was last seen on {last_seen}; import newer files, or leave it alone"
    )]
    Stale {
        /// Whose.
        symbol: Symbol,
        /// The session of its last bar.
        last_seen: Date,
    },
    /// Its live price is too old to act on.
    #[error(
        "the live price of `{symbol}` is {age_seconds} s old: prices are not coming in; see `tradeagent status` for the broker session"
    )]
    StaleQuote {
        /// Whose.
        symbol: Symbol,
        /// Seconds since it was asked for.
        age_seconds: u64,
    },
    /// There is no live price of it yet.
    #[error(
        "there is no live price of `{symbol}` yet: the broker has not been asked for it, or does not quote it"
    )]
    NoQuote {
        /// Whose.
        symbol: Symbol,
    },
    /// Quotes are answered, but their own times stand still.
    #[error(
        "the price feed of {exchange} stands still: its newest price is {silent_seconds} s old by the exchange's own time, so no price of it is used; if the exchange is trading, the broker's quotes are at fault"
    )]
    SilentFeed {
        /// Whose feed.
        exchange: Exchange,
        /// Seconds between the newest exchange time in any quote and now (or the end of trading).
        silent_seconds: u64,
    },
    /// The daily bars do not reach the last finished session.
    #[error(
        "{stale} of {of} shares have no bar of {last}, the last finished session, so nothing is decided on them: run `tradeagent data update --config CONFIG` and start this again"
    )]
    StaleHistory {
        /// How many shares lack it.
        stale: usize,
        /// Of how many asked for.
        of: usize,
        /// The last finished session.
        last: Date,
    },
    /// Minutes are not collected from a broker.
    #[error("live trading collects no minute candles: ask for daily ones, and for quotes")]
    NoMinutes,
    /// Nothing is known of it yet at this instant.
    #[error("`{symbol}` has no bar before {at}: its first one comes later")]
    TooEarly {
        /// Whose.
        symbol: Symbol,
        /// The instant of asking.
        at: Timestamp,
    },
    /// More candles than one call may give.
    #[error(
        "{asked} candles were asked for and one call gives at most {limit}: ask for fewer symbols or fewer candles each"
    )]
    TooMany {
        /// What was asked for.
        asked: u64,
        /// The bound.
        limit: u64,
    },
}

impl MarketError {
    /// Whether newer data would answer the question.
    pub const fn is_stale(&self) -> bool {
        matches!(
            self,
            Self::Stale { .. }
                | Self::StaleQuote { .. }
                | Self::NoQuote { .. }
                | Self::SilentFeed { .. }
                | Self::StaleHistory { .. }
                | Self::TooEarly { .. }
        )
    }
}

/// What strategies and the order desk read at an instant. Nothing after `now` is ever shown.
pub trait Market: Send + Sync {
    /// The instruments that trade in the session of `now` (after its close, in the next one): the symbols
    /// that traded in the last session before it, by symbol.
    fn instruments(&self, filter: &InstrumentFilter, now: Timestamp) -> Result<Vec<Instrument>, MarketError>;

    /// One instrument, also if it did not trade in the last session.
    fn instrument(&self, symbol: &Symbol, now: Timestamp) -> Result<Instrument, MarketError>;

    /// The last price at `now`.
    fn quote(&self, symbol: &Symbol, now: Timestamp) -> Result<Quote, MarketError>;

    /// The last `n` finished candles of each symbol, in the order asked. A symbol without bars has empty
    /// columns.
    fn candles(
        &self,
        symbols: &[Symbol],
        interval: Interval,
        n: u32,
        now: Timestamp,
    ) -> Result<Vec<Candles>, MarketError>;
}

/// What a paper exchange matches against: true prices of a day, unadjusted. It knows the whole day, so it
/// is never handed to a strategy.
pub trait PriceSource: Send + Sync {
    /// What trades in minute `minute`, counted from the open of continuous trading. None when nothing does.
    fn minute(&self, symbol: &Symbol, session: Date, minute: u32) -> Option<MinuteBar>;

    /// The official close of the day.
    fn auction_price(&self, symbol: &Symbol, session: Date) -> Option<Price>;

    /// The instrument as the exchange announces it before the open of `session`.
    fn instrument_on(&self, symbol: &Symbol, session: Date) -> Option<Instrument>;

    /// What happens to the share at the open of `session`.
    fn corporate_action(&self, symbol: &Symbol, session: Date) -> Option<Factor>;
}
