//! Order calls in the wire's words, checked against the day's scrip master.
//!
//! What the broker is known to refuse, or the master forbids, is refused here, before anything is sent. The
//! codes begin with `local:`.

use broker::{CancelCall, ModifyCall, PlaceCall, SendError};
use kotak_neo::orders::{CancelOrder, ModifyOrder, PlaceOrder};
use kotak_neo::{
    Amount, OrderNumber, OrderType as WireType, Product as WireProduct, Side as WireSide,
    Validity as WireValidity,
};
use model::{OrderTerms, OrderType, Price, Product, Side, Validity};

use crate::directory::Listing;

/// A refusal by a rule of this adapter: nothing was sent.
pub(crate) fn refused_here(rule: &str, reason: String) -> SendError {
    SendError::Refused { code: format!("local:{rule}"), reason }
}

/// Form, tick, lot, freeze quantity and band. A band of which nothing is known holds nothing back.
fn check(
    terms: &OrderTerms,
    price: Price,
    quantity: model::Quantity,
    listing: &Listing,
) -> Result<(), SendError> {
    let instrument = &listing.instrument;
    if terms.order_type == OrderType::StopMarket {
        return Err(refused_here(
            "stop-market",
            "the broker rejects SL-M orders by API (\"Market order with Algo Id not allowed\"); use a stop order with a limit beyond the trigger".to_owned(),
        ));
    }
    if quantity.is_zero() {
        return Err(refused_here("quantity", "an order is for at least one share".to_owned()));
    }
    if instrument.lot.get() > 1 && !quantity.get().is_multiple_of(instrument.lot.get()) {
        return Err(refused_here(
            "lot",
            format!("{quantity} is not a multiple of the lot of {}", instrument.lot),
        ));
    }
    if !instrument.freeze.is_zero() && quantity > instrument.freeze {
        return Err(refused_here(
            "freeze-quantity",
            format!("{quantity} is above the freeze quantity of {}: split the order", instrument.freeze),
        ));
    }
    let limit = matches!(terms.order_type, OrderType::Limit | OrderType::StopLimit);
    if limit && !price.is_positive() {
        return Err(refused_here("price", "a limit order needs a price above zero".to_owned()));
    }
    let (low, high) = instrument.band;
    for price in limit.then_some(price).into_iter().chain(terms.trigger) {
        if !instrument.tick.allows(price) {
            return Err(refused_here(
                "tick",
                format!("{price} is off the tick of {}", instrument.tick.step()),
            ));
        }
        if high.is_positive() && !(low <= price && price <= high) {
            return Err(refused_here("band", format!("{price} is outside of today's band, {low} to {high}")));
        }
    }
    Ok(())
}

const fn amount(price: Price) -> Amount {
    Amount::from_units(price.units())
}

const fn wire_type(order_type: OrderType) -> WireType {
    match order_type {
        OrderType::Limit => WireType::Limit,
        OrderType::Market => WireType::Market,
        OrderType::StopLimit => WireType::StopLimit,
        OrderType::StopMarket => WireType::StopMarket,
    }
}

const fn wire_product(product: Product) -> WireProduct {
    match product {
        Product::Delivery => WireProduct::Cnc,
        Product::Intraday => WireProduct::Mis,
    }
}

const fn wire_side(side: Side) -> WireSide {
    match side {
        Side::Buy => WireSide::Buy,
        Side::Sell => WireSide::Sell,
    }
}

const fn wire_validity(validity: Validity) -> WireValidity {
    match validity {
        Validity::Day => WireValidity::Day,
        Validity::Ioc => WireValidity::Ioc,
    }
}

/// Zero where there is none: the wire refuses a blank (facts 2.1).
fn trigger(terms: &OrderTerms) -> Amount {
    terms.trigger.map_or(Amount::ZERO, amount)
}

pub(crate) fn place(call: &PlaceCall, listing: &Listing) -> Result<PlaceOrder, SendError> {
    let terms = &call.terms;
    check(terms, terms.price, terms.quantity, listing)?;
    Ok(PlaceOrder {
        segment: listing.segment.clone(),
        trading_symbol: listing.trading_symbol.clone(),
        side: wire_side(terms.side),
        quantity: terms.quantity.get(),
        order_type: wire_type(terms.order_type),
        price: amount(terms.price),
        trigger: trigger(terms),
        product: wire_product(terms.product),
        validity: wire_validity(terms.validity),
        amo: terms.amo,
        disclosed_quantity: 0,
        // The broker protects a market order by a limit of its own (facts 5): it can rest.
        market_protection: 0,
        tag: Some(call.tag.as_str().to_owned()),
    })
}

pub(crate) fn modify(call: &ModifyCall, listing: &Listing, queued: bool) -> Result<ModifyOrder, SendError> {
    let terms = &call.terms;
    check(terms, call.price, call.total_quantity, listing)?;
    Ok(ModifyOrder {
        order_no: number(&call.broker_id)?,
        price: amount(call.price),
        order_type: wire_type(terms.order_type),
        quantity: call.total_quantity.get(),
        validity: wire_validity(terms.validity),
        trigger: trigger(terms),
        amo: queued,
        disclosed_quantity: 0,
        market_protection: 0,
        token: Some(listing.token.clone()),
        product: wire_product(terms.product),
        trading_symbol: listing.trading_symbol.clone(),
        side: wire_side(terms.side),
        segment: listing.segment.clone(),
        filled_quantity: None,
    })
}

/// By the documents a queued order is cancelled with its trading symbol (facts 2.3); no SDK sends it.
pub(crate) fn cancel(call: &CancelCall, listing: Option<&Listing>) -> Result<CancelOrder, SendError> {
    let trading_symbol = listing.filter(|_| call.amo).map(|listing| listing.trading_symbol.clone());
    Ok(CancelOrder { order_no: number(&call.broker_id)?, amo: call.amo, trading_symbol })
}

fn number(id: &model::BrokerOrderId) -> Result<OrderNumber, SendError> {
    OrderNumber::new(id.as_str()).map_err(|error| refused_here("order-number", error.to_string()))
}
