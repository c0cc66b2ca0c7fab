//! Frames of the order feed (facts 4.1): rows of the books, under fewer names.

use model::{BrokerOrderId, Symbol};
use serde_json::{Value, json};

use crate::core::Core;
use crate::orders::Shown;

use super::order_row::order_row;
use super::position_row::position_rows;

/// The handshake is taken.
pub(crate) fn connected() -> String {
    json!({"ak": "ok", "type": "cn", "task": "cn", "msg": "connected"}).to_string()
}

/// The session is not valid.
pub(crate) fn refused() -> String {
    json!({"ak": "nk", "type": "cn", "msg": "Authentication Failed"}).to_string()
}

/// Not a handshake.
pub(crate) fn not_understood() -> String {
    json!({"ak": "nk", "type": "failed to process request", "task": "nk", "msg": "invalid request format"})
        .to_string()
}

/// Names of an order frame.
const ORDER_FIELDS: [&str; 31] = [
    "nOrdNo",
    "exOrdId",
    "GuiOrdId",
    "actId",
    "ordSt",
    "stat",
    "avgPrc",
    "prc",
    "trgPrc",
    "qty",
    "fldQty",
    "unFldSz",
    "cnlQty",
    "dscQty",
    "trnsTp",
    "prcTp",
    "prod",
    "exSeg",
    "sym",
    "trdSym",
    "tok",
    "rejRsn",
    "ordDtTm",
    "vldt",
    "updRecvTm",
    "boeSec",
    "exCfmTm",
    "hsUpTm",
    "ordSrc",
    "ordGenTp",
    "reqId",
];

/// A frame that tells the state of an order.
pub(crate) fn order(core: &Core<'_>, id: &BrokerOrderId, shown: &Shown) -> String {
    let Some(order) = core.state.orders.orders.get(id) else { return String::new() };
    let row = order_row(core, order, shown);
    let mut data: serde_json::Map<String, Value> =
        ORDER_FIELDS.iter().map(|name| ((*name).to_owned(), row[*name].clone())).collect();
    // The feed spells limits differently.
    if data["prcTp"] == "L" {
        data.insert("prcTp".to_owned(), "LMT".into());
    }
    json!({"type": "order", "data": data}).to_string()
}

/// A frame that tells a position, if there is one in the symbol.
pub(crate) fn position(core: &Core<'_>, symbol: &Symbol) -> Option<String> {
    let token = core.universe.token(symbol);
    position_rows(core).into_iter().find(|row| row["tok"] == token.as_str()).map(frame)
}

/// A frame for every position.
pub(crate) fn positions(core: &Core<'_>) -> Vec<String> {
    position_rows(core).into_iter().map(frame).collect()
}

fn frame(row: Value) -> String {
    json!({"type": "position", "data": row}).to_string()
}
