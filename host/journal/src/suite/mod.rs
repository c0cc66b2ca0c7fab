//! What every journal has to show. An implementation calls [`run`] with its [`Subject`] from a test.

mod cases;
pub mod make;

use crate::port::Journal;

/// The implementation under test.
pub trait Subject {
    /// An empty journal.
    fn fresh(&mut self) -> Box<dyn Journal>;
    /// The same journal after it was closed and opened again; itself, where nothing outlives it.
    fn reopen(&mut self, journal: Box<dyn Journal>) -> Box<dyn Journal>;
}

/// Runs every case; panics with its name at the first that fails.
pub fn run(subject: &mut dyn Subject) {
    for (name, case) in cases::CASES {
        eprintln!("journal suite: {name}");
        case(subject);
    }
}
