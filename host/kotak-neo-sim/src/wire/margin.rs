//! What an order would need (facts 2.10).

use model::Quantity;
use serde_json::json;

use crate::call::Call;
use crate::core::Core;
use crate::money::six;
use crate::orders::{JData, not_ok};
use crate::reply::Reply;

/// The answer to `check-margin`: the order's value at its price, without charges; nothing for a sale.
pub(crate) fn margin(core: &Core<'_>, call: &Call) -> Reply {
    let data = match JData::of(call) {
        Ok(data) => data,
        Err(refusal) => return refusal,
    };
    let segment = data.filled("exSeg").unwrap_or_default();
    let token = data.filled("tok").unwrap_or_default();
    let Some(symbol) = core.universe.by_token(&segment, &token) else {
        return not_ok(200, 1007, "Invalid Symbol", "Not_Ok");
    };
    let Some(quantity) = data.quantity("qty") else {
        return not_ok(200, 1009, "please provide valid quantity", "Not_Ok");
    };
    let asked = data.price("prc").filter(|price| price.is_positive());
    let price = asked.or_else(|| core.market.quote(symbol, core.now).ok().map(|quote| quote.last));
    let Some(price) = price else { return not_ok(200, 1041, "LTP not available", "Not_Ok") };
    let sells = data.filled("trnsTp").as_deref() == Some("S");
    let needed = price * (if sells { Quantity::ZERO } else { quantity });
    answer(core, needed)
}

fn answer(core: &Core<'_>, needed: model::Money) -> Reply {
    let funds = core.exchange.funds();
    let missing = needed - funds.available;
    let enough = !missing.is_positive();
    Reply::ok(&json!({
        "avlCash": six(funds.available),
        "totMrgnUsd": six(funds.blocked + needed),
        "mrgnUsd": six(funds.blocked),
        "ordMrgn": six(needed),
        "reqdMrgn": six(needed),
        "avlMrgn": six(funds.available),
        "insufFund": if enough { "0".to_owned() } else { six(missing) },
        "rmsVldtd": if enough { "OK" } else { "NOT_OK" },
        "stat": "Ok",
        "stCode": 200,
    }))
}
