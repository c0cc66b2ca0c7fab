//! What a person does: the switch, the verdict on a parked order, shares taken over.

use journal::{Durability, Entry, OperatorAction, TradingState};
use model::{
    Evidence, Fact, LedgerEntry, OrderError, OrderId, OrderState, OrderView, Price, Quantity, Source, Status,
};

use crate::commit::no_order;
use crate::desk::{Desk, Inner};
use crate::queries::view;

/// What the operator found at the broker about an order that reading could not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It traded: so many shares in all, at this average price. Fewer than ordered: the rest is gone.
    Filled {
        /// Shares filled in all.
        quantity: Quantity,
        /// Their average price.
        price: Price,
    },
    /// It ended without further fills.
    Canceled,
    /// It (or the change to it) never reached the exchange.
    NotPlaced,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Filled { quantity, price } => write!(f, "filled {quantity} at {price}"),
            Self::Canceled => f.write_str("canceled"),
            Self::NotPlaced => f.write_str("not placed"),
        }
    }
}

fn denied(rule: &'static str, reason: String) -> OrderError {
    OrderError::Denied { rule, reason }
}

impl Desk {
    /// What may be done now.
    pub fn trading_state(&self) -> TradingState {
        self.inner.book().trading
    }

    /// Sets what may be done, durably, on behalf of `by`. It holds from the moment this returns, also
    /// for orders that wait for their turn.
    pub fn set_trading_state(&self, state: TradingState, by: &str) -> Result<(), OrderError> {
        let mut journal = self.inner.journal();
        // At once, whether or not it can be written: a switch that needs a healthy disk is none. What
        // opens is opened only once it is written.
        let before = std::mem::replace(&mut self.inner.book().trading, state);
        let at = self.inner.clock.now();
        let action = OperatorAction::SetTrading { state };
        let entry = Entry::Operator { action, by: by.to_owned(), at };
        journal.commit(&[entry], Durability::Synced).map_err(|error| {
            self.inner.book().trading = before.max(state);
            self.inner.halt(&error)
        })
    }

    /// The operator's evidence on an order whose outcome is not known.
    pub fn resolve(&self, id: OrderId, verdict: Verdict, by: &str) -> Result<OrderView, OrderError> {
        let inner = &self.inner;
        let mut journal = inner.journal();
        let mut guard = inner.book();
        let book = &mut *guard;
        let order = book.order(id).ok_or_else(|| no_order(id))?.clone();
        if !order.is_unresolved() {
            return Err(denied("resolved", format!("order {id} is {}: nothing to resolve", order.status())));
        }
        let at = inner.clock.now();
        let action = OperatorAction::Resolve { order: id, verdict: verdict.to_string() };
        let mut out = vec![Entry::Operator { action, by: by.to_owned(), at }];
        for evidence in evidence(&order, verdict, by)? {
            book.learn(Evidence { at, ..evidence }, true, &mut out);
        }
        if let Some(order) = book.order(id).cloned() {
            inner.infer_fill(book, &order, "the operator", &mut out);
        }
        let shown = book.order(id).map(view).ok_or_else(|| no_order(id))?;
        drop(guard);
        journal.commit(&out, Durability::Synced).map_err(|error| inner.halt(&error))?;
        Ok(shown)
    }

    /// Enters shares that did not come by an order of ours: taken over, sold outside, split.
    pub fn adopt(&self, entry: LedgerEntry) -> Result<(), OrderError> {
        let inner: &Inner = &self.inner;
        let mut journal = inner.journal();
        let mut out = vec![Entry::Ledger(entry.clone())];
        inner.book().post(entry, &mut out);
        journal.commit(&out, Durability::Synced).map_err(|error| inner.halt(&error))
    }
}

/// The verdict as evidence; denied when it cannot be true.
fn evidence(order: &OrderState, verdict: Verdict, by: &str) -> Result<Vec<Evidence>, OrderError> {
    let told = |intent, fact| Evidence {
        order: order.id,
        intent,
        at: order.placed_at,
        source: Source::Operator,
        fact,
    };
    let ended = |status, filled, average| {
        let fact = Fact::Seen {
            broker_id: order.broker_id.clone().unwrap_or_else(|| "".into()),
            status,
            filled,
            average,
            price: order.terms.price,
            quantity: order.terms.quantity,
            reason: format!("said by {by}"),
        };
        Ok(vec![told(order.id, fact)])
    };
    match verdict {
        Verdict::Filled { quantity, price } => {
            if quantity < order.filled() || quantity > order.worst_quantity() || !price.is_positive() {
                return Err(denied(
                    "bad-verdict",
                    format!(
                        "between {} and {} shares can have filled, at a price",
                        order.filled(),
                        order.worst_quantity()
                    ),
                ));
            }
            let all = quantity >= order.terms.quantity;
            ended(if all { Status::Filled } else { Status::Canceled }, quantity, price)
        }
        Verdict::Canceled => ended(Status::Canceled, order.filled(), order.average()),
        Verdict::NotPlaced if order.is_place_unresolved() && !order.filled().is_zero() => {
            Err(denied("bad-verdict", format!("order {} has fills: it was placed", order.id)))
        }
        Verdict::NotPlaced => {
            let why = format!("said by {by}");
            Ok(order
                .open_intents()
                .map(|intent| told(intent, Fact::NotPlaced { why: why.clone() }))
                .collect())
        }
    }
}
