//! The exchange's book against the journal: everything that differs, in words.

use std::collections::{BTreeMap, BTreeSet};

use journal::{Entry, RunOutcome, RunStart};
use market::demo::{DAY0, DAY1};
use model::{
    Action, Date, Intent, IntentId, LedgerEntry, LedgerKind, Money, OrderState, Price, Quantity, Side,
    Status, Symbol, Timestamp,
};
use paper::FullBook;

use crate::stage::{CASH_RUPEES, OPENING, Stage};

/// What a comparison counted.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub orders: usize,
    pub doubled: usize,
    pub lost: usize,
    pub unknown: usize,
    pub changes: usize,
    pub fills: usize,
    pub not_placed: usize,
    pub refused: usize,
    pub runs: usize,
    pub done: usize,
    pub interrupted: usize,
    pub resumed: usize,
}

impl Figures {
    pub const fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.doubled += other.doubled;
        self.lost += other.lost;
        self.unknown += other.unknown;
        self.changes += other.changes;
        self.fills += other.fills;
        self.not_placed += other.not_placed;
        self.refused += other.refused;
        self.runs += other.runs;
        self.done += other.done;
        self.interrupted += other.interrupted;
        self.resumed += other.resumed;
    }
}

/// A comparison.
#[derive(Debug, Default)]
pub struct Audit {
    pub figures: Figures,
    /// What differs; nothing may.
    pub differences: Vec<String>,
    /// What the buys decided on day 0 are, by symbol.
    pub bought_after_day0: BTreeMap<Symbol, (Quantity, Price)>,
}

/// What the journal tells, sorted by kind.
#[derive(Default)]
struct Told {
    intents: BTreeMap<IntentId, Intent>,
    attempts: BTreeMap<IntentId, u32>,
    orders: BTreeMap<IntentId, OrderState>,
    ledger: Vec<LedgerEntry>,
    starts: BTreeMap<(String, Timestamp), Vec<RunStart>>,
    ends: BTreeMap<(String, Timestamp), Vec<RunOutcome>>,
}

/// Compares.
pub fn compare(stage: &Stage) -> Audit {
    let book = stage.exchange.book().expect("the exchange lives");
    let mut audit = Audit::default();
    let told = audit.read(stage);
    audit.orders(&book, &told);
    audit.fills(&book, &told);
    audit.account(&book, &told);
    audit.runs(&told);
    audit
}

