//! Expiries and option chain (facts 2.13; shapes by the broker's `docs/market-data-apis`). No derivative is
//! listed here, so both are empty.

use serde_json::{Value, json};

use crate::call::Call;
use crate::reply::Reply;

/// `watchlist/expiries`.
pub(crate) fn expiries(call: &Call) -> Reply {
    let Some((exchange, underlying)) = asked(call) else { return unknown() };
    Reply::ok(&json!({"exchange": exchange, "underlying": underlying, "expiries": []}))
}

/// `watchlist/option-chain`; a chain of futures has one list more.
pub(crate) fn option_chain(call: &Call) -> Reply {
    let Some((exchange, underlying)) = asked(call) else { return unknown() };
    let expiry = call.query.get("expiry");
    let common = json!({
        "mktLot": "1",
        "multiplier": "1",
        "unlSymbol": underlying,
        "exSeg": exchange,
        "expiryDt": expiry,
    });
    let mut data = json!({"common_data": common, "call": [], "put": []});
    if call.query.get("instrument_type").is_some_and(|kind| kind == "fut") {
        data["fut"] = Value::Array(Vec::new());
    }
    Reply::ok(&json!({"data": data}))
}

/// Exchange and underlying: both are needed, and the exchange must be one of derivatives.
fn asked(call: &Call) -> Option<(&str, &str)> {
    let field = |name: &str| call.query.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let exchange =
        field("exchange").filter(|exchange| matches!(*exchange, "nse_fo" | "bse_fo" | "mcx_fo"))?;
    Some((exchange, field("underlying")?))
}

/// Documented with the text under `emsg`, where other calls have `errMsg`.
fn unknown() -> Reply {
    Reply::ok(&json!({"stat": "Not_Ok", "emsg": "Invalid instrument/code", "stCode": 1009}))
}
