//! What can be asked of the desk.

use broker::{BrokerOrder, CallError};
use journal::RunOutcome;
use model::risk::RiskView;
use model::{
    Date, DayAccount, Funds, Holding, IntentId, LedgerEntry, LedgerKind, Money, OrderState, OrderView,
    PositionView, ReadError, Side, Skip, StrategyName,
};

use crate::day;
use crate::desk::Desk;
use crate::eyes::Eyes;

/// An order of ours, for a reader.
pub(crate) fn view(order: &OrderState) -> OrderView {
    OrderView {
        id: order.id.to_string(),
        strategy: Some(order.strategy.clone()),
        key: order.key.clone(),
        broker_id: order.broker_id.clone(),
        terms: order.terms.clone(),
        status: order.status(),
        filled: order.filled(),
        average: order.average(),
        for_session: order.for_session,
        placed_at: order.placed_at,
        reason: if order.words.is_empty() { order.reason.clone() } else { order.words.clone() },
    }
}

fn foreign_view(row: &BrokerOrder) -> OrderView {
    OrderView {
        id: row.broker_id.to_string(),
        strategy: None,
        key: String::new(),
        broker_id: Some(row.broker_id.clone()),
        terms: row.terms.clone(),
        status: row.status.clone(),
        filled: row.filled,
        average: row.average,
        for_session: row.session,
        placed_at: row.at,
        reason: row.reason.clone(),
    }
}

fn unavailable(error: &CallError) -> ReadError {
    ReadError::Unavailable(error.to_string())
}

impl Desk {
    /// What the system owns on `day`, by symbol.
    pub fn positions(&self, day: Date) -> Vec<PositionView> {
        let book = self.inner.book();
        let positions = book.ledger.positions(day).into_iter();
        positions
            .map(|position| {
                let in_working_sells = book.in_sells(&position.symbol);
                let free = position.settled.saturating_sub(in_working_sells);
                PositionView { position, in_working_sells, free }
            })
            .collect()
    }

    /// One order of the account: by the host's number, or by the broker's.
    pub fn order(&self, id: &str) -> Option<OrderView> {
        let book = self.inner.book();
        if let Some(order) = IntentId::parse(id).and_then(|id| book.order(id)) {
            return Some(view(order));
        }
        if let Some(order) = book.by_broker.get(id).and_then(|id| book.order(*id)) {
            return Some(view(order));
        }
        book.external.iter().find(|row| row.broker_id.as_str() == id).map(foreign_view)
    }

    /// A strategy's orders: those of `day` and those that are not settled, by time.
    pub fn own_orders(&self, strategy: &StrategyName, day: Date) -> Vec<OrderView> {
        self.orders_of_day(day, |order| order.strategy == *strategy)
    }

    /// The account's orders: those of `day`, those that are not settled, and external ones as last read.
    pub fn account_orders(&self, day: Date) -> Vec<OrderView> {
        let mut orders = self.orders_of_day(day, |_| true);
        orders.extend(self.inner.book().external.iter().map(foreign_view));
        orders
    }

    /// Orders whose outcome is not known, parked ones included, by time.
    pub fn unresolved(&self) -> Vec<OrderView> {
        let book = self.inner.book();
        let mut orders: Vec<&OrderState> =
            book.live.values().map(|slot| &slot.order).filter(|order| order.is_unresolved()).collect();
        orders.sort_by_key(|order| (order.placed_at, order.id));
        orders.into_iter().map(view).collect()
    }

    fn orders_of_day(&self, day: Date, wanted: impl Fn(&OrderState) -> bool) -> Vec<OrderView> {
        let book = self.inner.book();
        let live = book.live.values().map(|slot| &slot.order);
        let done =
            book.done.values().map(Box::as_ref).filter(|order| order.day == day || order.for_session == day);
        let mut orders: Vec<&OrderState> = live.chain(done).filter(|order| wanted(order)).collect();
        orders.sort_by_key(|order| (order.placed_at, order.id));
        orders.into_iter().map(view).collect()
    }

    /// What is in the demat account, as the broker says now.
    pub async fn holdings(&self) -> Result<Vec<Holding>, ReadError> {
        self.inner.broker.holdings().await.map_err(|error| unavailable(&error))
    }

    /// Cash, as the broker says now.
    pub async fn funds(&self) -> Result<Funds, ReadError> {
        self.inner.broker.funds().await.map_err(|error| unavailable(&error))
    }

    /// The ledger's lines of a session, in the order in which they were learnt.
    pub fn entries(&self, session: Date) -> Vec<LedgerEntry> {
        self.inner.book().days.get(&session).map(|day| day.entries.clone()).unwrap_or_default()
    }

    /// The account of a trading day. Days of the last week; older ones are in the journal.
    pub fn day_account(&self, day: Date) -> Result<DayAccount, ReadError> {
        let runs = self
            .with_journal(|journal| journal.runs(day))
            .map_err(|error| ReadError::Unavailable(error.to_string()))?;
        let mut skipped = Vec::new();
        for run in runs {
            match run.outcome {
                Some(RunOutcome::Done { report: Some(report) }) => skipped.extend(report.skipped),
                Some(RunOutcome::Skipped { reason } | RunOutcome::Missed { reason }) => {
                    skipped.push(Skip { subject: run.id.to_string(), reason });
                }
                _ => {}
            }
        }
        let inner = &self.inner;
        let book = inner.book();
        let eyes = Eyes { book: &book, view: inner.view.as_ref(), day };
        let mut by_status: std::collections::BTreeMap<String, u32> = std::collections::BTreeMap::new();
        let all = book.live.values().map(|slot| &slot.order).chain(book.done.values().map(Box::as_ref));
        for order in all.filter(|order| order.day == day) {
            *by_status.entry(order.status().as_str().to_owned()).or_default() += 1;
        }
        let mut account = DayAccount {
            day,
            orders: by_status.into_iter().collect(),
            fills: 0,
            bought: Money::ZERO,
            sold: Money::ZERO,
            realised: Money::ZERO,
            charges: Money::ZERO,
            charges_by_kind: Vec::new(),
            unrealised: eyes.unrealised(),
            skipped,
        };
        let Some(session) = book.days.get(&day) else { return Ok(account) };
        account.realised = session.realised;
        account.charges = session.charges;
        account.charges_by_kind = day::by_kind(inner.config.charges.as_ref(), &session.entries);
        for entry in &session.entries {
            if !matches!(entry.why, LedgerKind::Fill { .. } | LedgerKind::ReconciledFill { .. }) {
                continue;
            }
            account.fills += 1;
            match entry.side {
                Side::Buy => account.bought += entry.price * entry.quantity,
                Side::Sell => account.sold += entry.price * entry.quantity,
            }
        }
        Ok(account)
    }

    /// Money in positions and open buys on `day`, Unknown counted as filled.
    pub fn exposure(&self, day: Date) -> Money {
        let book = self.inner.book();
        Eyes { book: &book, view: self.inner.view.as_ref(), day }.exposure()
    }
}
