//! Rows of the broker's books, matched to orders and taken in.

use std::sync::Arc;

use broker::{BrokerOrder, BrokerTrade, CallError};
use journal::{Alert, Durability, Entry, Severity};
use model::state::Applied;
use model::{
    Evidence, Fact, Fill, LedgerEntry, LedgerKind, OrderId, OrderState, Quantity, ReadError, Source, Status,
    Timestamp,
};

use crate::book::Book;
use crate::day;
use crate::desk::{Desk, Inner};

impl Desk {
    /// Takes rows of the broker's books in that the caller has at hand; answers with how many said
    /// something new. For the inline driver after each virtual minute, and for a broker's feed. Rows
    /// that are not this account's own orders are passed over; absence proves nothing here.
    pub fn absorb(&self, orders: &[BrokerOrder], trades: &[BrokerTrade]) -> usize {
        self.inner.absorb(orders, trades, None, None)
    }
}

impl Desk {
    /// Takes in what a broker's feed says of orders. A frame tells as much as a row of the book, and may be
    /// older than what is known already: what cannot be undone is believed, the books tell the rest.
    pub fn hear(&self, orders: &[BrokerOrder]) -> usize {
        let mut journal = self.inner.journal();
        let mut book = self.inner.book();
        let mut entries = Vec::new();
        let mut news = 0;
        for row in orders {
            news += usize::from(self.inner.take_frame(&mut book, row, &mut entries));
        }
        drop(book);
        if !entries.is_empty()
            && let Err(error) = journal.commit(&entries, Durability::Relaxed)
        {
            self.inner.halt(&error);
        }
        news
    }

    /// Reads order and trade book and takes them in; answers with how many rows said something new.
    /// Settles no doubts ([`Desk::reconcile`] does): cheap enough to follow working orders by.
    pub async fn refresh(&self) -> Result<usize, ReadError> {
        let desk = Arc::clone(&self.inner);
        let since = desk.book().revision;
        let failed = |error: CallError| ReadError::Unavailable(error.to_string());
        let trades = desk.broker.trades().await.map_err(failed)?;
        let orders = desk.broker.orders().await.map_err(failed)?;
        desk.step(move |desk| desk.absorb(&orders, &trades, Some(since), None))
            .await
            .map_err(|error| ReadError::Unavailable(error.to_string()))
    }
}

impl Inner {
    /// `since`: the book's revision when the read began; an order that changed after it is told only
    /// what cannot be undone (fills and ends). `only`: nothing but this order.
    pub(crate) fn absorb(
        &self,
        orders: &[BrokerOrder],
        trades: &[BrokerTrade],
        since: Option<u64>,
        only: Option<OrderId>,
    ) -> usize {
        let mut journal = self.journal();
        let mut book = self.book();
        let mut entries = Vec::new();
        let mut news = 0;
        for trade in trades {
            news += usize::from(self.take_trade(&mut book, trade, only, &mut entries));
        }
        for row in orders {
            news += usize::from(self.take_row(&mut book, row, since, only, &mut entries));
        }
        drop(book);
        if !entries.is_empty()
            && let Err(error) = journal.commit(&entries, Durability::Relaxed)
        {
            self.halt(&error);
        }
        news
    }

    /// Trades first: what they explain, the row need not.
    pub(crate) fn take_trade(
        &self,
        book: &mut Book,
        trade: &BrokerTrade,
        only: Option<OrderId>,
        out: &mut Vec<Entry>,
    ) -> bool {
        let Some(id) = book.match_row(&trade.broker_id, trade.tag.as_deref()) else { return false };
        let Some(order) = book.order(id) else { return false };
        if only.is_some_and(|only| only != id) || order.has_trade(&trade.trade_id) || trade.quantity.is_zero()
        {
            return false;
        }
        let fresh = trade.quantity.saturating_sub(order.covered(trade.quantity));
        let kind = LedgerKind::Fill { order: id, trade_id: trade.trade_id.clone() };
        let entry = (!fresh.is_zero())
            .then(|| self.ledger_entry(book, order, fresh, trade.price, trade.at, trade.session, kind, out));
        let fill = Fill {
            trade_id: trade.trade_id.clone(),
            quantity: trade.quantity,
            price: trade.price,
            at: trade.at,
            session: trade.session,
        };
        let at = self.clock.now();
        let evidence =
            Evidence { order: id, intent: id, at, source: Source::Trades, fact: Fact::Filled(fill) };
        book.learn(evidence, true, out);
        if let Some(entry) = entry {
            out.push(Entry::Ledger(entry.clone()));
            book.post(entry, out);
        }
        true
    }

