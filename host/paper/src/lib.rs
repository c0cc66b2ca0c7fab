//! A paper exchange with one account at one broker: price-time matching on a visible minute path, ticks,
//! bands, freeze quantities, an after-market queue, a closing auction, T+1 holdings, cash blocking,
//! charges to the paisa, corporate actions.
//!
//! [`Exchange`] is the core: synchronous, without a clock, deterministic. [`PaperBroker`] puts it behind
//! the Broker port in this process; [`serve`] and [`RemotePaper`] put it into a process of its own, so that
//! a host can be killed without it. [`BookLog`] lets the account of either outlive its process.
//!
//! Not modelled, and refused with a reason: orders in the pre-open and the post-close session, entry into
//! the closing auction (orders of continuous trading are carried into it), short sales. Simplified: our
//! orders move no price, proceeds of a sale are available at once, no market-wide halts.
//!
//! Architecture invariant: the core knows no clock, thread or socket, and sees no price later than its
//! present minute. Start reading at [`Exchange::advance`], then `matching.rs`.

#![deny(missing_docs)]

mod books;
mod cash;
mod check;
mod config;
mod durable;
mod entry;
mod exchange;
mod fill;
mod local;
mod matching;
mod order;
mod path;
mod refusal;
mod remote;
mod server;
mod session;
mod shares;
mod wire;

#[cfg(test)]
mod tests;

pub use books::{AccountBook, FullBook, Owned};
pub use cash::{CashKind, CashLine};
pub use config::{Opening, PaperConfig};
pub use durable::{BOOK_BYTES_MAX, BookLog, DurableError};
pub use exchange::{Exchange, PaperTrade};
pub use local::PaperBroker;
pub use refusal::Refusal;
pub use remote::RemotePaper;
pub use server::{CONNECTIONS_MAX, Server, serve, serve_kept};
pub use wire::{ANSWER_BYTES_MAX, FaultSetting, LINE_BYTES_MAX, WIRE_VERSION};
