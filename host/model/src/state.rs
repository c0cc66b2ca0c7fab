//! The order state machine: a fold over evidence.
//!
//! The same fold runs live and at replay, so what stands in memory is what the journal tells. Late
//! evidence is always accepted; where it contradicts what was known before, [`OrderState::apply`] takes
//! the more cautious of the two and returns a [`Contradiction`], upon which the caller freezes trading
//! and alerts. Time alone changes nothing here.

mod change;
mod fold;
#[cfg(test)]
mod props;
#[cfg(test)]
mod tests;

pub use change::{Cancelling, Replacing};

use crate::name::{BrokerOrderId, ContentHash, RunId, StrategyName};
use crate::order::{Action, Intent, IntentId, OrderId, OrderTerms, Side, Status};
use crate::price::{Money, Price, Quantity};
use crate::time::{Date, Timestamp};

/// What an order is known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderState {
    /// Its identity, and its tag at the broker.
    pub id: OrderId,
    /// Who placed it.
    pub strategy: StrategyName,
    /// The component that decided, by content.
    pub component: ContentHash,
    /// In which run.
    pub run: RunId,
    /// The trading day of that run.
    pub day: Date,
    /// The strategy's key.
    pub key: String,
    /// The strategy's reason.
    pub reason: String,
    /// The broker's last words about it; empty when it gave none.
    pub words: String,
    /// The terms it was placed with: what the same-key rule compares.
    pub asked: OrderTerms,
    /// The present terms.
    pub terms: OrderTerms,
    /// The session it is meant for.
    pub for_session: Date,
    /// When it was decided.
    pub placed_at: Timestamp,
    /// The broker's number, when known.
    pub broker_id: Option<BrokerOrderId>,
    base: Status,
    trades: Vec<String>,
    traded: Quantity,
    traded_value: Money,
    inferred: Quantity,
    seen_filled: Quantity,
    seen_average: Price,
    replacing: Option<Replacing>,
    cancelling: Option<Cancelling>,
    cancels: u32,
}

/// What a piece of evidence did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was known already, or says nothing new.
    Nothing,
    /// The order stands differently now.
    Changed,
}

/// Evidence that cannot be true together with what was known. The state has taken the more cautious
/// reading; trading stops until a person has looked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("order {order}: {what}")]
pub struct Contradiction {
    /// Which order.
    pub order: OrderId,
    /// What does not fit, in words.
    pub what: String,
}

impl OrderState {
    /// The order that a place intent begins; `None` for a modify or a cancel.
    pub fn new(intent: &Intent) -> Option<Self> {
        let Action::Place { terms, for_session } = &intent.action else { return None };
        Some(Self {
            id: intent.id,
            strategy: intent.strategy.clone(),
            component: intent.component.clone(),
            run: intent.run.clone(),
            day: intent.day,
            key: intent.key.clone(),
            reason: intent.reason.clone(),
            words: String::new(),
            asked: terms.clone(),
            terms: terms.clone(),
            for_session: *for_session,
            placed_at: intent.at,
            broker_id: None,
            base: Status::PendingNew,
            trades: Vec::new(),
            traded: Quantity::ZERO,
            traded_value: Money::ZERO,
            inferred: Quantity::ZERO,
            seen_filled: Quantity::ZERO,
            seen_average: Price::ZERO,
            replacing: None,
            cancelling: None,
            cancels: 0,
        })
    }

    /// How it stands. A change on its way shows only while the order works.
    pub fn status(&self) -> Status {
        if self.base.is_final() || self.base.is_unresolved() {
            self.base.clone()
        } else if self.replacing.as_ref().is_some_and(|change| change.parked)
            || self.cancelling.as_ref().is_some_and(|change| change.parked)
        {
            Status::Parked
        } else if self.cancelling.is_some() {
            Status::PendingCancel
        } else if self.replacing.is_some() {
            Status::PendingReplace
        } else {
            self.base.clone()
        }
    }

    /// Nothing can happen to it any more, short of evidence that this was wrong.
    pub const fn is_final(&self) -> bool {
        self.base.is_final()
    }

    /// Final, and every share it filled is in the ledger.
    pub fn is_settled(&self) -> bool {
        self.is_final() && self.exposed().is_zero()
    }

    /// The order itself, or a change to it, went out and what became of it is not known.
    pub fn is_unresolved(&self) -> bool {
        self.base.is_unresolved()
            || self.replacing.as_ref().is_some_and(|change| change.unclear)
            || self.cancelling.as_ref().is_some_and(|change| change.unclear)
    }

    /// Whether the order itself, not a change to it, is unresolved.
    pub const fn is_place_unresolved(&self) -> bool {
        self.base.is_unresolved()
    }

    /// Shares filled: the larger of what trades add up to and what the book says.
    pub fn filled(&self) -> Quantity {
        self.booked().max(self.seen_filled)
    }

    /// Shares whose fill is in the ledger: by trade, or inferred.
    pub fn booked(&self) -> Quantity {
        plus(self.traded, self.inferred)
    }

    /// Shares in the ledger by inference, for which no trade row was seen yet.
    pub const fn inferred(&self) -> Quantity {
        self.inferred
    }

