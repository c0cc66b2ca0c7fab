//! Holdings (facts 2.8): no `stat`, and JSON numbers.

use model::{Money, Price, Quantity, Side};
use serde_json::{Value, json};

use crate::core::Core;
use crate::reply::Reply;
use crate::universe::{plain, segment_of};

/// The demat account; it lags a day.
pub(crate) fn holdings(core: &Core<'_>) -> Reply {
    let rows: Vec<Value> = core.exchange.holdings().iter().map(|held| row(core, held)).collect();
    Reply::ok(&json!({"data": rows}))
}

fn row(core: &Core<'_>, held: &model::Holding) -> Value {
    let symbol = &held.symbol;
    let known = core.instrument(symbol);
    let series = known.as_ref().map_or_else(|| "EQ".to_owned(), |known| known.series.0.clone());
    let quote = core.market.quote(symbol, core.now).ok();
    let last = quote.as_ref().map_or(Price::ZERO, |quote| quote.last);
    let closing = quote.map_or(Price::ZERO, |quote| quote.previous_close);
    let sold: Quantity = core
        .exchange
        .trades()
        .iter()
        .filter(|trade| trade.symbol == *symbol && trade.side == Side::Sell)
        .map(|trade| trade.quantity)
        .sum();
    let token = core.universe.token(symbol);
    let cost = held.average * held.quantity;
    let value = last * held.quantity;
    json!({
        "displaySymbol": plain(symbol),
        "symbol": plain(symbol),
        "averagePrice": held.average.as_rupees_f64(),
        "quantity": held.quantity.get(),
        "sellableQuantity": held.quantity.saturating_sub(sold).get(),
        "holdingCost": rounded(cost),
        "mktValue": rounded(value),
        "closingPrice": closing.as_rupees_f64(),
        "exchangeSegment": segment_of(symbol),
        "exchangeIdentifier": token,
        // Another numbering than the exchange's.
        "instrumentToken": token.parse::<u32>().map_or(0, |token| token + 500_000),
        "instrumentType": "Equity",
        "scripId": format!("{:0>12}", token),
        "isAlternateScrip": false,
        "sector": "",
        "commonScripCode": "",
        "instrumentName": plain(symbol),
        "unrealisedGainLoss": rounded(value - cost),
        "sqGainLoss": 0.0,
        "delGainLoss": 0.0,
        "subTotal": 0.0,
        "prevDayLtp": closing.as_rupees_f64(),
        "subType": "",
        "instrumentStatus": "A",
        "marketLot": 1,
        "expiryDate": "",
        "optType": "",
        "strikePrice": 0.0,
        "series": series,
        "securityType": "EQ",
        "securitySubType": "",
        "logoUrl": "",
        "cmotCode": "",
    })
}

fn rounded(amount: Money) -> f64 {
    amount.round_to_paisa().as_rupees_f64()
}
