//! The session keeper on a hand clock.

mod codes;
mod contest;
mod day;
mod ending;
mod failing;
mod renewing;
mod restart;
mod world;
