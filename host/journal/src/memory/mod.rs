//! The journal in memory: same refusals and same answers as the file, nothing durable.
//!
//! Entries lie boxed in one queue by `seq`, so that a dropped entry costs a pointer; the maps beside it
//! say who is known and which entries belong to which order. A backtest keeps only the orders that are
//! still open ([`MemoryJournal::bounded`]).

mod check;
mod ids;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{Account, Action, Date, Intent, IntentId, LedgerKind, OrderId, RunId, StrategyName};

use self::ids::ById;
use crate::port::{
    AlertRow, Durability, Entry, Journal, JournalError, OperatorAction, Recorded, RunEnd, RunRow, RunStart,
    TradingState,
};
use crate::rules::{self, Progress};

/// Entries of the other kinds that a bounded journal keeps, and runs that ended.
const KEPT_ASIDE: usize = 1_000;

/// How many entries of each kind were taken, dropped ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Decisions.
    pub intents: u64,
    /// Of those, new orders.
    pub orders: u64,
    /// Sendings.
    pub attempts: u64,
    /// Pieces of evidence.
    pub evidence: u64,
    /// Ledger lines.
    pub ledger: u64,
    /// Runs that began.
    pub run_starts: u64,
    /// Runs that ended, or were skipped or missed.
    pub run_ends: u64,
    /// Everything else.
    pub other: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retention {
    All,
    OpenOrders,
}

#[derive(Debug, Clone, Copy)]
struct IntentSlot {
    order: OrderId,
    /// Attempt 1 is there. Other numbers are in `more_attempts`.
    attempted: bool,
}

#[derive(Debug, Clone)]
struct OrderRecord {
    account: Account,
    /// Its latest trading day or session, changes and cancellations included.
    last_day: Date,
    progress: Progress,
    seqs: Vec<u64>,
}

/// The journal in memory.
#[derive(Debug, Clone)]
pub struct MemoryJournal {
    retention: Retention,
    /// `log[i]` has seq `base + i`; what was superseded or dropped is `None`.
    log: VecDeque<Option<Box<Entry>>>,
    base: u64,
    intents: ById<IntentSlot>,
    more_attempts: BTreeSet<(IntentId, u32)>,
    orders: ById<Box<OrderRecord>>,
    /// Ledger lines and operator's verdicts about orders that the journal does not know.
    strays: ById<Vec<u64>>,
    runs: BTreeMap<RunId, RunRow>,
    slots: BTreeSet<(String, i64)>,
    /// Where the last write of each key is.
    state: BTreeMap<StrategyName, BTreeMap<String, u64>>,
    alert_keys: BTreeMap<String, u64>,
    alerts: BTreeMap<u64, Deliveries>,
    trading: TradingState,
    trading_seq: Option<u64>,
    strikes: BTreeMap<StrategyName, (u32, String)>,
    /// What a bounded journal will drop next, oldest first.
    aside: VecDeque<u64>,
    ended_runs: VecDeque<RunId>,
    counts: Counts,
}

