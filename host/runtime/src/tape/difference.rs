//! Where two runs part.

use std::fmt;

use super::{Call, Ended, Function, Tape};

/// Where a replay left its recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Divergence {
    /// At a call.
    Call {
        /// Which, from 0.
        index: usize,
        /// What the recording has there: function and arguments; none when it has no further call.
        recorded: Option<(Function, String)>,
        /// What was called now.
        replayed: Option<(Function, String)>,
    },
    /// All calls were the same; what the run left behind is not.
    End {
        /// Which part.
        what: String,
        /// As recorded.
        recorded: String,
        /// As replayed.
        replayed: String,
    },
}

impl Divergence {
    /// The call at which it began; none when all calls were the same.
    pub const fn call(&self) -> Option<usize> {
        match self {
            Self::Call { index, .. } => Some(*index),
            Self::End { .. } => None,
        }
    }
}

/// Longer texts are shown from a little before where they part.
const SHOWN: usize = 160;

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (recorded, replayed) = match self {
            Self::Call { index, recorded, replayed } => {
                write!(f, "at call {index}: ")?;
                let told = |call: &Option<(Function, String)>| match call {
                    Some((function, arguments)) => format!("{function} {arguments}"),
                    None => "no further call".to_owned(),
                };
                (told(recorded), told(replayed))
            }
            Self::End { what, recorded, replayed } => {
                write!(f, "after the last call, {what}: ")?;
                (recorded.clone(), replayed.clone())
            }
        };
        let (recorded, replayed) = apart(&recorded, &replayed);
        write!(f, "recorded {recorded}; replayed {replayed}")
    }
}

/// Both texts, shortened to where they part.
fn apart(one: &str, other: &str) -> (String, String) {
    let common = one.bytes().zip(other.bytes()).take_while(|(here, there)| here == there).count();
    let cut = |text: &str| {
        if text.len() <= SHOWN {
            return text.to_owned();
        }
        let from = text.floor_char_boundary(common.saturating_sub(SHOWN / 2));
        let until = text.floor_char_boundary((from + SHOWN).min(text.len()));
        let (before, after) = (if from > 0 { "…" } else { "" }, if until < text.len() { "…" } else { "" });
        format!("{before}{}{after}", &text[from..until])
    };
    (cut(one), cut(other))
}

/// The first thing in which a replay differs from its recording.
pub fn difference(recorded: &Tape, replayed: &Tape) -> Option<Divergence> {
    let told = |call: &Call| (call.function, call.arguments.clone());
    let same = |one: &Call, other: &Call| {
        one.function == other.function && one.arguments == other.arguments && one.answer == other.answer
    };
    let pairs = recorded.calls.iter().zip(&replayed.calls);
    let common = pairs.take_while(|(one, other)| same(one, other)).count();
    // What real time ended is the same as far as it went.
    let cut_off = matches!(recorded.end.ended, Ended::Stopped { outside: true, .. });
    if cut_off {
        // What it had printed until then was logged after it was ended.
        let printed = recorded.calls.iter().rev().take_while(|call| call.function == Function::Log).count();
        if common >= recorded.calls.len() - printed {
            return None;
        }
    }
    if common < recorded.calls.len().max(replayed.calls.len()) {
        return Some(Divergence::Call {
            index: common,
            recorded: recorded.calls.get(common).map(told),
            replayed: replayed.calls.get(common).map(told),
        });
    }
    let (one, other) = (&recorded.end, &replayed.end);
    let parts = [
        ("how it ended", super::text(&one.ended), super::text(&other.ended)),
        ("the state", super::text(&one.state), super::text(&other.state)),
        ("the log lines dropped", one.log_dropped.to_string(), other.log_dropped.to_string()),
        ("the number of host calls", one.host_calls.to_string(), other.host_calls.to_string()),
    ];
    parts
        .into_iter()
        .find(|(_, recorded, replayed)| recorded != replayed)
        .map(|(what, recorded, replayed)| Divergence::End { what: what.to_owned(), recorded, replayed })
}
