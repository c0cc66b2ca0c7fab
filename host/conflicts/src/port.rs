//! The two ports to the machine, and what can go wrong with them.

use std::time::Duration;

use model::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::names::Names;
use crate::seen::{Manager, Process, Unit};

/// A look that failed: nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{0}")]
pub struct ProbeError(pub String);

/// Something could not be stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum StopError {
    /// This process has not the rights.
    #[error("not allowed: {0}")]
    NotAllowed(String),
    /// It did not end, or something else failed.
    #[error("{0}")]
    Failed(String),
}

/// How a unit was before it was retired: what is needed to put it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// Its name.
    pub name: String,
    /// Who keeps it.
    pub manager: Manager,
    /// It ran, or waited for its time.
    pub was_up: bool,
    /// It came up by itself.
    pub was_enabled: bool,
    /// Its file, which was in the way of a mask, and where it is now.
    pub moved: Option<(String, String)>,
    /// Where the link led that was its file (`systemctl link`).
    #[serde(default)]
    pub linked: Option<String>,
}

impl Retired {
    /// As `unit` is now; `moved` when its file has to go.
    pub fn of(unit: &Unit, moved: Option<(String, String)>) -> Self {
        Self {
            name: unit.name.clone(),
            manager: unit.manager,
            was_up: unit.is_up(),
            // What is only linked is made known again by its link.
            was_enabled: unit.file_state.starts_with("enabled"),
            moved,
            linked: None,
        }
    }
}

/// Units, and in sentences what could not be looked at although that is no failure.
pub type UnitsSeen = (Vec<Unit>, Vec<String>);

/// Service managers: systemd's, the users' own ones, Windows'.
pub trait Managers: Send + Sync {
    /// Those of `names` that are known to the machine. Where there is no such manager, none is an answer.
    fn units<'a>(&'a self, names: &'a Names) -> BoxFuture<'a, Result<UnitsSeen, ProbeError>>;

    /// Stops a unit, waits for its real end, and sees to it that nothing starts it again. `note` is told how
    /// it was, before anything is changed.
    fn retire<'a>(
        &'a self,
        unit: &'a Unit,
        note: &'a (dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
    ) -> BoxFuture<'a, Result<(), StopError>>;

    /// Puts a unit back as it was.
    fn restore<'a>(&'a self, retired: &'a Retired) -> BoxFuture<'a, Result<(), StopError>>;
}

/// The processes of the machine.
pub trait Processes: Send + Sync {
    /// Those that could be logged in; an error where not all can be seen.
    fn list<'a>(&'a self, names: &'a Names) -> BoxFuture<'a, Result<Vec<Process>, ProbeError>>;

    /// Ends one, after its identity was read again: asks it to, and after `patience` makes it.
    fn end<'a>(&'a self, process: &'a Process, patience: Duration) -> BoxFuture<'a, Result<(), StopError>>;
}
