//! What came back from the wire, into book and journal.

use broker::{Ack, SendError};
use journal::{Durability, Entry};
use model::{Evidence, Fact, IntentId, OrderError, OrderId, Placed, Source};

use crate::commit::standing;
use crate::desk::Inner;

/// The code under which "already complete" is kept: the change did nothing, the order has ended.
pub(crate) const ALREADY_COMPLETE: &str = "already-complete";
/// The code under which a refusal for an expired session is kept when it is not tried again.
const SESSION_EXPIRED: &str = "session-expired";

type Answer = Result<Ack, SendError>;

fn fact(answer: &Answer, is_place: bool) -> Fact {
    match answer {
        Ok(ack) => Fact::Acked { broker_id: ack.broker_id.clone() },
        Err(SendError::Refused { code, reason }) => {
            Fact::Refused { code: code.clone(), reason: reason.clone() }
        }
        // A new order cannot be complete already: that proves nothing about it.
        Err(SendError::AlreadyComplete(why)) if is_place => Fact::Unclear { why: why.clone() },
        Err(SendError::AlreadyComplete(why)) => {
            Fact::Refused { code: ALREADY_COMPLETE.to_owned(), reason: why.clone() }
        }
        Err(SendError::Expired(why)) => {
            Fact::Refused { code: SESSION_EXPIRED.to_owned(), reason: why.clone() }
        }
        Err(SendError::Unclear(why)) => Fact::Unclear { why: why.clone() },
    }
}

fn expired(reason: String) -> OrderError {
    OrderError::Refused { code: SESSION_EXPIRED.to_owned(), reason }
}

impl Inner {
    /// Wakes whoever waits for the last call to come back.
    pub(crate) fn say_if_idle(&self) {
        if self.book().on_wire == 0 {
            self.idle.notify_waiters();
        }
    }

    /// The answer to a place.
    pub(crate) fn record_place(&self, id: OrderId, answer: Answer) -> Result<Placed, OrderError> {
        let placed = self.record(id, id, fact(&answer, true))?;
        match answer {
            Ok(_) => Ok(placed),
            Err(SendError::Refused { code, reason }) => Err(OrderError::Refused { code, reason }),
            Err(SendError::Expired(reason)) => Err(expired(reason)),
            Err(SendError::AlreadyComplete(_) | SendError::Unclear(_)) => Err(OrderError::Unknown(id)),
        }
    }

    /// The answer to a modify or cancel.
    pub(crate) fn record_change(
        &self,
        order: OrderId,
        intent: IntentId,
        answer: Answer,
    ) -> Result<Placed, OrderError> {
        let placed = self.record(order, intent, fact(&answer, false))?;
        match answer {
            Ok(_) => Ok(placed),
            Err(SendError::Refused { code, reason }) => Err(OrderError::Refused { code, reason }),
            Err(SendError::AlreadyComplete(reason)) => {
                Err(OrderError::Refused { code: ALREADY_COMPLETE.to_owned(), reason })
            }
            Err(SendError::Expired(reason)) => Err(expired(reason)),
            Err(SendError::Unclear(_)) => Err(OrderError::Unknown(order)),
        }
    }

    fn record(&self, order: OrderId, intent: IntentId, fact: Fact) -> Result<Placed, OrderError> {
        let unclear = matches!(fact, Fact::Unclear { .. });
        let mut journal = self.journal();
        let mut book = self.book();
        let mut entries: Vec<Entry> = Vec::with_capacity(1);
        book.answered(order);
        let at = self.clock.now();
        book.learn(Evidence { order, intent, at, source: Source::Answer, fact }, true, &mut entries);
        let placed = book.order(order).map(standing);
        drop(book);
        if let Err(error) = journal.commit(&entries, Durability::Relaxed) {
            // The order is what it is; nothing more is sent.
            self.halt(&error);
        }
        drop(journal);
        self.say_if_idle();
        if unclear {
            self.doubt.notify_one();
        }
        placed.ok_or_else(|| OrderError::Desk(format!("order {order} is not in the book")))
    }
}
