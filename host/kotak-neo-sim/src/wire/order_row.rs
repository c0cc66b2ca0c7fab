//! A row of the order book (facts 2.4).

use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::orders::{Shown, Tracked};
use crate::universe::{plain, segment_of};

use super::time;

/// The row of `order`, in the state `shown`.
pub(crate) fn order_row(core: &Core<'_>, order: &Tracked, shown: &Shown) -> Value {
    let mut row = Map::new();
    for part in [
        identity(core, order),
        instrument(core, order),
        terms(order, shown),
        state(order, shown),
        times(core, order),
    ] {
        if let Value::Object(fields) = part {
            row.extend(fields);
        }
    }
    Value::Object(row)
}

/// The exchange's number: none while the order has not reached it.
pub(crate) fn exchange_number(order: &Tracked, shown: &Shown) -> String {
    let queued = order.row.status == model::Status::QueuedAmo;
    if order.refused || queued || shown.status == "put order req received" {
        "NA".to_owned()
    } else {
        format!("11{:0>14}", order.row.broker_id.as_str())
    }
}

fn identity(core: &Core<'_>, order: &Tracked) -> Value {
    let ucc = &core.config.credentials.ucc;
    json!({
        "nOrdNo": order.row.broker_id.as_str(),
        "GuiOrdId": order.shown_tag,
        "reqId": "1",
        "actId": ucc,
        "usrId": ucc,
        "ordSrc": order.asked.source,
        "vendorCode": "",
        "algId": "NA",
        "algCat": "NA",
        "algSeqNo": "NA",
        "strategyCode": "NA",
        "locId": "111111111111100",
        "symOrdId": "NA",
        "appInstlId": "NA",
        "ordModNo": "0",
    })
}

fn instrument(core: &Core<'_>, order: &Tracked) -> Value {
    let symbol = &order.row.terms.symbol;
    let known = core.instrument(symbol);
    let series = known.as_ref().map_or_else(|| "EQ".to_owned(), |known| known.series.0.clone());
    let lot = known.as_ref().map_or(1, |known| known.lot.get());
    let tick = known.map_or_else(|| "0.0500".to_owned(), |known| four(known.tick.step()));
    json!({
        "trdSym": order.asked.trading_symbol,
        "sym": plain(symbol),
        "tok": core.universe.token(symbol),
        "exSeg": segment_of(symbol),
        "series": series,
        "it": "EQ",
        "optTp": "XX",
        "stkPrc": "0.00",
        "expDt": "NA",
        "expDtSsb": "--",
        "lotSz": lot.to_string(),
        "brdLtQty": lot.to_string(),
        "tckSz": tick,
        "multiplier": "1",
        "precision": "2",
        "genNum": "1",
        "genDen": "1",
        "prcNum": "1",
        "prcDen": "1",
    })
}

/// `0.0100`.
fn four(price: model::Price) -> String {
    format!("{}.{:04}", price.units() / 10_000, price.units() % 10_000)
}

fn terms(order: &Tracked, shown: &Shown) -> Value {
    let terms = &order.row.terms;
    // A market order stands in the book as the limit that it became.
    let price_type = if order.asked.price_type == "MKT" { "L" } else { &order.asked.price_type };
    json!({
        "trnsTp": super::side(terms.side),
        "prcTp": price_type,
        "prod": order.asked.product,
        "prc": terms.price.to_string(),
        "trgPrc": terms.trigger.unwrap_or_default().to_string(),
        "avgPrc": shown.average.to_string(),
        "qty": terms.quantity.get(),
        "fldQty": shown.filled.get(),
        "unFldSz": terms.quantity.saturating_sub(shown.filled).saturating_sub(shown.cancelled).get(),
        "cnlQty": shown.cancelled.get(),
        "dscQty": order.asked.disclosed,
        "minQty": 0,
        "refLmtPrc": 0,
        "coPct": 0,
        "vldt": order.asked.validity,
        "ordGenTp": if order.amo { "AMO" } else { "NA" },
        "mktPro": "0",
        "mktProPct": "--",
        "mktProFlg": "0",
        "noMktProFlg": "0",
        "defMktProV": "0",
        "classification": "0",
    })
}

fn state(order: &Tracked, shown: &Shown) -> Value {
    let reason = if shown.reason.is_empty() { "--" } else { &shown.reason };
    json!({
        "exOrdId": exchange_number(order, shown),
        "ordSt": shown.status,
        "stat": shown.status,
        "rejRsn": reason,
        "rmk": "--",
        "rptTp": "NA",
        "mfdBy": "NA",
        "ordAutSt": "NA",
        "odCrt": "NA",
        "ordValDt": "NA",
        "exUsrInfo": "NA",
        "brkClnt": "--",
        "sipInd": "NA",
    })
}

fn times(core: &Core<'_>, order: &Tracked) -> Value {
    let placed = core.shown(order.row.at);
    let last = order.steps.last().map_or(placed, |step| core.shown(step.at));
    let confirmed = if order.refused { "--".to_owned() } else { time::long(last) };
    json!({
        "ordDtTm": time::long(placed),
        "ordEntTm": time::long(placed),
        "exCfmTm": confirmed,
        "hsUpTm": time::slashed(last),
        "boeSec": time::seconds(last),
        "uSec": time::seconds(last).to_string(),
        "updRecvTm": last.nanos(),
    })
}
