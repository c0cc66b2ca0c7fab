//! What happened at the exchange is told: rows of history, frames of the feed.
//!
//! After every passing of time and every order call the orders that may have changed are compared with
//! what was told of them last.

use broker::BrokerOrder;
use model::{BrokerOrderId, Status, Timestamp};

use crate::core::Core;
use crate::wire;

use super::shown::{Shown, shown};
use super::table::{Asked, Spoiled, Tracked};
use super::trades::parts_of;

/// The steps of an order on its way to the exchange.
const WALK: [&str; 3] = ["put order req received", "validation pending", "open pending"];

/// Tells what changed since the last time.
pub(crate) fn sync(core: &mut Core<'_>) {
    let live: Vec<BrokerOrderId> = core.state.orders.live.iter().cloned().collect();
    for id in live {
        let before = core.state.orders.orders.get(&id).map(|order| order.row.status.clone());
        refresh(core, &id);
        let Some(order) = core.state.orders.orders.get(&id) else { continue };
        let released = before == Some(Status::QueuedAmo) && order.row.status != Status::QueuedAmo;
        if released && !order.ended_in_queue {
            walk(core, &id);
        }
        tell(core, &id);
    }
}

/// The first rows of a new order.
pub(super) fn first_steps(core: &mut Core<'_>, id: &BrokerOrderId) {
    let Some(order) = core.state.orders.orders.get(id) else { return };
    if order.row.status != Status::QueuedAmo {
        walk(core, id);
    }
    tell(core, id);
}

/// The rows of a change that was taken.
pub(super) fn changed(core: &mut Core<'_>, id: &BrokerOrderId, queued: bool) {
    refresh(core, id);
    if !queued {
        for status in ["modify pending", "modify validation pending", "modified"] {
            step(core, id, status);
        }
    }
    if let Some(order) = core.state.orders.get_mut(id.as_str()) {
        // Even where nothing but the price changed there is something to tell.
        order.told = None;
    }
    tell(core, id);
}

/// The rows of a cancellation that was taken.
pub(super) fn cancelled(core: &mut Core<'_>, id: &BrokerOrderId) {
    let queued = core.state.orders.orders.get(id).is_some_and(|order| order.row.status == Status::QueuedAmo);
    if !queued {
        step(core, id, "cancel pending");
    }
    refresh(core, id);
    tell(core, id);
}

/// Takes in orders of the exchange that did not come through here: square-offs by the broker, another
/// front end.
pub(crate) fn discover(core: &mut Core<'_>) {
    let rows = core.exchange.orders();
    for row in rows {
        if core.state.orders.orders.contains_key(&row.broker_id) {
            continue;
        }
        let id = row.broker_id.clone();
        let tracked = foreign(core, row);
        core.state.orders.add(tracked);
        first_steps(core, &id);
    }
}

fn foreign(core: &Core<'_>, row: BrokerOrder) -> Tracked {
    let trading_symbol = core.instrument(&row.terms.symbol).map(|it| crate::universe::trading_symbol(&it));
    let product = if row.terms.product == model::Product::Intraday { "MIS" } else { "CNC" };
    let price_type = match row.terms.order_type {
        model::OrderType::Limit => "L",
        model::OrderType::Market => "MKT",
        model::OrderType::StopLimit => "SL",
        model::OrderType::StopMarket => "SL-M",
    };
    Tracked {
        asked: Asked {
            trading_symbol: trading_symbol.unwrap_or_default(),
            price_type: price_type.to_owned(),
            product: product.to_owned(),
            validity: row.terms.validity.as_str().to_ascii_uppercase(),
            disclosed: 0,
            source: "NEOWEB".to_owned(),
        },
        tag: row.tag.clone(),
        shown_tag: row.tag.clone().unwrap_or_default(),
        refused: false,
        amo: row.terms.amo,
        changed_in_queue: false,
        ended_in_queue: false,
        spoiled: Spoiled::default(),
        told: None,
        steps: Vec::new(),
        trades_told: 0,
        row,
    }
}

