#![doc = include_str!("../README.md")]
//!
//! Architecture invariant: this crate knows the broker's wire and nothing of ours; it depends on none of our
//! crates. "facts n" in the comments are the sections of the broker facts that the design papers hold. Start
//! reading at [`client::Client`].

#![deny(missing_docs)]

mod address;
pub mod amount;
mod answer;
pub mod client;
pub mod credentials;
mod decimal;
pub mod error;
pub mod feed;
mod fields;
pub mod http;
mod json;
mod jwt;
pub mod login;
mod order_number;
pub mod orders;
mod rows;
mod said;
pub mod scrip;
mod secrets;
pub mod session;
mod shape;
mod status;
mod time;
pub mod transport;
mod words;

pub use amount::{Amount, AmountError};
pub use error::Error;
pub use order_number::OrderNumber;
pub use rows::{
    Candle, CandleQuery, ClientIp, Depth, HistoryRow, HoldingRow, Instrument, Interval, Level, Limits,
    Margin, MarginQuery, Ohlc, OrderRow, PositionRow, Quote, QuoteFilter, TradeRow,
};
pub use said::{Said, Shape};
pub use status::OrderStatus;
pub use words::{OrderType, Product, Segment, Side, Validity};

/// The crate whose types hold the secrets.
pub use secrecy;
