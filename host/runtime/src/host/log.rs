//! `log`: the strategy's lines, within a budget of bytes, and its last words.

use super::{Host, cut};
use crate::bindings::tradeagent::strategy::log;
use crate::convert;

/// Longer last words are cut.
const LAST_WORDS_BYTES: usize = 2_000;

impl log::Host for Host {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.enter()?;
        // Each line is told as one of the strategy's: none of them passes for the host's.
        for line in message.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            self.log_line(convert::level(level), line);
        }
        Ok(())
    }

    fn panicked(&mut self, message: String, location: String) -> wasmtime::Result<()> {
        self.enter()?;
        self.panicked = Some((cut(message, LAST_WORDS_BYTES), cut(location, LAST_WORDS_BYTES)));
        Ok(())
    }
}

impl Host {
    /// One line within the budget; what is over is dropped and counted.
    pub(crate) fn log_line(&mut self, level: tracing::Level, message: &str) {
        match self.log_left.checked_sub(message.len().max(1)) {
            Some(left) => {
                self.log_left = left;
                self.services.log(&self.info.origin, level, message);
            }
            None => self.log_dropped += 1,
        }
    }

    /// More was printed than a run may.
    #[cfg(feature = "wasi")]
    pub(crate) const fn log_cut(&mut self) {
        self.log_dropped += 1;
    }
}