/// Brings the row up to what the exchange has.
fn refresh(core: &mut Core<'_>, id: &BrokerOrderId) {
    let Some(row) = core.exchange.order(id) else { return };
    if let Some(order) = core.state.orders.get_mut(id.as_str()) {
        let ended = matches!(row.status, Status::Canceled | Status::Expired);
        order.ended_in_queue |= order.row.status == Status::QueuedAmo && ended;
        order.row = row;
    }
}

/// The rows of the way to the exchange.
fn walk(core: &mut Core<'_>, id: &BrokerOrderId) {
    for status in WALK {
        step(core, id, status);
    }
    let Some(order) = core.state.orders.orders.get(id) else { return };
    // A row that is filled already when it is first seen was open before.
    if matches!(order.row.status, Status::Filled | Status::Canceled | Status::Expired) {
        step(core, id, "open");
    }
}

/// One row on the way, with no figures yet.
fn step(core: &mut Core<'_>, id: &BrokerOrderId, status: &str) {
    let now = core.now;
    let Some(order) = core.state.orders.get_mut(id.as_str()) else { return };
    let (filled, average) =
        order.told.as_ref().map_or_else(Default::default, |told| (told.filled, told.average));
    let on_the_way = Shown {
        status: status.to_owned(),
        filled,
        average,
        cancelled: Default::default(),
        reason: String::new(),
        is_final: false,
    };
    order.step(status, now, &on_the_way);
    let hidden = order.is_hidden(now);
    if !hidden {
        let frame = wire::feed::order(core, id, &on_the_way);
        core.state.feeds.publish(frame);
    }
}

/// Writes the present state down and publishes it, when it is news.
fn tell(core: &mut Core<'_>, id: &BrokerOrderId) {
    let now = core.now;
    let Some(order) = core.state.orders.orders.get(id).filter(|order| !order.is_hidden(now)) else { return };
    let state = shown(order, core.exchange, now);
    if order.told.as_ref() == Some(&state) {
        return settle(core, id, &state);
    }
    let at = if state.filled.is_zero() { now } else { last_fill(core, order).unwrap_or(now) };
    let Some(order) = core.state.orders.get_mut(id.as_str()) else { return };
    order.step(&state.status, at, &state);
    order.told = Some(state.clone());
    publish(core, id, &state);
    settle(core, id, &state);
}

fn publish(core: &mut Core<'_>, id: &BrokerOrderId, state: &Shown) {
    let Some(order) = core.state.orders.orders.get(id) else { return };
    let (doubled, told, symbol) = (order.spoiled.doubled, order.trades_told, order.row.terms.symbol.clone());
    let fills = fills_told(core, order);
    let frame = wire::feed::order(core, id, state);
    if doubled && fills > told {
        core.state.feeds.publish(frame.clone());
    }
    core.state.feeds.publish(frame);
    if fills > told {
        if let Some(frame) = wire::feed::position(core, &symbol) {
            core.state.feeds.publish(frame);
        }
        if let Some(order) = core.state.orders.get_mut(id.as_str()) {
            order.trades_told = fills;
        }
    }
}

fn fills_told(core: &Core<'_>, order: &Tracked) -> usize {
    let mine = core.exchange.all_trades().iter().filter(|trade| trade.trade.broker_id == order.row.broker_id);
    mine.flat_map(|trade| parts_of(trade, Some(order), core.now)).filter(|part| !part.repeated).count()
}

fn last_fill(core: &Core<'_>, order: &Tracked) -> Option<Timestamp> {
    let mine = core.exchange.all_trades().iter().filter(|trade| trade.trade.broker_id == order.row.broker_id);
    mine.flat_map(|trade| parts_of(trade, Some(order), core.now)).map(|part| part.at).max()
}

/// An order to which nothing can happen any more is not looked at again.
fn settle(core: &mut Core<'_>, id: &BrokerOrderId, state: &Shown) {
    if state.is_final {
        core.state.orders.live.remove(id);
    }
}
