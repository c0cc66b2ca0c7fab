//! What both implementations agree on: what is refused, and when an order needs no more replay.

use model::{Evidence, Fact, Intent, IntentId, OrderId, Quantity};

use crate::port::{JournalError, RunEnd, RunOutcome, RunRow, RunStart};

/// As much about an order as is needed to leave it out of a replay.
///
/// Errs on the side of replaying: an order is done when the last sight of it was final *and* the ledger
/// has every share that this sight showed as filled, or when it was proven never to have been placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// Refused with proof, or proven absent.
    pub absent: bool,
    /// The last state seen in the broker's book was final.
    pub seen_final: bool,
    /// Shares filled when last seen.
    pub seen_filled: u32,
    /// Shares of its fills in the ledger.
    pub ledger_filled: u32,
}

impl Progress {
    /// Takes a fact about the order into account.
    pub fn learn(&mut self, evidence: &Evidence) {
        let about_placing = evidence.intent == evidence.order;
        match &evidence.fact {
            Fact::Seen { status, filled, .. } => {
                self.absent = false;
                self.seen_final = status.is_final();
                self.seen_filled = filled.get();
            }
            Fact::Refused { .. } | Fact::NotPlaced { .. } if about_placing => self.absent = true,
            // Signs of life take a proof of absence back.
            Fact::Acked { .. } | Fact::Filled(_) if about_placing => self.absent = false,
            Fact::Parked { .. } => {
                self.absent = false;
                self.seen_final = false;
            }
            Fact::Acked { .. }
            | Fact::Filled(_)
            | Fact::Unsent { .. }
            | Fact::Unclear { .. }
            | Fact::Refused { .. }
            | Fact::NotPlaced { .. } => {}
        }
    }

    /// Takes shares that reached the ledger into account.
    pub fn fill(&mut self, quantity: Quantity) {
        self.ledger_filled = self.ledger_filled.saturating_add(quantity.get());
    }

    /// Nothing is left to be found out about it.
    pub fn is_done(&self) -> bool {
        self.absent || (self.seen_final && self.ledger_filled >= self.seen_filled)
    }
}

/// The row of a run after `start`, or why it may not begin.
pub(crate) fn begin_run(present: Option<&RunRow>, start: &RunStart) -> Result<RunRow, JournalError> {
    let attempts = present.map_or(0, |row| row.attempts);
    let claimed = present.is_some_and(|row| row.ended.is_some() || start.attempt <= row.attempts);
    if claimed {
        return Err(JournalError::Duplicate(format!("attempt {} of run {}", start.attempt, start.id)));
    }
    if present.is_some_and(|row| row.task != start.task || row.scheduled != start.scheduled) {
        return Err(JournalError::Inconsistent(format!("run {} belongs to another slot", start.id)));
    }
    if start.attempt != attempts + 1 {
        return Err(JournalError::Inconsistent(format!(
            "attempt {} of run {} does not follow {attempts} attempts",
            start.attempt, start.id
        )));
    }
    Ok(RunRow {
        id: start.id.clone(),
        task: start.task.clone(),
        strategy: start.strategy.clone(),
        scheduled: start.scheduled,
        day: start.day,
        started: Some(start.at),
        attempts: start.attempt,
        ended: None,
        outcome: None,
    })
}

/// The row of a run after `end`, or why it may not end.
pub(crate) fn end_run(present: Option<&RunRow>, end: &RunEnd) -> Result<RunRow, JournalError> {
    let begun = match present {
        Some(row) if row.ended.is_some() => {
            return Err(JournalError::Duplicate(format!("the end of run {}", end.id)));
        }
        Some(row) => row.clone(),
        None if matches!(end.outcome, RunOutcome::Skipped { .. } | RunOutcome::Missed { .. }) => RunRow {
            id: end.id.clone(),
            task: end.task.clone(),
            strategy: end.strategy.clone(),
            scheduled: end.scheduled,
            day: end.day,
            started: None,
            attempts: 0,
            ended: None,
            outcome: None,
        },
        None => {
            return Err(JournalError::Inconsistent(format!("run {} ends, but it never began", end.id)));
        }
    };
    Ok(RunRow { ended: Some(end.at), outcome: Some(end.outcome.clone()), ..begun })
}

