//! The risk rules: pure decisions over what the desk knows.
//!
//! Rules come in two kinds. *Sanity and ownership* hold for every order: terms that make sense, shares
//! that the system owns, a price not wildly worse than the last one. *Caps* (value, quantity, orders a
//! day, open orders, exposure, daily loss) deny only what **increases** exposure: a sale of owned shares
//! is never held up by a cap. Unknown counts as filled in every one of them.
//!
//! Architecture invariant: [`Checked`] has no public constructor. An order that did not pass cannot be
//! turned into one, and the desk sends nothing else.

mod limits;
#[cfg(test)]
mod tests;

pub use limits::{Limits, Percent};

use crate::desk::{ModifyRequest, OrderError, PlaceRequest};
use crate::name::{StrategyName, Symbol};
use crate::order::{OrderId, OrderTerms, OrderType, Side};
use crate::price::{Money, Price, Quantity};
use crate::state::OrderState;

/// What may be done, as the rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permitted {
    /// Everything.
    All,
    /// Only what lowers exposure.
    Exits,
    /// Only cancellations.
    Cancels,
}

/// What the rules ask. Each answer is computed only when a rule needs it.
pub trait RiskView {
    /// What the switch allows.
    fn permitted(&self) -> Permitted;
    /// The last traded price.
    fn last_price(&self, symbol: &Symbol) -> Option<Price>;
    /// Orders placed on the trading day so far, by any strategy.
    fn orders_today(&self) -> u32;
    /// Orders that are not final, Unknown ones included.
    fn open_orders(&self) -> u32;
    /// Money in positions (at cost) and in buys that work or are Unknown (at their worse price).
    fn exposure(&self) -> Money;
    /// The day's loss, realised and unrealised, after charges; zero or less when there is none.
    fn daily_loss(&self) -> Money;
    /// Shares of `symbol` that the system owns and no working or Unknown sell has taken.
    fn sellable(&self, symbol: &Symbol) -> Quantity;
    /// Of those, shares that are settled on the trading day.
    fn settled_sellable(&self, symbol: &Symbol) -> Quantity;
    /// Whether shares of `symbol` must be credited before they are sold (trade-to-trade).
    fn is_trade_to_trade(&self, symbol: &Symbol) -> bool;
    /// An order of the strategy in the symbol whose outcome is not known.
    fn unresolved(&self, strategy: &StrategyName, symbol: &Symbol) -> Option<OrderId>;
}

/// A request that passed the rules. The only thing that is ever sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T>(T);

