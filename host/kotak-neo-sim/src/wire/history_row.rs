//! A row of an order's history (facts 2.5): other names than in the order book.

use serde_json::{Value, json};

use crate::core::Core;
use crate::orders::{Step, Tracked};
use crate::universe::segment_of;

use super::time;

/// The rows of `order`, newest first.
pub(crate) fn history_rows(core: &Core<'_>, order: &Tracked) -> Vec<Value> {
    order.steps.iter().enumerate().rev().map(|(at, step)| row(core, order, step, at)).collect()
}

fn row(core: &Core<'_>, order: &Tracked, step: &Step, at: usize) -> Value {
    let terms = &order.row.terms;
    let confirmed = !order.refused && !WAITING.contains(&step.status.as_str());
    let number = if confirmed { format!("11{:0>14}", order.row.broker_id.as_str()) } else { "NA".to_owned() };
    let exchange = if segment_of(&terms.symbol) == "bse_cm" { "BSE" } else { "NSE" };
    let shown_at = core.shown(step.at);
    let lot = core.instrument(&terms.symbol).map_or(1, |known| known.lot.get());
    json!({
        "nOrdNo": order.row.broker_id.as_str(),
        "nReqId": "1",
        "exch": exchange,
        "exSeg": segment_of(&terms.symbol),
        "exchOrdId": number,
        "exchTmstp": if confirmed { time::long(shown_at) } else { "--".to_owned() },
        "flDtTm": time::long(shown_at),
        "trdSym": order.asked.trading_symbol,
        "scripName": if at == 0 { String::new() } else { order.asked.trading_symbol.clone() },
        "tok": core.universe.token(&terms.symbol),
        "trnsTp": super::side(terms.side),
        "prcTp": order.asked.price_type,
        "prod": order.asked.product,
        "ordDur": order.asked.validity,
        "prc": step.price.to_string(),
        "trgPrc": terms.trigger.unwrap_or_default().to_string(),
        "avgPrc": step.average.to_string(),
        "qty": step.quantity.get(),
        "fldQty": step.filled.get(),
        "unFldSz": step.quantity.saturating_sub(step.filled).get(),
        "dclQty": order.asked.disclosed.to_string(),
        "brdLtQty": lot,
        "ordSt": step.status,
        "rejRsn": if step.reason.is_empty() { "--" } else { &step.reason },
        "cstFrm": "C",
        "legOrdInd": "NA",
        "ordUsrMsg": "NA",
        "mktPro": "0",
        "GuiOrdId": order.shown_tag,
        "ordGenTp": if order.amo { "AMO" } else { "NA" },
    })
}

/// Statuses before the exchange has confirmed anything.
const WAITING: [&str; 6] = [
    "put order req received",
    "validation pending",
    "open pending",
    "after market order req received",
    "modify after market order req received",
    "cancelled after market order",
];
