//! The root helper: it looks and stops for a host that is hardened and may do neither.
//!
//! It takes two questions, from root and from the host's own unit only, and knows by itself what to look
//! for: who can speak to it can have the known programs stopped, and nothing else. One line of JSON each
//! way.

mod client;
mod server;

use serde::{Deserialize, Serialize};

use crate::machine::Resolution;
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

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What is there, and what of it is in conflict with the asker.
    Seen(Result<(Survey, Vec<Conflict>), ProbeError>),
    /// What was done.
    Resolved(Result<Resolution, ProbeError>),
    /// The asker may not ask.
    Refused(String),
}
