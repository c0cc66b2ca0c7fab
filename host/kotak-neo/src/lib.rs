//! A typed async client of the Kotak Neo Trade API, the *current* one: a static access token, a login in
//! two steps with a TOTP code, and everything after it on the `baseUrl` that the login answered.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use kotak_neo::client::Client;
//! use kotak_neo::credentials::Credentials;
//! use kotak_neo::http::{HttpOptions, HttpTransport};
//! use kotak_neo::login::Login;
//! use kotak_neo::secrecy::SecretString;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let transport = Arc::new(HttpTransport::new(HttpOptions::default())?);
//! let credentials = Credentials {
//!     consumer_key: SecretString::from("the access token of the dashboard"),
//!     mobile_number: SecretString::from("+910000000000"),
//!     ucc: SecretString::from("ABC12"),
//!     mpin: SecretString::from("000000"),
//! };
//! let login = Login::new(transport.clone());
//! let view = login.view(&credentials, &SecretString::from("123456")).await?;
//! let session = login.validate(&credentials, &view.value).await?;
//! let client = Client::new(transport, credentials.consumer_key.clone(), session.value);
//! for order in client.orders().await? {
//!     println!("{} {} {}", order.order_no, order.trading_symbol, order.status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What it promises:
//!
//! - **One call, one request.** No retry, no redirect, no hidden read. What failed says whether a byte left
//!   ([`Error::NotSent`]), whether an answer came ([`Error::NoAnswer`]), and what it was ([`Error::Said`],
//!   [`Error::Unreadable`]).
//! - **Success is what the body says**, never the HTTP status alone, and never a body that cannot be read
//!   whole. A book with a row left out is not a book.
//! - **Money is integers** ([`Amount`]): from text, without floats.
//! - **Secrets stay secret**: no token, PIN or code is in a `Debug`, a `Display` or an error, even when the
//!   server echoes it.
//!
//! Architecture invariant: this crate knows the broker's wire and nothing of ours; it depends on none of our
//! crates. Start reading at [`client::Client`].

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
