//! The protocol: one JSON object a line, a question and its answer.
//!
//! `{"v":1,"op":"status"}` is answered by `{"v":1,"ok":{…}}` or `{"v":1,"error":{"code":…,"message":…}}`.
//! A peer of another version is told both versions.

use journal::TradingState;
use model::{OrderId, Price, Quantity, StrategyName};
use oms::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ControlError;
use super::views::{OrdersQuery, RunsQuery};

/// What this program speaks.
pub const PROTOCOL: u32 = 1;
/// The longest question, in bytes.
pub const QUESTION_MAX: usize = 16 << 10;
/// The longest answer, in bytes.
pub const ANSWER_MAX: usize = 64 << 20;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// What is going on.
    Status,
    /// Orders.
    Orders(OrdersQuery),
    /// One order's trail.
    Order {
        /// The host's number, or the broker's.
        id: String,
    },
    /// What the system owns.
    Positions,
    /// Runs.
    Runs(RunsQuery),
    /// What may be done.
    Trading,
    /// Set what may be done.
    SetTrading {
        /// To what.
        state: TradingState,
        /// Why, for the auditor.
        #[serde(default)]
        note: Option<String>,
    },
    /// The operator's word on an order.
    Resolve {
        /// Which.
        order: OrderId,
        /// What.
        verdict: VerdictWord,
        /// How the operator knows, for the auditor.
        #[serde(default)]
        note: Option<String>,
    },
    /// Take a strategy out of quarantine.
    Release {
        /// Which.
        strategy: StrategyName,
        /// Why, for the auditor.
        #[serde(default)]
        note: Option<String>,
    },
}

/// [`Verdict`] on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictWord {
    /// It never reached the exchange.
    NotPlaced,
    /// It ended without further fills.
    Canceled,
    /// So many shares filled in all.
    Filled {
        /// Shares.
        quantity: Quantity,
        /// Their average price.
        price: Price,
    },
}

impl From<VerdictWord> for Verdict {
    fn from(word: VerdictWord) -> Self {
        match word {
            VerdictWord::NotPlaced => Self::NotPlaced,
            VerdictWord::Canceled => Self::Canceled,
            VerdictWord::Filled { quantity, price } => Self::Filled { quantity, price },
        }
    }
}

/// A question with the version of who asks.
#[derive(Debug, Serialize)]
pub(super) struct Question<'a> {
    pub v: u32,
    #[serde(flatten)]
    pub request: &'a Request,
}

/// An answer with the version of who gives it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorWord>,
}

/// What went wrong, on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ErrorWord {
    /// `not-found`, `denied`, `failed`, `version`, `malformed`, `forbidden`, `busy`.
    pub code: String,
    pub message: String,
}

impl From<ControlError> for ErrorWord {
    fn from(error: ControlError) -> Self {
        let code = match error {
            ControlError::NotFound(_) => "not-found",
            ControlError::Denied(_) => "denied",
            ControlError::Failed(_) => "failed",
        };
        Self { code: code.to_owned(), message: error.to_string() }
    }
}

/// The question in a line, or what is wrong with it.
pub(super) fn read_question(line: &str) -> Result<Request, ErrorWord> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let malformed = |why: String| ErrorWord { code: "malformed".to_owned(), message: why };
    let Version { v } =
        serde_json::from_str(line).map_err(|error| malformed(format!("no question: {error}")))?;
    if v != PROTOCOL {
        let message = format!(
            "the question is of version {v} and this host speaks {PROTOCOL}: use the tradeagent that runs the host"
        );
        return Err(ErrorWord { code: "version".to_owned(), message });
    }
    serde_json::from_str(line)
        .map_err(|error| malformed(format!("version {PROTOCOL} has no such question: {error}")))
}
