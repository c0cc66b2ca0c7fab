//! What an order would need.

use serde_json::{Map, Value};

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::orders::object;
use crate::words::{OrderType, Product, Segment, Side};

/// An order whose margin is asked for (facts 2.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarginQuery {
    /// `exSeg`.
    pub segment: Segment,
    /// `tok`: the instrument's token.
    pub token: String,
    /// `trnsTp`.
    pub side: Side,
    /// `qty`: units.
    pub quantity: u32,
    /// `prcTp`.
    pub order_type: OrderType,
    /// `prc`.
    pub price: Amount,
    /// `trgPrc`.
    pub trigger: Amount,
    /// `prod`.
    pub product: Product,
}

/// What the order would need (facts 2.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Margin {
    /// `avlCash`.
    pub available_cash: Option<Amount>,
    /// `totMrgnUsd`.
    pub total_margin_used: Option<Amount>,
    /// `mrgnUsd`.
    pub margin_used: Option<Amount>,
    /// `ordMrgn`.
    pub order_margin: Option<Amount>,
    /// `reqdMrgn`.
    pub required_margin: Option<Amount>,
    /// `avlMrgn`.
    pub available_margin: Option<Amount>,
    /// `insufFund`: how much is missing.
    pub insufficient: Option<Amount>,
    /// `rmsVldtd` is `OK`: the risk system would let it pass.
    pub validated: bool,
}

impl MarginQuery {
    pub(crate) fn wire(&self) -> Map<String, Value> {
        object([
            ("brkName", "KOTAK".to_owned()),
            ("brnchId", "ONLINE".to_owned()),
            ("exSeg", self.segment.to_string()),
            ("prc", self.price.to_string()),
            ("prcTp", self.order_type.to_string()),
            ("prod", self.product.to_string()),
            ("qty", self.quantity.to_string()),
            ("tok", self.token.clone()),
            ("trgPrc", self.trigger.to_string()),
            ("trnsTp", self.side.to_string()),
        ])
    }
}

impl Margin {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            available_cash: row.amount("avlCash")?,
            total_margin_used: row.amount("totMrgnUsd")?,
            margin_used: row.amount("mrgnUsd")?,
            order_margin: row.amount("ordMrgn")?,
            required_margin: row.amount("reqdMrgn")?,
            available_margin: row.amount("avlMrgn")?,
            insufficient: row.amount("insufFund")?,
            validated: row.required_text("rmsVldtd")?.eq_ignore_ascii_case("OK"),
        })
    }
}
