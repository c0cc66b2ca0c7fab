//! What went wrong in the demo and what became of it, counted from the journal.

use std::collections::BTreeSet;

use journal::{Entry, JournalError};
use model::{Fact, IntentId};
use oms::Desk;
use serde::Serialize;

use crate::output;

/// Entries read at a time.
const CHUNK: u32 = 10_000;

/// What was survived.
#[derive(Debug, Default, Serialize)]
pub(super) struct Survived {
    /// Logins, the first of each day included.
    logins: usize,
    /// Attempts that a dead session provably kept from doing anything.
    unsent: usize,
    /// Of those, orders that went out once more and were taken.
    sent_again: usize,
    /// Calls whose answer proved nothing.
    unclear: usize,
    /// Of those, orders that the broker's book told of.
    found: usize,
    /// Orders whose outcome is still not known.
    unknown: usize,
}

impl Survived {
    /// Counts.
    pub(super) fn read(desk: &Desk) -> Result<Self, JournalError> {
        let mut counts = Self { unknown: desk.unresolved().len(), ..Self::default() };
        let (mut unsent, mut unclear) = (BTreeSet::<IntentId>::new(), BTreeSet::<IntentId>::new());
        let mut from = 0;
        loop {
            let entries = desk.with_journal(|journal| journal.entries(from, CHUNK))?;
            let Some(last) = entries.last() else { break };
            from = last.seq + 1;
            for recorded in &entries {
                match &recorded.entry {
                    Entry::Note { kind, text, .. } if kind == "session" && text.starts_with("login ") => {
                        counts.logins += 1;
                    }
                    Entry::Evidence(evidence) => match &evidence.fact {
                        Fact::Unsent { .. } => {
                            counts.unsent += 1;
                            unsent.insert(evidence.intent);
                        }
                        Fact::Unclear { .. } => {
                            counts.unclear += 1;
                            unclear.insert(evidence.intent);
                        }
                        Fact::Acked { .. } if unsent.remove(&evidence.intent) => counts.sent_again += 1,
                        Fact::Seen { .. } | Fact::Filled(_) if unclear.remove(&evidence.order) => {
                            counts.found += 1;
                        }
                        _ => {}
                    },
                    _ => {}
                }
            }
        }
        Ok(counts)
    }

    /// Tells it.
    pub(super) fn show(&self) {
        output::line("");
        output::line(&format!(
            "survived: {} call refused by a dead session, {} of them sent once more under the next ({} logins)",
            self.unsent, self.sent_again, self.logins
        ));
        output::line(&format!(
            "survived: {} lost answer, {} of them found in the broker's book; {} orders are unknown",
            self.unclear, self.found, self.unknown
        ));
    }
}
