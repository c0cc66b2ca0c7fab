//! New versions of strategies, taken over by a running host.
//!
//! A file that is saved is noticed (`watch`), checked and compiled beside what runs, does its first tick in
//! shadow (`proving`), and answers the next one (`slot`, `trial`). What has proved itself is what the next start
//! begins with (`standing`). The session, the orders and the schedule do not
//! notice. Against a real account a version that nobody vouches for stays a candidate: it runs in shadow, and
//! `status` compares it with the live one.

mod apart;
mod proving;
mod shadow;
mod slot;
mod standing;
mod story;
#[cfg(test)]
mod tests;
mod trial;
mod watch;

pub use apart::compile_here;
pub use shadow::Comparison;
pub use slot::{Candidate, Slot, Surroundings, Vouch};
pub use standing::Standings;
pub use story::{CandidateView, SwapEvent, SwapObserver, VersionsView};
pub use trial::TRIAL_TICKS;
pub use watch::{Rules, Watch};
