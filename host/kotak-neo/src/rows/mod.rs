//! The rows of the answers, as types. A field that the wire leaves blank is `None` (or zero where said so).

mod candle;
mod client_ip;
mod history;
mod holding;
mod limits;
mod margin;
mod order;
mod position;
mod quote;
mod trade;

pub(crate) use candle::says_no_data;
pub use candle::{Candle, CandleQuery, Interval};
pub use client_ip::ClientIp;
pub use history::HistoryRow;
pub use holding::HoldingRow;
pub use limits::Limits;
pub use margin::{Margin, MarginQuery};
pub use order::OrderRow;
pub use position::PositionRow;
pub use quote::{Depth, Instrument, Level, Ohlc, Quote, QuoteFilter};
pub use trade::TradeRow;
