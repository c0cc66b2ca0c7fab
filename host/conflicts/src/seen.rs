//! What a look at the machine saw.

use serde::{Deserialize, Serialize};

/// Who keeps a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// The system's service manager.
    System,
    /// A user's own: the user's number.
    User(u32),
}

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// It runs something.
    Service,
    /// It starts a service at its time. On Windows a scheduled task.
    Timer,
}

/// A unit, a Windows service or a scheduled task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name, with its ending.
    pub name: String,
    /// Who keeps it.
    pub manager: Manager,
    /// What it is.
    pub kind: UnitKind,
    /// In systemd's words: `active`, `activating`, `inactive`, `failed`, …
    pub active: String,
    /// In systemd's words: `running`, `start`, `waiting`, `dead`, …
    pub sub: String,
    /// Whether it starts by itself, in systemd's words: `enabled`, `disabled`, `masked`, `static`, …
    pub file_state: String,
    /// Its file; empty where there is none.
    pub fragment: String,
    /// Its main process.
    pub main_pid: Option<u32>,
    /// What it runs.
    pub command: Vec<String>,
    /// When a timer starts its service next, in microseconds since 1970.
    pub next: Option<u64>,
}

impl Unit {
    /// Whether something of it runs or is about to: a `oneshot` is `activating` while its script runs.
    pub fn is_up(&self) -> bool {
        matches!(self.active.as_str(), "active" | "activating" | "reloading" | "deactivating" | "refreshing")
    }

    /// Whether it comes up by itself at the next start of the machine.
    pub fn is_enabled(&self) -> bool {
        self.file_state.starts_with("enabled") || self.file_state.starts_with("linked")
    }

    /// Whether nothing can start it.
    pub fn is_masked(&self) -> bool {
        self.file_state.starts_with("masked")
    }

    /// Whether it is this software's own: what it runs is `tradeagent`.
    pub fn is_ours(&self) -> bool {
        self.command
            .first()
            .is_some_and(|program| base_name(program).trim_end_matches(".exe") == "tradeagent")
    }
}

/// What a process is to the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An interpreter runs this script.
    Script(String),
    /// Another host: `tradeagent run`, and its `--config`.
    Host(Option<String>),
}

/// A process that could be logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, as the system counts: with the number it is the same process or another.
    pub started: u64,
    /// Its user.
    pub user: Option<u32>,
    /// Its command line.
    pub command: Vec<String>,
    /// What it is to the account.
    pub role: Role,
    /// The unit that it belongs to, where it belongs to one.
    pub unit: Option<String>,
}

/// All that a look saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Units that are known to the machine, masked ones included.
    pub units: Vec<Unit>,
    /// Processes that could be logged in.
    pub processes: Vec<Process>,
    /// What could not be looked at although that is no failure, in sentences.
    pub unseen: Vec<String>,
}

/// The last part of a path, whichever system wrote it.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