impl<T> Checked<T> {
    /// What passed.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// Gives the request back, unchecked again: for a second look after a wait.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// A rule said no; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("denied by {rule}: {reason}")]
pub struct Denied {
    /// The rule's name, such as `max-order-value`.
    pub rule: &'static str,
    /// Why, with the figures.
    pub reason: String,
}

impl Denied {
    /// `rule` denies, for `reason`.
    pub fn new(rule: &'static str, reason: impl Into<String>) -> Self {
        Self { rule, reason: reason.into() }
    }
}

impl From<Denied> for OrderError {
    fn from(denied: Denied) -> Self {
        Self::Denied { rule: denied.rule, reason: denied.reason }
    }
}

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 128;
/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 1024;

/// Checks a new order of `strategy`.
pub fn check_place(
    view: &dyn RiskView,
    limits: &Limits,
    strategy: &StrategyName,
    request: PlaceRequest,
) -> Result<Checked<PlaceRequest>, Denied> {
    let terms = &request.terms;
    switch(view, terms.side == Side::Sell)?;
    sane_key(&request.key)?;
    sane_terms(terms)?;
    if request.reason.len() > REASON_BYTES_MAX {
        return Err(Denied::new("bad-reason", format!("a reason has at most {REASON_BYTES_MAX} bytes")));
    }
    if let Some(order) = view.unresolved(strategy, &terms.symbol) {
        return Err(Denied::new(
            "unresolved-order",
            format!("the outcome of order {order} in {} is not known yet", terms.symbol),
        ));
    }
    price_distance(view, limits, terms.side, &terms.symbol, terms.price)?;
    match terms.side {
        Side::Sell => owned(view, &terms.symbol, terms.quantity)?,
        Side::Buy => {
            let value = order_value(view, limits, terms)?;
            caps(view, limits, terms.quantity, value, value)?;
            counts(view, limits)?;
        }
    }
    Ok(Checked(request))
}

/// Checks a change of `order`.
pub fn check_modify(
    view: &dyn RiskView,
    limits: &Limits,
    strategy: &StrategyName,
    order: &OrderState,
    request: ModifyRequest,
) -> Result<Checked<ModifyRequest>, Denied> {
    if order.strategy != *strategy {
        return Err(Denied::new(
            "not-own-order",
            format!("order {} belongs to {}", order.id, order.strategy),
        ));
    }
    if order.terms.side != request.side {
        return Err(Denied::new("wrong-side", format!("order {} is a {}", order.id, order.terms.side)));
    }
    let lowers = request.side == Side::Sell
        || (request.total_quantity <= order.terms.quantity && request.price <= order.terms.price);
    switch(view, lowers)?;
    sane_key(&request.key)?;
    if order.is_unresolved() {
        return Err(Denied::new(
            "unresolved-order",
            format!("the outcome of order {} is not known yet", order.id),
        ));
    }
    if !order.is_working() {
        return Err(Denied::new("not-working", format!("order {} is {}", order.id, order.status())));
    }
    if order.replacing().is_some() || order.cancelling().is_some() {
        return Err(Denied::new("change-pending", format!("a change of order {} is on its way", order.id)));
    }
    if !matches!(order.terms.order_type, OrderType::Limit | OrderType::StopLimit) {
        return Err(Denied::new(
            "no-limit",
            format!("a {} order has no limit to change", order.terms.order_type),
        ));
    }
    let changed =
        OrderTerms { price: request.price, quantity: request.total_quantity, ..order.terms.clone() };
    sane_terms(&changed)?;
    if request.total_quantity <= order.filled() {
        return Err(Denied::new(
            "bad-quantity",
            format!(
                "{} shares in all, but {} are filled: cancel the rest instead",
                changed.quantity,
                order.filled()
            ),
        ));
    }
    price_distance(view, limits, request.side, &changed.symbol, changed.price)?;
    match request.side {
        Side::Sell => {
            let more = request.total_quantity.saturating_sub(order.terms.quantity);
            if !more.is_zero() {
                owned(view, &changed.symbol, more)?;
            }
        }
        Side::Buy if lowers => {}
        Side::Buy => {
            let value = changed.price * changed.quantity;
            caps(view, limits, changed.quantity, value, value - order.terms.price * order.terms.quantity)?;
        }
    }
    Ok(Checked(request))
}

fn switch(view: &dyn RiskView, lowers_exposure: bool) -> Result<(), Denied> {
    match view.permitted() {
        Permitted::All => Ok(()),
        Permitted::Exits if lowers_exposure => Ok(()),
        Permitted::Exits => Err(Denied::new("exits-only", "the operator allows exits only")),
        Permitted::Cancels => Err(Denied::new("kill-switch", "the kill switch is on: only cancellations")),
    }
}

fn sane_key(key: &str) -> Result<(), Denied> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX || key.chars().any(char::is_control) {
        return Err(Denied::new(
            "bad-key",
            format!("a key has 1 to {KEY_BYTES_MAX} bytes and no control characters"),
        ));
    }
    Ok(())
}

fn sane_terms(terms: &OrderTerms) -> Result<(), Denied> {
    if terms.quantity.is_zero() {
        return Err(Denied::new("bad-quantity", "an order of no shares"));
    }
    let has_limit = matches!(terms.order_type, OrderType::Limit | OrderType::StopLimit);
    if has_limit && !terms.price.is_positive() {
        return Err(Denied::new(
            "bad-price",
            format!("a {} order needs a limit above zero", terms.order_type),
        ));
    }
    if !has_limit && !terms.price.is_zero() {
        return Err(Denied::new("bad-price", format!("a {} order has no limit", terms.order_type)));
    }
    let has_trigger = matches!(terms.order_type, OrderType::StopLimit | OrderType::StopMarket);
    match terms.trigger {
        Some(trigger) if has_trigger && trigger.is_positive() => {}
        None if !has_trigger => {}
        Some(_) if !has_trigger => {
            return Err(Denied::new("bad-trigger", format!("a {} order has no trigger", terms.order_type)));
        }
        _ => return Err(Denied::new("bad-trigger", "a stop order needs a trigger above zero")),
    }
    // What the sum of money cannot hold is no order.
    if terms.price.units().checked_mul(i64::from(terms.quantity.get())).is_none() {
        return Err(Denied::new("bad-price", "price times quantity is beyond any account"));
    }
    Ok(())
}

