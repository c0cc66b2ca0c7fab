//! Every refusal comes before the first change: that makes a commit whole or nothing.

use std::collections::{BTreeMap, BTreeSet};

use model::{Evidence, IntentId, LedgerEntry, LedgerKind, OrderId, RunId};

use super::read::is_fill;
use super::{MemoryJournal, Retention};
use crate::port::{Entry, JournalError, RunRow};
use crate::rules;

/// What the entries looked at so far will have changed. Empty, and without cost, for most commits.
#[derive(Default)]
struct Ahead<'a> {
    runs: BTreeMap<RunId, RunRow>,
    alerts: BTreeMap<&'a str, u64>,
    deliverable: BTreeSet<u64>,
}

impl MemoryJournal {
    pub(super) fn check(&self, entries: &[Entry]) -> Result<(), JournalError> {
        let mut ahead = Ahead::default();
        let mut seq = self.next_seq();
        for (place, entry) in entries.iter().enumerate() {
            let before = &entries[..place];
            match entry {
                Entry::Intent(intent) => {
                    if self.order_of(before, intent.id).is_some() {
                        return Err(rules::duplicate_intent(intent));
                    }
                }
                Entry::Attempt { intent, number, .. } => self.check_attempt(before, *intent, *number)?,
                Entry::Evidence(evidence) => self.check_evidence(before, evidence)?,
                Entry::Ledger(line) => self.check_fill(before, line)?,
                Entry::RunStart(start) => {
                    let present = ahead.runs.get(&start.id).or_else(|| self.runs.get(&start.id));
                    let known = present.is_some();
                    let row = rules::begin_run(present, start)?;
                    self.check_slot(&mut ahead, known, row)?;
                }
                Entry::RunEnd(end) => {
                    let present = ahead.runs.get(&end.id).or_else(|| self.runs.get(&end.id));
                    let known = present.is_some();
                    let row = rules::end_run(present, end)?;
                    self.check_slot(&mut ahead, known, row)?;
                }
                Entry::Alert(alert) => {
                    if self.alert_keys.contains_key(&alert.key)
                        || ahead.alerts.contains_key(alert.key.as_str())
                    {
                        // Dropped silently, so it takes no number.
                        continue;
                    }
                    ahead.alerts.insert(&alert.key, seq);
                    ahead.deliverable.insert(seq);
                }
                Entry::Delivery { alert, .. } => {
                    let known = u64::try_from(*alert)
                        .is_ok_and(|id| self.alerts.contains_key(&id) || ahead.deliverable.contains(&id));
                    if !known && self.retention == Retention::All {
                        return Err(rules::missing_alert(*alert));
                    }
                }
                Entry::State { .. }
                | Entry::Operator { .. }
                | Entry::Quarantine { .. }
                | Entry::Note { .. } => {}
            }
            seq += 1;
        }
        Ok(())
    }

    fn order_of(&self, before: &[Entry], intent: IntentId) -> Option<OrderId> {
        self.intents.get(&intent).map(|slot| slot.order).or_else(|| {
            before.iter().find_map(|entry| match entry {
                Entry::Intent(other) if other.id == intent => Some(other.order()),
                _ => None,
            })
        })
    }

    fn check_attempt(&self, before: &[Entry], intent: IntentId, number: u32) -> Result<(), JournalError> {
        if self.order_of(before, intent).is_none() {
            return Err(rules::missing_intent(intent, None));
        }
        let kept = match self.intents.get(&intent) {
            Some(slot) if number == 1 => slot.attempted,
            _ => self.more_attempts.contains(&(intent, number)),
        };
        let here = before.iter().any(
            |entry| matches!(entry, Entry::Attempt { intent: i, number: n, .. } if *i == intent && *n == number),
        );
        if kept || here { Err(rules::duplicate_attempt(intent, number)) } else { Ok(()) }
    }

    fn check_evidence(&self, before: &[Entry], evidence: &Evidence) -> Result<(), JournalError> {
        if self.order_of(before, evidence.intent) == Some(evidence.order) {
            Ok(())
        } else {
            Err(rules::missing_intent(evidence.intent, Some(evidence.order)))
        }
    }

    fn check_fill(&self, before: &[Entry], line: &LedgerEntry) -> Result<(), JournalError> {
        let LedgerKind::Fill { order, trade_id } = &line.why else { return Ok(()) };
        let here = before.iter().any(|entry| match entry {
            Entry::Ledger(other) => is_fill(other, &line.account, *order, trade_id),
            _ => false,
        });
        if here || self.has_fill(&line.account, *order, trade_id) {
            Err(rules::duplicate_fill(*order, trade_id))
        } else {
            Ok(())
        }
    }

    /// A slot belongs to one run.
    fn check_slot(&self, ahead: &mut Ahead<'_>, known: bool, row: RunRow) -> Result<(), JournalError> {
        if !known {
            let taken_ahead =
                ahead.runs.values().any(|other| other.task == row.task && other.scheduled == row.scheduled);
            if taken_ahead || self.slots.contains(&(row.task.clone(), row.scheduled.nanos())) {
                return Err(rules::duplicate_slot(&row));
            }
        }
        ahead.runs.insert(row.id.clone(), row);
        Ok(())
    }
}
