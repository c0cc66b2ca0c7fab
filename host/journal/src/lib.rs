//! The durable record: intents, attempts, evidence, ledger, runs, sessions, operator actions.
//!
//! A port with a SQLite and an in-memory implementation under one suite. The journal decides nothing;
//! it keeps what was decided and what was learnt, in one order, and gives it back.
//!
//! Architecture invariant: only this crate names rusqlite. Start reading at [`Journal`], then `rules`
//! (what both implementations refuse, and when an order needs no more replay), then [`SqliteJournal`].

mod memory;
mod port;
mod rules;
mod sqlite;
mod trace;

#[cfg(any(test, feature = "suite"))]
#[doc(hidden)]
pub mod suite;

pub use memory::{Counts, MemoryJournal};
pub use port::{
    Alert, AlertRow, Durability, Entry, Journal, JournalError, OperatorAction, Recorded, RunEnd, RunOutcome,
    RunRow, RunStart, Severity, TradingState,
};
pub use sqlite::SqliteJournal;
pub use trace::{TraceHash, trace_hash};