pub(crate) fn duplicate_intent(intent: &Intent) -> JournalError {
    JournalError::Duplicate(format!(
        "intent {} (`{}` of {} on {})",
        intent.id, intent.key, intent.strategy, intent.day
    ))
}

pub(crate) fn duplicate_attempt(intent: IntentId, number: u32) -> JournalError {
    JournalError::Duplicate(format!("attempt {number} of intent {intent}"))
}

pub(crate) fn duplicate_fill(order: OrderId, trade_id: &str) -> JournalError {
    JournalError::Duplicate(format!("trade {trade_id} of order {order}"))
}

pub(crate) fn duplicate_slot(run: &RunRow) -> JournalError {
    JournalError::Duplicate(format!("task {} at {} (run {})", run.task, run.scheduled, run.id))
}

pub(crate) fn missing_intent(intent: IntentId, order: Option<OrderId>) -> JournalError {
    JournalError::Inconsistent(match order {
        Some(order) => format!("there is no intent {intent} about order {order}"),
        None => format!("there is no intent {intent}"),
    })
}

pub(crate) fn missing_alert(alert: i64) -> JournalError {
    JournalError::Inconsistent(format!("there is no alert {alert}"))
}

#[cfg(test)]
mod tests {
    use model::{Account, BrokerOrderId, Date, Price, Source, Status, StrategyName, Timestamp};

    use super::*;

    fn id(key: &str) -> IntentId {
        let day = Date::from_ymd_opt(2025, 3, 4).expect("a date");
        IntentId::derive(&Account::from("a"), &StrategyName::from("s"), day, key)
    }

    fn evidence(intent: IntentId, fact: Fact) -> Evidence {
        Evidence { order: id("place"), intent, at: Timestamp::from_nanos(1), source: Source::Answer, fact }
    }

    fn seen(status: Status, filled: u32) -> Fact {
        Fact::Seen {
            broker_id: BrokerOrderId::from("1"),
            status,
            filled: Quantity::new(filled),
            average: Price::ZERO,
            price: Price::ZERO,
            quantity: Quantity::new(10),
            reason: String::new(),
        }
    }

    fn refused() -> Fact {
        Fact::Refused { code: "1".into(), reason: "no".into() }
    }

    #[track_caller]
    fn check(facts: Vec<Evidence>, in_ledger: u32, done: bool) {
        let mut progress = Progress::default();
        for fact in &facts {
            progress.learn(fact);
        }
        progress.fill(Quantity::new(in_ledger));
        assert_eq!(progress.is_done(), done, "{facts:?}");
    }

    #[test]
    fn an_order_is_replayed_until_nothing_is_left_to_learn() {
        let (place, cancel) = (id("place"), id("cancel"));
        check(vec![], 0, false);
        check(vec![evidence(place, refused())], 0, true);
        check(vec![evidence(cancel, refused())], 0, false);
        check(vec![evidence(place, seen(Status::Filled, 10))], 0, false);
        check(vec![evidence(place, seen(Status::Filled, 10))], 10, true);
        check(vec![evidence(place, seen(Status::Canceled, 0))], 0, true);
        check(
            vec![evidence(place, seen(Status::Canceled, 0)), evidence(place, seen(Status::New, 0))],
            0,
            false,
        );
        check(
            vec![
                evidence(place, Fact::NotPlaced { why: "empty".into() }),
                evidence(place, Fact::Acked { broker_id: BrokerOrderId::from("1") }),
            ],
            0,
            false,
        );
        check(
            vec![
                evidence(place, seen(Status::Canceled, 0)),
                evidence(place, Fact::Parked { why: "?".into() }),
            ],
            0,
            false,
        );
    }
}
