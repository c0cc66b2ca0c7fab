//! The last quote of each symbol, with the time of asking and the exchange's own.

use std::collections::BTreeMap;

use model::{Price, Symbol, Timestamp};

use super::port::LiveQuote;
use crate::table::{exchange_of, slot};
use crate::view::Quote;

/// Most symbols whose quotes are kept: more than both exchanges list.
const KEPT_MAX: usize = 20_000;

/// A quote and when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What the source said.
    pub quote: LiveQuote,
    /// When the request began. The price cannot be older than the broker's at that instant, however long
    /// the answer took, so ages are counted from here.
    pub asked_at: Timestamp,
}

impl Kept {
    /// Seconds from the asking to `now`.
    pub fn age_seconds(&self, now: Timestamp) -> i64 {
        now.nanos_since(self.asked_at).max(0) / model::time::SECOND
    }

    /// As watchers see it. Figures of the day that the broker leaves out are the last price; an unknown
    /// previous close is `known_close`.
    pub fn to_quote(&self, known_close: Option<Price>) -> Quote {
        let LiveQuote { symbol, last, open, high, low, previous_close, volume, exchange_time } = &self.quote;
        let or_last = |price: &Price| if price.is_positive() { *price } else { *last };
        Quote {
            symbol: symbol.clone(),
            last: *last,
            at: exchange_time.map_or(self.asked_at, |at| at.min(self.asked_at)),
            open: or_last(open),
            high: or_last(high).max(*last),
            low: or_last(low).min(*last),
            previous_close: if previous_close.is_positive() {
                *previous_close
            } else {
                known_close.unwrap_or(*last)
            },
            volume: *volume,
        }
    }
}

/// The last quotes, of at most [`KEPT_MAX`] symbols.
#[derive(Debug, Default)]
pub struct Quotes {
    kept: BTreeMap<Symbol, Kept>,
    /// When each symbol was last asked for and an answer came, whether or not it held a quote.
    answered: BTreeMap<Symbol, Timestamp>,
    /// Per exchange, the newest exchange time in any quote.
    newest: [Option<Timestamp>; 2],
}

impl Quotes {
    /// Takes the answer to a request for `symbols` that began at `asked_at`. What was not asked for, has no
    /// price, or is older by the exchange's time than the quote kept already is left out: then the kept one
    /// ages, as it should.
    pub fn take(&mut self, symbols: &[Symbol], answer: Vec<LiveQuote>, asked_at: Timestamp) {
        for symbol in symbols {
            self.answered.insert(symbol.clone(), asked_at);
        }
        for quote in answer {
            if !quote.last.is_positive() || !symbols.contains(&quote.symbol) {
                continue;
            }
            let is_older = self.kept.get(&quote.symbol).is_some_and(|kept| {
                let times = kept.quote.exchange_time.zip(quote.exchange_time);
                kept.asked_at > asked_at || times.is_some_and(|(kept, new)| kept > new)
            });
            if is_older {
                continue;
            }
            if let Some(time) = quote.exchange_time {
                // A clock that runs ahead must not keep a dead feed alive.
                let time = time.min(asked_at);
                let newest = &mut self.newest[slot(exchange_of(quote.symbol.as_str()))];
                *newest = Some(newest.map_or(time, |known| known.max(time)));
            }
            self.kept.insert(quote.symbol.clone(), Kept { quote, asked_at });
        }
        while self.answered.len() > KEPT_MAX {
            let Some((symbol, _)) = self.answered.iter().min_by_key(|(_, at)| **at) else { break };
            let symbol = symbol.clone();
            self.answered.remove(&symbol);
            self.kept.remove(&symbol);
        }
    }

    /// The last quote of a symbol.
    pub fn get(&self, symbol: &Symbol) -> Option<&Kept> {
        self.kept.get(symbol)
    }

    /// When an answer last came to a request for the symbol.
    pub fn answered_at(&self, symbol: &Symbol) -> Option<Timestamp> {
        self.answered.get(symbol).copied()
    }

    /// The newest exchange time in any quote of an exchange.
    pub const fn newest(&self, exchange: model::Exchange) -> Option<Timestamp> {
        self.newest[slot(exchange)]
    }
}
