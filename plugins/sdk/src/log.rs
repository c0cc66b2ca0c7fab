//! The strategy's log: the macros of the [`log`](https://docs.rs/log) crate lead to the host, those of the crates
//! that a strategy uses too.
//!
//! ```
//! use tradeagent_sdk::monitor::log;
//! # let host = tradeagent_sdk::mock::Host::new();
//! log::info!("{} looked at", 3);
//! log::write(log::Level::Info, "3 looked at"); // the same, without the facade
//! # assert_eq!(host.logs(), [(log::Level::Info, "3 looked at".to_owned()), (log::Level::Info, "3 looked at".to_owned())]);
//! ```
//!
//! A crate that depends on `log` itself has two of that name where it writes `use monitor::*`: `::log::info!` is
//! then the one that compiles, and leads here too. `trace!` is written as `debug`, the host's lowest level.

pub use ::log::{debug, error, info, trace, warn};

pub use crate::host::log::{Level, panicked, write};

/// Stands behind the macros.
struct Facade;

impl ::log::Log for Facade {
    fn enabled(&self, _: &::log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &::log::Record<'_>) {
        let level = match record.level() {
            ::log::Level::Error => Level::Error,
            ::log::Level::Warn => Level::Warn,
            ::log::Level::Info => Level::Info,
            ::log::Level::Debug | ::log::Level::Trace => Level::Debug,
        };
        write(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

/// Puts the host behind the macros; what a strategy has put there itself stays.
pub(crate) fn install() {
    if ::log::set_logger(&Facade).is_ok() {
        ::log::set_max_level(::log::LevelFilter::Trace);
    }
}
