//! The orders by number, with what the exchange does not know.

use std::collections::{BTreeMap, BTreeSet};

use broker::BrokerOrder;
use model::{BrokerOrderId, Date, Price, Quantity, Timestamp};

use super::shown::Shown;

/// A client's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `ts`.
    pub trading_symbol: String,
    /// `pt`.
    pub price_type: String,
    /// `pc`.
    pub product: String,
    /// `rt`.
    pub validity: String,
    /// `dq`.
    pub disclosed: u32,
    /// `os`.
    pub source: String,
}

/// A status that an order went through: a row of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub status: String,
    pub at: Timestamp,
    pub filled: Quantity,
    pub average: Price,
    pub price: Price,
    pub quantity: Quantity,
    pub reason: String,
}

/// What faults do to how an order is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spoiled {
    /// In no book before this instant.
    pub hidden_until: Option<Timestamp>,
    /// Nor are its trades.
    pub hides_trades: bool,
    /// Every fill in so many parts, so many seconds apart.
    pub parts: Option<(u32, u32)>,
    /// Every fill twice.
    pub doubled: bool,
    /// This status, until then.
    pub strange: Option<(String, Option<Timestamp>)>,
}

/// One order.
#[derive(Debug, Clone)]
pub(crate) struct Tracked {
    /// As the exchange last had it; of a refused one, as it would have had it.
    pub row: BrokerOrder,
    pub asked: Asked,
    /// `ig` as it was sent.
    pub tag: Option<String>,
    /// `GuiOrdId` as it is shown.
    pub shown_tag: String,
    /// Acknowledged, refused afterwards, never at the exchange.
    pub refused: bool,
    /// It came as an after-market order.
    pub amo: bool,
    /// It was changed while it was queued.
    pub changed_in_queue: bool,
    /// It ended while it was queued.
    pub ended_in_queue: bool,
    pub spoiled: Spoiled,
    /// The last status that was told.
    pub told: Option<Shown>,
    pub steps: Vec<Step>,
    /// How often its trades were told.
    pub trades_told: usize,
}

/// Rows of history that one order keeps.
const STEPS_MAX: usize = 1_000;

impl Tracked {
    /// Writes a row of history.
    pub fn step(&mut self, status: &str, at: Timestamp, shown: &Shown) {
        if self.steps.len() >= STEPS_MAX {
            self.steps.remove(0);
        }
        self.steps.push(Step {
            status: status.to_owned(),
            at,
            filled: shown.filled,
            average: shown.average,
            price: self.row.terms.price,
            quantity: self.row.terms.quantity,
            reason: shown.reason.clone(),
        });
    }

    pub fn is_hidden(&self, now: Timestamp) -> bool {
        self.spoiled.hidden_until.is_some_and(|until| now < until)
    }
}

#[derive(Default)]
pub(crate) struct OrderTable {
    pub orders: BTreeMap<BrokerOrderId, Tracked>,
    /// Those to which something may still happen, or be told.
    pub live: BTreeSet<BrokerOrderId>,
    /// Numbers by tag, in order of acceptance, refused ones included.
    pub by_tag: BTreeMap<String, Vec<BrokerOrderId>>,
    /// For tags that are not an intent's identity, and for numbers of refused orders.
    pub counter: u64,
    refused_day: Option<Date>,
    refused: u32,
}

impl OrderTable {
    /// Takes a new order in.
    pub fn add(&mut self, tracked: Tracked) {
        let id = tracked.row.broker_id.clone();
        if let Some(tag) = &tracked.tag {
            self.by_tag.entry(tag.clone()).or_default().push(id.clone());
        }
        self.live.insert(id.clone());
        self.orders.insert(id, tracked);
    }

    pub fn get_mut(&mut self, number: &str) -> Option<&mut Tracked> {
        self.orders.get_mut(number)
    }

    /// A number for an order that the exchange never had: `yymmdd`, a 9, a running number.
    pub fn refused_number(&mut self, day: Date) -> BrokerOrderId {
        if self.refused_day != Some(day) {
            (self.refused_day, self.refused) = (Some(day), 0);
        }
        self.refused += 1;
        BrokerOrderId::from(format!("{}9{:05}", day.format("%y%m%d"), self.refused))
    }
}
