//! A position.

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::words::{Product, Segment};

/// A position of the day (facts 2.7); quantities are units, in F&O too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionRow {
    /// `exSeg`.
    pub segment: Segment,
    /// `trdSym`.
    pub trading_symbol: String,
    /// `sym`.
    pub symbol: Option<String>,
    /// `tok`.
    pub token: Option<String>,
    /// `prod`.
    pub product: Product,
    /// `series`.
    pub series: Option<String>,
    /// `cfBuyQty`: bought on earlier days.
    pub carried_buy_quantity: i64,
    /// `cfSellQty`: sold on earlier days.
    pub carried_sell_quantity: i64,
    /// `flBuyQty`: bought today.
    pub filled_buy_quantity: i64,
    /// `flSellQty`: sold today.
    pub filled_sell_quantity: i64,
    /// `cfBuyAmt`; zero where the wire gives none, as with the other amounts.
    pub carried_buy_amount: Amount,
    /// `cfSellAmt`.
    pub carried_sell_amount: Amount,
    /// `buyAmt`.
    pub filled_buy_amount: Amount,
    /// `sellAmt`.
    pub filled_sell_amount: Amount,
    /// `lotSz`.
    pub lot: Option<u32>,
    /// `multiplier`, as text: the factor of facts 2.7 is made of it and the four below.
    pub multiplier: Option<String>,
    /// `genNum`.
    pub general_numerator: Option<String>,
    /// `genDen`.
    pub general_denominator: Option<String>,
    /// `prcNum`.
    pub price_numerator: Option<String>,
    /// `prcDen`.
    pub price_denominator: Option<String>,
    /// `stkPrc`.
    pub strike: Option<Amount>,
    /// `optTp`.
    pub option_type: Option<String>,
    /// `exp`, in unix seconds.
    pub expiry: Option<i64>,
    /// `ltp`, on the v2 path only; 0 there means "not known" (facts 2.7) and is `None` here.
    pub last_price: Option<Amount>,
    /// `updRecvTm`, in unix nanoseconds.
    pub updated_ns: Option<i64>,
}

impl PositionRow {
    /// What is held: bought less sold; below zero is short. `None` if it does not fit an `i64`.
    pub fn net_quantity(&self) -> Option<i64> {
        let bought = self.carried_buy_quantity.checked_add(self.filled_buy_quantity)?;
        let sold = self.carried_sell_quantity.checked_add(self.filled_sell_quantity)?;
        bought.checked_sub(sold)
    }

    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            segment: Segment::from_wire(&row.required_text("exSeg")?),
            trading_symbol: row.required_text_of(&["trdSym", "sym"])?,
            symbol: row.text("sym")?,
            token: row.text("tok")?,
            product: Product::from_wire(&row.required_text("prod")?),
            series: row.text("series")?,
            carried_buy_quantity: row.whole_present("cfBuyQty")?,
            carried_sell_quantity: row.whole_present("cfSellQty")?,
            filled_buy_quantity: row.whole_present("flBuyQty")?,
            filled_sell_quantity: row.whole_present("flSellQty")?,
            carried_buy_amount: row.amount_or_zero("cfBuyAmt")?,
            carried_sell_amount: row.amount_or_zero("cfSellAmt")?,
            filled_buy_amount: row.amount_or_zero("buyAmt")?,
            filled_sell_amount: row.amount_or_zero("sellAmt")?,
            lot: row.quantity("lotSz")?,
            multiplier: row.text("multiplier")?,
            general_numerator: row.text("genNum")?,
            general_denominator: row.text("genDen")?,
            price_numerator: row.text("prcNum")?,
            price_denominator: row.text("prcDen")?,
            strike: row.amount("stkPrc")?,
            option_type: row.text("optTp")?,
            expiry: row.epoch("exp")?,
            last_price: row.amount("ltp")?.filter(|price| *price > Amount::ZERO),
            updated_ns: row.epoch("updRecvTm")?,
        })
    }
}
