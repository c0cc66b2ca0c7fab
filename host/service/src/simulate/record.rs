//! What a simulation leaves: days, fills, orders, skips, and a hash over all of it.

use std::collections::BTreeMap;

use journal::{Entry, RunOutcome};
use model::{
    Action, Date, Evidence, Fact, Intent, IntentId, Money, OrderState, OrderTerms, Price, Quantity, Side,
    Status, StrategyName, Symbol, Timestamp,
};
use serde::Serialize;

use super::is_fill;

/// The account at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayRow {
    /// The day.
    pub date: Date,
    /// Cash, blocked included.
    pub cash: Money,
    /// Of that, blocked by working buys.
    pub blocked: Money,
    /// Symbols owned.
    pub positions: usize,
    /// Paid for them.
    pub positions_cost: Money,
    /// Their value at the day's close.
    pub positions_value: Money,
    /// Cash and positions.
    pub equity: Money,
}

/// One ledger line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FillRow {
    /// When.
    pub at: Timestamp,
    /// The session.
    pub session: Date,
    /// The order; none for what is not a trade of ours.
    pub order: Option<IntentId>,
    /// What kind of line: `fill`, `adopted`, `corporate-action`, …
    pub kind: &'static str,
    /// What.
    pub symbol: Symbol,
    /// In or out.
    pub side: Side,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// Charges.
    pub charges: Money,
}

/// One order, with its trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    /// Its number.
    pub id: IntentId,
    /// Who placed it.
    pub strategy: StrategyName,
    /// Under which key.
    pub key: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// For which session.
    pub for_session: Date,
    /// Its first terms.
    #[serde(flatten)]
    pub terms: OrderTerms,
    /// How it ended.
    pub status: Status,
    /// What happened to it, one line each.
    pub trail: Vec<(Timestamp, String)>,
}

/// Something passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkipRow {
    /// The trading day.
    pub day: Date,
    /// The task.
    pub task: String,
    /// A symbol, or the run.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// The most skips kept by word; the rest is counted.
const SKIPS_MAX: usize = 2_000;

/// A simulation, collected from its journal.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Simulation {
    /// Over every entry of the journal, in order.
    pub trace_hash: String,
    /// Orders of which at least a share was bought.
    pub buys_filled: usize,
    /// Orders of which at least a share was sold.
    pub sells_filled: usize,
    /// Runs by task and outcome.
    pub runs: BTreeMap<String, BTreeMap<String, u64>>,
    /// The account at the end of each day.
    pub days: Vec<DayRow>,
    /// Every ledger line.
    pub fills: Vec<FillRow>,
    /// Every order.
    pub orders: Vec<OrderRow>,
    /// The first of what was passed over.
    pub skipped: Vec<SkipRow>,
    /// How much was passed over, by reason.
    pub skips_by_reason: BTreeMap<String, u64>,
    /// The last word of each task.
    pub last_summary: BTreeMap<String, String>,
    #[serde(skip)]
    by_id: BTreeMap<IntentId, usize>,
    #[serde(skip)]
    states: BTreeMap<IntentId, OrderState>,
    #[serde(skip)]
    skips_day: Option<Date>,
    /// Subject and reason, and the task that said so first.
    #[serde(skip)]
    skips_of_day: BTreeMap<(String, String), String>,
}

impl Simulation {
    /// One of which only the days' accounts are known.
    pub fn of(days: Vec<DayRow>) -> Self {
        Self { days, ..Self::default() }
    }

    /// Takes in one entry.
    pub fn add(&mut self, entry: &Entry) {
        match entry {
            Entry::Intent(intent) => self.intent(intent),
            Entry::Evidence(evidence) => self.evidence(evidence),
            Entry::Ledger(line) => {
                let (kind, order) = match &line.why {
                    model::LedgerKind::Fill { order, .. } => ("fill", Some(*order)),
                    model::LedgerKind::ReconciledFill { order, .. } => ("reconciled-fill", Some(*order)),
                    model::LedgerKind::Adopted { .. } => ("adopted", None),
                    model::LedgerKind::ExternalSale { .. } => ("external-sale", None),
                    model::LedgerKind::CorporateAction { .. } => ("corporate-action", None),
                };
                debug_assert_eq!(is_fill(&line.why), order.is_some());
                self.fills.push(FillRow {
                    at: line.at,
                    session: line.session,
                    order,
                    kind,
                    symbol: line.symbol.clone(),
                    side: line.side,
                    quantity: line.quantity,
                    price: line.price,
                    charges: line.charges,
                });
            }
            Entry::RunEnd(end) => {
                let (name, skipped) = match &end.outcome {
                    RunOutcome::Done { report } => {
                        if let Some(report) = report {
                            self.last_summary.insert(end.task.clone(), report.summary.clone());
                            for skip in &report.skipped {
                                self.skip(end.day, &end.task, &skip.subject, &skip.reason);
                            }
                        }
                        ("done", None)
                    }
                    RunOutcome::Failed { reason } => ("failed", Some(reason)),
                    RunOutcome::Trapped { reason } => ("trapped", Some(reason)),
                    RunOutcome::Interrupted => ("interrupted", None),
                    RunOutcome::Skipped { reason } => ("skipped", Some(reason)),
                    RunOutcome::Missed { reason } => ("missed", Some(reason)),
                };
                *self.runs.entry(end.task.clone()).or_default().entry(name.to_owned()).or_default() += 1;
                if let Some(reason) = skipped {
                    self.skip(end.day, &end.task, end.id.as_str(), reason);
                }
            }
            _ => {}
        }
    }

