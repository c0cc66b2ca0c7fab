//! Rules of the exchange, each on a small made-up market.

mod account;
mod auctions;
mod brokers;
mod durable;
mod limits;
mod lookahead;
mod market_table;
mod matching;
mod properties;
mod wire;