/// Only the costly side of the last price: far below for a sale, far above for a buy.
fn price_distance(
    view: &dyn RiskView,
    limits: &Limits,
    side: Side,
    symbol: &Symbol,
    price: Price,
) -> Result<(), Denied> {
    let (Some(percent), true) = (limits.max_price_distance, price.is_positive()) else { return Ok(()) };
    let Some(last) = view.last_price(symbol) else {
        // Caps deny only what increases exposure: an exit is not held up by a missing quote.
        return match side {
            Side::Sell => Ok(()),
            Side::Buy => {
                Err(Denied::new("no-last-price", format!("{symbol} has no last price to compare with")))
            }
        };
    };
    let bad = match side {
        Side::Buy => price > last.plus_bps(percent.bps()),
        Side::Sell => price < last.plus_bps(-percent.bps()),
    };
    if bad {
        return Err(Denied::new(
            "max-price-distance",
            format!("{side} at {price} is more than {percent} % from the last price {last}"),
        ));
    }
    Ok(())
}

fn owned(view: &dyn RiskView, symbol: &Symbol, quantity: Quantity) -> Result<(), Denied> {
    let free = view.sellable(symbol);
    if quantity > free {
        return Err(Denied::new(
            "not-owned",
            format!("{quantity} shares of {symbol}, but the system has {free} that no other sell has taken"),
        ));
    }
    if quantity > view.settled_sellable(symbol) && view.is_trade_to_trade(symbol) {
        return Err(Denied::new(
            "trade-to-trade",
            format!("{symbol} is trade-to-trade: its shares are sold only after they are credited"),
        ));
    }
    Ok(())
}

/// The value of a buy, when a rule asks for it.
fn order_value(view: &dyn RiskView, limits: &Limits, terms: &OrderTerms) -> Result<Money, Denied> {
    if limits.max_order_value.is_none() && limits.max_exposure.is_none() {
        return Ok(Money::ZERO);
    }
    let reference = match (terms.price.is_positive(), terms.trigger) {
        (true, _) => terms.price,
        (false, Some(trigger)) => trigger,
        (false, None) => view.last_price(&terms.symbol).ok_or_else(|| {
            Denied::new(
                "no-last-price",
                format!("the value of a market order in {} cannot be told", terms.symbol),
            )
        })?,
    };
    let units = reference.units().checked_mul(i64::from(terms.quantity.get()));
    units
        .map(Money::from_units)
        .ok_or_else(|| Denied::new("bad-price", "price times quantity is beyond any account"))
}

/// `value` is the whole order's, `added` what exposure grows by.
fn caps(
    view: &dyn RiskView,
    limits: &Limits,
    quantity: Quantity,
    value: Money,
    added: Money,
) -> Result<(), Denied> {
    if let Some(max) = limits.max_order_quantity
        && quantity > max
    {
        return Err(Denied::new(
            "max-order-quantity",
            format!("{quantity} shares, at most {max} in one order"),
        ));
    }
    if let Some(max) = limits.max_order_value
        && value > max
    {
        return Err(Denied::new("max-order-value", format!("worth {value}, at most {max} in one order")));
    }
    if let Some(max) = limits.max_exposure {
        let exposure = view.exposure();
        if exposure + added > max {
            return Err(Denied::new(
                "max-exposure",
                format!("{added} more on {exposure} in positions and open buys, at most {max}"),
            ));
        }
    }
    if let Some(max) = limits.max_daily_loss {
        let loss = view.daily_loss();
        if loss >= max {
            return Err(Denied::new(
                "max-daily-loss",
                format!("the day has lost {loss}, the limit is {max}"),
            ));
        }
    }
    Ok(())
}

fn counts(view: &dyn RiskView, limits: &Limits) -> Result<(), Denied> {
    if let Some(max) = limits.max_orders_per_day
        && view.orders_today() >= max
    {
        return Err(Denied::new("max-orders-per-day", format!("{max} orders were placed today")));
    }
    if let Some(max) = limits.max_open_orders
        && view.open_orders() >= max
    {
        return Err(Denied::new("max-open-orders", format!("{max} orders are open")));
    }
    Ok(())
}
