//! The port: entries that go in, rows that come out.

use std::path::PathBuf;

use model::{
    Account, Evidence, Intent, IntentId, LedgerEntry, Report, RunId, StrategyName, Timestamp, time::Date,
};
use serde::{Deserialize, Serialize};

/// What may be done: three states, durable, one command each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TradingState {
    /// Everything.
    #[default]
    On,
    /// Only what lowers exposure.
    ExitsOnly,
    /// The kill switch: only cancellations.
    CancelsOnly,
}

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    Info,
    /// To be looked at.
    Warning,
    /// To be looked at now.
    Critical,
}

/// An alert or report for the outbox. `key` is unique: the second entry with it is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What makes it the same alert as another (strategy, day and cause).
    pub key: String,
    /// How much it matters.
    pub severity: Severity,
    /// Who says so.
    pub source: String,
    /// The words.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// An alert in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRow {
    /// Its number: the `seq` of its entry.
    pub id: i64,
    /// The alert.
    pub alert: Alert,
    /// Channels (`command`, `webhook`) that have taken it.
    pub delivered: Vec<String>,
    /// Attempts so far that failed.
    pub failures: u32,
}

/// A run begins. Unique by (task, scheduled, attempt); the first attempt claims the slot, attempt n+1 is
/// taken only when there were n and the run did not end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStart {
    /// `task@scheduled`.
    pub id: RunId,
    /// The task.
    pub task: String,
    /// Its strategy.
    pub strategy: StrategyName,
    /// When it was due.
    pub scheduled: Timestamp,
    /// The trading day it belongs to.
    pub day: Date,
    /// When it began.
    pub at: Timestamp,
    /// 1, or more after an interruption.
    pub attempt: u32,
}

/// How a run ended, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum RunOutcome {
    /// It did its work.
    Done {
        /// What it wants to have on record.
        report: Option<Report>,
    },
    /// It said that it could not.
    Failed {
        /// Its words.
        reason: String,
    },
    /// It trapped or met a limit.
    Trapped {
        /// The one sentence.
        reason: String,
    },
    /// The host went away under it.
    Interrupted,
    /// It was not begun.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Its time passed while the host was away or busy.
    Missed {
        /// Why.
        reason: String,
    },
}

/// A run ends. `Skipped` and `Missed` come without a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// Which run.
    pub id: RunId,
    /// The task.
    pub task: String,
    /// Its strategy.
    pub strategy: StrategyName,
    /// When it was due.
    pub scheduled: Timestamp,
    /// The trading day.
    pub day: Date,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    #[serde(flatten)]
    pub outcome: RunOutcome,
}

/// A run as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// `task@scheduled`.
    pub id: RunId,
    /// The task.
    pub task: String,
    /// Its strategy.
    pub strategy: StrategyName,
    /// When it was due.
    pub scheduled: Timestamp,
    /// The trading day.
    pub day: Date,
    /// When the last attempt began.
    pub started: Option<Timestamp>,
    /// Attempts so far.
    pub attempts: u32,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How; none while it runs.
    pub outcome: Option<RunOutcome>,
}

/// What the operator did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum OperatorAction {
    /// Set what may be done.
    SetTrading {
        /// To what.
        state: TradingState,
    },
    /// Said what became of an order (the evidence itself is an entry beside this one).
    Resolve {
        /// Which.
        order: IntentId,
        /// In the operator's words.
        verdict: String,
    },
    /// Took a strategy out of quarantine.
    Unquarantine {
        /// Which.
        strategy: StrategyName,
    },
}

/// One thing to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// A decision to act. Unique by its id.
    Intent(Intent),
    /// It is about to go to the wire for the `number`-th time. A second attempt follows only proof that
    /// the one before did nothing ([`model::Fact::Unsent`]).
    Attempt {
        /// Which intent.
        intent: IntentId,
        /// From 1.
        number: u32,
        /// When.
        at: Timestamp,
    },
    /// What was learnt.
    Evidence(Evidence),
    /// Shares and money. A fill is unique by (account, order, trade id): exchanges number their trades
    /// anew each day, and both sides of a trade carry the same number.
    Ledger(LedgerEntry),
    /// A run begins.
    RunStart(RunStart),
    /// A run ends.
    RunEnd(RunEnd),
    /// A strategy's key-value store; `None` takes the key out. The journal keeps the last write of each
    /// key only.
    State {
        /// Whose.
        strategy: StrategyName,
        /// Which key.
        key: String,
        /// The value.
        value: Option<Vec<u8>>,
    },
    /// An alert for the outbox.
    Alert(Alert),
    /// A channel took an alert, or failed to.
    Delivery {
        /// The alert's number.
        alert: i64,
        /// `command` or `webhook`.
        channel: String,
        /// Whether it was taken.
        ok: bool,
        /// When.
        at: Timestamp,
    },
    /// The operator acted.
    Operator {
        /// What.
        action: OperatorAction,
        /// Who, as the system names the user.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// A strategy was put into quarantine (or taken out).
    Quarantine {
        /// Which.
        strategy: StrategyName,
        /// Strikes so far; the runtime decides at how many it stays out.
        strikes: u32,
        /// Why; `None`: cleared.
        reason: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// Something about the host itself worth keeping: start, stop, login, calendar version.
    Note {
        /// A short kind, such as `host-start`.
        kind: String,
        /// The words, or JSON.
        text: String,
        /// When.
        at: Timestamp,
    },
}

/// An entry with its place in the order of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number, rising.
    pub seq: u64,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

/// Whether a commit has to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On the disk before `commit` returns: one fsync. For what must exist before something is sent.
    Synced,
    /// Survives the death of the process, not of the machine: for what can be learnt again.
    Relaxed,
}

