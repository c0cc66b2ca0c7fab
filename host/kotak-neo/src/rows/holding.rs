//! A holding.

use crate::amount::Amount;
use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::words::Segment;

/// Shares in the depository account (facts 2.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingRow {
    /// `symbol`.
    pub symbol: String,
    /// `displaySymbol`.
    pub display_symbol: Option<String>,
    /// `exchangeSegment`.
    pub segment: Option<Segment>,
    /// `exchangeIdentifier`: the token of the scrip master and the positions.
    pub token: Option<String>,
    /// `instrumentToken`: another numbering.
    pub instrument_token: Option<String>,
    /// `instrumentType`.
    pub instrument_type: Option<String>,
    /// `quantity`.
    pub quantity: u32,
    /// `sellableQuantity`.
    pub sellable: Option<u32>,
    /// `averagePrice`.
    pub average_price: Option<Amount>,
    /// `closingPrice`.
    pub closing_price: Option<Amount>,
    /// `holdingCost`.
    pub holding_cost: Option<Amount>,
    /// `mktValue`.
    pub market_value: Option<Amount>,
}

impl HoldingRow {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            symbol: row.required_text_of(&["symbol", "displaySymbol"])?,
            display_symbol: row.text("displaySymbol")?,
            segment: row.text("exchangeSegment")?.map(|text| Segment::from_wire(&text)),
            token: row.text("exchangeIdentifier")?,
            instrument_token: row.text("instrumentToken")?,
            instrument_type: row.text("instrumentType")?,
            quantity: row.required_quantity("quantity")?,
            sellable: row.quantity("sellableQuantity")?,
            average_price: row.amount("averagePrice")?,
            closing_price: row.amount("closingPrice")?,
            holding_cost: row.amount("holdingCost")?,
            market_value: row.amount("mktValue")?,
        })
    }
}
