//! An order is changed, or ended.

use broker::{CancelCall, ModifyCall, SendError};
use model::{BrokerOrderId, Quantity, Status};
use serde_json::json;

use crate::call::Call;
use crate::core::Core;
use crate::reply::Reply;

use super::jdata::{JData, not_ok};
use super::place::{in_the_brokers_words, market_limit};
use super::sync;

/// Changes limit and total quantity.
pub(crate) fn modify(core: &mut Core<'_>, call: &Call) -> (Reply, Option<BrokerOrderId>) {
    match try_modify(core, call) {
        Ok(id) => (Reply::ok(&json!({"nOrdNo": id.as_str(), "stat": "Ok", "stCode": 200})), Some(id)),
        Err(reply) => (reply, None),
    }
}

fn try_modify(core: &mut Core<'_>, call: &Call) -> Result<BrokerOrderId, Reply> {
    let data = JData::of(call)?;
    let id = open_order(core, &data.filled("no").unwrap_or_default())?;
    check_amo(core, &id, &data)?;
    let known = core.state.orders.orders[&id].row.terms.clone();
    let total_quantity: Quantity =
        data.quantity("qt").ok_or_else(|| not_ok(200, 1009, "please provide valid quantity", "Not_Ok"))?;
    let price_type = data.filled("pt").unwrap_or_default();
    let stop = matches!(price_type.as_str(), "SL" | "SL-M");
    if stop != known.trigger.is_some() || price_type == "SL-M" {
        return Err(not_ok(200, 1002, "invalid input: pt cannot become another kind of order", "Not_Ok"));
    }
    if stop && data.price("tp") != known.trigger {
        return Err(not_ok(200, 1002, "invalid input: this simulator does not move a trigger", "Not_Ok"));
    }
    let price = match price_type.as_str() {
        "MKT" => market_limit(core, &known.symbol, known.side)?,
        _ => data
            .price("pr")
            .filter(|price| price.is_positive())
            .ok_or_else(|| not_ok(200, 1009, "please provide valid price", "Not_Ok"))?,
    };
    let change = ModifyCall { broker_id: id.clone(), price, total_quantity, terms: known.clone() };
    let done = core.exchange.modify(&change);
    let instrument = core.instrument(&known.symbol);
    done.map_err(|error| refusal(&error, instrument.as_ref()))?;
    let queued = core.exchange.order(&id).is_some_and(|row| row.status == Status::QueuedAmo);
    if let Some(order) = core.state.orders.get_mut(id.as_str()) {
        order.changed_in_queue |= queued;
        order.asked.price_type = price_type;
    }
    sync::changed(core, &id, queued);
    Ok(id)
}

/// Ends an order.
pub(crate) fn cancel(core: &mut Core<'_>, call: &Call) -> (Reply, Option<BrokerOrderId>) {
    match try_cancel(core, call) {
        Ok(id) => (Reply::ok(&json!({"nOrdNo": id.as_str(), "stat": "Ok", "stCode": 200})), Some(id)),
        Err(reply) => (reply, None),
    }
}

fn try_cancel(core: &mut Core<'_>, call: &Call) -> Result<BrokerOrderId, Reply> {
    let data = JData::of(call)?;
    let id = open_order(core, &data.filled("on").unwrap_or_default())?;
    check_amo(core, &id, &data)?;
    if core.config.strict && data.flag("am") && data.filled("ts").is_none() {
        return Err(not_ok(200, 1002, "invalid input: ts is mandatory when am is YES", "Not_Ok"));
    }
    let call = CancelCall { broker_id: id.clone(), amo: data.flag("am"), symbol: None };
    let done = core.exchange.cancel(&call);
    done.map_err(|error| refusal(&error, None))?;
    sync::cancelled(core, &id);
    Ok(id)
}

/// The order, if something can still happen to it.
fn open_order(core: &Core<'_>, number: &str) -> Result<BrokerOrderId, Reply> {
    let id = BrokerOrderId::from(number);
    let row = core.exchange.order(&id);
    let known = row.is_some() || core.state.orders.orders.contains_key(&id);
    if !known || number.is_empty() {
        return Err(not_ok(200, 1010, "order not found", NUMBER));
    }
    let open = row.is_some_and(|row| !row.status.is_final());
    // An order that somebody else placed at the exchange is in the table as soon as a book was read.
    if open && core.state.orders.orders.contains_key(&id) { Ok(id) } else { Err(completed()) }
}

const NUMBER: &str = "please provide valid order number";

fn completed() -> Reply {
    not_ok(200, 1021, "order is completed", NUMBER)
}

/// A queued after-market order is changed and ended as one: with `am` (facts 5).
fn check_amo(core: &Core<'_>, id: &BrokerOrderId, data: &JData) -> Result<(), Reply> {
    let queued = core.state.orders.orders[id].row.status == Status::QueuedAmo;
    if queued && !data.flag("am") {
        return Err(not_ok(200, 1002, "invalid input: am must be YES for an after market order", "Not_Ok"));
    }
    Ok(())
}

/// Table A of facts 3.3: 1004 funds and limits, 1008 market closed, 1006 could not be processed.
fn refusal(error: &SendError, instrument: Option<&model::Instrument>) -> Reply {
    let code = match error {
        SendError::AlreadyComplete(_) => return completed(),
        SendError::Refused { code, .. } => match code.as_str() {
            "FUNDS" | "HOLDINGS" | "TRADE_TO_TRADE" => 1004,
            "PHASE" | "AMO_WINDOW" => 1008,
            _ => 1006,
        },
        _ => 1005,
    };
    not_ok(200, code, &in_the_brokers_words(error, instrument), "Not_Ok")
}
