//! How a run ended, in words that an operator can act on.

use std::time::Duration;

use model::Report;
use serde::{Deserialize, Serialize};
use wasmtime::{Trap, WasmBacktrace};

/// Why a strategy says it did not do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskErrorKind {
    /// A parameter is missing or wrong.
    Config,
    /// The data that it needs are missing or stale.
    Data,
    /// Anything else.
    Failed,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunResult {
    /// By itself, with what it wants to have on record.
    Done(Option<Report>),
    /// By itself, with an error of its own.
    Failed(TaskErrorKind, String),
    /// By the host.
    Stopped(StopReason),
}

/// Why the host ended a run; its text is one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// The guest panicked and said why through `log.panicked`.
    #[error("the strategy panicked at {location}: {message}; mend it there, or return an error instead")]
    Panicked {
        /// Its last words.
        message: String,
        /// File and line in its source.
        location: String,
    },
    /// A trap without words.
    #[error(
        "the strategy crashed{}: {what}; look for a division, an index or an `unwrap` there, and build it with the SDK, whose panics name their line",
        in_function(.function)
    )]
    Trapped {
        /// Wasmtime's name of the trap.
        what: String,
        /// The innermost function, when the component has names.
        function: Option<String>,
    },
    /// It ended the process, as it thought.
    #[error("the strategy called `exit({code})`: it has no process to end; return from the run instead")]
    Exited {
        /// With what.
        code: i32,
    },
    /// The stack ran out.
    #[error("the strategy's stack overflowed{}: its recursion is too deep; make it a loop", in_function(.function))]
    StackOverflow {
        /// The innermost function, when the component has names.
        function: Option<String>,
    },
    /// The real time of a live run was used up.
    #[error(
        "the strategy ran longer than its run time of {} ms and was stopped; do less in one run, or raise `run_seconds` of its limits",
        .limit.as_millis()
    )]
    OutOfTime {
        /// The limit.
        limit: Duration,
    },
    /// The fuel of a deterministic run was used up.
    #[error(
        "the strategy used up its fuel of {limit} units and was stopped: it may loop endlessly; look for a loop that nothing ends"
    )]
    OutOfFuel {
        /// The limit.
        limit: u64,
    },
    /// More memory than allowed.
    #[error(
        "the strategy asked for {asked_bytes} bytes of memory; its limit is {limit_bytes}: keep less at once, or raise `memory_mib` of its limits"
    )]
    OutOfMemory {
        /// The limit.
        limit_bytes: usize,
        /// What it asked for, in total.
        asked_bytes: usize,
    },
    /// A table larger than allowed.
    #[error("the strategy asked for a table of more than {limit} elements, its limit")]
    TableTooLarge {
        /// The limit.
        limit: usize,
    },
    /// More host calls than allowed.
    #[error(
        "the strategy made more than {limit} host calls in one run, its limit: ask for many symbols in one call, or raise `host_calls` of its limits"
    )]
    TooManyHostCalls {
        /// The limit.
        limit: u64,
    },
    /// More alerts than allowed.
    #[error("the strategy sent more than {limit} alerts in one run, its limit: put the lines into one alert")]
    TooManyAlerts {
        /// The limit.
        limit: u32,
    },
    /// It could not be instantiated.
    #[error("the strategy could not be started: {0}")]
    NotStarted(String),
    /// A host function waited in a deterministic run: a defect of the host, not of the strategy.
    #[error(
        "the host function `{function}` waited in a run that may not wait; this is a defect of the host, please report it"
    )]
    Waited {
        /// Which.
        function: &'static str,
    },
    /// The host could not serve the strategy.
    #[error("the host could not serve the strategy: {0}")]
    Host(String),
    /// The strategy's task has ended (shutting down).
    #[error("the strategy was not run: its task has ended because the host is shutting down")]
    Gone,
}

fn in_function(function: &Option<String>) -> String {
    function.as_deref().map(|name| format!(" in `{name}`")).unwrap_or_default()
}

impl StopReason {
    /// Whether the strategy is to blame.
    pub const fn is_strike(&self) -> bool {
        !matches!(self, Self::Waited { .. } | Self::Host(_) | Self::Gone)
    }

    /// What wasmtime's error says when neither the host nor the guest's panic hook said more.
    pub(crate) fn from_error(error: &wasmtime::Error, fuel: u64) -> Self {
        #[cfg(feature = "wasi")]
        if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            return Self::Exited { code: exit.0 };
        }
        let function = innermost_function(error);
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Self::StackOverflow { function },
            Some(Trap::OutOfFuel) => Self::OutOfFuel { limit: fuel },
            Some(Trap::MemoryOutOfBounds) => Self::Trapped {
                what:
                    "it touched memory outside its own, which in Rust is mostly a recursion that is too deep"
                        .to_owned(),
                function,
            },
            Some(Trap::UnreachableCodeReached) => Self::Trapped {
                what: "it reached an `unreachable` instruction, mostly a panic without the SDK's hook"
                    .to_owned(),
                function,
            },
            Some(trap) => Self::Trapped { what: trap.to_string().replace("wasm trap: ", ""), function },
            None => Self::Trapped { what: one_line(error), function },
        }
    }
}

/// The error and its causes on one line, without wasmtime's backtrace.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let first = text.lines().next().unwrap_or_default().trim().to_owned();
        if !first.is_empty()
            && !first.starts_with("error while executing at wasm backtrace")
            && !parts.contains(&first)
        {
            parts.push(first);
        }
    }
    parts.join(": ")
}

fn innermost_function(error: &wasmtime::Error) -> Option<String> {
    let backtrace = error.downcast_ref::<WasmBacktrace>()?;
    let name = backtrace.frames().iter().find_map(wasmtime::FrameInfo::func_name)?;
    Some(format!("{:#}", rustc_demangle::demangle(name)))
}

/// How a run ended, and what it left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub result: RunResult,
    /// What it wrote into its state, to be committed with the run's end (`None` takes a key out);
    /// empty when it was stopped.
    pub state: Vec<(String, Option<Vec<u8>>)>,
    /// Log lines over the budget, which were dropped.
    pub log_dropped: u64,
    /// Host calls it made.
    pub host_calls: u64,
}

impl Outcome {
    /// A run that was stopped before it began.
    pub const fn stopped(reason: StopReason) -> Self {
        Self { result: RunResult::Stopped(reason), state: Vec::new(), log_dropped: 0, host_calls: 0 }
    }

    /// One sentence about the log lines that were dropped; none when all fitted.
    pub fn log_note(&self) -> Option<String> {
        (self.log_dropped > 0).then(|| {
            let (lines, were) = if self.log_dropped == 1 { ("line", "was") } else { ("lines", "were") };
            format!("{} log {lines} over the run's limit {were} dropped", self.log_dropped)
        })
    }
}