    /// Average price of the filled shares; zero when there are none.
    pub fn average(&self) -> Price {
        if self.seen_filled > self.traded && self.seen_average.is_positive() {
            self.seen_average
        } else {
            self.traded_value.per_share(self.traded)
        }
    }

    /// Price of the filled shares that the ledger does not have: what is left of the book's value
    /// when the trades are taken out.
    pub fn unbooked_price(&self) -> Price {
        let missing = self.seen_filled.saturating_sub(self.booked());
        if missing.is_zero() {
            return Price::ZERO;
        }
        let rest =
            self.seen_average * self.seen_filled - self.traded_value - self.seen_average * self.inferred;
        let price = rest.per_share(missing);
        if price.is_positive() { price } else { self.seen_average }
    }

    /// Shares that may still come (or go) and are not in the ledger: for a working or unresolved order
    /// the worse of old and new quantity; for a final one, fills that the ledger lacks.
    pub fn exposed(&self) -> Quantity {
        let bound = if self.is_final() { self.filled() } else { self.worst_quantity().max(self.filled()) };
        bound.saturating_sub(self.booked())
    }

    /// The larger of the present quantity and the one on its way.
    pub fn worst_quantity(&self) -> Quantity {
        self.replacing
            .as_ref()
            .map_or(self.terms.quantity, |change| self.terms.quantity.max(change.total_quantity))
    }

    /// The worse of the present price and the one on its way: higher for a buy, lower for a sell.
    pub fn worst_price(&self) -> Price {
        let present = self.terms.price;
        match (&self.replacing, self.terms.side) {
            (None, _) => present,
            (Some(change), Side::Buy) => present.max(change.price),
            (Some(change), Side::Sell) => present.min(change.price),
        }
    }

    /// Money that [`exposed`](Self::exposed) shares may take, market orders valued at `reference`.
    pub fn exposed_value(&self, reference: Price) -> Money {
        let price = self.worst_price();
        let price = if price.is_positive() { price } else { reference };
        price * self.exposed()
    }

    /// Whether a row of the book with these values says nothing new: the book itself has told the fills,
    /// not trades alone.
    pub fn agrees(&self, status: &Status, filled: Quantity, price: Price, quantity: Quantity) -> bool {
        self.base == *status
            && self.broker_id.is_some()
            && self.replacing.is_none()
            && self.cancelling.is_none()
            && self.filled() == filled
            && self.seen_filled == filled
            && (self.is_final() || (self.terms.price == price && self.terms.quantity == quantity))
    }

    /// Whether this trade is known.
    pub fn has_trade(&self, trade_id: &str) -> bool {
        self.trades.iter().any(|known| known == trade_id)
    }

    /// The modify on its way.
    pub const fn replacing(&self) -> Option<&Replacing> {
        self.replacing.as_ref()
    }

    /// The cancellation on its way.
    pub const fn cancelling(&self) -> Option<&Cancelling> {
        self.cancelling.as_ref()
    }

    /// Cancellations begun so far.
    pub const fn cancels(&self) -> u32 {
        self.cancels
    }

    /// Whether the order can be changed: the broker has it and it is not final.
    pub fn is_working(&self) -> bool {
        !self.base.is_final() && !self.base.is_unresolved() && self.broker_id.is_some()
    }

    /// A modify or cancel of this order was written down and goes out. A place intent is not one.
    pub fn begin(&mut self, intent: &Intent) {
        // What has ended is not changed any more.
        if self.is_final() {
            return;
        }
        match &intent.action {
            Action::Place { .. } => {}
            Action::Modify { price, total_quantity, .. } => {
                self.replacing = Some(Replacing {
                    intent: intent.id,
                    price: *price,
                    total_quantity: *total_quantity,
                    at: intent.at,
                    unclear: false,
                    parked: false,
                });
            }
            Action::Cancel { .. } => {
                self.cancels += 1;
                self.cancelling = Some(Cancelling {
                    intent: intent.id,
                    at: intent.at,
                    acked: false,
                    unclear: false,
                    parked: false,
                });
            }
        }
    }

    /// Fills without a trade row went into the ledger.
    pub fn note_inferred(&mut self, quantity: Quantity) {
        self.inferred = plus(self.inferred, quantity);
        self.seen_filled = self.seen_filled.max(self.booked());
    }

    /// How many shares of a trade of `quantity` the ledger has by inference already.
    pub fn covered(&self, quantity: Quantity) -> Quantity {
        self.inferred.min(quantity)
    }

    /// The intents whose outcome is open: the order's own, its modify's, its cancel's.
    pub fn open_intents(&self) -> impl Iterator<Item = IntentId> + '_ {
        let own = self.base.is_unresolved().then_some(self.id);
        let replace = self.replacing.as_ref().map(|change| change.intent);
        let cancel = self.cancelling.as_ref().map(|change| change.intent);
        own.into_iter().chain(replace).chain(cancel)
    }
}

/// Brokers send what they like: a sum of quantities saturates instead of overflowing.
fn plus(left: Quantity, right: Quantity) -> Quantity {
    Quantity::new(left.get().saturating_add(right.get()))
}