/// What goes wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file was written by a newer version.
    #[error(
        "the journal {path} has schema {found}, this program knows {known}: run the newer tradeagent, or restore the backup beside it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// It cannot be written: trading stops.
    #[error("the journal cannot be written ({0}): free disk space or mend its permissions, then start again")]
    CannotWrite(String),
    /// It cannot be opened or read.
    #[error("the journal {path} cannot be read: {reason}")]
    CannotRead {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An intent, run slot or fill is there already: nothing of this commit was written.
    #[error("{0} is in the journal already")]
    Duplicate(String),
    /// Another process has it open for writing.
    #[error(
        "the journal {path} is being written by another process: stop that tradeagent, or talk to it over its control socket"
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// An entry refers to something that the journal does not have, or skips a step: a fault of the
    /// caller. Nothing of this commit was written.
    #[error("this cannot be written to the journal: {0}")]
    Inconsistent(String),
    /// The file's content contradicts itself.
    #[error("the journal is damaged: {0}; restore a backup")]
    Damaged(String),
}

/// The record. One writer at a time; every method is synchronous and returns when it is done.
pub trait Journal: Send + 'static {
    /// Keeps all of `entries` or, on any error, none. A `Synced` commit does exactly one fsync.
    fn commit(&mut self, entries: &[Entry], durability: Durability) -> Result<(), JournalError>;

    /// Ends a batch: what a journal in bulk mode holds back reaches the file. Nothing to do elsewhere.
    fn flush(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// House-keeping to be done while nothing waits for a commit, every few seconds. It may touch the
    /// disk so that commits do not have to.
    fn maintain(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Everything that the desk needs to stand up again, in order: intents of orders that are not final
    /// or whose trading day or session is `since` or later, their attempts and evidence; the whole
    /// ledger; the switch.
    fn replay(&self, account: &Account, since: Date) -> Result<Vec<Recorded>, JournalError>;

    /// What may be done now.
    fn trading_state(&self) -> Result<TradingState, JournalError>;

    /// Runs of a trading day, by scheduled time, then task.
    fn runs(&self, day: Date) -> Result<Vec<RunRow>, JournalError>;

    /// The newest `limit` runs, newest first.
    fn last_runs(&self, limit: u32) -> Result<Vec<RunRow>, JournalError>;

    /// Runs that began and did not end.
    fn open_runs(&self) -> Result<Vec<RunRow>, JournalError>;

    /// One run.
    fn run(&self, id: &RunId) -> Result<Option<RunRow>, JournalError>;

    /// A strategy's value.
    fn state_get(&self, strategy: &StrategyName, key: &str) -> Result<Option<Vec<u8>>, JournalError>;

    /// A strategy's keys with a prefix, sorted.
    fn state_keys(&self, strategy: &StrategyName, prefix: &str) -> Result<Vec<String>, JournalError>;

    /// The bytes a strategy's store takes (keys and values).
    fn state_size(&self, strategy: &StrategyName) -> Result<u64, JournalError>;

    /// Whether an alert with this key is there.
    fn has_alert(&self, key: &str) -> Result<bool, JournalError>;

    /// Alerts that `channel` has not taken, oldest first.
    fn undelivered(&self, channel: &str, limit: u32) -> Result<Vec<AlertRow>, JournalError>;

    /// The newest `limit` alerts, newest first.
    fn last_alerts(&self, limit: u32) -> Result<Vec<AlertRow>, JournalError>;

    /// Strategies with strikes, and why the last one.
    fn quarantine(&self) -> Result<Vec<(StrategyName, u32, String)>, JournalError>;

    /// Every entry from `seq` on, in order: for the auditor, exports and tests.
    fn entries(&self, from_seq: u64, limit: u32) -> Result<Vec<Recorded>, JournalError>;

    /// Every entry about one order, in order: its trail.
    fn trail(&self, order: IntentId) -> Result<Vec<Recorded>, JournalError>;
}
