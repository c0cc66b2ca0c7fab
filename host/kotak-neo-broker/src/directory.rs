//! Which shares there are, by the broker's names: the scrip master of the day.

use std::collections::BTreeMap;

use kotak_neo::scrip::ScripRow;
use kotak_neo::{Instrument as Named, Segment};
use model::{Exchange, Instrument, Price, Quantity, Series, Symbol, Tick};

/// The tick where the file has none: the finest there is, so that nothing valid is refused here.
const FINEST_TICK: Price = Price::from_paise(1);

/// One share as the broker knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What the orders name: `TCS-EQ`.
    pub trading_symbol: String,
    /// Its number within the segment.
    pub token: String,
    /// Where it trades.
    pub segment: Segment,
    /// As the desk and the strategies see it.
    pub instrument: Instrument,
}

impl Listing {
    /// As quotes and candles name it.
    pub fn named(&self) -> Named {
        Named { segment: self.segment.clone(), token: self.token.clone() }
    }
}

/// The shares of one day's scrip master.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    by_symbol: BTreeMap<Symbol, Listing>,
    by_trading_symbol: BTreeMap<String, Symbol>,
    by_token: BTreeMap<(Segment, String), Symbol>,
}

impl Directory {
    /// The shares among `rows`. `has_derivatives` tells of which symbols futures or options are listed: they
    /// decide the session's phases. Of two series of one symbol the rolling one is kept.
    pub fn new(rows: &[ScripRow], has_derivatives: impl Fn(&str) -> bool) -> Self {
        let mut directory = Self::default();
        for row in rows {
            let Some(listing) = listing(row, &has_derivatives) else { continue };
            directory.insert(listing);
        }
        directory
    }

    fn insert(&mut self, listing: Listing) {
        let symbol = listing.instrument.symbol.clone();
        // Every trading symbol and token is known, so that a row of the book in another series is read.
        self.by_trading_symbol.insert(listing.trading_symbol.clone(), symbol.clone());
        self.by_token.insert((listing.segment.clone(), listing.token.clone()), symbol.clone());
        let rank = preference(&listing.instrument.series);
        if self.by_symbol.get(&symbol).is_none_or(|kept| rank < preference(&kept.instrument.series)) {
            self.by_symbol.insert(symbol, listing);
        }
    }

    /// A share by its symbol.
    pub fn get(&self, symbol: &Symbol) -> Option<&Listing> {
        self.by_symbol.get(symbol)
    }

    /// The symbol behind the broker's words: by trading symbol, by token, else by cutting the series off.
    pub fn symbol(&self, segment: &Segment, trading_symbol: &str, token: Option<&str>) -> Symbol {
        let by_token = || token.and_then(|token| self.by_token.get(&(segment.clone(), token.to_owned())));
        if let Some(symbol) = self.by_trading_symbol.get(trading_symbol).or_else(by_token) {
            return symbol.clone();
        }
        let name = trading_symbol.rsplit_once('-').map_or(trading_symbol, |(name, _)| name);
        symbol_of(segment, name)
    }

    /// Every share, by symbol.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.by_symbol.values().map(|listing| &listing.instrument)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_symbol.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_symbol.is_empty()
    }
}

/// Rolling settlement before trade to trade, both before anything else.
fn preference(series: &Series) -> u8 {
    match series.0.as_str() {
        "EQ" | "A" => 0,
        "BE" | "B" => 1,
        _ if series.is_trade_to_trade() => 2,
        _ => 3,
    }
}

fn symbol_of(segment: &Segment, name: &str) -> Symbol {
    if *segment == Segment::BseCm { Symbol::from(format!("BSE:{name}")) } else { Symbol::from(name) }
}

fn listing(row: &ScripRow, has_derivatives: &impl Fn(&str) -> bool) -> Option<Listing> {
    let exchange = match row.segment {
        Segment::NseCm => Exchange::Nse,
        Segment::BseCm => Exchange::Bse,
        _ => return None,
    };
    let name = row.symbol_name.as_deref()?;
    // An index has a token and no series; nobody can order it.
    let series = row.group.clone()?;
    let price = |amount: kotak_neo::Amount| Price::from_units(amount.units());
    let tick = row.tick.map(price).and_then(Tick::new).or_else(|| Tick::new(FINEST_TICK))?;
    let (low, high) = row.band.map_or((Price::ZERO, Price::ZERO), |(low, high)| (price(low), price(high)));
    Some(Listing {
        trading_symbol: row.trading_symbol.clone(),
        token: row.token.clone(),
        segment: row.segment.clone(),
        instrument: Instrument {
            symbol: symbol_of(&row.segment, name),
            exchange,
            isin: row.isin.clone().unwrap_or_default(),
            series: Series(series),
            tick,
            lot: Quantity::new(row.lot.unwrap_or(1).max(1)),
            freeze: Quantity::new(row.freeze_quantity.unwrap_or(0)),
            band: (low, high),
            // The file has none; the live market fills it from its last session.
            previous_close: Price::ZERO,
            has_derivatives: has_derivatives(name),
        },
    })
}
