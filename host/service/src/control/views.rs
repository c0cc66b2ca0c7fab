//! What is told: the same shapes over the socket, from the journal, and as `--json`.
//!
//! Version 1. Fields may be added; a reader ignores those that it does not know.

use journal::{RunOutcome, RunRow, TradingState};
use model::{
    BrokerOrderId, Date, Money, OrderView, PositionView, Price, Quantity, RunId, StrategyName, Symbol,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use super::iso;
use crate::hotswap::VersionsView;

/// The version of every view.
pub const VERSION: u32 = 1;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The running host.
    Host,
    /// The journal, read because no host runs.
    Journal,
}

/// What is going on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// [`VERSION`].
    pub version: u32,
    /// Who answers.
    pub source: Source,
    /// The account.
    pub account: String,
    /// `paper`, `paper-remote` or `kotak-neo`.
    pub broker: String,
    /// The broker session; none on paper, and when no host runs.
    #[serde(default)]
    pub session: Option<SessionLine>,
    /// The host, when one runs.
    pub host: Option<HostView>,
    /// What may be done.
    pub trading: TradingState,
    /// Why nothing is traded now, when nothing is: one sentence.
    pub not_trading: Option<String>,
    /// The market's phase now.
    pub phase: Option<String>,
    /// The task that is due next.
    pub next_task: Option<NextTask>,
    /// The trading calendar.
    pub calendar: CalendarView,
    /// Orders whose outcome is not known.
    pub unresolved: Vec<OrderLine>,
    /// How the versions of the strategies stand; nothing when no host runs.
    #[serde(default)]
    pub versions: Vec<VersionsView>,
    /// Strategies with strikes.
    pub strikes: Vec<StrikesView>,
    /// The newest runs, newest first.
    pub last_runs: Vec<RunLine>,
    /// Positions, by number of symbols.
    pub positions: usize,
    /// Alerts that have not left yet.
    pub alerts_waiting: usize,
    /// The newest alerts, newest first.
    pub last_alerts: Vec<AlertLine>,
}

/// The broker session. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine {
    /// Where it stands: `open`, `resting`, `contested`, …
    pub state: String,
    /// The number of the last login of this process.
    pub generation: u64,
    /// When the present session was opened.
    #[serde(with = "iso::option")]
    pub opened: Option<Timestamp>,
    /// How long it has lived, in seconds.
    pub age_seconds: Option<i64>,
    /// Logins today beyond the first.
    pub renewals: u32,
    /// Logins today.
    pub logins: u32,
    /// Probe logins today, after a contest.
    pub probes: u32,
    /// Another program is logged in to this account.
    pub contested: bool,
    /// The broker's clock less this machine's, in milliseconds, as last measured.
    pub skew_ms: Option<i64>,
    /// Why there is no session, in one sentence.
    pub reason: Option<String>,
}

/// The process that runs the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When it began, on its own clock.
    #[serde(with = "iso")]
    pub since: Timestamp,
    /// What its clock shows.
    #[serde(with = "iso")]
    pub now: Timestamp,
    /// Whether its clock is simulated.
    pub rehearsal: bool,
}

/// A task that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTask {
    /// Which.
    pub task: String,
    /// When.
    #[serde(with = "iso")]
    pub at: Timestamp,
}

/// What is known of the trading calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarView {
    /// Its version.
    pub version: String,
    /// The last day that it knows.
    pub known_until: Date,
    /// What an operator should hear before it stops the trading.
    pub warnings: Vec<String>,
}

/// A strategy that misbehaved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrikesView {
    /// Which.
    pub strategy: StrategyName,
    /// How often.
    pub strikes: u32,
    /// Whether it is kept from running.
    pub quarantined: bool,
    /// The last time's sentence.
    pub reason: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLine {
    /// When.
    #[serde(with = "iso")]
    pub at: Timestamp,
    /// How much it matters.
    pub severity: journal::Severity,
    /// Who says so.
    pub source: String,
    /// The words.
    pub text: String,
}

impl From<&journal::AlertRow> for AlertLine {
    fn from(row: &journal::AlertRow) -> Self {
        let journal::Alert { severity, source, text, at, .. } = &row.alert;
        Self { at: *at, severity: *severity, source: source.clone(), text: text.clone() }
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The host's number, or the broker's for an order that is not ours.
    pub id: String,
    /// Who placed it; none: not this host.
    pub strategy: Option<StrategyName>,
    /// The strategy's key.
    pub key: String,
    /// The broker's number, when known.
    pub broker_id: Option<BrokerOrderId>,
    /// What.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: model::Side,
    /// How the price is bound.
    pub order_type: model::OrderType,
    /// Shares in all.
    pub quantity: Quantity,
    /// The limit.
    pub price: Price,
    /// Queued for the next open.
    pub amo: bool,
    /// How it stands.
    pub status: String,
    /// What became of it, or of a change to it, is not known.
    pub unresolved: bool,
    /// Shares filled.
    pub filled: Quantity,
    /// Their average price.
    pub average: Price,
    /// The session it is meant for.
    pub for_session: Date,
    /// When it was placed.
    #[serde(with = "iso")]
    pub placed_at: Timestamp,
    /// The broker's words, or the strategy's reason.
    pub reason: String,
}

impl OrderLine {
    /// From the desk's view. A change whose outcome is open does not show in the status alone.
    pub fn new(order: &OrderView, unresolved: bool) -> Self {
        Self {
            id: order.id.clone(),
            strategy: order.strategy.clone(),
            key: order.key.clone(),
            broker_id: order.broker_id.clone(),
            symbol: order.terms.symbol.clone(),
            side: order.terms.side,
            order_type: order.terms.order_type,
            quantity: order.terms.quantity,
            price: order.terms.price,
            amo: order.terms.amo,
            status: order.status.to_string(),
            unresolved,
            filled: order.filled,
            average: order.average,
            for_session: order.for_session,
            placed_at: order.placed_at,
            reason: order.reason.clone(),
        }
    }
}

/// Which orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrdersQuery {
    /// Placed on, or meant for, this day; none: the host's present day.
    pub day: Option<Date>,
    /// Only those whose outcome is not known.
    #[serde(default)]
    pub unresolved: bool,
}

/// Orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrdersView {
    /// [`VERSION`].
    pub version: u32,
    /// Who answers.
    pub source: Source,
    /// The account.
    pub account: String,
    /// Of which day (those that still work are there besides).
    pub day: Date,
    /// The orders, by time.
    pub orders: Vec<OrderLine>,
}

/// One order and everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailView {
    /// [`VERSION`].
    pub version: u32,
    /// Who answers.
    pub source: Source,
    /// The order.
    pub order: OrderLine,
    /// In which run it was placed.
    pub run: Option<RunId>,
    /// The component that decided, by content.
    pub component: Option<model::ContentHash>,
    /// What happened, in order.
    pub trail: Vec<TrailLine>,
}

/// One thing that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailLine {
    /// Its number in the journal.
    pub seq: u64,
    /// When.
    #[serde(with = "iso")]
    pub at: Timestamp,
    /// `intent`, `attempt`, `answer`, `order-book`, `trades`, `reconciler`, `operator`, `ledger`, …
    pub kind: String,
    /// In words.
    pub text: String,
}

/// What the system owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionsView {
    /// [`VERSION`].
    pub version: u32,
    /// Who answers.
    pub source: Source,
    /// The account.
    pub account: String,
    /// On which day.
    pub day: Date,
    /// The positions, by symbol.
    pub positions: Vec<PositionLine>,
    /// Paid for all of them.
    pub cost: Money,
}

/// A position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionLine {
    /// What.
    pub symbol: Symbol,
    /// Shares.
    pub quantity: Quantity,
    /// Of these, settled.
    pub settled: Quantity,
    /// In working sell orders.
    pub in_working_sells: Quantity,
    /// Settled and in no working sell order.
    pub free: Quantity,
    /// Average price paid.
    pub entry_price: Price,
    /// Paid in all.
    pub cost: Money,
    /// The session of the oldest share.
    pub opened: Date,
    /// Profit of what was sold of it, before charges.
    pub realised: Money,
    /// Charges of all of it.
    pub charges: Money,
}

impl From<&PositionView> for PositionLine {
    fn from(view: &PositionView) -> Self {
        let position = &view.position;
        Self {
            symbol: position.symbol.clone(),
            quantity: position.quantity,
            settled: position.settled,
            in_working_sells: view.in_working_sells,
            free: view.free,
            entry_price: position.entry_price(),
            cost: position.cost,
            opened: position.opened,
            realised: position.realised,
            charges: position.charges,
        }
    }
}

/// Which runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsQuery {
    /// Those of a trading day, in order; none: the newest, newest first.
    pub day: Option<Date>,
    /// At most so many.
    pub limit: u32,
}

/// Runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsView {
    /// [`VERSION`].
    pub version: u32,
    /// Who answers.
    pub source: Source,
    /// The account.
    pub account: String,
    /// The runs.
    pub runs: Vec<RunLine>,
    /// There were more than asked for.
    pub more: bool,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLine {
    /// `task@scheduled`.
    pub id: RunId,
    /// The task.
    pub task: String,
    /// Its strategy.
    pub strategy: StrategyName,
    /// When it was due.
    #[serde(with = "iso")]
    pub scheduled: Timestamp,
    /// The trading day.
    pub day: Date,
    /// When the last attempt began.
    #[serde(with = "iso::option")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(with = "iso::option")]
    pub ended: Option<Timestamp>,
    /// How often it was begun.
    pub attempts: u32,
    /// `done`, `failed`, `trapped`, `interrupted`, `skipped`, `missed`, or `running`.
    pub outcome: String,
    /// Its summary, or why.
    pub text: String,
    /// What it passed over.
    pub skipped: Vec<model::Skip>,
}

impl From<&RunRow> for RunLine {
    fn from(row: &RunRow) -> Self {
        let (outcome, text, skipped) = match &row.outcome {
            None => ("running", String::new(), Vec::new()),
            Some(RunOutcome::Done { report: None }) => ("done", String::new(), Vec::new()),
            Some(RunOutcome::Done { report: Some(report) }) => {
                ("done", report.summary.clone(), report.skipped.clone())
            }
            Some(RunOutcome::Failed { reason }) => ("failed", reason.clone(), Vec::new()),
            Some(RunOutcome::Trapped { reason }) => ("trapped", reason.clone(), Vec::new()),
            Some(RunOutcome::Interrupted) => ("interrupted", String::new(), Vec::new()),
            Some(RunOutcome::Skipped { reason }) => ("skipped", reason.clone(), Vec::new()),
            Some(RunOutcome::Missed { reason }) => ("missed", reason.clone(), Vec::new()),
        };
        Self {
            id: row.id.clone(),
            task: row.task.clone(),
            strategy: row.strategy.clone(),
            scheduled: row.scheduled,
            day: row.day,
            started: row.started,
            ended: row.ended,
            attempts: row.attempts,
            outcome: outcome.to_owned(),
            text,
            skipped,
        }
    }
}

/// What may be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingView {
    /// [`VERSION`].
    pub version: u32,
    /// Who answers.
    pub source: Source,
    /// The account.
    pub account: String,
    /// `on`, `exits-only` or `cancels-only`.
    pub trading: TradingState,
}
