//! Positions are sums of ledger entries, each with its evidence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::{Account, Symbol};
use crate::order::{OrderId, Product, Side};
use crate::price::{Money, Price, Quantity};
use crate::time::{Date, Timestamp};

/// Why shares came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LedgerKind {
    /// A trade of ours, by the broker's trade id.
    Fill {
        /// The order.
        order: OrderId,
        /// The broker's trade number.
        trade_id: String,
    },
    /// Found late from the book, without its trade row: inferred.
    ReconciledFill {
        /// The order.
        order: OrderId,
        /// What it was inferred from.
        basis: String,
    },
    /// Taken over at migration or by the demo's seed.
    Adopted {
        /// From where.
        basis: String,
    },
    /// Sold by the operator outside this host.
    ExternalSale {
        /// How it was noticed.
        basis: String,
    },
    /// A split, bonus or the like: shares without money.
    CorporateAction {
        /// Which.
        basis: String,
    },
}

/// One line of the ledger. `side` buy adds `quantity` shares at `price`, sell takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Whose.
    pub account: Account,
    /// What.
    pub symbol: Symbol,
    /// In or out.
    pub side: Side,
    /// Delivery or intraday.
    pub product: Product,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// Charges of this entry, to the paisa.
    pub charges: Money,
    /// When.
    pub at: Timestamp,
    /// The session it belongs to.
    pub session: Date,
    /// The first day on which bought shares may be delivered (T+1, settlement holidays considered).
    pub settles: Date,
    /// Why.
    #[serde(flatten)]
    pub why: LedgerKind,
}

/// What the system owns of one symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What.
    pub symbol: Symbol,
    /// Shares owned.
    pub quantity: Quantity,
    /// Of those, shares already settled on the day asked about.
    pub settled: Quantity,
    /// Paid for the shares still owned, without charges (first in, first out).
    pub cost: Money,
    /// The session of the oldest lot still owned.
    pub opened: Date,
    /// Profit of what was sold, before charges.
    pub realised: Money,
    /// Charges of every entry.
    pub charges: Money,
}

impl Position {
    /// Shares bought and not yet settled.
    pub const fn unsettled(&self) -> Quantity {
        self.quantity.saturating_sub(self.settled)
    }

    /// Average price paid for the shares still owned.
    pub fn entry_price(&self) -> Price {
        self.cost.per_share(self.quantity)
    }
}

#[derive(Debug, Clone)]
struct Lot {
    quantity: Quantity,
    price: Price,
    session: Date,
    settles: Date,
}

/// The positions of one account, kept as first-in-first-out lots.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    books: BTreeMap<Symbol, Book>,
}

#[derive(Debug, Clone, Default)]
struct Book {
    lots: std::collections::VecDeque<Lot>,
    realised: Money,
    charges: Money,
}

/// More shares left than were owned: shares that the system did not buy are never sold by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{symbol}: {sold} shares sold, but the ledger owned only {owned}")]
pub struct Oversold {
    /// What.
    pub symbol: Symbol,
    /// Shares taken out.
    pub sold: Quantity,
    /// Shares that were there.
    pub owned: Quantity,
}

impl Ledger {
    /// Adds one entry. On [`Oversold`] what was owned has been taken out and the rest is for the caller
    /// to report.
    pub fn apply(&mut self, entry: &LedgerEntry) -> Result<(), Oversold> {
        let book = self.books.entry(entry.symbol.clone()).or_default();
        book.charges += entry.charges;
        match entry.side {
            Side::Buy => {
                book.lots.push_back(Lot {
                    quantity: entry.quantity,
                    price: entry.price,
                    session: entry.session,
                    settles: entry.settles,
                });
                Ok(())
            }
            Side::Sell => {
                let owned: Quantity = book.lots.iter().map(|lot| lot.quantity).sum();
                let mut left = entry.quantity;
                while !left.is_zero() {
                    let Some(lot) = book.lots.front_mut() else {
                        return Err(Oversold { symbol: entry.symbol.clone(), sold: entry.quantity, owned });
                    };
                    let taken = lot.quantity.min(left);
                    book.realised += entry.price * taken - lot.price * taken;
                    lot.quantity -= taken;
                    left -= taken;
                    if lot.quantity.is_zero() {
                        book.lots.pop_front();
                    }
                }
                Ok(())
            }
        }
    }

    /// What is owned of `symbol` on `day`; `None` when nothing is.
    pub fn position(&self, symbol: &Symbol, day: Date) -> Option<Position> {
        let book = self.books.get(symbol)?;
        let opened = book.lots.front()?.session;
        Some(book.position(symbol, day, opened))
    }

    /// Everything owned on `day`, by symbol.
    pub fn positions(&self, day: Date) -> Vec<Position> {
        self.books
            .iter()
            .filter_map(|(symbol, book)| book.lots.front().map(|lot| book.position(symbol, day, lot.session)))
            .collect()
    }

    /// Profit of everything sold so far, before charges.
    pub fn realised(&self) -> Money {
        self.books.values().map(|book| book.realised).sum()
    }

    /// Every charge so far.
    pub fn charges(&self) -> Money {
        self.books.values().map(|book| book.charges).sum()
    }
}

impl Book {
    fn position(&self, symbol: &Symbol, day: Date, opened: Date) -> Position {
        let settled = self.lots.iter().filter(|lot| lot.settles <= day).map(|lot| lot.quantity).sum();
        Position {
            symbol: symbol.clone(),
            quantity: self.lots.iter().map(|lot| lot.quantity).sum(),
            settled,
            cost: self.lots.iter().map(|lot| lot.price * lot.quantity).sum(),
            opened,
            realised: self.realised,
            charges: self.charges,
        }
    }
}
