//! What stands between the generated export and the author's value. Not for authors.

use std::cell::RefCell;
use std::panic::PanicHookInfo;

pub use crate::bindings::exports::tradeagent::strategy::task::Guest;
pub use crate::bindings::tradeagent::strategy::types::Instant;
use crate::log;
use crate::{Report, Strategy, TaskError, Tick};

/// Runs the one value of this instance, which is made at the first tick.
///
/// # Errors
/// Those of the strategy.
#[inline]
pub fn run<T: Strategy>(it: &RefCell<Option<T>>, tick: Tick) -> Result<Option<Report>, TaskError> {
    it.borrow_mut().get_or_insert_with(first).run(tick)
}

#[cold]
fn first<T: Strategy>() -> T {
    // Natively the host's functions do not exist, and a test wants the usual message.
    if cfg!(target_family = "wasm") {
        std::panic::set_hook(Box::new(last_words));
        log::install();
    }
    T::default()
}

/// A panic ends in a trap, which carries no text: the host hears it from here.
fn last_words(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without text");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    log::panicked(message, &place);
}
