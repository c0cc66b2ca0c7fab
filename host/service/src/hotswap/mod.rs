//! New versions of strategies, taken over by a running host.
//!
//! A file that is saved is noticed (`watch`), checked and compiled beside what runs, does its first tick in
//! shadow (`shadow`), and answers the next one (`slot`). The session, the orders and the schedule do not
//! notice. Against a real account a version that nobody vouches for stays a candidate: it runs in shadow, and
//! `status` compares it with the live one.

mod shadow;
mod slot;
mod story;
#[cfg(test)]
mod tests;
mod watch;

pub use shadow::Comparison;
pub use slot::{Candidate, Slot, Surroundings, TRIAL_TICKS, Vouch};
pub use story::{CandidateView, SwapEvent, SwapObserver, VersionsView};
pub use watch::{Rules, Watch};
