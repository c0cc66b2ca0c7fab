//! The root helper: it looks and stops for a host that is hardened and may do neither.
//!
//! It takes two questions, from root and from the host's own unit only, and knows by itself what to look
//! for (the known names, and `[conflicts]` of the configuration, which is root's): who can speak to it can have the known programs stopped, and nothing else. One line of JSON each
//! way.

mod client;
mod server;

use serde::{Deserialize, Serialize};

use crate::machine::Resolution;
use crate::names::Names;
use crate::port::ProbeError;
use crate::rules::Conflict;
use crate::seen::Survey;

pub use client::{SOCKET, ask, is_there};
pub use server::{Helper, root_or_host, serve};

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// What is there?
    Look,
    /// Stop what is in conflict with me.
    Resolve,
}

/// What a look saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// All of it.
    pub survey: Survey,
    /// What of it is in conflict with the asker.
    pub conflicts: Vec<Conflict>,
    /// What was looked for: the asker may know of more.
    pub names: Names,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What is there.
    Seen(Result<Seen, ProbeError>),
    /// What was done.
    Resolved(Result<Resolution, ProbeError>),
    /// The asker may not ask.
    Refused(String),
}
