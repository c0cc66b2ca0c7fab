//! Whose quotes are kept fresh: what the host pins, and what was asked for lately.

use std::collections::{BTreeMap, BTreeSet};

use model::Symbol;
use model::Timestamp;
use model::time::MINUTE;

/// Most symbols that are remembered for having been asked for; the ones asked for longest ago are let go.
/// With 50 a request and a request every 100 ms all of them are read in 2 s.
const ASKED_MAX: usize = 1_000;

/// The watch list.
#[derive(Debug, Default)]
pub struct Watch {
    pinned: BTreeSet<Symbol>,
    asked: BTreeMap<Symbol, Timestamp>,
}

impl Watch {
    /// Pins these, and no others.
    pub fn pin(&mut self, symbols: impl IntoIterator<Item = Symbol>) {
        self.pinned = symbols.into_iter().collect();
    }

    /// Somebody asked for the price of `symbol`.
    pub fn note(&mut self, symbol: &Symbol, now: Timestamp) {
        self.asked.insert(symbol.clone(), now);
        if self.asked.len() <= ASKED_MAX {
            return;
        }
        let oldest = self.asked.iter().min_by_key(|(_, at)| **at).map(|(symbol, _)| symbol.clone());
        if let Some(oldest) = oldest {
            self.asked.remove(&oldest);
        }
    }

    /// The watched symbols at `now`, pinned ones first, then those asked for within `minutes`. Forgets the
    /// others.
    pub fn watched(&mut self, now: Timestamp, minutes: i64) -> Vec<Symbol> {
        self.asked.retain(|_, at| now.nanos_since(*at) <= minutes * MINUTE);
        let others = self.asked.keys().filter(|symbol| !self.pinned.contains(*symbol));
        self.pinned.iter().chain(others).cloned().collect()
    }
}
