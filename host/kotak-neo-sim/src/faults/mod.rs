//! Faults: what goes wrong ([`Kind`]), at which calls ([`Fault`]), and the list of those that are set
//! ([`Faults`]).

mod answer;
mod bounds;
mod fault;
mod kind;
mod list;
mod script;

pub use fault::Fault;
pub use kind::{EmptyShape, Kind, Spelling};
pub use list::{FaultId, FaultState, Faults};
pub use script::{Script, ScriptError};

pub(crate) use answer::{dead_session, instead, wrong_mpin, wrong_totp};
pub(crate) use list::FaultList;
