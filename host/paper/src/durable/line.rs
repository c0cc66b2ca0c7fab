//! What stands in the file: a header, then calls, answers, and what time did to the books.
//!
//! ```json
//! {"paper-book":1,"start":1741059900000000000,"market":"…","settings":{"cash":"3f0c…",…}}
//! {"call":{"at":1741059900000000000,"order":{"place":{"tag":"…","terms":{…}}}}}
//! {"answer":{"given":{"ack":"250304000001"},"books":{"orders":1,"trades":0,…}}}
//! {"time":{"at":1741060020000000000,"books":{"orders":1,"trades":1,…}}}
//! ```

use std::collections::BTreeMap;
use std::fmt;

use broker::{Ack, CancelCall, ModifyCall, PlaceCall, SendError};
use model::{BrokerOrderId, Money, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::PaperConfig;
use crate::exchange::Exchange;

/// The format of the file.
pub(super) const VERSION: u32 = 1;
/// How every such file begins, whatever its version.
pub(super) const MAGIC: &[u8] = b"{\"paper-book\":";

/// What the account was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    #[serde(rename = "paper-book")]
    pub version: u32,
    /// When the account begins.
    pub start: Timestamp,
    /// Data and calendar, in the caller's words.
    pub market: String,
    /// Settings by name, each as a hash.
    pub settings: BTreeMap<String, String>,
}

impl Header {
    pub fn new(config: &PaperConfig, market: &str, start: Timestamp) -> Self {
        Self { version: VERSION, start, market: market.to_owned(), settings: settings(config) }
    }

    /// What sets `now` apart from this, the start aside.
    pub fn difference(&self, now: &Self) -> Option<String> {
        if self.market != now.market {
            return Some(format!("its market is `{}`, the present one `{}`", self.market, now.market));
        }
        let names: std::collections::BTreeSet<&String> =
            self.settings.keys().chain(now.settings.keys()).collect();
        let differ: Vec<&str> = names
            .into_iter()
            .filter(|name| self.settings.get(*name) != now.settings.get(*name))
            .map(String::as_str)
            .collect();
        (!differ.is_empty()).then(|| format!("changed since in its settings: {}", differ.join(", ")))
    }
}

/// Each setting that decides what a call does, as a hash: a difference can be named, not undone.
fn settings(config: &PaperConfig) -> BTreeMap<String, String> {
    let PaperConfig {
        exchange,
        cash,
        opening,
        tariff,
        // By date: later rates may be added. A change of past ones shows in the cash.
        charges: _,
        volume_share_percent,
        auction_minutes,
        amo_window,
        seed,
        // May be raised when the account runs into them; whom they refused is in the answers.
        open_orders_max: _,
        orders_max: _,
    } = config;
    [
        ("exchange", hash(exchange)),
        ("cash", hash(cash)),
        ("opening positions", hash(opening)),
        ("tariff", hash(tariff)),
        ("volume share", hash(volume_share_percent)),
        ("auction minutes", hash(auction_minutes)),
        ("after-market window", hash(amo_window)),
        ("seed", hash(seed)),
    ]
    .map(|(name, hash)| (name.to_owned(), hash))
    .into()
}

fn hash(value: &impl Serialize) -> String {
    let text = serde_json::to_vec(value).expect("settings are plain values with text keys");
    blake3::hash(&text).to_hex()[..16].to_owned()
}

/// A line after the header.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    /// Was asked at this instant of the exchange.
    Call { at: Timestamp, order: OrderCall },
    /// The answer to the call before, and the books after it.
    Answer { given: Given, books: Books },
    /// The books were first seen like this at this instant, without a call.
    Time { at: Timestamp, books: Books },
}

/// A call that may change the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OrderCall {
    Place(PlaceCall),
    Modify(ModifyCall),
    Cancel(CancelCall),
}

impl OrderCall {
    /// Does it at the exchange's present instant.
    pub fn apply(&self, exchange: &mut Exchange) -> Result<Ack, SendError> {
        match self {
            Self::Place(call) => exchange.place(call.clone()),
            Self::Modify(call) => exchange.modify(call),
            Self::Cancel(call) => exchange.cancel(call),
        }
    }
}

/// What an answer meant; its sentences may be worded better some day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Given {
    Ack(BrokerOrderId),
    Refused(String),
    AlreadyComplete,
    Unclear,
}

impl Given {
    pub fn of(answer: &Result<Ack, SendError>) -> Self {
        match answer {
            Ok(ack) => Self::Ack(ack.broker_id.clone()),
            Err(SendError::Refused { code, .. }) => Self::Refused(code.clone()),
            Err(SendError::AlreadyComplete(_)) => Self::AlreadyComplete,
            // The exchange itself gives neither: it has no sessions, and it knows what it did.
            Err(SendError::Expired(_) | SendError::Unclear(_)) => Self::Unclear,
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ack(id) => write!(f, "number {id}"),
            Self::Refused(code) => write!(f, "refusal {code}"),
            Self::AlreadyComplete => f.write_str("already complete"),
            Self::Unclear => f.write_str("no clear answer"),
        }
    }
}

/// The account in a few sums: every fill, charge, block and re-basing moves one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Books {
    /// Orders ever taken.
    orders: u64,
    /// Trades ever made.
    trades: u64,
    /// Shares owned.
    shares: u64,
    cash: Money,
    blocked: Money,
}

impl Books {
    pub fn of(exchange: &Exchange) -> Self {
        Self {
            orders: exchange.orders.len() as u64,
            trades: exchange.trades.len() as u64,
            shares: exchange.shares.all().map(|(_, _, quantity, _)| u64::from(quantity.get())).sum(),
            cash: exchange.cash.balance,
            blocked: exchange.cash.blocked,
        }
    }

    /// What sets these apart from what the file says.
    pub fn difference(&self, file: &Self) -> Option<String> {
        let pairs = [
            ("orders", self.orders.to_string(), file.orders.to_string()),
            ("trades", self.trades.to_string(), file.trades.to_string()),
            ("shares", self.shares.to_string(), file.shares.to_string()),
            ("rupees of cash", self.cash.to_string(), file.cash.to_string()),
            ("rupees blocked", self.blocked.to_string(), file.blocked.to_string()),
        ];
        let mut differ = pairs.into_iter().filter(|(_, now, file)| now != file);
        differ.next().map(|(what, now, file)| format!("it had {file} {what}, now there are {now}"))
    }
}
