//! The operator's limits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::price::{Money, Quantity};

/// A whole number of percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(u16);

impl Percent {
    /// `percent` percent.
    pub const fn new(percent: u16) -> Self {
        Self(percent)
    }

    /// In hundredths of a percent.
    pub const fn bps(self) -> i64 {
        self.0 as i64 * 100
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Limits of one account, `[account.NAME.limits]` in the config. Every field may be left out (its
/// default holds) or set to `"none"` (no limit). Caps bind buys only: see [`crate::risk`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Value of one order in rupees. Default 200,000.
    #[serde(with = "or_none")]
    pub max_order_value: Option<Money>,
    /// Shares in one order. Default 100,000.
    #[serde(with = "or_none")]
    pub max_order_quantity: Option<Quantity>,
    /// Orders placed on a trading day, all strategies together. Default 200.
    #[serde(with = "or_none")]
    pub max_orders_per_day: Option<u32>,
    /// Orders that are not final at one time. Default 100.
    #[serde(with = "or_none")]
    pub max_open_orders: Option<u32>,
    /// How far beyond the last price, on the costly side, a limit may lie. Default 20 (percent): the
    /// widest daily band of a stock without derivatives. Also binds sales, against slips of the finger.
    #[serde(with = "or_none")]
    pub max_price_distance: Option<Percent>,
    /// Money in positions at cost and in open buys, in rupees. Default none.
    #[serde(with = "or_none")]
    pub max_exposure: Option<Money>,
    /// The day's loss in rupees, realised and unrealised (open positions at the last price against what
    /// was paid), after charges, at which buying stops. Default 50,000.
    #[serde(with = "or_none")]
    pub max_daily_loss: Option<Money>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_order_value: Some(Money::from_rupees(200_000)),
            max_order_quantity: Some(Quantity::new(100_000)),
            max_orders_per_day: Some(200),
            max_open_orders: Some(100),
            max_price_distance: Some(Percent::new(20)),
            max_exposure: None,
            max_daily_loss: Some(Money::from_rupees(50_000)),
        }
    }
}

impl Limits {
    /// No limit at all: for `backtest`. Ownership and sanity rules still hold.
    pub const fn none() -> Self {
        Self {
            max_order_value: None,
            max_order_quantity: None,
            max_orders_per_day: None,
            max_open_orders: None,
            max_price_distance: None,
            max_exposure: None,
            max_daily_loss: None,
        }
    }
}

/// TOML has no null: `"none"` says it.
mod or_none {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        None,
    }

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number, or \"none\" for no limit")]
    enum Either<T> {
        None(Word),
        Some(T),
    }

    pub fn serialize<T: Serialize, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.serialize(serializer),
            None => serializer.serialize_str("none"),
        }
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(match Either::deserialize(deserializer)? {
            Either::None(Word::None) => None,
            Either::Some(value) => Some(value),
        })
    }
}
