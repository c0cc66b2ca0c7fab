//! The order desk and the reconciler: the only way from a strategy to a broker.
//!
//! What goes wrong between a host and a broker, and who notices:
//! - The host dies between any two steps of an order. Intent and attempt are on the disk before
//!   anything is sent, so the next start finds an attempt without an answer and calls it Unknown.
//! - The answer is lost, late, or proves nothing. Also Unknown: it counts as filled in every limit,
//!   blocks its strategy and symbol, and only evidence resolves it ([`Desk::reconcile`]). Time does not.
//! - The same order is asked for twice, at once or after a restart. Its identity comes from strategy,
//!   day and key, so there is one order.
//! - The operator pulls the switch while an order waits for its turn. Switch, `send_by` and price are
//!   checked again under the same lock as the commit.
//! - The journal cannot be written. Nothing is sent any more ([`Desk::halted`]).
//! - The broker contradicts itself. The cautious reading stands, trading stops, an alert goes out.
//!
//! One code for live (`Blocking::Threaded`) and for `simulate` and `backtest` (`Blocking::Inline`, every
//! future ready at its first poll).
//!
//! Architecture invariant: no lock is held over a broker call, and the journal's lock is always taken
//! before the book's. This crate knows no wire and no sandbox. Start reading at [`Desk::place`] in
//! `place.rs`, then `commit.rs`, `absorb.rs`, `reconcile.rs`.

mod absorb;
mod answer;
mod book;
mod cancel;
mod commit;
mod config;
mod day;
mod deliver;
mod desk;
mod doubt;
mod external;
mod eyes;
mod modify;
mod open_calls;
mod operator;
mod permit;
mod place;
mod queries;
mod reconcile;
mod replay;
mod shutdown;
mod wire;

#[cfg(test)]
mod tests;

pub use config::{Blocking, ChargeRules, DeskConfig, DeskError, MarketView};
pub use desk::Desk;
pub use operator::Verdict;
