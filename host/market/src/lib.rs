//! Candles, quotes, instruments and adjustment factors, from the exchanges' own daily files and from CSV.
//!
//! Data passes through in this order: [`import`] reads published files and checks every line, [`store`]
//! keeps them compactly in a folder, [`dataset`] holds them in memory as columns and finds gaps and
//! corporate actions ([`factor`]), [`replay`] shows them as a market that runs ([`view`]). [`bars`] reads
//! one symbol's bars for a backtest. [`live`] keeps the bars up to date from a broker and shows the market of
//! today. Start reading at [`view`].
//!
//! Architecture invariant: this crate knows no broker, no order and no network: a broker's data comes through
//! the ports of [`live`], and every question carries its instant ([`live`] alone is handed a clock, to time
//! what it asks for). What lies after that instant is never in an answer of [`view::Market`]; only a paper exchange
//! holds the other view, [`view::PriceSource`].

#![deny(missing_docs)]

pub mod bars;
pub mod bounds;
pub mod dataset;
pub mod demo;
pub mod factor;
pub mod import;
pub mod live;
pub mod path;
pub mod replay;
pub mod row;
pub mod series;
pub mod sessions;
pub mod store;
pub mod summary;
pub mod table;
pub mod view;
mod wire;

pub use bars::{Bar, Bars, BarsError};
pub use dataset::{Dataset, History};
pub use factor::{Factor, FactorSource};
pub use import::{ImportError, ImportOptions, ImportReport, Progress, Rejected};
pub use live::LiveMarket;
pub use replay::{ReplayMarket, ReplayOptions};
pub use store::StoreError;
pub use summary::Summary;
pub use view::{
    CANDLES_MAX, Candles, InstrumentFilter, Interval, Market, MarketError, MinuteBar, PriceSource, Quote,
};
