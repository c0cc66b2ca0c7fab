//! A row of the order book.

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::order_number::OrderNumber;
use crate::status::OrderStatus;
use crate::words::{OrderType, Product, Segment, Side, Validity};

/// An order, as the book has it (facts 2.4). All times are unix seconds unless named otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// `nOrdNo`.
    pub order_no: OrderNumber,
    /// `exOrdId`: the exchange's number, once it has one.
    pub exchange_order_id: Option<String>,
    /// `GuiOrdId`: the tag it was placed with; sometimes missing or altered (facts 6).
    pub tag: Option<String>,
    /// `ordSt`, or `stat`, which has the same text here.
    pub status: OrderStatus,
    /// `rejRsn`.
    pub reject_reason: Option<String>,
    /// `exSeg`.
    pub segment: Segment,
    /// `trdSym`.
    pub trading_symbol: String,
    /// `sym`.
    pub symbol: Option<String>,
    /// `tok`.
    pub token: Option<String>,
    /// `trnsTp`.
    pub side: Side,
    /// `prcTp`.
    pub order_type: OrderType,
    /// `prod`.
    pub product: Product,
    /// `vldt`.
    pub validity: Option<Validity>,
    /// `prc`; zero where the wire gives none.
    pub price: Amount,
    /// `trgPrc`; zero where the wire gives none.
    pub trigger: Amount,
    /// `avgPrc`: of what is filled; zero where the wire gives none, even when something is filled.
    pub average_price: Amount,
    /// `qty`.
    pub quantity: u32,
    /// `fldQty`.
    pub filled: u32,
    /// `unFldSz`.
    pub unfilled: Option<u32>,
    /// `cnlQty`.
    pub cancelled: Option<u32>,
    /// `dscQty`.
    pub disclosed: Option<u32>,
    /// `ordGenTp` is `AMO`: placed for the next session.
    pub amo: bool,
    /// `tckSz`: the instrument's tick.
    pub tick: Option<Amount>,
    /// `lotSz`.
    pub lot: Option<u32>,
    /// `algId`: appended by the broker (facts 5).
    pub algo_id: Option<String>,
    /// `ordDtTm`.
    pub order_time: Option<i64>,
    /// `ordEntTm`.
    pub entry_time: Option<i64>,
    /// `exCfmTm`.
    pub exchange_time: Option<i64>,
    /// `boeSec`.
    pub broker_time: Option<i64>,
    /// `updRecvTm`, in unix nanoseconds.
    pub updated_ns: Option<i64>,
}

impl OrderRow {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        let status = OrderStatus::from_wire(&row.required_text_of(&["ordSt", "stat"])?);
        Ok(Self {
            order_no: row.required_order_no("nOrdNo")?,
            exchange_order_id: row.text("exOrdId")?,
            tag: row.text("GuiOrdId")?,
            reject_reason: row.text("rejRsn")?,
            segment: Segment::from_wire(&row.required_text("exSeg")?),
            trading_symbol: row.required_text("trdSym")?,
            symbol: row.text("sym")?,
            token: row.text("tok")?,
            side: row.required_side("trnsTp")?,
            order_type: OrderType::from_wire(&row.required_text("prcTp")?),
            product: Product::from_wire(&row.required_text("prod")?),
            validity: row.text("vldt")?.map(|text| Validity::from_wire(&text)),
            price: row.amount_or_zero("prc")?,
            trigger: row.amount_or_zero("trgPrc")?,
            average_price: row.amount_or_zero("avgPrc")?,
            quantity: row.required_quantity("qty")?,
            filled: filled(&row, &status)?,
            unfilled: row.quantity("unFldSz")?,
            cancelled: row.quantity("cnlQty")?,
            disclosed: row.quantity("dscQty")?,
            amo: row.text("ordGenTp")?.is_some_and(|text| text.eq_ignore_ascii_case("AMO")),
            tick: row.amount("tckSz")?,
            lot: row.quantity("lotSz")?,
            algo_id: row.text("algId")?,
            order_time: row.ist_time(&["ordDtTm"])?,
            entry_time: row.ist_time(&["ordEntTm"])?,
            exchange_time: row.ist_time(&["exCfmTm"])?,
            broker_time: row.epoch("boeSec")?,
            updated_ns: row.epoch("updRecvTm")?,
            status,
        })
    }
}

/// A blank quantity is none, unless the status says that there was a fill: then it is not known.
pub(crate) fn filled(row: &Fields<'_>, status: &OrderStatus) -> Result<u32, RowError> {
    match row.quantity("fldQty")? {
        Some(filled) => Ok(filled),
        None if status.names_a_fill() || !row.has("fldQty") => {
            Err(format!("`fldQty` is missing and the order is {status}"))
        }
        None => Ok(0),
    }
}
