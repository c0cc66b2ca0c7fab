//! What the broker shows of the account, and the whole book for audits.

use std::collections::BTreeMap;

use broker::{BrokerOrder, BrokerTrade, NetPosition};
use model::charges::Charges;
use model::{Date, Funds, Holding, Money, Price, Product, Quantity, Side, Symbol, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cash::CashLine;
use crate::exchange::{Exchange, PaperTrade};
use crate::shares::Shares;

/// Shares owned, credited or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// What.
    pub symbol: Symbol,
    /// Delivery or intraday.
    pub product: Product,
    /// Shares.
    pub quantity: Quantity,
    /// Of those, credited on the day of the books.
    pub settled: Quantity,
    /// Paid for them, without charges.
    pub cost: Money,
}

/// The account with every line that led to it: `cash` is the sum of `lines`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBook {
    /// All cash, blocked or not.
    pub cash: Money,
    /// Blocked by open orders.
    pub blocked: Money,
    /// Charges of every trade so far.
    pub charges: Charges,
    /// Every debit and credit.
    pub lines: Vec<CashLine>,
    /// Shares.
    pub owned: Vec<Owned>,
}

/// Everything that ever happened, for audits: no broker shows this much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullBook {
    /// The present instant.
    pub now: Option<Timestamp>,
    /// The present or last session.
    pub session: Date,
    /// Every order ever taken, in order of acceptance.
    pub orders: Vec<BrokerOrder>,
    /// Every trade, in order.
    pub trades: Vec<PaperTrade>,
    /// The account.
    pub account: AccountBook,
}

impl Exchange {
    /// Orders of the present (or last) session, and those queued for the next.
    pub fn orders(&self) -> Vec<BrokerOrder> {
        let since = self.orders.get(self.orders_from..).unwrap_or_default();
        // An order of before that still waits (its session was called off) stays in sight.
        let waiting = self.queued.iter().filter(|index| **index < self.orders_from);
        waiting.map(|index| self.orders[*index].row()).chain(since.iter().map(|order| order.row())).collect()
    }

    /// One order of the book, by the broker's number.
    pub fn order(&self, id: &model::BrokerOrderId) -> Option<BrokerOrder> {
        self.by_id.get(id).map(|index| self.orders[*index].row())
    }

    /// Trades of the present (or last) session.
    pub fn trades(&self) -> Vec<BrokerTrade> {
        self.session_trades().iter().map(|trade| trade.trade.clone()).collect()
    }

    fn session_trades(&self) -> &[PaperTrade] {
        self.trades.get(self.trades_from..).unwrap_or_default()
    }

    /// Net positions of the present (or last) session.
    pub fn positions(&self) -> Vec<NetPosition> {
        let mut net: BTreeMap<&Symbol, (Quantity, Quantity)> = BTreeMap::new();
        for PaperTrade { trade, .. } in self.session_trades() {
            let (bought, sold) = net.entry(&trade.symbol).or_default();
            *(if trade.side == Side::Buy { bought } else { sold }) += trade.quantity;
        }
        net.into_iter()
            .map(|(symbol, (bought, sold))| NetPosition { symbol: symbol.clone(), bought, sold })
            .collect()
    }

    /// The demat account on the day of the books: a trade of that day is not in it yet, either way. So
    /// holdings + bought - sold is what is owned.
    pub fn holdings(&self) -> Vec<Holding> {
        self.shares
            .demat(self.book_session)
            .into_iter()
            .map(|(symbol, quantity, cost)| Holding {
                symbol,
                quantity,
                average: Shares::average(quantity, cost),
            })
            .collect()
    }

    /// Cash. Proceeds of a sale are available at once (brokers differ).
    pub fn funds(&self) -> Funds {
        Funds { available: self.cash.available(), blocked: self.cash.blocked }
    }

    /// The account with every line that led to it.
    pub fn account(&self) -> AccountBook {
        let owned = self.shares.all().map(|(symbol, product, quantity, cost)| Owned {
            symbol: symbol.clone(),
            product,
            quantity,
            settled: self.shares.settled(symbol, product, self.book_session),
            cost,
        });
        AccountBook {
            cash: self.cash.balance,
            blocked: self.cash.blocked,
            charges: self.charges_so_far(),
            lines: self.cash.lines.clone(),
            owned: owned.collect(),
        }
    }

    /// Everything that ever happened.
    pub fn full_book(&self) -> FullBook {
        FullBook {
            now: self.now,
            session: self.book_session,
            orders: self.orders.iter().map(|order| order.row()).collect(),
            trades: self.trades.clone(),
            account: self.account(),
        }
    }

    /// Every trade so far, with its charges.
    pub fn all_trades(&self) -> &[PaperTrade] {
        &self.trades
    }

    /// Cash, and shares at the price that `price_of` gives: what the account is worth.
    pub fn worth(&self, price_of: impl Fn(&Symbol) -> Option<Price>) -> Money {
        let shares = self.shares.all().map(|(symbol, _, quantity, cost)| {
            // Without a price it is worth what was paid for it.
            price_of(symbol).map_or(cost, |price| price * quantity)
        });
        self.cash.balance + shares.sum()
    }

    /// How many orders wait or work.
    pub fn open_orders(&self) -> usize {
        self.orders.get(self.orders_from..).unwrap_or_default().iter().filter(|order| order.is_open()).count()
    }
}
