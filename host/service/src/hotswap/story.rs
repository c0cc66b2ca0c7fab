//! What is told of versions: events as they happen, and how they stand.

use std::sync::Arc;

use model::{ContentHash, StrategyName};
use serde::{Deserialize, Serialize};

use super::shadow::Comparison;

/// What became of a version, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "version", rename_all = "kebab-case")]
pub enum SwapEvent {
    /// It waits, and why.
    Waits {
        /// Which.
        hash: ContentHash,
        /// Why, and what to type.
        why: String,
    },
    /// It will not be run.
    Refused {
        /// Which; none: its bytes are no component.
        hash: Option<ContentHash>,
        /// Why.
        why: String,
    },
    /// It has answered its first tick.
    Live {
        /// Which.
        hash: ContentHash,
        /// Instead of which.
        before: ContentHash,
        /// Milliseconds from when its file was noticed to the end of that tick.
        millis: i64,
    },
    /// It failed in its first ticks; the version before it is back, with its state.
    RolledBack {
        /// Which.
        hash: ContentHash,
        /// Which is back.
        to: ContentHash,
        /// Why.
        why: String,
    },
}

/// How a strategy's versions stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsView {
    /// The strategy.
    pub strategy: StrategyName,
    /// Which version is live.
    pub live: ContentHash,
    /// Ticks in which it may still be rolled back.
    pub trial_ticks_left: u32,
    /// A version that waits.
    pub candidate: Option<CandidateView>,
    /// What happened last, in words.
    pub last: Option<String>,
}

/// A version that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// Which.
    pub hash: ContentHash,
    /// From which file.
    pub file: String,
    /// Why it waits.
    pub why: String,
    /// Ticks that it has done in shadow.
    pub shadow_ticks: u32,
    /// What it would have done, beside what the live one did. A shadow is not held to the desk's risk rules nor to the
    /// orders a day of its grant: what they deny the live one is told as a difference.
    pub shadow: Comparison,
}

/// Told what became of a version.
pub type SwapObserver = Arc<dyn Fn(&StrategyName, &SwapEvent) + Send + Sync>;

impl std::fmt::Display for SwapEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Waits { hash, why } => write!(f, "{hash} waits: {why}"),
            Self::Refused { hash: Some(hash), why } => write!(f, "{hash} is refused: {why}"),
            Self::Refused { hash: None, why } => write!(f, "refused: {why}"),
            Self::Live { hash, before, millis } => {
                write!(f, "{hash} is live instead of {before}, {millis} ms after its file was noticed")
            }
            Self::RolledBack { hash, to, why } => write!(f, "{hash} is rolled back to {to}: {why}"),
        }
    }
}
