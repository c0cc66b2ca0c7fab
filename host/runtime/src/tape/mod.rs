//! What a run was told and what it asked for, kept so that the run can be had again without a market.
//!
//! A component has no clock, no chance and no world but its host calls: the same component, parameters and
//! answers give the same run, bit for bit. [`Recording`] writes a [`Tape`] while a strategy runs;
//! [`Replaying`] answers from one.

mod difference;
mod recording;
mod replaying;
mod words;

use std::fmt;

use blake3::Hasher;
use model::{ContentHash, Timestamp};
use serde::{Deserialize, Serialize};

use crate::grants::Grants;
use crate::limits::Limits;
use crate::outcome::{Outcome, RunResult, StopReason, TaskErrorKind};
use crate::run::{Cause, RunInfo};

pub use difference::{Divergence, difference};
pub use recording::{Bounds, Dropped, Recording, TapeSink};
pub use replaying::{Replaying, left_the_recording};
pub use words::{Bytes, Refused, decode, encode};

/// The function of [`crate::Services`] that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the function of its name")]
pub enum Function {
    Now,
    Instruments,
    Instrument,
    Quote,
    Candles,
    Session,
    Positions,
    Holdings,
    Funds,
    Reconcile,
    DayAccount,
    Order,
    OwnOrders,
    AccountOrders,
    Place,
    Modify,
    Cancel,
    StateGet,
    StateKeys,
    Alert,
    Log,
}

impl Function {
    /// Its name, as in a file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Instruments => "instruments",
            Self::Instrument => "instrument",
            Self::Quote => "quote",
            Self::Candles => "candles",
            Self::Session => "session",
            Self::Positions => "positions",
            Self::Holdings => "holdings",
            Self::Funds => "funds",
            Self::Reconcile => "reconcile",
            Self::DayAccount => "day-account",
            Self::Order => "order",
            Self::OwnOrders => "own-orders",
            Self::AccountOrders => "account-orders",
            Self::Place => "place",
            Self::Modify => "modify",
            Self::Cancel => "cancel",
            Self::StateGet => "state-get",
            Self::StateKeys => "state-keys",
            Self::Alert => "alert",
            Self::Log => "log",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One host call. Arguments and answer are JSON, so that two of them are the same when their texts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What was called.
    pub function: Function,
    /// With what; who asks is the run, and is left out.
    pub arguments: String,
    /// What it answered.
    pub answer: String,
}

/// How a run ended, in words that outlive this version of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// By itself, with what it wanted on record.
    Done(Option<model::Report>),
    /// By itself, with an error of its own.
    Failed(TaskErrorKind, String),
    /// By the host.
    Stopped {
        /// Why.
        why: String,
        /// Real time or the host decided, not what the component did: it cannot be had again.
        outside: bool,
    },
}

impl From<&RunResult> for Ended {
    fn from(result: &RunResult) -> Self {
        match result {
            RunResult::Done(report) => Self::Done(report.clone()),
            RunResult::Failed(kind, why) => Self::Failed(*kind, why.clone()),
            RunResult::Stopped(reason) => Self::Stopped {
                why: reason.to_string(),
                outside: matches!(
                    reason,
                    StopReason::OutOfTime { .. } | StopReason::Waited { .. } | StopReason::Gone
                ),
            },
        }
    }
}

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How it ended.
    pub ended: Ended,
    /// What it wrote into its state.
    pub state: Vec<(String, Option<Bytes>)>,
    /// Log lines over the budget.
    pub log_dropped: u64,
    /// Host calls that it made, those included that its own host answers.
    pub host_calls: u64,
}

impl From<&Outcome> for End {
    fn from(outcome: &Outcome) -> Self {
        let state = outcome.state.iter();
        Self {
            ended: (&outcome.result).into(),
            state: state.map(|(key, value)| (key.clone(), value.clone().map(Bytes))).collect(),
            log_dropped: outcome.log_dropped,
            host_calls: outcome.host_calls,
        }
    }
}

/// One recorded run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tape {
    /// What it was told, parameters included.
    pub info: RunInfo,
    /// The instant that it was given.
    pub now: Timestamp,
    /// Why it ran.
    pub cause: Cause,
    /// The component.
    pub component: ContentHash,
    /// What it might do.
    pub grants: Grants,
    /// What it might use.
    pub limits: Limits,
    /// How many runs this instance had before: 0 is a new instance.
    pub nth: u64,
    /// Its calls, in order.
    pub calls: Vec<Call>,
    /// How it ended.
    pub end: End,
}

/// A tape that is not what its hash was made of, or that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record of a call cannot be read: {0}")]
pub struct TapeError(String);

impl Tape {
    /// A hash over everything that the run was told, asked, was answered and left behind.
    pub fn hash(&self) -> ContentHash {
        let mut hasher = Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        let head = (&self.info, self.now, &self.cause, &self.component, &self.grants, &self.limits);
        add(text(&head).as_bytes());
        for call in &self.calls {
            add(call.function.as_str().as_bytes());
            add(call.arguments.as_bytes());
            add(blake3::hash(call.answer.as_bytes()).as_bytes());
        }
        add(text(&self.end).as_bytes());
        ContentHash::from(hasher.finalize().to_hex().as_str())
    }
}

/// JSON of one of a tape's own parts, whose keys are all texts: that cannot fail.
fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
