//! A fill.

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::order_number::OrderNumber;
use crate::time;
use crate::words::{OrderType, Product, Segment, Side};

/// One fill (facts 2.6). On the wire `qty` is 0, `prc` is blank and `tok` is blank: the fill is in `fldQty` and
/// `avgPrc`. Times are unix seconds unless named otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeRow {
    /// `nOrdNo`.
    pub order_no: OrderNumber,
    /// `exOrdId`.
    pub exchange_order_id: Option<String>,
    /// `flId`: the exchange's number of the fill.
    pub fill_id: String,
    /// `flLeg`.
    pub leg: Option<i64>,
    /// `GuiOrdId`.
    pub tag: Option<String>,
    /// `exSeg`.
    pub segment: Segment,
    /// `trdSym`.
    pub trading_symbol: String,
    /// `sym`.
    pub symbol: Option<String>,
    /// `tok`; blank in the broker's sample.
    pub token: Option<String>,
    /// `trnsTp`.
    pub side: Side,
    /// `fldQty`: of this fill.
    pub quantity: u32,
    /// `avgPrc`: the price of this fill.
    pub price: Amount,
    /// `prcTp`.
    pub order_type: Option<OrderType>,
    /// `prod`.
    pub product: Product,
    /// `flDt` and `flTm`.
    pub fill_time: Option<i64>,
    /// `exTm`.
    pub exchange_time: Option<i64>,
    /// `boeSec`.
    pub broker_time: Option<i64>,
    /// `updRecvTm`, in unix nanoseconds.
    pub updated_ns: Option<i64>,
}

impl TradeRow {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            order_no: row.required_order_no("nOrdNo")?,
            exchange_order_id: row.text("exOrdId")?,
            fill_id: row.required_text("flId")?,
            leg: row.whole("flLeg")?,
            tag: row.text("GuiOrdId")?,
            segment: Segment::from_wire(&row.required_text("exSeg")?),
            trading_symbol: row.required_text("trdSym")?,
            symbol: row.text("sym")?,
            token: row.text("tok")?,
            side: row.required_side("trnsTp")?,
            quantity: row.required_quantity("fldQty")?,
            price: row.required_amount("avgPrc")?,
            order_type: row.text("prcTp")?.map(|text| OrderType::from_wire(&text)),
            product: Product::from_wire(&row.required_text("prod")?),
            fill_time: fill_time(&row)?,
            exchange_time: row.ist_time(&["exTm"])?,
            broker_time: row.epoch("boeSec")?,
            updated_ns: row.epoch("updRecvTm")?,
        })
    }
}

fn fill_time(row: &Fields<'_>) -> Result<Option<i64>, RowError> {
    let (Some(date), Some(time_of_day)) = (row.text("flDt")?, row.text("flTm")?) else { return Ok(None) };
    Ok(time::ist_text(&format!("{date} {time_of_day}")))
}
