//! One owner: what else on this machine could be logged in to the account, and how it is stopped for good.
//!
//! Two programs on one account cost a trading day: each login ends the other's session. The way through:
//! a [`Machine`] looks ([`Machine::survey`]) at units and processes behind two ports, [`conflicts`] judges
//! what was seen, [`Machine::resolve`] stops it and looks again. A look that fails is an error, never an
//! empty answer.
//!
//! Where the host runs hardened it sees neither other users' processes nor may it stop a unit; then a small
//! root helper (`tradeagent-helper`, [`helper`]) looks and stops for it.
//!
//! Sources of the names: incident-report.md, deployment guide; legacy-agent.md 1.9 and 1.10.

#![deny(missing_docs)]

mod command;
mod fake;
#[cfg(target_os = "linux")]
pub mod helper;
#[cfg(target_os = "linux")]
mod linux;
mod machine;
mod names;
mod notes;
mod port;
mod processes;
mod rules;
mod seen;
#[cfg(windows)]
mod windows;

pub use command::script_of;
pub use fake::{FakeMachine, made_up_script, made_up_unit};
#[cfg(target_os = "linux")]
pub use linux::{AS_USER, Systemd, process_is_visible_to_us, user_manager};
pub use machine::{Machine, Resolution, Step};
pub use names::{Names, UNIFIED};
pub use notes::RetiredNotes;
pub use port::{Managers, ProbeError, Processes, Retired, StopError, UnitsSeen};
pub use processes::{RealProcesses, ancestors, started};
pub use rules::{Conflict, Danger, Me, What, conflicts};
pub use seen::{Manager, Process, Role, Survey, Unit, UnitKind};
#[cfg(windows)]
pub use windows::{WindowsManagers, may_change_services};
