//! A new order.
//!
//! What the order system sees at once is refused at once (shape A). What a risk check or the exchange would
//! refuse is acknowledged with a number and becomes a rejected row, as on the wire (facts 2.1, #114).

use broker::{BrokerOrder, PlaceCall, SendError};
use model::{
    BrokerOrderId, Instrument, IntentId, OrderTerms, OrderType, Price, Product, Quantity, Side, Status,
    Symbol, Validity,
};
use serde_json::json;

use crate::call::Call;
use crate::core::Core;
use crate::reply::Reply;

use super::jdata::{JData, not_ok};
use super::protect::protected_limit;
use super::sync;
use super::table::{Asked, Spoiled, Tracked};

/// Orders that one sim keeps, refused ones included.
const ORDERS_MAX: usize = 2_000_000;

/// What was understood of a post.
struct Wanted {
    terms: OrderTerms,
    asked: Asked,
    tag: Option<String>,
    /// Why a risk check refuses it, before the exchange is asked.
    refused: Option<String>,
}

/// What faults do to an order from its first moment on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Birth {
    pub spoiled: Spoiled,
    /// Its `GuiOrdId` in place of the tag.
    pub shown_tag: Option<String>,
}

/// Places an order; the number of what was acknowledged.
pub(crate) fn place(core: &mut Core<'_>, call: &Call, birth: Birth) -> (Reply, Option<BrokerOrderId>) {
    if core.state.orders.orders.len() >= ORDERS_MAX {
        return (not_ok(200, 1004, "the book of this simulator is full: start a new one", "Not_Ok"), None);
    }
    let wanted = match read(core, call) {
        Ok(wanted) => wanted,
        Err(refusal) => return (refusal, None),
    };
    if let Some(tag) = &wanted.tag
        && core.config.unique_tags
        && core.state.orders.by_tag.contains_key(tag)
    {
        return (not_ok(400, 32, "error from core", "Not_Ok"), None);
    }
    let id = take(core, wanted, birth);
    (Reply::ok(&json!({"nOrdNo": id.as_str(), "stat": "Ok", "stCode": 200})), Some(id))
}

/// Everything that the order system checks, in its order.
fn read(core: &Core<'_>, call: &Call) -> Result<Wanted, Reply> {
    let data = JData::of(call)?;
    let invalid = |what: &str| not_ok(200, 1002, &format!("invalid input: {what}"), "Not_Ok");
    let segment = data.filled("es").unwrap_or_default();
    if !matches!(segment.as_str(), "nse_cm" | "bse_cm") {
        return Err(not_ok(200, 1006, "Invalid Exchange", "Not_Ok"));
    }
    let trading_symbol = data.filled("ts").unwrap_or_default();
    let today = core.now.ist_date();
    let symbol = core
        .universe
        .by_trading_symbol(&segment, &trading_symbol, core.market, today)
        .ok_or_else(|| not_ok(200, 1007, "Invalid Symbol", "Not_Ok"))?;
    let side = match data.filled("tt").as_deref() {
        Some("B") => Side::Buy,
        Some("S") => Side::Sell,
        _ => return Err(invalid("tt")),
    };
    let quantity = data.quantity("qt").ok_or_else(|| not_ok(200, 1009, QUANTITY, "Not_Ok"))?;
    let price_type = data.filled("pt").unwrap_or_default();
    if !matches!(price_type.as_str(), "L" | "MKT" | "SL" | "SL-M") {
        return Err(invalid("pt"));
    }
    let price = match data.text("pr") {
        // Some clients send null for a market order; the empty text is refused (#268, #275).
        None if matches!(price_type.as_str(), "MKT" | "SL-M") => Price::ZERO,
        _ => data.price("pr").ok_or_else(|| not_ok(200, 1009, QUANTITY, "Not_Ok"))?,
    };
    let limited = matches!(price_type.as_str(), "L" | "SL");
    if limited != price.is_positive() {
        return Err(not_ok(200, 1009, "please provide valid price", "Not_Ok"));
    }
    let stop = matches!(price_type.as_str(), "SL" | "SL-M");
    let trigger = data.text("tp").map_or(Some(Price::ZERO), |_| data.price("tp"));
    let trigger = trigger.filter(|trigger| trigger.is_positive() == stop);
    let trigger = trigger.ok_or_else(|| not_ok(200, 1009, "please provide valid trigger price", "Not_Ok"))?;
    let validity = match data.filled("rt").as_deref() {
        Some("DAY") => Validity::Day,
        Some("IOC") => Validity::Ioc,
        _ => return Err(invalid("rt")),
    };
    let word = data.filled("pc").unwrap_or_default();
    let (product, mut refused) = match word.as_str() {
        "CNC" => (Product::Delivery, None),
        "MIS" | "INTRADAY" => (Product::Intraday, None),
        "NRML" | "MTF" => (Product::Delivery, Some(format!("RMS:{word} is not modelled by this simulator"))),
        "CO" | "BO" => {
            return Err(not_ok(
                200,
                1002,
                "invalid input: CO and BO are discontinued on the Trade API",
                "Not_Ok",
            ));
        }
        _ => return Err(invalid("pc")),
    };
    let amo = data.flag("am");
    let (order_type, price) = match price_type.as_str() {
        "L" => (OrderType::Limit, price),
        "SL" => (OrderType::StopLimit, price),
        "MKT" => (OrderType::Limit, market_limit(core, &symbol, side)?),
        _ => {
            refused = Some("Market order with Algo Id not allowed".to_owned());
            (OrderType::StopMarket, Price::ZERO)
        }
    };
    let trigger = stop.then_some(trigger);
    let asked = Asked {
        trading_symbol,
        price_type,
        product: word,
        validity: validity.as_str().to_ascii_uppercase(),
        disclosed: data.text("dq").and_then(|text| text.parse().ok()).unwrap_or(0),
        source: data.filled("os").unwrap_or_else(|| "NEOTRADEAPI".to_owned()),
    };
    let terms = OrderTerms { symbol, side, order_type, product, validity, quantity, price, trigger, amo };
    Ok(Wanted { terms, asked, tag: data.filled("ig"), refused })
}

