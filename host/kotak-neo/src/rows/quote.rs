//! Quotes.

use std::fmt;

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::words::Segment;

/// What to quote: a segment and its token, or an index by its exact name (facts 2.11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instrument {
    /// Where it trades.
    pub segment: Segment,
    /// `pSymbol` of the scrip master, or the name of an index such as `Nifty 50`.
    pub token: String,
}

/// How much of a quote is asked for (facts 2.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuoteFilter {
    /// `all`.
    All,
    /// `depth`.
    Depth,
    /// `ohlc`.
    Ohlc,
    /// `ltp`.
    Ltp,
    /// `oi`.
    OpenInterest,
    /// `52W`.
    Year,
    /// `circuit_limits`.
    CircuitLimits,
    /// `scrip_details`.
    ScripDetails,
}

/// A quote. What the filter leaves out is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// `exchange_token`. An index that was asked for by name may answer with a number (facts 2.11).
    pub token: String,
    /// `display_symbol`.
    pub display_symbol: Option<String>,
    /// `exchange`.
    pub segment: Option<Segment>,
    /// `lstup_time`, in unix seconds: how old the quote is.
    pub updated: Option<i64>,
    /// `ltp`: the last traded price.
    pub last_price: Option<Amount>,
    /// `last_traded_quantity`.
    pub last_quantity: Option<i64>,
    /// `total_buy`.
    pub total_buy: Option<i64>,
    /// `total_sell`.
    pub total_sell: Option<i64>,
    /// `last_volume`: traded today.
    pub volume: Option<i64>,
    /// `avg_cost`.
    pub average_price: Option<Amount>,
    /// `open_int`.
    pub open_interest: Option<i64>,
    /// `change`.
    pub change: Option<Amount>,
    /// `per_change`: in percent, times ten thousand.
    pub change_percent: Option<Amount>,
    /// `low_price_range`: the lower circuit.
    pub low_band: Option<Amount>,
    /// `high_price_range`: the upper circuit.
    pub high_band: Option<Amount>,
    /// `year_low`.
    pub year_low: Option<Amount>,
    /// `year_high`.
    pub year_high: Option<Amount>,
    /// `ohlc`.
    pub ohlc: Option<Ohlc>,
    /// `depth`.
    pub depth: Option<Depth>,
}

/// The day so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ohlc {
    /// `open`.
    pub open: Option<Amount>,
    /// `high`.
    pub high: Option<Amount>,
    /// `low`.
    pub low: Option<Amount>,
    /// `close`: of the day before while the market is open.
    pub close: Option<Amount>,
}

/// Bids and offers, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Depth {
    /// Bids.
    pub buy: Vec<Level>,
    /// Offers.
    pub sell: Vec<Level>,
}

/// A price and what waits at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// `price`.
    pub price: Amount,
    /// `quantity`.
    pub quantity: i64,
    /// `orders`.
    pub orders: i64,
}

/// `segment|token`, as the wire joins them.
impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.segment, self.token)
    }
}

impl QuoteFilter {
    /// The word on the wire.
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Depth => "depth",
            Self::Ohlc => "ohlc",
            Self::Ltp => "ltp",
            Self::OpenInterest => "oi",
            Self::Year => "52W",
            Self::CircuitLimits => "circuit_limits",
            Self::ScripDetails => "scrip_details",
        }
    }
}

impl Quote {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            token: row.required_text("exchange_token")?,
            display_symbol: row.text("display_symbol")?,
            segment: row.text("exchange")?.map(|text| Segment::from_wire(&text)),
            updated: row.epoch("lstup_time")?,
            last_price: row.amount("ltp")?,
            last_quantity: row.whole("last_traded_quantity")?,
            total_buy: row.whole("total_buy")?,
            total_sell: row.whole("total_sell")?,
            volume: row.whole("last_volume")?,
            average_price: row.amount("avg_cost")?,
            open_interest: row.whole("open_int")?,
            change: row.amount("change")?,
            change_percent: row.amount("per_change")?,
            low_band: row.amount("low_price_range")?,
            high_band: row.amount("high_price_range")?,
            year_low: row.amount("year_low")?,
            year_high: row.amount("year_high")?,
            ohlc: json.get("ohlc").map(Ohlc::read).transpose()?,
            depth: json.get("depth").map(Depth::read).transpose()?,
        })
    }
}

impl Ohlc {
    fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            open: row.amount("open")?,
            high: row.amount("high")?,
            low: row.amount("low")?,
            close: row.amount("close")?,
        })
    }
}

impl Depth {
    fn read(json: &Json) -> Result<Self, RowError> {
        let side = |name| match json.get(name) {
            None => Ok(Vec::new()),
            Some(levels) => levels
                .list()
                .ok_or_else(|| format!("`{name}` is not a list"))?
                .iter()
                .map(Level::read)
                .collect(),
        };
        if !json.is_object() {
            return Err("`depth` is not an object".to_owned());
        }
        Ok(Self { buy: side("buy")?, sell: side("sell")? })
    }
}

impl Level {
    fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            price: row.amount_or_zero("price")?,
            quantity: row.whole("quantity")?.unwrap_or_default(),
            orders: row.whole("orders")?.unwrap_or_default(),
        })
    }
}