impl Audit {
    fn insist(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.differences.push(what());
        }
    }

    /// Folds the journal a second time, without the desk.
    fn read(&mut self, stage: &Stage) -> Told {
        let mut told = Told::default();
        for recorded in stage.entries().expect("a journal") {
            match recorded.entry {
                Entry::Intent(intent) => {
                    if let Some(order) = OrderState::new(&intent) {
                        told.orders.insert(order.id, order);
                    } else if let Some(order) = told.orders.get_mut(&intent.order()) {
                        order.begin(&intent);
                    }
                    let id = intent.id;
                    let is_new = told.intents.insert(id, intent).is_none();
                    self.insist(is_new, || format!("intent {id} is written twice"));
                }
                Entry::Attempt { intent, .. } => *told.attempts.entry(intent).or_default() += 1,
                Entry::Evidence(evidence) => {
                    let applied = told.orders.get_mut(&evidence.order).map(|order| order.apply(&evidence));
                    let fits = matches!(applied, Some(Ok(_)));
                    self.insist(fits, || format!("{evidence:?} does not fit: {applied:?}"));
                }
                Entry::Ledger(entry) => told.ledger.push(entry),
                Entry::RunStart(run) => {
                    told.starts.entry((run.task.clone(), run.scheduled)).or_default().push(run);
                }
                Entry::RunEnd(run) => {
                    told.ends.entry((run.task.clone(), run.scheduled)).or_default().push(run.outcome);
                }
                // Nobody operates here: the desk froze trading.
                Entry::Operator { action, by, .. } => self.insist(false, || format!("{by} did {action:?}")),
                _ => {}
            }
        }
        told
    }

    /// No order twice, none lost, none in doubt; both sides tell the same of each.
    fn orders(&mut self, book: &FullBook, told: &Told) {
        let mut tags: BTreeSet<IntentId> = BTreeSet::new();
        // The built-in strategies place no second order beside one of theirs that works or was filled.
        let mut places: BTreeSet<(Symbol, bool, Date)> = BTreeSet::new();
        for row in &book.orders {
            let id = row.tag.as_deref().and_then(IntentId::parse);
            let Some((id, order)) = id.and_then(|id| told.orders.get_key_value(&id)) else {
                self.insist(false, || format!("the journal does not know {row:?}"));
                continue;
            };
            let is_first = tags.insert(*id);
            let is_alone =
                places.insert((row.terms.symbol.clone(), row.terms.side == Side::Buy, row.session));
            self.figures.doubled += usize::from(!is_first || !is_alone);
            self.insist(is_first, || format!("its tag is in the book twice: {row:?}"));
            self.insist(is_alone, || format!("a second order in the same place: {row:?}"));
            let terms = (order.terms.price, order.terms.quantity);
            let same = order.status() == row.status
                && (order.filled(), order.booked(), order.average()) == (row.filled, row.filled, row.average)
                && order.broker_id.as_ref() == Some(&row.broker_id)
                && (order.is_final() || terms == (row.terms.price, row.terms.quantity));
            self.insist(same, || format!("the exchange has {row:?}, the journal {order:?}"));
        }
        self.figures.orders = book.orders.len();
        for intent in told.intents.values() {
            let attempts = told.attempts.get(&intent.id).copied().unwrap_or_default();
            self.insist(attempts == 1, || format!("{attempts} attempts of {intent:?}"));
            self.figures.changes += usize::from(!matches!(intent.action, Action::Place { .. }));
        }
        for order in told.orders.values() {
            let in_doubt = order.is_unresolved() || order.open_intents().next().is_some();
            self.figures.unknown += usize::from(in_doubt);
            self.insist(!in_doubt, || format!("still in doubt: {order:?}"));
            self.account_for(order, tags.contains(&order.id));
            if order.asked.side == Side::Buy && order.day == DAY0 {
                let asked = &order.asked;
                let before =
                    self.bought_after_day0.insert(asked.symbol.clone(), (asked.quantity, asked.price));
                self.insist(before.is_none(), || format!("bought twice: {order:?}"));
            }
        }
    }

    /// An order that the journal has is in the exchange's book, or proven not to be.
    fn account_for(&mut self, order: &OrderState, is_there: bool) {
        let proven_absent = match order.status() {
            Status::NotPlaced => {
                self.figures.not_placed += 1;
                true
            }
            Status::Rejected if order.broker_id.is_none() => {
                self.figures.refused += 1;
                true
            }
            _ => false,
        };
        self.figures.lost += usize::from(!is_there && !proven_absent);
        self.insist(is_there != proven_absent, || {
            format!("{} the exchange's book: {order:?}", if is_there { "yet in" } else { "not in" })
        });
    }

    /// Every trade is in the ledger, once, with its price and charges; nothing else is.
    fn fills(&mut self, book: &FullBook, told: &Told) {
        type Row = (Option<IntentId>, String, Quantity, Price, Money, Date, Date);
        let mut ours: Vec<Row> = Vec::new();
        for entry in &told.ledger {
            match &entry.why {
                LedgerKind::Fill { order, trade_id } => ours.push((
                    Some(*order),
                    trade_id.clone(),
                    entry.quantity,
                    entry.price,
                    entry.charges,
                    entry.session,
                    entry.settles,
                )),
                LedgerKind::Adopted { .. } => {}
                other => self.insist(false, || format!("the ledger had to infer: {other:?}")),
            }
        }
        let row = |row: &paper::PaperTrade| {
            let trade = &row.trade;
            let order = trade.tag.as_deref().and_then(IntentId::parse);
            let charges = row.charges.total();
            let id = trade.trade_id.clone();
            (order, id, trade.quantity, trade.price, charges, trade.session, row.settles)
        };
        let mut theirs: Vec<Row> = book.trades.iter().map(row).collect();
        ours.sort();
        theirs.sort();
        self.figures.fills = ours.len();
        self.insist(ours == theirs, || format!("the exchange has trades {theirs:?}, the ledger {ours:?}"));
    }

    /// Shares and cash: opening and fills make what the exchange has.
    fn account(&mut self, book: &FullBook, told: &Told) {
        let mut adopted: Vec<(&str, u32)> = Vec::new();
        let mut shares: BTreeMap<&Symbol, i64> = BTreeMap::new();
        let mut cash = Money::from_rupees(CASH_RUPEES);
        for entry in &told.ledger {
            let sign = if entry.side == Side::Buy { 1 } else { -1 };
            *shares.entry(&entry.symbol).or_default() += sign * i64::from(entry.quantity.get());
            match entry.why {
                LedgerKind::Adopted { .. } => adopted.push((entry.symbol.as_str(), entry.quantity.get())),
                _ if sign > 0 => cash = cash - entry.price * entry.quantity - entry.charges,
                _ => cash = cash + entry.price * entry.quantity - entry.charges,
            }
        }
        let opening: Vec<(&str, u32)> =
            OPENING.iter().map(|(symbol, quantity, _)| (*symbol, *quantity)).collect();
        self.insist(adopted == opening, || format!("adopted at the start: {adopted:?}"));
        shares.retain(|_, quantity| *quantity != 0);
        let owned: BTreeMap<&Symbol, i64> =
            book.account.owned.iter().map(|row| (&row.symbol, i64::from(row.quantity.get()))).collect();
        self.insist(shares == owned, || format!("the exchange has shares {owned:?}, the ledger {shares:?}"));
        let theirs = book.account.cash;
        self.insist(cash == theirs, || format!("the exchange has cash {theirs}, the ledger {cash}"));
    }

    /// Each run at most once per slot; entered again only where its task says so and it had not ended.
    fn runs(&mut self, told: &Told) {
        for ((task, scheduled), starts) in &told.starts {
            let attempts: Vec<u32> = starts.iter().map(|start| start.attempt).collect();
            let is_row = attempts.iter().copied().eq(1..=attempts.len() as u32);
            let resumes = matches!(task.as_str(), "buy" | "eod");
            self.insist(is_row && (attempts.len() == 1 || resumes), || {
                format!("{task} of {scheduled} began as {attempts:?}")
            });
            self.figures.resumed += attempts.len() - 1;
            let ended = told.ends.contains_key(&(task.clone(), *scheduled));
            self.insist(ended, || format!("{task} of {scheduled} has no end"));
        }
        self.figures.runs = told.starts.len();
        for (slot, ends) in &told.ends {
            self.insist(ends.len() == 1, || format!("{slot:?} ended as {ends:?}"));
            match &ends[0] {
                RunOutcome::Done { .. } => self.figures.done += 1,
                RunOutcome::Interrupted => self.figures.interrupted += 1,
                RunOutcome::Missed { .. } => {}
                other => self.insist(false, || format!("{slot:?}: {other:?}")),
            }
        }
        for (task, hour, minute) in [("buy", 16, 5), ("eod", 18, 0)] {
            for day in [DAY0, DAY1] {
                let slot = (task.to_owned(), Timestamp::at_ist(day, hour, minute));
                let end = told.ends.get(&slot).map(|ends| &ends[0]);
                let done = matches!(end, Some(RunOutcome::Done { .. }));
                self.insist(done, || format!("{slot:?} was to be done: {end:?}"));
            }
        }
    }
}
