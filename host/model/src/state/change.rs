//! Changes on their way to a working order.

use crate::evidence::Fact;
use crate::order::{IntentId, OrderType, Status};
use crate::price::{Price, Quantity};
use crate::time::Timestamp;

use super::{Applied, OrderState};

/// A modify on its way. Until its outcome is known the worse of old and new terms counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacing {
    /// Its intent.
    pub intent: IntentId,
    /// The limit it asks for.
    pub price: Price,
    /// The total quantity it asks for.
    pub total_quantity: Quantity,
    /// When it was decided.
    pub at: Timestamp,
    /// It went out and no clear answer came.
    pub unclear: bool,
    /// Only the operator can say.
    pub parked: bool,
}

/// A cancellation on its way. Until the book shows the end, the order counts as working.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelling {
    /// Its intent.
    pub intent: IntentId,
    /// When it was decided.
    pub at: Timestamp,
    /// The broker took the request (the order may still fill).
    pub acked: bool,
    /// It went out and no clear answer came.
    pub unclear: bool,
    /// Only the operator can say.
    pub parked: bool,
}

impl OrderState {
    pub(super) fn answer_to_replace(&mut self, fact: &Fact) -> Applied {
        let Some(change) = &mut self.replacing else { return Applied::Nothing };
        match fact {
            Fact::Acked { .. } => {
                self.terms.price = change.price;
                self.terms.quantity = change.total_quantity;
                self.replacing = None;
                self.finish_if_filled();
            }
            Fact::Refused { reason, .. } => {
                self.words.clone_from(reason);
                self.replacing = None;
            }
            Fact::NotPlaced { .. } => self.replacing = None,
            Fact::Unsent { .. } => {}
            Fact::Unclear { .. } => change.unclear = true,
            Fact::Parked { .. } => (change.unclear, change.parked) = (true, true),
            Fact::Seen { .. } | Fact::Filled(_) => return Applied::Nothing,
        }
        Applied::Changed
    }

    pub(super) fn answer_to_cancel(&mut self, fact: &Fact) -> Applied {
        let Some(change) = &mut self.cancelling else { return Applied::Nothing };
        match fact {
            Fact::Acked { .. } => (change.acked, change.unclear) = (true, false),
            Fact::Refused { reason, .. } => {
                self.words.clone_from(reason);
                self.cancelling = None;
            }
            Fact::NotPlaced { .. } => self.cancelling = None,
            Fact::Unsent { .. } => {}
            Fact::Unclear { .. } => change.unclear = true,
            Fact::Parked { .. } => (change.unclear, change.parked) = (true, true),
            Fact::Seen { .. } | Fact::Filled(_) => return Applied::Nothing,
        }
        Applied::Changed
    }

    /// What the broker's acceptance makes of it.
    pub(super) fn accepted(&self) -> Status {
        let filled = self.filled();
        if filled >= self.terms.quantity {
            Status::Filled
        } else if !filled.is_zero() {
            Status::PartiallyFilled
        } else if self.terms.amo {
            Status::QueuedAmo
        } else if matches!(self.terms.order_type, OrderType::StopLimit | OrderType::StopMarket) {
            Status::PendingTrigger
        } else {
            Status::New
        }
    }

    /// A working order with nothing left is filled; changes to it are moot.
    pub(super) fn finish_if_filled(&mut self) {
        let filled = self.filled();
        if !self.base.is_final() && !filled.is_zero() && filled >= self.terms.quantity {
            // A modify that raises the quantity may still have been taken.
            if self.replacing.as_ref().is_some_and(|change| change.total_quantity > filled) {
                self.base = Status::PartiallyFilled;
                return;
            }
            self.end(Status::Filled);
        }
    }

    pub(super) fn end(&mut self, status: Status) {
        self.base = status;
        self.replacing = None;
        self.cancelling = None;
    }
}
