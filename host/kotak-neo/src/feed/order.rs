//! An order as the feed shows it.

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::order_number::OrderNumber;
use crate::status::OrderStatus;
use crate::words::{OrderType, Product, Segment, Side};

/// An order's new state (facts 4.1): fewer fields than the book has, and not always the same ones. Times are unix
/// seconds unless named otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedOrder {
    /// `nOrdNo`.
    pub order_no: OrderNumber,
    /// `ordSt`.
    pub status: OrderStatus,
    /// `exOrdId`.
    pub exchange_order_id: Option<String>,
    /// `GuiOrdId`.
    pub tag: Option<String>,
    /// `rejRsn`.
    pub reject_reason: Option<String>,
    /// `exSeg`.
    pub segment: Option<Segment>,
    /// `trdSym`.
    pub trading_symbol: Option<String>,
    /// `sym`.
    pub symbol: Option<String>,
    /// `tok`.
    pub token: Option<String>,
    /// `trnsTp`.
    pub side: Option<Side>,
    /// `prcTp`; the feed may say `LMT`.
    pub order_type: Option<OrderType>,
    /// `prod`.
    pub product: Option<Product>,
    /// `prc`.
    pub price: Option<Amount>,
    /// `trgPrc`.
    pub trigger: Option<Amount>,
    /// `avgPrc`: of what is filled.
    pub average_price: Option<Amount>,
    /// `qty`.
    pub quantity: Option<u32>,
    /// `fldQty`.
    pub filled: Option<u32>,
    /// `unFldSz`.
    pub unfilled: Option<u32>,
    /// `cnlQty`.
    pub cancelled: Option<u32>,
    /// `ordDtTm`.
    pub order_time: Option<i64>,
    /// `exCfmTm`.
    pub exchange_time: Option<i64>,
    /// `boeSec`.
    pub broker_time: Option<i64>,
    /// `updRecvTm`, in unix nanoseconds.
    pub updated_ns: Option<i64>,
}

impl FeedOrder {
    pub(super) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            order_no: row.required_order_no("nOrdNo")?,
            status: OrderStatus::from_wire(&row.required_text_of(&["ordSt", "stat"])?),
            exchange_order_id: row.text("exOrdId")?,
            tag: row.text("GuiOrdId")?,
            reject_reason: row.text("rejRsn")?,
            segment: row.text("exSeg")?.map(|text| Segment::from_wire(&text)),
            trading_symbol: row.text("trdSym")?,
            symbol: row.text("sym")?,
            token: row.text("tok")?,
            side: row.side("trnsTp")?,
            order_type: row.text("prcTp")?.map(|text| OrderType::from_wire(&text)),
            product: row.text("prod")?.map(|text| Product::from_wire(&text)),
            price: row.amount("prc")?,
            trigger: row.amount("trgPrc")?,
            average_price: row.amount("avgPrc")?,
            quantity: row.quantity("qty")?,
            filled: row.quantity("fldQty")?,
            unfilled: row.quantity("unFldSz")?,
            cancelled: row.quantity("cnlQty")?,
            order_time: row.ist_time(&["ordDtTm"])?,
            exchange_time: row.ist_time(&["exCfmTm"])?,
            broker_time: row.epoch("boeSec")?,
            updated_ns: row.epoch("updRecvTm")?,
        })
    }
}
