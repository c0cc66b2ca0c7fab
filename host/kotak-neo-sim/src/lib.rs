//! The paper exchange behind the wire of the Kotak Neo Trade API, with faults.
//!
//! [`Sim`] is the core: synchronous, without a thread, deterministic; its time is the clock that it is
//! handed. [`SimTransport`] puts it behind the client's transport port in this process; [`Server`] puts it
//! on a socket, for any client in any language. What goes wrong is said by [`Faults`]; what really happened
//! is in [`Audit`].
//!
//! The wire is written here from the facts alone and shares no type with the client, so that one misreading
//! of it is not made twice.
//!
//! Architecture invariant: of the client's crate only the transport port is named. The core sees prices
//! through [`MarketData`] and the account through [`paper::Exchange`]; it keeps no account of its own, only
//! what the exchange does not know: sessions, tags, the walk of each order through its statuses, and the
//! orders that were refused after they were acknowledged. Start reading at `sim.rs`, then `orders/`.

#![deny(missing_docs)]

mod audit;
mod call;
mod clocks;
mod config;
mod control;
mod core;
mod endpoint;
mod faults;
mod feed;
mod jwt;
mod login;
mod money;
mod orders;
mod reply;
mod route;
mod serve;
mod server;
mod session;
mod sim;
mod totp;
mod transport;
mod universe;
mod wire;

#[cfg(test)]
mod tests;

pub use audit::Audit;
pub use call::Call;
pub use clocks::{MachineClock, PacedClock, SharedInstant};
pub use config::{Credentials, MarketData, SimConfig};
pub use endpoint::Endpoint;
pub use faults::{EmptyShape, Fault, FaultId, FaultState, Faults, Kind, Script, ScriptError, Spelling};
pub use feed::{FeedId, FeedOut};
pub use reply::{Drip, Reply};
pub use server::{CONNECTIONS_MAX, Server};
pub use session::{Ended, SessionFacts};
pub use sim::Sim;
pub use totp::{TOTP_STEP_S, totp_code};
pub use transport::SimTransport;