    /// One line of the ledger for `quantity` shares of `order`.
    #[expect(clippy::too_many_arguments, reason = "the columns of a ledger line")]
    pub(crate) fn ledger_entry(
        &self,
        book: &Book,
        order: &OrderState,
        quantity: Quantity,
        price: model::Price,
        at: Timestamp,
        session: model::Date,
        why: LedgerKind,
        out: &mut Vec<Entry>,
    ) -> LedgerEntry {
        let mut entry = LedgerEntry {
            account: self.config.account.clone(),
            symbol: order.terms.symbol.clone(),
            side: order.terms.side,
            product: order.terms.product,
            quantity,
            price,
            charges: model::Money::ZERO,
            at,
            session,
            settles: self.view.settlement_date(session),
            why,
        };
        let first = book.days.get(&session).is_none_or(|day| day.is_first_sale(&entry.symbol));
        match day::charges(self.config.charges.as_ref(), &entry, first) {
            Ok(charges) => entry.charges = charges.total(),
            Err(why) => out.push(Entry::Alert(Alert {
                key: format!("charges:{session}"),
                severity: Severity::Warning,
                source: "desk".to_owned(),
                text: format!("trades of {session} are booked without charges: {why}"),
                at,
            })),
        }
        entry
    }

    /// One row of the order book.
    pub(crate) fn take_row(
        &self,
        book: &mut Book,
        row: &BrokerOrder,
        since: Option<u64>,
        only: Option<OrderId>,
        out: &mut Vec<Entry>,
    ) -> bool {
        let Some(id) = book.match_row(&row.broker_id, row.tag.as_deref()) else { return false };
        let Some(order) = book.order(id) else { return false };
        if only.is_some_and(|only| only != id)
            || order.agrees(&row.status, row.filled, row.terms.price, row.terms.quantity)
        {
            return false;
        }
        let touched = book.live.get(&id).map_or(0, |slot| slot.touched);
        let undoable = !row.status.is_final() && row.filled <= order.filled() && order.broker_id.is_some();
        if undoable && since.is_some_and(|since| touched > since) {
            return false;
        }
        // The end in the book's own words is kept even when trades told it: it closes the order's record.
        let ended = row.status.is_final();
        let evidence = seen(id, row, Source::OrderBook, self.clock.now());
        book.learn(evidence, ended, out) == Applied::Changed
    }
}

impl Inner {
    /// A frame of the feed: frames overtake one another, so only an acceptance, a fill or an end that the
    /// order does not show yet is taken.
    fn take_frame(&self, book: &mut Book, row: &BrokerOrder, out: &mut Vec<Entry>) -> bool {
        let Some(id) = book.match_row(&row.broker_id, row.tag.as_deref()) else { return false };
        let Some(order) = book.order(id) else { return false };
        // A frame does not say which session an after-market order is for, so it cannot tell cancelled from
        // expired. The book says both, and is read next.
        if order.asked.amo && matches!(row.status, Status::Canceled | Status::Expired) {
            return false;
        }
        let is_news = order.broker_id.is_none()
            || row.filled > order.filled()
            || (row.status.is_final() && !order.is_final());
        if !is_news {
            return false;
        }
        let evidence = seen(id, row, Source::Feed, self.clock.now());
        book.learn(evidence, false, out) == Applied::Changed
    }
}

/// What a row says, as evidence about `order`.
pub(crate) fn seen(order: OrderId, row: &BrokerOrder, source: Source, at: Timestamp) -> Evidence {
    let fact = Fact::Seen {
        broker_id: row.broker_id.clone(),
        status: row.status.clone(),
        filled: row.filled,
        average: row.average,
        price: row.terms.price,
        quantity: row.terms.quantity,
        reason: row.reason.clone(),
    };
    Evidence { order, intent: order, at, source, fact }
}
