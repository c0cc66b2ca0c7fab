//! The market of today, from a broker: quotes with freshness, and daily bars that are kept up to date.
//!
//! Data passes through in this order: a [`HistorySource`] and a [`QuoteSource`] are what the host must be
//! given ([`port`]). [`update()`] fills the folder of market data from the first, [`close()`] adds the day's
//! bar from the second. [`readiness()`] counts what is missing before money is spent on it. [`LiveMarket`]
//! shows all of it as a [`crate::Market`].
//!
//! **What is certain about the broker's candles.** The broker does not say whether its daily candles are
//! adjusted for splits and bonuses. They are taken for raw prices, as the exchange's files are, and checked:
//! each request reaches over some days that are known already. See [`mod@update`].

mod flight;
pub mod freshness;
mod plan;
pub mod port;
mod quotes;
pub mod readiness;
mod rebase;
mod snapshot;
mod watch;

pub mod close;
pub mod market;
pub mod update;

#[cfg(test)]
mod testkit;

pub use close::{CloseError, CloseReport, close};
pub use market::{LiveMarket, LiveOptions};
pub use port::{
    DailyBar, HISTORY_DAYS_MAX, HistorySource, Listed, LiveQuote, QUOTES_MAX, QuoteSource, SourceError,
};
pub use readiness::{Readiness, readiness};
pub use update::{UpdateError, UpdateOptions, UpdateProgress, UpdateReport, update};
