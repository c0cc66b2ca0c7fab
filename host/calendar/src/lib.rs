//! When an exchange trades: effective-dated phases per class of instrument, holidays, special
//! sessions, settlement days, and the last day any of this is known for.
//!
//! The calendar is a data file (`data/india-equity.toml`, embedded; an operator may load another),
//! read and checked as a whole by [`Calendar::parse`]. Outside the range it declares every question
//! is an error: a calendar that answers "weekday, so open" for a year nobody published is how an
//! unattended host trades into a holiday.
//!
//! Architecture invariant: this crate knows no clock, no file and no network. It is told the instant
//! and the text. Start reading at [`Calendar`], then [`Session`].
//!
//! ```
//! use calendar::{Calendar, Phase};
//! use model::{Date, Exchange, InstrumentClass, Timestamp};
//!
//! let calendar = Calendar::bundled();
//! let date = Date::from_ymd_opt(2026, 8, 3).expect("a date");
//! let session = calendar.session(Exchange::Nse, date)?.expect("a trading day");
//! let at = Timestamp::at_ist(date, 15, 20);
//! assert_eq!(session.phase_at(InstrumentClass::WithDerivatives, at), Phase::ClosingAuctionEntry);
//! assert_eq!(session.phase_at(InstrumentClass::WithoutDerivatives, at), Phase::Continuous);
//! # Ok::<(), calendar::CalendarError>(())
//! ```

#![deny(missing_docs)]

mod amo;
mod book;
mod check;
mod days;
mod error;
mod file;
mod phase;
mod session;
mod settlement;
mod warning;

#[cfg(test)]
mod tests;

pub use amo::{AmoWindow, NotNow};
pub use days::Calendar;
pub use error::CalendarError;
pub use phase::{Phase, PhaseWindow, Window};
pub use session::{ClosingPrice, Day, DerivativesHours, Session, SessionKind};
