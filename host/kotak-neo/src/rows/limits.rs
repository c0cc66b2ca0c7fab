//! The account's money.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;

/// The account's limits (facts 2.9): about ninety flat fields, of which the ones in use are typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `Net`.
    pub net: Amount,
    /// `CollateralValue`.
    pub collateral_value: Option<Amount>,
    /// `Collateral`.
    pub collateral: Option<Amount>,
    /// `RmsCollateral`.
    pub rms_collateral: Option<Amount>,
    /// `AdhocMargin`.
    pub adhoc_margin: Option<Amount>,
    /// `NotionalCash`.
    pub notional_cash: Option<Amount>,
    /// `MarginUsed`.
    pub margin_used: Option<Amount>,
    /// `RmsPayInAmt`.
    pub pay_in: Option<Amount>,
    /// `RmsPayOutAmt`.
    pub pay_out: Option<Amount>,
    /// `TimeStamp`, in unix milliseconds.
    pub time_ms: Option<i64>,
    /// Every field that reads as an amount, by its name on the wire.
    pub amounts: BTreeMap<String, Amount>,
}

impl Limits {
    /// `CollateralValue` + `RmsPayInAmt` - `RmsPayOutAmt` + `Collateral`, as a third party computes the cash that
    /// can be used (facts 2.9). `None` if one of them is missing.
    pub fn available_cash(&self) -> Option<Amount> {
        let sum = self.collateral_value?.units().checked_add(self.pay_in?.units())?;
        let sum = sum.checked_sub(self.pay_out?.units())?;
        Some(Amount::from_units(sum.checked_add(self.collateral?.units())?))
    }

    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            net: row.required_amount("Net")?,
            collateral_value: row.amount("CollateralValue")?,
            collateral: row.amount("Collateral")?,
            rms_collateral: row.amount("RmsCollateral")?,
            adhoc_margin: row.amount("AdhocMargin")?,
            notional_cash: row.amount("NotionalCash")?,
            margin_used: row.amount("MarginUsed")?,
            pay_in: row.amount("RmsPayInAmt")?,
            pay_out: row.amount("RmsPayOutAmt")?,
            time_ms: row.epoch("TimeStamp")?,
            amounts: amounts(json),
        })
    }
}

fn amounts(json: &Json) -> BTreeMap<String, Amount> {
    const NOT_MONEY: [&str; 4] = ["stat", "stCode", "TimeStamp", "EntityId"];
    let Json::Object(members) = json else { return BTreeMap::new() };
    members
        .iter()
        .filter(|(name, _)| !NOT_MONEY.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.clone(), Amount::parse(value.scalar()?).ok()?)))
        .collect()
}
