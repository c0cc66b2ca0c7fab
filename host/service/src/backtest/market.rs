//! The market of a backtest: one symbol's bars up to now.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use market::bars::Bars;
use market::{Candles, InstrumentFilter, Interval, Market, MarketError, Quote};
use model::{Date, Exchange, Instrument, Price, Quantity, Series, Symbol, Tick, Timestamp};
use oms::MarketView;

/// The bars that have ended.
#[derive(Debug, Clone)]
pub struct BarMarket {
    symbol: Symbol,
    bars: Arc<Bars>,
    /// The number of bars that have ended.
    seen: Arc<AtomicUsize>,
}

impl BarMarket {
    /// Before the first bar.
    pub fn new(symbol: Symbol, bars: Arc<Bars>) -> Self {
        Self { symbol, bars, seen: Arc::default() }
    }

    /// `seen` bars have ended.
    pub fn set_seen(&self, seen: usize) {
        self.seen.store(seen, Ordering::Relaxed);
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }

    fn last(&self) -> Option<Price> {
        let seen = self.seen();
        (seen > 0).then(|| Price::from_units(self.bars.close(seen - 1)))
    }

    fn check(&self, symbol: &Symbol) -> Result<(), MarketError> {
        if *symbol == self.symbol { Ok(()) } else { Err(MarketError::Unknown { symbol: symbol.clone() }) }
    }

    fn the_instrument(&self) -> Instrument {
        Instrument {
            symbol: self.symbol.clone(),
            exchange: Exchange::Nse,
            isin: String::new(),
            series: Series("EQ".to_owned()),
            tick: Tick::new(Price::from_units(1)).expect("one is positive"),
            lot: Quantity::new(1),
            freeze: Quantity::ZERO,
            band: (Price::ZERO, Price::from_units(i64::MAX)),
            previous_close: self.last().unwrap_or(Price::ZERO),
            has_derivatives: false,
        }
    }
}

impl Market for BarMarket {
    fn instruments(
        &self,
        _filter: &InstrumentFilter,
        _now: Timestamp,
    ) -> Result<Vec<Instrument>, MarketError> {
        Ok(vec![self.the_instrument()])
    }

    fn instrument(&self, symbol: &Symbol, _now: Timestamp) -> Result<Instrument, MarketError> {
        self.check(symbol)?;
        Ok(self.the_instrument())
    }

    fn quote(&self, symbol: &Symbol, now: Timestamp) -> Result<Quote, MarketError> {
        self.check(symbol)?;
        let seen = self.seen();
        if seen == 0 {
            return Err(MarketError::TooEarly { symbol: symbol.clone(), at: now });
        }
        let bar = self.bars.get(seen - 1);
        Ok(Quote {
            symbol: symbol.clone(),
            last: Price::from_units(bar.close),
            at: Timestamp::from_nanos(bar.start),
            open: Price::from_units(bar.open),
            high: Price::from_units(bar.high),
            low: Price::from_units(bar.low),
            previous_close: Price::from_units(if seen > 1 { self.bars.close(seen - 2) } else { bar.open }),
            volume: bar.volume,
        })
    }

    fn candles(
        &self,
        symbols: &[Symbol],
        _interval: Interval,
        n: u32,
        _now: Timestamp,
    ) -> Result<Vec<Candles>, MarketError> {
        symbols
            .iter()
            .map(|symbol| {
                self.check(symbol)?;
                let seen = self.seen();
                let first = seen.saturating_sub(n as usize);
                let mut candles = Candles::empty(symbol.clone());
                for at in first..seen {
                    let bar = self.bars.get(at);
                    candles.start.push(bar.start);
                    candles.open.push(bar.open);
                    candles.high.push(bar.high);
                    candles.low.push(bar.low);
                    candles.close.push(bar.close);
                    candles.volume.push(bar.volume);
                }
                Ok(candles)
            })
            .collect()
    }
}

/// What the desk asks: there is always a session, and it is the bar's own date.
impl MarketView for BarMarket {
    fn last_price(&self, _symbol: &Symbol) -> Option<Price> {
        self.last()
    }

    fn instrument(&self, symbol: &Symbol) -> Option<Instrument> {
        (*symbol == self.symbol).then(|| self.the_instrument())
    }

    fn settlement_date(&self, trade: Date) -> Date {
        trade
    }

    fn session_for(&self, _amo: bool, now: Timestamp) -> Result<Date, (String, String)> {
        Ok(now.ist_date())
    }
}
