//! The transitions.

use crate::evidence::{Evidence, Fact, Fill};
use crate::name::BrokerOrderId;
use crate::order::Status;
use crate::price::{Price, Quantity};

use super::{Applied, Contradiction, OrderState, plus};

/// A row of the book, as [`Fact::Seen`] carries it.
struct Row<'a> {
    status: &'a Status,
    filled: Quantity,
    average: Price,
    price: Price,
    quantity: Quantity,
}

impl OrderState {
    /// Takes one piece of evidence in. On `Err` it is taken in too, read the cautious way.
    pub fn apply(&mut self, evidence: &Evidence) -> Result<Applied, Contradiction> {
        match &evidence.fact {
            Fact::Filled(fill) => self.trade(fill),
            Fact::Seen { broker_id, status, filled, average, price, quantity, reason } => {
                let known = self.identify(broker_id);
                if !reason.is_empty() {
                    self.words.clone_from(reason);
                }
                let row =
                    Row { status, filled: *filled, average: *average, price: *price, quantity: *quantity };
                let seen = self.seen(&row);
                known.and(seen)
            }
            fact if evidence.intent == self.id => self.answer(fact),
            fact if self.replacing.as_ref().is_some_and(|change| change.intent == evidence.intent) => {
                Ok(self.answer_to_replace(fact))
            }
            fact if self.cancelling.as_ref().is_some_and(|change| change.intent == evidence.intent) => {
                Ok(self.answer_to_cancel(fact))
            }
            // The late answer to a change that the book has already told the end of.
            _ => Ok(Applied::Nothing),
        }
    }

    fn contradiction(&self, what: String) -> Contradiction {
        Contradiction { order: self.id, what }
    }

    /// One order has one number at the broker: a second one is a second order.
    fn identify(&mut self, broker_id: &BrokerOrderId) -> Result<(), Contradiction> {
        match &self.broker_id {
            _ if broker_id.as_str().is_empty() => Ok(()),
            None => {
                self.broker_id = Some(broker_id.clone());
                Ok(())
            }
            Some(known) if known == broker_id => Ok(()),
            Some(known) => {
                Err(self.contradiction(format!("the broker has it as {known} and as {broker_id}")))
            }
        }
    }

    /// The answer to the place call, or what the reconciler or operator concluded about it.
    fn answer(&mut self, fact: &Fact) -> Result<Applied, Contradiction> {
        match fact {
            Fact::Acked { broker_id } => {
                self.identify(broker_id)?;
                match self.base {
                    Status::PendingNew | Status::Unknown | Status::Parked => {
                        self.base = self.accepted();
                        Ok(Applied::Changed)
                    }
                    Status::NotPlaced | Status::Rejected => {
                        let was = std::mem::replace(&mut self.base, Status::New);
                        self.base = self.accepted();
                        Err(self.contradiction(format!("acknowledged after it was {was}")))
                    }
                    _ => Ok(Applied::Nothing),
                }
            }
            Fact::Refused { reason, .. } => {
                self.words.clone_from(reason);
                self.never_worked(Status::Rejected)
            }
            Fact::NotPlaced { why } => {
                self.words.clone_from(why);
                self.never_worked(Status::NotPlaced)
            }
            Fact::Unclear { .. } if self.base == Status::PendingNew => {
                self.base = Status::Unknown;
                Ok(Applied::Changed)
            }
            // Still on its way: the intent stands, another attempt may follow.
            Fact::Unsent { .. } if self.base == Status::PendingNew => Ok(Applied::Changed),
            Fact::Unsent { why } if !self.base.is_unresolved() => {
                Err(self.contradiction(format!("said to be unsent ({why}), but it was {} before", self.base)))
            }
            // Also of an order that worked once and cannot be found any more.
            Fact::Parked { .. } if !self.base.is_final() && self.base != Status::Parked => {
                self.base = Status::Parked;
                Ok(Applied::Changed)
            }
            _ => Ok(Applied::Nothing),
        }
    }

    fn never_worked(&mut self, status: Status) -> Result<Applied, Contradiction> {
        if self.base == status {
            return Ok(Applied::Nothing);
        }
        if self.base.is_unresolved() && self.filled().is_zero() {
            self.end(status);
            return Ok(Applied::Changed);
        }
        if matches!(self.base, Status::Rejected | Status::NotPlaced) {
            return Ok(Applied::Nothing);
        }
        // It was seen alive: that stands.
        Err(self.contradiction(format!("said to be {status}, but it was {} before", self.base)))
    }