const QUANTITY: &str = "please provide valid quantity";

/// The limit that a market order becomes; code 1041 where there is no last price.
pub(super) fn market_limit(core: &Core<'_>, symbol: &Symbol, side: Side) -> Result<Price, Reply> {
    let last = core.market.quote(symbol, core.now).ok();
    match (last, core.instrument(symbol)) {
        (Some(quote), Some(instrument)) => Ok(protected_limit(side, quote.last, &instrument)),
        _ => Err(not_ok(200, 1041, "LTP not available", "Not_Ok")),
    }
}

/// Hands it to the exchange, or books it as refused.
fn take(core: &mut Core<'_>, wanted: Wanted, birth: Birth) -> BrokerOrderId {
    let Wanted { terms, asked, tag, refused } = wanted;
    let intent = tag.as_deref().and_then(IntentId::parse).unwrap_or_else(|| {
        core.state.orders.counter += 1;
        let key = format!("{}", core.state.orders.counter);
        IntentId::derive(&"kotak-neo-sim".into(), &"other".into(), core.now.ist_date(), &key)
    });
    let taken = match refused {
        Some(reason) => Err(reason),
        None => core.exchange.place(PlaceCall { tag: intent, terms: terms.clone() }).map_err(|error| {
            let instrument = core.instrument(&terms.symbol);
            in_the_brokers_words(&error, instrument.as_ref())
        }),
    };
    let amo = terms.amo;
    let (row, refused) = match taken {
        Ok(ack) => {
            let row = core.exchange.order(&ack.broker_id).expect("the exchange has what it acknowledged");
            (row, false)
        }
        Err(reason) => (refused_row(core, terms, reason), true),
    };
    let id = row.broker_id.clone();
    core.state.orders.add(Tracked {
        row,
        asked,
        shown_tag: birth.shown_tag.unwrap_or_else(|| tag.clone().unwrap_or_default()),
        tag,
        refused,
        amo,
        changed_in_queue: false,
        ended_in_queue: false,
        spoiled: birth.spoiled,
        told: None,
        steps: Vec::new(),
        trades_told: 0,
    });
    sync::first_steps(core, &id);
    id
}

fn refused_row(core: &mut Core<'_>, terms: OrderTerms, reason: String) -> BrokerOrder {
    let today = core.now.ist_date();
    BrokerOrder {
        broker_id: core.state.orders.refused_number(today),
        tag: None,
        terms,
        status: Status::Rejected,
        filled: Quantity::ZERO,
        average: Price::ZERO,
        at: core.now,
        session: core.book_session().max(today),
        reason,
    }
}

/// The exchange's refusal as `rejRsn` has it (facts 2.14 gives three live examples).
pub(super) fn in_the_brokers_words(error: &SendError, instrument: Option<&Instrument>) -> String {
    let SendError::Refused { code, reason } = error else { return format!("RMS:{error}") };
    match (code.as_str(), instrument) {
        ("FUNDS", _) => format!("RMS:Margin Exceeds, {reason}"),
        ("HOLDINGS" | "TRADE_TO_TRADE", _) => format!("RMS:Rule: Check T1 holdings, {reason}"),
        ("BAND", Some(Instrument { band: (low, high), .. })) => {
            format!("Circuit breach, High Price Range:{high} Low Price Range:{low}")
        }
        _ => format!("RMS:{reason}"),
    }
}
