//! The durable record: intents, attempts, evidence, ledger, runs, sessions, operator actions.
//!
//! A port with a SQLite and an in-memory implementation under one suite. The journal decides nothing;
//! it keeps what was decided and what was learnt, in one order, and gives it back.
//!
//! Architecture invariant: only this crate names rusqlite. Start reading at [`Journal`].

mod port;

pub use port::{
    Alert, AlertRow, Durability, Entry, Journal, JournalError, OperatorAction, RunEnd, RunOutcome, RunRow, RunStart,
    Recorded, Severity, TradingState,
};