#[derive(Debug, Clone, Default)]
struct Deliveries {
    taken: BTreeSet<String>,
    failures: u32,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryJournal {
    /// An empty journal that keeps everything.
    pub fn new() -> Self {
        Self::with(Retention::All)
    }

    /// An empty journal that drops the entries of an order once nothing is left to learn about it, and
    /// of everything else keeps the newest thousand. Identities stay known, counts go on. For backtests,
    /// which never replay: [`Journal::replay`], [`Journal::trail`] and [`Journal::entries`] answer with
    /// what is left.
    pub fn bounded() -> Self {
        Self::with(Retention::OpenOrders)
    }

    /// What was taken so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Entries held at present.
    pub fn held(&self) -> usize {
        self.log.iter().flatten().count()
    }

    fn with(retention: Retention) -> Self {
        Self {
            retention,
            log: VecDeque::new(),
            base: 1,
            intents: ById::default(),
            more_attempts: BTreeSet::new(),
            orders: ById::default(),
            strays: ById::default(),
            runs: BTreeMap::new(),
            slots: BTreeSet::new(),
            state: BTreeMap::new(),
            alert_keys: BTreeMap::new(),
            alerts: BTreeMap::new(),
            trading: TradingState::default(),
            trading_seq: None,
            strikes: BTreeMap::new(),
            aside: VecDeque::new(),
            ended_runs: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    fn next_seq(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    fn entry(&self, seq: u64) -> Option<&Entry> {
        let place = usize::try_from(seq.checked_sub(self.base)?).ok()?;
        self.log.get(place)?.as_deref()
    }

    fn recorded(&self, seq: u64) -> Option<Recorded> {
        self.entry(seq).map(|entry| Recorded { seq, entry: entry.clone() })
    }

    fn drop_entry(&mut self, seq: u64) {
        let place = seq.checked_sub(self.base).and_then(|place| usize::try_from(place).ok());
        if let Some(slot) = place.and_then(|place| self.log.get_mut(place)) {
            *slot = None;
        }
    }

    /// Takes one entry that was checked. A bounded journal keeps nothing about orders it has let go.
    fn take(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let seq = self.next_seq();
        match entry {
            Entry::Intent(intent) => {
                if !self.take_intent(seq, intent) {
                    return Ok(());
                }
            }
            Entry::Attempt { intent, number, .. } => {
                if !self.take_attempt(seq, *intent, *number) {
                    return Ok(());
                }
            }
            Entry::Evidence(evidence) => {
                self.counts.evidence += 1;
                if let Some(order) = self.orders.get_mut(&evidence.order) {
                    order.seqs.push(seq);
                    order.progress.learn(evidence);
                } else {
                    return Ok(());
                }
            }
            Entry::Ledger(line) => {
                self.counts.ledger += 1;
                match line.why {
                    LedgerKind::Fill { order, .. } | LedgerKind::ReconciledFill { order, .. } => {
                        match self.orders.get_mut(&order) {
                            Some(record) => {
                                record.seqs.push(seq);
                                record.progress.fill(line.quantity);
                            }
                            None if self.retention == Retention::OpenOrders => return Ok(()),
                            None => self.strays.entry(order).or_default().push(seq),
                        }
                    }
                    _ => {}
                }
            }
            Entry::RunStart(start) => self.take_start(start)?,
            Entry::RunEnd(end) => self.take_end(end)?,
            Entry::State { strategy, key, value } => {
                self.counts.other += 1;
                self.take_state(seq, strategy, key, value.is_some());
            }
            Entry::Alert(alert) => {
                if self.alert_keys.contains_key(&alert.key) {
                    return Ok(());
                }
                self.alert_keys.insert(alert.key.clone(), seq);
                self.alerts.insert(seq, Deliveries::default());
                self.set_aside(seq);
            }
            Entry::Delivery { alert, channel, ok, .. } => {
                self.set_aside(seq);
                let row = u64::try_from(*alert).ok().and_then(|alert| self.alerts.get_mut(&alert));
                if let Some(row) = row {
                    if *ok {
                        row.taken.insert(channel.clone());
                    } else {
                        row.failures += 1;
                    }
                }
            }
            Entry::Operator { action, .. } => {
                self.counts.other += 1;
                self.take_operator(seq, action);
            }
            Entry::Quarantine { strategy, strikes, reason, .. } => {
                self.set_aside(seq);
                match reason {
                    Some(reason) => self.strikes.insert(strategy.clone(), (*strikes, reason.clone())),
                    None => self.strikes.remove(strategy),
                };
            }
            Entry::Note { .. } => self.set_aside(seq),
        }
        self.log.push_back(Some(Box::new(entry.clone())));
        Ok(())
    }

    /// False when it is about an order that was let go.
    fn take_intent(&mut self, seq: u64, intent: &Intent) -> bool {
        self.counts.intents += 1;
        let order = intent.order();
        let gone =
            order != intent.id && self.intents.contains_key(&order) && !self.orders.contains_key(&order);
        let mut last_day = intent.day;
        if let Action::Place { for_session, .. } = &intent.action {
            self.counts.orders += 1;
            last_day = last_day.max(*for_session);
        }
        self.intents.insert(intent.id, IntentSlot { order, attempted: false });
        if gone {
            return false;
        }
        let mut seqs = self.strays.remove(&order).unwrap_or_default();
        let record = self.orders.entry(order).or_insert_with(|| {
            Box::new(OrderRecord {
                account: intent.account.clone(),
                last_day,
                progress: Progress::default(),
                seqs: Vec::with_capacity(6),
            })
        });
        record.last_day = record.last_day.max(last_day);
        record.seqs.append(&mut seqs);
        record.seqs.push(seq);
        true
    }

    /// False when it is about an order that was let go.
    fn take_attempt(&mut self, seq: u64, intent: IntentId, number: u32) -> bool {
        self.counts.attempts += 1;
        let Some(slot) = self.intents.get_mut(&intent) else { return false };
        if number == 1 {
            slot.attempted = true;
        } else {
            self.more_attempts.insert((intent, number));
        }
        match self.orders.get_mut(&slot.order) {
            Some(order) => {
                order.seqs.push(seq);
                true
            }
            None => false,
        }
    }

    fn take_start(&mut self, start: &RunStart) -> Result<(), JournalError> {
        self.counts.run_starts += 1;
        let row = rules::begin_run(self.runs.get(&start.id), start)?;
        self.slots.insert((row.task.clone(), row.scheduled.nanos()));
        self.runs.insert(row.id.clone(), row);
        self.remember_aside(self.next_seq());
        Ok(())
    }

    fn take_end(&mut self, end: &RunEnd) -> Result<(), JournalError> {
        self.counts.run_ends += 1;
        let row = rules::end_run(self.runs.get(&end.id), end)?;
        self.slots.insert((row.task.clone(), row.scheduled.nanos()));
        self.runs.insert(row.id.clone(), row);
        self.remember_aside(self.next_seq());
        if self.retention == Retention::OpenOrders {
            self.ended_runs.push_back(end.id.clone());
        }
        Ok(())
    }

    fn take_state(&mut self, seq: u64, strategy: &StrategyName, key: &str, kept: bool) {
        let keys = self.state.entry(strategy.clone()).or_default();
        let before = if kept { keys.insert(key.to_owned(), seq) } else { keys.remove(key) };
        if let Some(before) = before {
            self.drop_entry(before);
        }
    }

    fn take_operator(&mut self, seq: u64, action: &OperatorAction) {
        match action {
            OperatorAction::SetTrading { state } => {
                self.trading = *state;
                self.trading_seq = Some(seq);
            }
            OperatorAction::Resolve { order, .. } => match self.orders.get_mut(order) {
                Some(record) => record.seqs.push(seq),
                None => self.strays.entry(*order).or_default().push(seq),
            },
            OperatorAction::Unquarantine { strategy } => {
                self.strikes.remove(strategy);
            }
        }
    }

    fn set_aside(&mut self, seq: u64) {
        self.counts.other += 1;
        self.remember_aside(seq);
    }

    fn remember_aside(&mut self, seq: u64) {
        if self.retention == Retention::OpenOrders {
            self.aside.push_back(seq);
        }
    }

    /// The order about which these entries leave nothing to be learnt, when they end with it: a bounded
    /// journal need not take in what it would drop at once.
    fn completed_by(&self, entries: &[Entry]) -> Option<OrderId> {
        if self.retention == Retention::All {
            return None;
        }
        let order = entries.last().and_then(learnt_about)?;
        let mut progress = self.orders.get(&order)?.progress;
        for entry in entries {
            match entry {
                Entry::Evidence(evidence) if evidence.order == order => progress.learn(evidence),
                Entry::Ledger(line) if learnt_about(entry) == Some(order) => progress.fill(line.quantity),
                _ => {}
            }
        }
        progress.is_done().then_some(order)
    }

    fn let_go(&mut self, order: OrderId) {
        for seq in self.orders.remove(&order).map(|record| record.seqs).unwrap_or_default() {
            self.drop_entry(seq);
        }
    }

    /// Lets go of orders that this commit completed, and of what is too old.
    fn trim(&mut self, entries: &[Entry]) {
        for order in entries.iter().filter_map(learnt_about) {
            if self.orders.get(&order).is_some_and(|record| record.progress.is_done()) {
                self.let_go(order);
            }
        }
        while self.aside.len() > KEPT_ASIDE {
            let Some(seq) = self.aside.pop_front() else { break };
            if let Some(Entry::Alert(alert)) = self.entry(seq) {
                let key = alert.key.clone();
                self.alert_keys.remove(&key);
                self.alerts.remove(&seq);
            }
            self.drop_entry(seq);
        }
        while self.ended_runs.len() > KEPT_ASIDE {
            let Some(id) = self.ended_runs.pop_front() else { break };
            if let Some(row) = self.runs.remove(&id) {
                self.slots.remove(&(row.task, row.scheduled.nanos()));
            }
        }
        while matches!(self.log.front(), Some(None)) {
            self.log.pop_front();
            self.base += 1;
        }
    }
}

/// The order about which an entry tells what became of it.
fn learnt_about(entry: &Entry) -> Option<OrderId> {
    match entry {
        Entry::Evidence(evidence) => Some(evidence.order),
        Entry::Ledger(line) => match line.why {
            LedgerKind::Fill { order, .. } | LedgerKind::ReconciledFill { order, .. } => Some(order),
            _ => None,
        },
        _ => None,
    }
}

impl Journal for MemoryJournal {
    fn commit(&mut self, entries: &[Entry], _durability: Durability) -> Result<(), JournalError> {
        self.check(entries)?;
        let completed = self.completed_by(entries);
        if let Some(order) = completed {
            self.let_go(order);
        }
        for entry in entries {
            if matches!(entry, Entry::State { value: None, .. }) {
                self.take(entry)?;
                // A removal counts in the order of all, but there is nothing left of it to show.
                let seq = self.next_seq() - 1;
                self.drop_entry(seq);
            } else {
                self.take(entry)?;
            }
        }
        if self.retention == Retention::OpenOrders {
            self.trim(entries);
        }
        Ok(())
    }

    fn replay(&self, account: &Account, since: Date) -> Result<Vec<Recorded>, JournalError> {
        Ok(self.replay_entries(account, since))
    }

    fn trading_state(&self) -> Result<TradingState, JournalError> {
        Ok(self.trading)
    }

    fn runs(&self, day: Date) -> Result<Vec<RunRow>, JournalError> {
        let mut rows: Vec<_> = self.runs.values().filter(|row| row.day == day).cloned().collect();
        rows.sort_by(|a, b| (a.scheduled, &a.task).cmp(&(b.scheduled, &b.task)));
        Ok(rows)
    }

    fn last_runs(&self, limit: u32) -> Result<Vec<RunRow>, JournalError> {
        let mut rows: Vec<_> = self.runs.values().collect();
        rows.sort_by(|a, b| (b.scheduled, &b.task).cmp(&(a.scheduled, &a.task)));
        Ok(rows.into_iter().take(limit as usize).cloned().collect())
    }

    fn open_runs(&self) -> Result<Vec<RunRow>, JournalError> {
        let mut rows: Vec<_> = self.runs.values().filter(|row| row.ended.is_none()).cloned().collect();
        rows.sort_by(|a, b| (a.scheduled, &a.task).cmp(&(b.scheduled, &b.task)));
        Ok(rows)
    }

    fn run(&self, id: &RunId) -> Result<Option<RunRow>, JournalError> {
        Ok(self.runs.get(id).cloned())
    }

    fn state_get(&self, strategy: &StrategyName, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(self.value(strategy, key).map(<[u8]>::to_vec))
    }

    fn state_keys(&self, strategy: &StrategyName, prefix: &str) -> Result<Vec<String>, JournalError> {
        let Some(keys) = self.state.get(strategy) else { return Ok(Vec::new()) };
        let from = keys.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        Ok(from.map(|(key, _)| key.clone()).take_while(|key| key.starts_with(prefix)).collect())
    }

    fn state_size(&self, strategy: &StrategyName) -> Result<u64, JournalError> {
        let Some(keys) = self.state.get(strategy) else { return Ok(0) };
        let sizes = keys.keys().map(|key| key.len() + self.value(strategy, key).map_or(0, <[u8]>::len));
        Ok(sizes.sum::<usize>() as u64)
    }

    fn has_alert(&self, key: &str) -> Result<bool, JournalError> {
        Ok(self.alert_keys.contains_key(key))
    }

    fn undelivered(&self, channel: &str, limit: u32) -> Result<Vec<AlertRow>, JournalError> {
        let waiting = self.alerts.iter().filter(|(_, row)| !row.taken.contains(channel));
        Ok(waiting.filter_map(|(seq, row)| self.alert_row(*seq, row)).take(limit as usize).collect())
    }

    fn last_alerts(&self, limit: u32) -> Result<Vec<AlertRow>, JournalError> {
        let newest = self.alerts.iter().rev();
        Ok(newest.filter_map(|(seq, row)| self.alert_row(*seq, row)).take(limit as usize).collect())
    }

    fn quarantine(&self) -> Result<Vec<(StrategyName, u32, String)>, JournalError> {
        Ok(self.strikes.iter().map(|(name, (strikes, why))| (name.clone(), *strikes, why.clone())).collect())
    }

    fn entries(&self, from_seq: u64, limit: u32) -> Result<Vec<Recorded>, JournalError> {
        let first = from_seq.max(self.base);
        Ok((first..self.next_seq()).filter_map(|seq| self.recorded(seq)).take(limit as usize).collect())
    }

    fn trail(&self, order: OrderId) -> Result<Vec<Recorded>, JournalError> {
        let record = self.orders.get(&order).map(|record| &record.seqs);
        let mut seqs = record.or_else(|| self.strays.get(&order)).cloned().unwrap_or_default();
        seqs.sort_unstable();
        Ok(seqs.into_iter().filter_map(|seq| self.recorded(seq)).collect())
    }
}
