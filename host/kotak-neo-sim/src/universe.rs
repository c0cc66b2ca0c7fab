//! Instruments by the names that the wire has for them.

use std::collections::BTreeMap;

use model::{Date, Exchange, Instrument, Symbol};

use crate::config::MarketData;

/// The first token.
const FIRST_TOKEN: u32 = 10_001;

/// The listing with its tokens.
pub(crate) struct Universe {
    tokens: BTreeMap<Symbol, u32>,
    symbols: Vec<Symbol>,
}

impl Universe {
    pub fn new(listing: &[Symbol]) -> Self {
        let tokens = listing
            .iter()
            .enumerate()
            .map(|(at, symbol)| (symbol.clone(), FIRST_TOKEN + at as u32))
            .collect();
        Self { tokens, symbols: listing.to_vec() }
    }

    /// Every symbol with its token.
    pub fn all(&self) -> impl Iterator<Item = (&Symbol, u32)> {
        self.symbols.iter().enumerate().map(|(at, symbol)| (symbol, FIRST_TOKEN + at as u32))
    }

    /// The token of a symbol; empty when it is not listed.
    pub fn token(&self, symbol: &Symbol) -> String {
        self.tokens.get(symbol).map(u32::to_string).unwrap_or_default()
    }

    /// The symbol behind `segment|token`.
    pub fn by_token(&self, segment: &str, token: &str) -> Option<&Symbol> {
        let at = token.trim().parse::<u32>().ok()?.checked_sub(FIRST_TOKEN)?;
        self.symbols.get(at as usize).filter(|symbol| segment_of(symbol) == segment)
    }

    /// The symbol behind a trading symbol such as `ITBEES-EQ`.
    pub fn by_trading_symbol(
        &self,
        segment: &str,
        text: &str,
        market: &dyn MarketData,
        day: Date,
    ) -> Option<Symbol> {
        let known = |name: String| self.tokens.get_key_value(name.as_str()).map(|(symbol, _)| symbol.clone());
        let symbol = match segment {
            "bse_cm" => known(format!("BSE:{text}")),
            _ => text.rsplit_once('-').and_then(|(name, _)| known(name.to_owned())),
        }?;
        let instrument = market.instrument_on(&symbol, day)?;
        (trading_symbol(&instrument) == text).then_some(symbol)
    }
}

/// `nse_cm` or `bse_cm`.
pub(crate) fn segment_of(symbol: &Symbol) -> &'static str {
    if symbol.as_str().starts_with("BSE:") { "bse_cm" } else { "nse_cm" }
}

/// The symbol as its exchange writes it.
pub(crate) fn plain(symbol: &Symbol) -> &str {
    symbol.as_str().strip_prefix("BSE:").unwrap_or(symbol.as_str())
}

/// `pTrdSymbol`: NSE appends the series, BSE does not.
pub(crate) fn trading_symbol(instrument: &Instrument) -> String {
    let name = plain(&instrument.symbol);
    match instrument.exchange {
        Exchange::Nse => format!("{name}-{}", instrument.series),
        Exchange::Bse => name.to_owned(),
    }
}
