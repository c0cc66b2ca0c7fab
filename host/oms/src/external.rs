//! What at the broker is not ours, or does not say that it is.

use broker::BrokerOrder;
use journal::{Entry, Severity};
use model::time::SECOND;
use model::{
    LedgerEntry, LedgerKind, Money, OrderId, OrderState, OrderType, Product, Quantity, Side, Source, Symbol,
};

use crate::absorb::seen;
use crate::book::Book;
use crate::desk::{Inner, alert};
use crate::reconcile::Books;

/// How far the broker's clock may be off.
pub(crate) const SKEW_SECONDS: i64 = 5;
/// How long after the decision an order may first show.
const WINDOW_SECONDS: i64 = 600;

/// Orders of the account that this host did not place: shown, and left alone.
pub(crate) fn rows(book: &Book, books: &Books) -> Vec<BrokerOrder> {
    let is_foreign = |row: &&BrokerOrder| book.match_row(&row.broker_id, row.tag.as_deref()).is_none();
    books.orders.iter().filter(is_foreign).cloned().collect()
}

/// Whether a row without our tag can be `order`: by symbol, side, quantity, limit and time.
fn fits(row: &BrokerOrder, order: &OrderState) -> bool {
    let (row_terms, asked) = (&row.terms, &order.asked);
    let after = row.at.nanos_since(order.placed_at);
    row_terms.symbol == asked.symbol
        && row_terms.side == asked.side
        && row_terms.quantity == asked.quantity
        && (asked.order_type != OrderType::Limit || row_terms.price == asked.price)
        && (-SKEW_SECONDS * SECOND..=WINDOW_SECONDS * SECOND).contains(&after)
}

impl Inner {
    /// Unresolved orders whose tag the broker lost: matched when exactly one row fits one order and no
    /// other.
    pub(crate) fn adopt_untagged(&self, book: &mut Book, books: &Books, out: &mut Vec<Entry>) {
        let open: Vec<OrderState> = book
            .live
            .values()
            .filter(|slot| {
                slot.order.is_place_unresolved() && slot.order.broker_id.is_none() && slot.on_wire == 0
            })
            .map(|slot| slot.order.clone())
            .collect();
        if open.is_empty() {
            return;
        }
        let foreign = rows(book, books);
        let mut pairs: Vec<(OrderId, &BrokerOrder)> = Vec::new();
        for order in &open {
            let mut fitting = foreign.iter().filter(|row| fits(row, order));
            if let (Some(row), None) = (fitting.next(), fitting.next()) {
                pairs.push((order.id, row));
            }
        }
        for (id, row) in &pairs {
            let claims = open.iter().filter(|order| fits(row, order)).count();
            if claims == 1 {
                book.learn(seen(*id, row, Source::Reconciler, self.clock.now()), true, out);
                for trade in &books.trades {
                    self.take_trade(book, trade, Some(*id), out);
                }
            }
        }
    }

    /// Sales that were not ours, of shares that are: the operator sold by hand. What the account holds
    /// beyond the ledger is taken to be sold first; the rest leaves the ledger, so that it is not sold
    /// twice.
    pub(crate) fn book_external_sales(&self, book: &mut Book, books: &Books, out: &mut Vec<Entry>) {
        let Some(session) = books.trades.iter().map(|trade| trade.session).max() else { return };
        for position in book.ledger.positions(session) {
            let symbol = &position.symbol;
            let unresolved = book.live.values().any(|slot| {
                slot.order.terms.symbol == *symbol
                    && slot.order.terms.side == Side::Sell
                    && slot.order.is_unresolved()
            });
            if unresolved {
                continue;
            }
            let theirs = books.trades.iter().filter(|trade| {
                trade.symbol == *symbol
                    && trade.side == Side::Sell
                    && trade.session == session
                    && book.match_row(&trade.broker_id, trade.tag.as_deref()).is_none()
            });
            let (mut sold, mut value, mut last) = (Quantity::ZERO, Money::ZERO, None);
            for trade in theirs {
                sold += trade.quantity;
                value += trade.price * trade.quantity;
                last = last.max(Some(trade.at));
            }
            let Some(at) = last else { continue };
            let (booked, own_sales) = sold_in(book, session, symbol);
            let settled_at_open = position.settled + own_sales + booked;
            let others = books.held(symbol).saturating_sub(settled_at_open);
            let taken = sold.saturating_sub(others).saturating_sub(booked).min(position.quantity);
            if taken.is_zero() {
                continue;
            }
            let entry = LedgerEntry {
                account: self.config.account.clone(),
                symbol: symbol.clone(),
                side: Side::Sell,
                product: Product::Delivery,
                quantity: taken,
                price: value.per_share(sold),
                charges: Money::ZERO,
                at,
                session,
                settles: self.view.settlement_date(session),
                why: LedgerKind::ExternalSale { basis: format!("{sold} sold in trades that are not ours") },
            };
            out.push(Entry::Ledger(entry.clone()));
            out.push(alert(
                format!("external-sale:{session}:{symbol}:{}", booked + taken),
                Severity::Warning,
                format!("{taken} shares of {symbol} were sold outside this host and leave its ledger"),
                at,
            ));
            book.post(entry, out);
        }
    }
}

/// Of `symbol` in `session`: shares booked as sold outside, and shares sold by us.
fn sold_in(book: &Book, session: model::Date, symbol: &Symbol) -> (Quantity, Quantity) {
    let mut sums = (Quantity::ZERO, Quantity::ZERO);
    let Some(day) = book.days.get(&session) else { return sums };
    for entry in day.entries.iter().filter(|entry| entry.symbol == *symbol && entry.side == Side::Sell) {
        match entry.why {
            LedgerKind::ExternalSale { .. } => sums.0 += entry.quantity,
            _ => sums.1 += entry.quantity,
        }
    }
    sums
}
