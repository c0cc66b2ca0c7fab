//! Rows of the position book (facts 2.7): quantities and amounts are texts.

use std::collections::BTreeMap;

use model::{Money, Price, Product, Quantity, Side, Symbol};
use serde_json::{Value, json};

use crate::core::Core;
use crate::orders::wire_trades;
use crate::universe::{plain, segment_of, trading_symbol};

use super::time;

#[derive(Default)]
struct Net {
    bought: (Quantity, Money),
    sold: (Quantity, Money),
    last: model::Timestamp,
}

/// Today's trades by symbol and product, as far as they may be seen.
pub(crate) fn position_rows(core: &Core<'_>) -> Vec<Value> {
    let mut nets: BTreeMap<(Symbol, &'static str), Net> = BTreeMap::new();
    let trades = wire_trades(core.exchange, &core.state.orders, core.book_session(), core.now);
    for trade in trades.into_iter().filter(|trade| !trade.repeated) {
        let product = if trade.product == Product::Intraday { "MIS" } else { "CNC" };
        let net = nets.entry((trade.symbol, product)).or_default();
        let side = if trade.side == Side::Buy { &mut net.bought } else { &mut net.sold };
        side.0 += trade.quantity;
        side.1 += trade.price * trade.quantity;
        net.last = net.last.max(trade.at);
    }
    nets.iter().map(|((symbol, product), net)| row(core, symbol, product, net)).collect()
}

fn row(core: &Core<'_>, symbol: &Symbol, product: &str, net: &Net) -> Value {
    let known = core.instrument(symbol);
    let series = known.as_ref().map_or_else(|| "EQ".to_owned(), |known| known.series.0.clone());
    let name = known.as_ref().map_or_else(String::new, trading_symbol);
    let lot = known.map_or(1, |known| known.lot.get());
    let ltp = core.market.quote(symbol, core.now).map_or(Price::ZERO, |quote| quote.last);
    json!({
        "actId": core.config.credentials.ucc,
        "trdSym": name,
        "sym": plain(symbol),
        "tok": core.universe.token(symbol),
        "exSeg": segment_of(symbol),
        "prod": product,
        "series": series,
        "type": "",
        "optTp": "XX",
        "stkPrc": "0.00",
        "expDt": "NA",
        "exp": "NA",
        "cfBuyQty": "0",
        "cfSellQty": "0",
        "flBuyQty": net.bought.0.to_string(),
        "flSellQty": net.sold.0.to_string(),
        "cfBuyAmt": "0.00",
        "cfSellAmt": "0.00",
        "buyAmt": net.bought.1.to_string(),
        "sellAmt": net.sold.1.to_string(),
        "lotSz": lot.to_string(),
        "brdLtQty": lot,
        "multiplier": "1",
        "precision": "2",
        "genNum": "1",
        "genDen": "1",
        "prcNum": "1",
        "prcDen": "1",
        "sqrFlg": "Y",
        "posFlg": "true",
        "upldPrc": "0.00",
        "dscQty": 0,
        "ltp": ltp.to_string(),
        "hsUpTm": time::slashed(net.last),
        "updRecvTm": net.last.nanos(),
    })
}
