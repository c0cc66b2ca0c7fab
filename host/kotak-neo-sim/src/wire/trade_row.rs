//! A row of the trade book (facts 2.6). Its token is empty, its `qty` 0, its `prc` empty: so it is on the
//! wire.

use serde_json::{Value, json};

use crate::core::Core;
use crate::orders::WireTrade;
use crate::universe::{plain, segment_of, trading_symbol};

use super::time;

/// The row of `trade`.
pub(crate) fn trade_row(core: &Core<'_>, trade: &WireTrade) -> Value {
    let order = core.state.orders.orders.get(&trade.order);
    let known = core.instrument(&trade.symbol);
    let series = known.as_ref().map_or_else(|| "EQ".to_owned(), |known| known.series.0.clone());
    let name = known.as_ref().map_or_else(String::new, trading_symbol);
    let lot = known.map_or(1, |known| known.lot.get());
    let product = if trade.product == model::Product::Intraday { "MIS" } else { "CNC" };
    let ucc = &core.config.credentials.ucc;
    json!({
        "nOrdNo": trade.order.as_str(),
        "exOrdId": format!("11{:0>14}", trade.order.as_str()),
        "flId": trade.trade_id,
        "flLeg": 1,
        "flDt": time::day(trade.at),
        "flTm": time::clock(trade.at),
        "exTm": time::long(trade.at),
        "fldQty": trade.quantity.get(),
        "avgPrc": trade.price.to_string(),
        "trnsTp": super::side(trade.side),
        "trdSym": order.map_or(name, |order| order.asked.trading_symbol.clone()),
        "sym": plain(&trade.symbol),
        "exSeg": segment_of(&trade.symbol),
        "prod": order.map_or_else(|| product.to_owned(), |order| order.asked.product.clone()),
        "prcTp": order.map_or("L", |order| if order.asked.price_type == "MKT" { "L" } else { &order.asked.price_type }),
        "series": series,
        "it": "EQ",
        "nReqId": "1",
        "ordDur": "NA",
        "rptTp": "fill",
        "usrId": ucc,
        "actId": ucc,
        "GuiOrdId": order.map_or("", |order| &order.shown_tag),
        "hsUpTm": time::slashed(trade.at),
        "boeSec": time::seconds(trade.at),
        "updRecvTm": trade.at.nanos(),
        "uSec": time::seconds(trade.at).to_string(),
        "tok": "",
        "qty": 0,
        "prc": "",
        "expDt": "NA",
        "optTp": "XX",
        "stkPrc": "0.00",
        "lotSz": lot.to_string(),
        "brdLtQty": lot,
        "multiplier": "1",
        "precision": "2",
        "genNum": "1",
        "genDen": "1",
        "prcNum": "1",
        "prcDen": "1",
    })
}
