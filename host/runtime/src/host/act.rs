//! `buying`, `selling`, `cancelling`: what changes the world.
//!
//! The side is the interface's, never the request's: a component without `selling` has no words to
//! sell with. The order itself lives at the desk; dropping the future here loses only the answer.

use model::{
    ModifyRequest, OrderError, OrderId, PlaceRequest, Placed, Price, Quantity, Side, Symbol, Timestamp,
};

use super::{Host, answer, cut};
use crate::bindings::tradeagent::strategy::{buying, cancelling, selling, types};
use crate::convert;

/// A longer key is denied: it would have to be stored with the order.
const KEY_BYTES: usize = 128;
/// No exchange has longer symbols.
const SYMBOL_BYTES: usize = 64;
/// Longer reasons are cut.
const REASON_BYTES: usize = 1_000;

type Answer = wasmtime::Result<Result<types::Placed, types::OrderError>>;

impl buying::Host for Host {
    async fn place(&mut self, request: types::OrderRequest) -> Answer {
        self.enter()?;
        answer(self.send_order(Side::Buy, request).await)
    }

    async fn modify(&mut self, order: String, key: String, price: i64, total_quantity: u32) -> Answer {
        self.enter()?;
        answer(self.send_change(Side::Buy, &order, key, price, total_quantity).await)
    }
}

impl selling::Host for Host {
    async fn place(&mut self, request: types::OrderRequest) -> Answer {
        self.enter()?;
        answer(self.send_order(Side::Sell, request).await)
    }

    async fn modify(&mut self, order: String, key: String, price: i64, total_quantity: u32) -> Answer {
        self.enter()?;
        answer(self.send_change(Side::Sell, &order, key, price, total_quantity).await)
    }
}

impl cancelling::Host for Host {
    async fn cancel(&mut self, order: String, reason: String) -> Answer {
        self.enter()?;
        answer(self.send_cancel(&order, reason).await)
    }
}

impl Host {
    async fn send_order(&mut self, side: Side, request: types::OrderRequest) -> Result<Placed, OrderError> {
        let terms = convert::terms(&request, side);
        check_text("key", &request.key, KEY_BYTES)?;
        check_text("symbol", &request.symbol, SYMBOL_BYTES)?;
        check_size(terms.price, terms.quantity)?;
        check_size(terms.trigger.unwrap_or_default(), terms.quantity)?;
        self.grants.check_symbol(&terms.symbol)?;
        if self.grants.max_order_value.is_some() {
            let reference = self.reference(&terms.symbol, terms.price, terms.trigger).await?;
            self.grants.check_value(terms.value(reference))?;
        }
        let request = PlaceRequest {
            key: request.key,
            terms,
            send_by: request.send_by.map(Timestamp::from_nanos),
            reason: cut(request.reason, REASON_BYTES),
        };
        self.services.place(self.origin(), request).await
    }

    async fn send_change(
        &mut self,
        side: Side,
        order: &str,
        key: String,
        price: i64,
        total: u32,
    ) -> Result<Placed, OrderError> {
        let (price, total_quantity) = (Price::from_units(price), Quantity::new(total));
        let id = parse(order)?;
        check_text("key", &key, KEY_BYTES)?;
        check_size(price, total_quantity)?;
        self.check_order(order)?;
        self.grants.check_value(price * total_quantity)?;
        let request = ModifyRequest { order: id, key, side, price, total_quantity };
        self.services.modify(self.origin(), request).await
    }

    async fn send_cancel(&mut self, order: &str, reason: String) -> Result<Placed, OrderError> {
        let id = parse(order)?;
        self.check_order(order)?;
        self.services
            .cancel(self.origin(), id, self.grants.role.cancels_stale_orders(), cut(reason, REASON_BYTES))
            .await
    }

    /// Denies an order in a symbol that is not granted.
    fn check_order(&self, order: &str) -> Result<(), OrderError> {
        if self.grants.symbols.is_none() {
            return Ok(());
        }
        let view = self
            .services
            .order(self.origin(), order)
            .map_err(|error| OrderError::Denied { rule: "no-such-order", reason: error.to_string() })?;
        self.grants.check_symbol(&view.terms.symbol)
    }

    /// The price at which an order without a limit is valued: the trigger, else the last price.
    async fn reference(
        &mut self,
        symbol: &Symbol,
        limit: Price,
        trigger: Option<Price>,
    ) -> Result<Price, OrderError> {
        if limit.is_positive() {
            return Ok(limit);
        }
        if let Some(trigger) = trigger {
            return Ok(trigger);
        }
        let quote = self.services.quote(symbol).await.map_err(|error| OrderError::Denied {
            rule: "granted-order-value",
            reason: format!("a market order in {symbol} cannot be valued: {error}"),
        })?;
        Ok(quote.last)
    }
}

fn parse(order: &str) -> Result<OrderId, OrderError> {
    OrderId::parse(order).ok_or_else(|| OrderError::Denied {
        rule: "no-such-order",
        reason: format!("`{order}` is not the number of an order of this host"),
    })
}

fn check_text(what: &'static str, text: &str, limit: usize) -> Result<(), OrderError> {
    if text.is_empty() || text.len() > limit {
        let reason = format!("the {what} has {} bytes; it needs 1 to {limit}", text.len());
        return Err(OrderError::Denied { rule: "malformed-request", reason });
    }
    Ok(())
}

/// Denies a value that no order can have, before anyone multiplies it.
fn check_size(price: Price, quantity: Quantity) -> Result<(), OrderError> {
    let value = price.units().checked_mul(i64::from(quantity.get()));
    if price.units() < 0 || value.is_none() {
        let reason = format!("{quantity} shares at {price} cannot be an order");
        return Err(OrderError::Denied { rule: "malformed-request", reason });
    }
    Ok(())
}
