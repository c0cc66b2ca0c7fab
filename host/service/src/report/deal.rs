//! Trades of one order in one session, taken together: an exchange fills an order in many small pieces.

use std::collections::BTreeMap;

use model::{Date, Money, Price, Quantity, Side, Symbol, Timestamp};

use super::Trade;

/// What one order traded in one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// The first piece's time.
    pub at: Timestamp,
    /// The session.
    pub session: Date,
    /// The order.
    pub order: String,
    /// Who placed it.
    pub strategy: String,
    /// What.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Shares in all.
    pub quantity: Quantity,
    /// Their value.
    pub value: Money,
    /// Their charges.
    pub charges: Money,
    /// In how many pieces.
    pub pieces: usize,
}

impl Deal {
    /// The average price.
    pub fn price(&self) -> Price {
        self.value.per_share(self.quantity)
    }
}

/// Deals in the order of their first trades.
pub fn deals(trades: &[Trade]) -> Vec<Deal> {
    let mut deals: Vec<Deal> = Vec::new();
    let mut places: BTreeMap<(&str, &Symbol, Date), usize> = BTreeMap::new();
    for trade in trades {
        let value = trade.price * trade.quantity;
        let place = *places.entry((&trade.order, &trade.symbol, trade.session)).or_insert(deals.len());
        match deals.get_mut(place) {
            Some(deal) => {
                deal.quantity += trade.quantity;
                deal.value += value;
                deal.charges += trade.charges;
                deal.pieces += 1;
            }
            None => deals.push(Deal {
                at: trade.at,
                session: trade.session,
                order: trade.order.clone(),
                strategy: trade.strategy.clone(),
                symbol: trade.symbol.clone(),
                side: trade.side,
                quantity: trade.quantity,
                value,
                charges: trade.charges,
                pieces: 1,
            }),
        }
    }
    deals
}
