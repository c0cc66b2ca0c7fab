//! A market that stands still, so that what fills is known beforehand.

use market::{
    Candles, Factor, InstrumentFilter, Interval, Market, MarketError, MinuteBar, PriceSource, Quote,
};
use model::{Date, Exchange, Instrument, Price, Quantity, Series, Symbol, Tick, Timestamp};

/// A Tuesday; the days around it trade.
pub const SESSION: Date = Date::from_ymd_opt(2025, 6, 3).expect("a date");

/// Everything stands at 100 rupees, with more volume than anybody asks for.
pub struct Table;

pub const SYMBOLS: [&str; 3] = ["ACME", "HELD", "BSE:ACME"];

fn instrument_of(symbol: &Symbol) -> Option<Instrument> {
    SYMBOLS.contains(&symbol.as_str()).then(|| Instrument {
        symbol: symbol.clone(),
        exchange: if symbol.as_str().starts_with("BSE:") { Exchange::Bse } else { Exchange::Nse },
        isin: "INE000A01010".to_owned(),
        series: Series("EQ".to_owned()),
        tick: Tick::new(Price::from_paise(5)).expect("positive"),
        lot: Quantity::new(1),
        freeze: Quantity::ZERO,
        band: (Price::from_rupees(80), Price::from_rupees(120)),
        previous_close: Price::from_rupees(100),
        has_derivatives: false,
    })
}

impl PriceSource for Table {
    fn minute(&self, symbol: &Symbol, _: Date, _: u32) -> Option<MinuteBar> {
        let price = instrument_of(symbol)?.previous_close;
        Some(MinuteBar { open: price, high: price, low: price, close: price, volume: 1_000_000 })
    }
    fn auction_price(&self, symbol: &Symbol, _: Date) -> Option<Price> {
        instrument_of(symbol).map(|it| it.previous_close)
    }
    fn instrument_on(&self, symbol: &Symbol, _: Date) -> Option<Instrument> {
        instrument_of(symbol)
    }
    fn corporate_action(&self, _: &Symbol, _: Date) -> Option<Factor> {
        None
    }
}

impl Market for Table {
    fn instruments(&self, _: &InstrumentFilter, _: Timestamp) -> Result<Vec<Instrument>, MarketError> {
        Ok(SYMBOLS.iter().filter_map(|symbol| instrument_of(&(*symbol).into())).collect())
    }
    fn instrument(&self, symbol: &Symbol, _: Timestamp) -> Result<Instrument, MarketError> {
        instrument_of(symbol).ok_or_else(|| MarketError::Unknown { symbol: symbol.clone() })
    }
    fn quote(&self, symbol: &Symbol, now: Timestamp) -> Result<Quote, MarketError> {
        let price = self.instrument(symbol, now)?.previous_close;
        Ok(Quote {
            symbol: symbol.clone(),
            last: price,
            at: now,
            open: price,
            high: price,
            low: price,
            previous_close: price,
            volume: 1,
        })
    }
    fn candles(
        &self,
        symbols: &[Symbol],
        _: Interval,
        _: u32,
        _: Timestamp,
    ) -> Result<Vec<Candles>, MarketError> {
        Ok(symbols.iter().cloned().map(Candles::empty).collect())
    }
}
