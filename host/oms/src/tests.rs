//! The desk against a scripted broker, with time and death in the test's hands.

mod crash;
mod exchange;
mod faults;
mod flow;
mod guard;
mod inline;
mod proof;
mod session;
mod world;
