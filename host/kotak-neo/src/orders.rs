//! What an order call says. All values are strings on the wire (facts 2.1).

use serde_json::{Map, Value};

use crate::amount::Amount;
use crate::error::Error;
use crate::order_number::OrderNumber;
use crate::words::{OrderType, Product, Segment, Side, Validity};

/// A new order (facts 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// `es`.
    pub segment: Segment,
    /// `ts`: `pTrdSymbol` of the scrip master, such as `ITBEES-EQ`.
    pub trading_symbol: String,
    /// `tt`.
    pub side: Side,
    /// `qt`: units, never lots.
    pub quantity: u32,
    /// `pt`.
    pub order_type: OrderType,
    /// `pr`: zero for market orders, above it for the others.
    pub price: Amount,
    /// `tp`: zero unless it is a stop order.
    pub trigger: Amount,
    /// `pc`.
    pub product: Product,
    /// `rt`.
    pub validity: Validity,
    /// `am`: for the next session.
    pub amo: bool,
    /// `dq`: zero shows the whole quantity.
    pub disclosed_quantity: u32,
    /// `mp`; always 0 in the broker's own client.
    pub market_protection: u32,
    /// `ig`: unique per order; comes back as [`crate::OrderRow::tag`], sometimes blank or altered (facts 6).
    pub tag: Option<String>,
}

/// A change of a working order (facts 2.2): what is sent is the union of what working clients send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifyOrder {
    /// `no`.
    pub order_no: OrderNumber,
    /// `pr`.
    pub price: Amount,
    /// `pt`.
    pub order_type: OrderType,
    /// `qt`: the new **total** quantity, filled part included.
    pub quantity: u32,
    /// `vd` (not `rt`).
    pub validity: Validity,
    /// `tp`.
    pub trigger: Amount,
    /// `am`: must be set for an order that waits for the next session.
    pub amo: bool,
    /// `dq`.
    pub disclosed_quantity: u32,
    /// `mp`.
    pub market_protection: u32,
    /// `tk`: the instrument's token.
    pub token: Option<String>,
    /// `pc`.
    pub product: Product,
    /// `ts`.
    pub trading_symbol: String,
    /// `tt`.
    pub side: Side,
    /// `es`.
    pub segment: Segment,
    /// `fq`: what is filled already.
    pub filled_quantity: Option<u32>,
}

/// A cancel of a working order (facts 2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelOrder {
    /// `on`.
    pub order_no: OrderNumber,
    /// `am`: must be set for an order that waits for the next session.
    pub amo: bool,
    /// `ts`: by the documents mandatory with [`Self::amo`].
    pub trading_symbol: Option<String>,
}

/// Where the order comes from, as the broker's own client says it.
const SOURCE: &str = "NEOTRADEAPI";
/// The longest tag that is sent (a bound of ours: facts 9 leaves the broker's open).
pub const TAG_BYTES_MAX: usize = 64;

impl PlaceOrder {
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_terms(&self.order_type, self.price, self.trigger, self.quantity, &self.trading_symbol)?;
        match &self.tag {
            Some(tag)
                if tag.is_empty()
                    || tag.len() > TAG_BYTES_MAX
                    || !tag.bytes().all(|b| b.is_ascii_graphic()) =>
            {
                Err(Error::invalid(format!("a tag is 1 to {TAG_BYTES_MAX} visible ASCII characters")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn wire(&self) -> Map<String, Value> {
        let mut map = object([
            ("am", yes_no(self.amo).to_owned()),
            ("dq", self.disclosed_quantity.to_string()),
            ("es", self.segment.to_string()),
            ("mp", self.market_protection.to_string()),
            ("os", SOURCE.to_owned()),
            ("pc", self.product.to_string()),
            ("pf", "N".to_owned()),
            ("pr", self.price.to_string()),
            ("pt", self.order_type.to_string()),
            ("qt", self.quantity.to_string()),
            ("rt", self.validity.to_string()),
            ("tp", self.trigger.to_string()),
            ("ts", self.trading_symbol.clone()),
            ("tt", self.side.to_string()),
        ]);
        insert(&mut map, "ig", self.tag.clone());
        map
    }
}

impl ModifyOrder {
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_terms(&self.order_type, self.price, self.trigger, self.quantity, &self.trading_symbol)
    }

    pub(crate) fn wire(&self) -> Map<String, Value> {
        let mut map = object([
            ("am", yes_no(self.amo).to_owned()),
            ("dd", "NA".to_owned()),
            ("dq", self.disclosed_quantity.to_string()),
            ("es", self.segment.to_string()),
            ("mp", self.market_protection.to_string()),
            ("no", self.order_no.to_string()),
            ("os", SOURCE.to_owned()),
            ("pc", self.product.to_string()),
            ("pr", self.price.to_string()),
            ("pt", self.order_type.to_string()),
            ("qt", self.quantity.to_string()),
            ("tp", self.trigger.to_string()),
            ("ts", self.trading_symbol.clone()),
            ("tt", self.side.to_string()),
            ("vd", self.validity.to_string()),
        ]);
        insert(&mut map, "tk", self.token.clone());
        insert(&mut map, "fq", self.filled_quantity.map(|quantity| quantity.to_string()));
        map
    }
}

impl CancelOrder {
    pub(crate) fn wire(&self) -> Map<String, Value> {
        let mut map = object([("am", yes_no(self.amo).to_owned()), ("on", self.order_no.to_string())]);
        insert(&mut map, "ts", self.trading_symbol.clone());
        map
    }
}

/// What would be refused for sure (facts 2.1) is not sent.
fn check_terms(
    kind: &OrderType,
    price: Amount,
    trigger: Amount,
    quantity: u32,
    symbol: &str,
) -> Result<(), Error> {
    if quantity == 0 {
        return Err(Error::invalid("the quantity is zero"));
    }
    if symbol.trim().is_empty() {
        return Err(Error::invalid("there is no trading symbol"));
    }
    if price < Amount::ZERO || trigger < Amount::ZERO {
        return Err(Error::invalid("a price is below zero"));
    }
    if matches!(kind, OrderType::Limit | OrderType::StopLimit) && price == Amount::ZERO {
        return Err(Error::invalid(format!("an order of type {kind} needs a price above zero")));
    }
    if matches!(kind, OrderType::StopLimit | OrderType::StopMarket) && trigger == Amount::ZERO {
        return Err(Error::invalid(format!("an order of type {kind} needs a trigger above zero")));
    }
    Ok(())
}

pub(crate) fn object<const N: usize>(fields: [(&str, String); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

fn insert(map: &mut Map<String, Value>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), Value::String(value));
    }
}

fn yes_no(flag: bool) -> &'static str {
    if flag { "YES" } else { "NO" }
}