    /// Counts something passed over. What another task of the same day has said already (the day's end
    /// repeats it) counts once.
    fn skip(&mut self, day: Date, task: &str, subject: &str, reason: &str) {
        if self.skips_day != Some(day) {
            self.skips_day = Some(day);
            self.skips_of_day.clear();
        }
        let said = (subject.to_owned(), reason.to_owned());
        if *self.skips_of_day.entry(said).or_insert_with(|| task.to_owned()) != task {
            return;
        }
        *self.skips_by_reason.entry(format!("{task}: {reason}")).or_default() += 1;
        if self.skipped.len() < SKIPS_MAX {
            self.skipped.push(SkipRow {
                day,
                task: task.to_owned(),
                subject: subject.to_owned(),
                reason: reason.to_owned(),
            });
        }
    }

    fn intent(&mut self, intent: &Intent) {
        let words = match &intent.action {
            Action::Place { terms, for_session } => {
                self.by_id.insert(intent.id, self.orders.len());
                self.states.extend(OrderState::new(intent).map(|state| (intent.id, state)));
                self.orders.push(OrderRow {
                    id: intent.id,
                    strategy: intent.strategy.clone(),
                    key: intent.key.clone(),
                    reason: intent.reason.clone(),
                    at: intent.at,
                    for_session: *for_session,
                    terms: terms.clone(),
                    status: Status::PendingNew,
                    trail: Vec::new(),
                });
                format!("{} {} at {}", terms.side, terms.quantity, terms.price)
            }
            Action::Modify { price, total_quantity, .. } => format!("to {total_quantity} at {price}"),
            Action::Cancel { .. } => format!("cancel: {}", intent.reason),
        };
        let order = intent.order();
        if let Some(state) = self.states.get_mut(&order) {
            state.begin(intent);
        }
        self.trail(order, intent.at, words);
    }

    fn evidence(&mut self, evidence: &Evidence) {
        let words = match &evidence.fact {
            Fact::Acked { broker_id } => format!("accepted as {broker_id}"),
            Fact::Refused { code, reason } => format!("refused ({code}): {reason}"),
            Fact::Unsent { why } => format!("not sent, its session had expired: {why}"),
            Fact::Unclear { why } => format!("no clear answer: {why}"),
            Fact::Seen { status, filled, reason, .. } => {
                format!("{status}, {filled} filled {reason}").trim_end().to_owned()
            }
            Fact::Filled(fill) => format!("{} filled at {}", fill.quantity, fill.price),
            Fact::NotPlaced { why } => format!("not placed: {why}"),
            Fact::Parked { why } => format!("parked: {why}"),
        };
        self.trail(evidence.order, evidence.at, words);
        // The same fold as live: what is told here is what the desk knew.
        let Some(state) = self.states.get_mut(&evidence.order) else { return };
        let contradiction = state.apply(evidence).err().map(|error| error.to_string());
        let status = state.status();
        if let Some(index) = self.by_id.get(&evidence.order) {
            self.orders[*index].status = status;
        }
        if let Some(contradiction) = contradiction {
            self.trail(evidence.order, evidence.at, contradiction);
        }
    }

    fn trail(&mut self, order: IntentId, at: Timestamp, words: String) {
        if let Some(index) = self.by_id.get(&order) {
            self.orders[*index].trail.push((at, words));
        }
    }

    /// Counts what is known when all is in.
    pub fn settle(&mut self) {
        let filled = |side: Side| {
            let mut orders: Vec<IntentId> =
                self.fills.iter().filter(|fill| fill.side == side).filter_map(|fill| fill.order).collect();
            orders.sort_unstable();
            orders.dedup();
            orders.len()
        };
        (self.buys_filled, self.sells_filled) = (filled(Side::Buy), filled(Side::Sell));
    }
}
