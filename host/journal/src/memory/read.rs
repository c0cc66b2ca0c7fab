//! What is asked of the journal in memory.

use model::{Account, Date, LedgerKind, OrderId, StrategyName};

use super::{Deliveries, MemoryJournal};
use crate::port::{AlertRow, Entry, Recorded};

impl MemoryJournal {
    pub(super) fn replay_entries(&self, account: &Account, since: Date) -> Vec<Recorded> {
        let wanted = |order: &OrderId| {
            self.orders.get(order).is_some_and(|record| {
                record.account == *account && (!record.progress.is_done() || record.last_day >= since)
            })
        };
        let mut found = Vec::new();
        for (seq, entry) in (self.base..).zip(&self.log) {
            let Some(entry) = entry.as_deref() else { continue };
            let keep = match entry {
                Entry::Intent(intent) => wanted(&intent.order()),
                Entry::Attempt { intent, .. } => {
                    self.intents.get(intent).is_some_and(|slot| wanted(&slot.order))
                }
                Entry::Evidence(evidence) => wanted(&evidence.order),
                Entry::Ledger(line) => line.account == *account,
                Entry::Operator { .. } => self.trading_seq == Some(seq),
                _ => false,
            };
            if keep {
                found.push(Recorded { seq, entry: entry.clone() });
            }
        }
        found
    }

    pub(super) fn value(&self, strategy: &StrategyName, key: &str) -> Option<&[u8]> {
        let seq = *self.state.get(strategy)?.get(key)?;
        match self.entry(seq)? {
            Entry::State { value, .. } => value.as_deref(),
            _ => None,
        }
    }

    pub(super) fn alert_row(&self, seq: u64, row: &Deliveries) -> Option<AlertRow> {
        let Entry::Alert(alert) = self.entry(seq)? else { return None };
        Some(AlertRow {
            id: i64::try_from(seq).ok()?,
            alert: alert.clone(),
            delivered: row.taken.iter().cloned().collect(),
            failures: row.failures,
        })
    }

    /// Whether the fill is among the entries kept of its order.
    pub(super) fn has_fill(&self, account: &Account, order: OrderId, trade_id: &str) -> bool {
        let record = self.orders.get(&order).map(|record| &record.seqs);
        let Some(seqs) = record.or_else(|| self.strays.get(&order)) else { return false };
        seqs.iter().any(|seq| match self.entry(*seq) {
            Some(Entry::Ledger(line)) => is_fill(line, account, order, trade_id),
            _ => false,
        })
    }
}

pub(super) fn is_fill(line: &model::LedgerEntry, account: &Account, order: OrderId, trade_id: &str) -> bool {
    line.account == *account
        && matches!(&line.why, LedgerKind::Fill { order: of, trade_id: id } if *of == order && id == trade_id)
}
