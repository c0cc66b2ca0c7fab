//! The books that a client reads: orders, one order, history, trades.

use std::collections::BTreeMap;

use model::BrokerOrderId;
use serde_json::Value;

use crate::core::Core;
use crate::reply::Reply;
use crate::wire;

use super::shown::{Shown, shown};
use super::sync::discover;
use super::trades::wire_trades;

/// The orders that may be seen: those of the exchange's book, and refused ones of the same session, by
/// number.
pub(crate) fn of_today(core: &mut Core<'_>) -> Vec<(BrokerOrderId, Shown)> {
    discover(core);
    let session = core.book_session();
    let mut ids: BTreeMap<BrokerOrderId, ()> =
        core.exchange.orders().into_iter().map(|row| (row.broker_id, ())).collect();
    let refused =
        core.state.orders.orders.iter().filter(|(_, order)| order.refused && order.row.session >= session);
    ids.extend(refused.map(|(id, _)| (id.clone(), ())));
    ids.into_keys()
        .filter_map(|id| {
            let order = core.state.orders.orders.get(&id).filter(|order| !order.is_hidden(core.now))?;
            let state = shown(order, core.exchange, core.now);
            Some((id, state))
        })
        .collect()
}

/// `user/orders`.
pub(crate) fn order_book(core: &mut Core<'_>) -> Reply {
    let rows = of_today(core);
    let rows = rows.iter().filter_map(|(id, shown)| row(core, id, shown)).collect();
    wire::book("Ok", rows, core.config.empty_book)
}

/// `user/orders/<number>`.
pub(crate) fn one_order(core: &mut Core<'_>, number: &str) -> Reply {
    let rows = of_today(core);
    let mine = rows.iter().filter(|(id, _)| id.as_str() == number);
    let rows = mine.filter_map(|(id, shown)| row(core, id, shown)).collect();
    wire::book("Ok", rows, core.config.empty_book)
}

fn row(core: &Core<'_>, id: &BrokerOrderId, shown: &Shown) -> Option<Value> {
    let order = core.state.orders.orders.get(id)?;
    Some(wire::order_row::order_row(core, order, shown))
}

/// `order/history`: newest first.
pub(crate) fn history(core: &mut Core<'_>, number: &str) -> Reply {
    discover(core);
    let order = core.state.orders.orders.get(number).filter(|order| !order.is_hidden(core.now));
    let rows = order.map(|order| wire::history_row::history_rows(core, order)).unwrap_or_default();
    wire::book("Ok", rows, core.config.empty_book)
}

/// `user/trades`: one row a fill; every row twice when `doubled`.
pub(crate) fn trade_book(core: &mut Core<'_>, doubled: bool) -> Reply {
    discover(core);
    let trades = wire_trades(core.exchange, &core.state.orders, core.book_session(), core.now);
    let mut rows = Vec::with_capacity(trades.len());
    for trade in &trades {
        let row = wire::trade_row::trade_row(core, trade);
        if doubled {
            rows.push(row.clone());
        }
        rows.push(row);
    }
    wire::book("ok", rows, core.config.empty_book)
}
