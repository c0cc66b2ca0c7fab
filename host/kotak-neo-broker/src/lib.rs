//! A Kotak Neo account behind the Broker port: what the wire's answers prove, how often it may be asked,
//! its shares, its order feed and its market data.
//!
//! The way of an order: [`KotakBroker`] (`adapter.rs`) -> `order.rs` (the wire's words, checked against the
//! day's scrip master) -> the client on the keeper's present session -> [`refusal`] (what a failed answer
//! proves). The way back: `convert.rs`.
//!
//! Architecture invariant: nothing here sends an order twice or waits with one that was committed; whatever
//! is not listed as proof is unclear. This crate names no socket. Start reading at `adapter.rs`.

#![deny(missing_docs)]

mod adapter;
mod convert;
mod data;
mod directory;
mod feed;
mod limits;
mod login;
mod order;
pub mod refusal;
mod scrips;

pub use adapter::KotakBroker;
pub use convert::TradingDays;
pub use data::MarketSource;
pub use directory::{Directory, Listing};
pub use feed::{FeedNews, follow};
pub use limits::{Busy, Limits, Rates, Turn};
pub use login::{KotakLogin, MakeTransport, View};
pub use scrips::{ScripsError, load as load_scrips};