    fn seen(&mut self, row: &Row<'_>) -> Result<Applied, Contradiction> {
        let before = (
            self.base.clone(),
            self.filled(),
            self.terms.price,
            self.terms.quantity,
            self.replacing.is_some(),
        );
        // The terms of what has ended are history.
        if !self.is_final() || (!row.status.is_final() && self.base != Status::Filled) {
            self.retune(row.price, row.quantity);
        }
        let filled =
            if *row.status == Status::Filled { row.filled.max(self.terms.quantity) } else { row.filled };
        if filled > self.seen_filled {
            self.seen_filled = filled;
            self.seen_average = row.average;
        }
        let outcome = if row.status.is_final() && *row.status != Status::NotPlaced {
            self.seen_ended(row.status, filled)
        } else {
            self.seen_working(row.status)
        };
        outcome?;
        let after = (
            self.base.clone(),
            self.filled(),
            self.terms.price,
            self.terms.quantity,
            self.replacing.is_some(),
        );
        Ok(if before == after { Applied::Nothing } else { Applied::Changed })
    }

    fn seen_ended(&mut self, status: &Status, filled: Quantity) -> Result<(), Contradiction> {
        let was = self.base.clone();
        if !was.is_final() {
            let overtaken = self.booked() > filled && *status != Status::Filled;
            self.end(status.clone());
            if self.filled() >= self.terms.quantity {
                self.base = Status::Filled;
            }
            // The row may be older than the trades: only a refusal of what traded cannot be.
            return match status {
                Status::Rejected if overtaken => {
                    Err(self.contradiction("rejected, but it has trades".to_owned()))
                }
                _ => Ok(()),
            };
        }
        if was == *status {
            return Ok(());
        }
        let nothing_filled = self.filled().is_zero();
        let same_end = matches!(was, Status::Canceled | Status::Expired)
            && matches!(status, Status::Canceled | Status::Expired);
        if was == Status::Filled {
            return Err(self.contradiction(format!("{status} in the book, but all of it was filled")));
        }
        self.base = status.clone();
        if nothing_filled || same_end {
            return Ok(());
        }
        Err(self.contradiction(format!("{status} in the book after it was {was}")))
    }

    fn seen_working(&mut self, status: &Status) -> Result<(), Contradiction> {
        let was = self.base.clone();
        if was == Status::Filled {
            // All its shares are accounted for: the row is older than the trades.
            return Ok(());
        }
        self.base = match status {
            _ if !self.filled().is_zero() => Status::PartiallyFilled,
            Status::QueuedAmo => Status::QueuedAmo,
            Status::PendingTrigger => Status::PendingTrigger,
            Status::Other(text) => Status::Other(text.clone()),
            _ => Status::New,
        };
        self.finish_if_filled();
        if was.is_final() {
            return Err(self.contradiction(format!("working in the book after it was {was}")));
        }
        Ok(())
    }

    /// Present terms as the book shows them. Old terms prove nothing about a modify on its way: the row
    /// may be older than the change.
    fn retune(&mut self, price: Price, quantity: Quantity) {
        match &self.replacing {
            Some(change) if change.price == price && change.total_quantity == quantity => {
                self.terms.price = price;
                self.terms.quantity = quantity;
                self.replacing = None;
            }
            Some(_) => {}
            None => {
                if price.is_positive() && self.terms.price.is_positive() {
                    self.terms.price = price;
                }
                if !quantity.is_zero() {
                    self.terms.quantity = quantity;
                }
            }
        }
    }

    fn trade(&mut self, fill: &Fill) -> Result<Applied, Contradiction> {
        if self.has_trade(&fill.trade_id) {
            return Ok(Applied::Nothing);
        }
        let allowed = self.worst_quantity();
        self.trades.push(fill.trade_id.clone());
        let covered = self.covered(fill.quantity);
        self.inferred -= covered;
        self.traded = plus(self.traded, fill.quantity);
        self.traded_value += fill.price * fill.quantity;
        let was = self.base.clone();
        let news = self.booked() > self.seen_filled;
        match was {
            Status::NotPlaced | Status::Rejected => {
                self.base = Status::PartiallyFilled;
                self.finish_if_filled();
                return Err(self.contradiction(format!("trade {} after it was {was}", fill.trade_id)));
            }
            Status::Canceled | Status::Expired if self.filled() >= self.terms.quantity => {
                self.end(Status::Filled)
            }
            Status::Filled | Status::Canceled | Status::Expired => {}
            _ => {
                self.base = Status::PartiallyFilled;
                self.finish_if_filled();
            }
        }
        if self.booked() > allowed {
            return Err(
                self.contradiction(format!("{} shares filled, but it was for {allowed}", self.booked()))
            );
        }
        if was.is_final() && was != Status::Filled && news {
            return Err(self.contradiction(format!("trade {} after it was {was}", fill.trade_id)));
        }
        Ok(Applied::Changed)
    }
}
