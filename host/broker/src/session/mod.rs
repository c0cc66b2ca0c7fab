//! The session keeper: one login per account, shared by everything that calls the broker.
//!
//! What goes wrong with sessions, and who notices:
//!
//! - **Many calls see one session expire.** Each says so with the generation it used ([`Keeper::renew`]).
//!   The first starts the one login, the others wait for it, a report that comes late is answered with
//!   what there is. The login runs in a task of its own: a caller that goes away takes nothing with it.
//! - **A client outlives its session.** The old client is taken out of sight before the login begins, logged
//!   out (bounded, best effort) and dropped. It is logged out *before* the new login, never after: on one
//!   account a late logout could end the new session. A new login builds everything anew.
//! - **Step two is not answered.** Then a session may exist that nobody holds, and it may have ended the
//!   older ones. It counts as a failed login; the next is a whole one, within the day's budget.
//! - **The code is refused.** The clock is compared with the broker's at every step, a half minute is never
//!   sent twice, and two refusals in a row are treated as wrong credentials, because accounts lock.
//! - **Midnight.** Every session ends at 00:00 IST. That is no news, and no login follows before the daily
//!   hour unless a task is due ([`Keeper::due`]).
//! - **Another program logs in to the account**, and each login ends the other's session. Two sessions in
//!   a row that die within minutes (or one, and logins after it that come to nothing) are called a contest:
//!   the keeper says so, looks for the other program, and stops. After a cool-down and a clean look it
//!   makes one probe login ([`Keeper::tend`]), at most three a day.
//! - **The host dies, and is started anew.** What was decided must hold: the codes sent, the day's counts,
//!   the contest and refused credentials are kept ([`Memory`]) before anything follows from them.
//!
//! Architecture invariant: nothing here knows a wire, a runtime or the machine's clock. The mutex, the
//! atomics and the slot come from `sync`, so that the same files run under shuttle's scheduler
//! (`tests/session_shuttle.rs`). Start reading at [`Keeper`], then `renewal` and `standing`.

#![deny(missing_docs)]

mod attempt;
mod bounded;
mod codes;
mod config;
mod contest;
mod ending;
mod event;
mod flight;
mod generation;
mod keeper;
mod no_session;
mod port;
mod record;
mod renewal;
mod standing;
mod status;
mod sync;
mod tally;
mod totp;

pub use config::KeeperConfig;
pub use event::SessionEvent;
pub use generation::{Generation, Session};
pub use keeper::{DueGuard, Keeper, Renewed, Surroundings};
pub use no_session::NoSession;
pub use port::{Conflicts, Events, Login, LoginError, LoginErrorKind, Spawn, Stepped};
pub use record::{Memory, Record, Save};
pub use status::{KeeperState, KeeperStatus};
pub use totp::{Totp, TotpSecretError};
