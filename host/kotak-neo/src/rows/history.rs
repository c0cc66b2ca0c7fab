//! A step in an order's life.

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::order_number::OrderNumber;
use crate::status::OrderStatus;
use crate::words::{OrderType, Product, Segment, Side, Validity};

/// One state of an order (facts 2.5); the list comes newest first. Times are unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// `nOrdNo`, where the row has it.
    pub order_no: Option<OrderNumber>,
    /// `exchOrdId`, or `exOrdId`.
    pub exchange_order_id: Option<String>,
    /// `GuiOrdId`.
    pub tag: Option<String>,
    /// `ordSt`.
    pub status: OrderStatus,
    /// `rejRsn`.
    pub reject_reason: Option<String>,
    /// `ordUsrMsg`.
    pub message: Option<String>,
    /// `exch`: `NSE`, not the segment.
    pub exchange: Option<String>,
    /// `exSeg`, where the row has it.
    pub segment: Option<Segment>,
    /// `trdSym`.
    pub trading_symbol: Option<String>,
    /// `tok`.
    pub token: Option<String>,
    /// `trnsTp`.
    pub side: Option<Side>,
    /// `prcTp`.
    pub order_type: Option<OrderType>,
    /// `prod`.
    pub product: Option<Product>,
    /// `ordDur`.
    pub validity: Option<Validity>,
    /// `prc`.
    pub price: Option<Amount>,
    /// `trgPrc`.
    pub trigger: Option<Amount>,
    /// `avgPrc`.
    pub average_price: Option<Amount>,
    /// `qty`.
    pub quantity: Option<u32>,
    /// `fldQty`.
    pub filled: Option<u32>,
    /// `unFldSz`.
    pub unfilled: Option<u32>,
    /// `nReqId`.
    pub request_id: Option<String>,
    /// `exchTmstp`, once the exchange has confirmed.
    pub exchange_time: Option<i64>,
    /// `flDtTm`.
    pub time: Option<i64>,
}

impl HistoryRow {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            order_no: row.order_no(&["nOrdNo"])?,
            exchange_order_id: row.text_of(&["exchOrdId", "exOrdId"])?,
            tag: row.text("GuiOrdId")?,
            status: OrderStatus::from_wire(&row.required_text_of(&["ordSt", "stat"])?),
            reject_reason: row.text("rejRsn")?,
            message: row.text("ordUsrMsg")?,
            exchange: row.text("exch")?,
            segment: row.text("exSeg")?.map(|text| Segment::from_wire(&text)),
            trading_symbol: row.text("trdSym")?,
            token: row.text("tok")?,
            side: row.side("trnsTp")?,
            order_type: row.text("prcTp")?.map(|text| OrderType::from_wire(&text)),
            product: row.text("prod")?.map(|text| Product::from_wire(&text)),
            validity: row.text_of(&["ordDur", "vldt"])?.map(|text| Validity::from_wire(&text)),
            price: row.amount("prc")?,
            trigger: row.amount("trgPrc")?,
            average_price: row.amount("avgPrc")?,
            quantity: row.quantity("qty")?,
            filled: row.quantity("fldQty")?,
            unfilled: row.quantity("unFldSz")?,
            request_id: row.text("nReqId")?,
            exchange_time: row.ist_time(&["exchTmstp", "exCfmTm"])?,
            time: row.ist_time(&["flDtTm", "ordDtTm"])?,
        })
    }
}
