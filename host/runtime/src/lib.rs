//! The sandbox: loads WebAssembly components, checks their imports against a grant, limits and runs
//! them.
//!
//! Architecture invariant: this crate reaches the world only through [`Services`]. It cannot name a
//! broker, the session keeper, the network, the journal or a file other than its cache of compiled
//! code. Nothing a component does can fail the host: every run ends in an [`Outcome`].
//!
//! Start reading at [`check`] (who may come in), then [`instance`] (the two ways to run: [`LiveInstance`]
//! in real time, [`InlineInstance`] in `simulate` and `backtest`), then `host` (what a component can
//! ask for).

pub mod actor;
mod bindings;
mod cache;
pub mod check;
pub mod contract;
mod convert;
pub mod engine;
pub mod grants;
mod host;
mod inline;
pub mod instance;
pub mod limits;
mod link;
mod live;
pub mod outcome;
mod pulse;
pub mod run;
pub mod services;
pub mod strikes;
pub mod tape;
#[cfg(feature = "wasi")]
mod wasi;

pub use actor::StrategyHandle;
pub use check::{Inspection, Refusal, hash_of, inspect};
pub use engine::Profile;
pub use grants::{Grants, Role};
pub use inline::InlineInstance;
pub use instance::{LoadError, Loaded, Runtime, RuntimeOptions, Turns};
pub use limits::Limits;
pub use live::LiveInstance;
pub use outcome::{Outcome, RunResult, StopReason, TaskErrorKind};
pub use run::{Bar, Cause, Feed, Mode, RunInfo};
pub use services::{RunStart, Services, SessionView, Severity};
pub use strikes::{STRIKES_MAX, Strikes};
