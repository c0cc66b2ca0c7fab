//! Quotes (facts 2.11): a bare array, everything in it a text.

use market::{Interval, Quote};
use model::{Instrument, Price};
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::orders::not_ok;
use crate::reply::Reply;
use crate::universe::{segment_of, trading_symbol};

use super::time;

/// Most instruments of one call.
const QUOTES_MAX: usize = 50;
/// Sessions of a year.
const YEAR: u32 = 250;

/// The quotes of `asked`, a comma list of `segment|token`. What has no price is left out.
pub(crate) fn quotes(core: &Core<'_>, asked: &str, filter: &str) -> Reply {
    let Some(fields) = fields_of(filter) else { return refused("Invalid quote type") };
    let wanted: Vec<&str> = asked.split(',').filter(|one| !one.trim().is_empty()).collect();
    if wanted.len() > QUOTES_MAX {
        return refused("Maximum 50 instruments are allowed in one request");
    }
    let rows: Vec<Value> = wanted.iter().filter_map(|one| row(core, one, fields)).collect();
    if rows.is_empty() {
        return not_ok(400, 1009, "Invalid instrument/code", "Not_Ok");
    }
    Reply::ok(&Value::Array(rows))
}

/// Shape G.
fn refused(message: &str) -> Reply {
    Reply::json(400, &json!({"status": "ERROR", "fault": {"code": 400, "message": message}}))
}

/// What a filter shows beside the identity; empty is everything.
fn fields_of(filter: &str) -> Option<&'static [&'static str]> {
    Some(match filter.to_ascii_lowercase().as_str() {
        "" | "all" => &[],
        "depth" | "market_depth" => &["depth"],
        "ohlc" => &["ohlc"],
        "ltp" => &["ltp", "lstup_time"],
        "oi" => &["open_int"],
        "52w" => &["year_high", "year_low"],
        "circuit_limits" => &["low_price_range", "high_price_range"],
        "scrip_details" => &["lstup_time", "last_traded_quantity", "last_volume", "avg_cost"],
        _ => return None,
    })
}

fn row(core: &Core<'_>, asked: &str, fields: &[&str]) -> Option<Value> {
    let (segment, token) = asked.split_once('|')?;
    let symbol = core.universe.by_token(segment, token)?;
    let instrument = core.instrument(symbol)?;
    let quote = core.market.quote(symbol, core.now).ok()?;
    let mut row = Map::new();
    row.insert("exchange_token".to_owned(), token.into());
    row.insert("display_symbol".to_owned(), trading_symbol(&instrument).into());
    row.insert("exchange".to_owned(), segment_of(symbol).into());
    let Value::Object(all) = figures(core, &instrument, &quote) else { return None };
    row.extend(all.into_iter().filter(|(name, _)| fields.is_empty() || fields.contains(&name.as_str())));
    Some(Value::Object(row))
}

fn figures(core: &Core<'_>, instrument: &Instrument, quote: &Quote) -> Value {
    let change = Price::from_units(quote.last.units() - quote.previous_close.units());
    let (year_low, year_high) = year(core, quote);
    // No feed of single trades is behind this: sizes and depth are made up, the same for the same price.
    let size = 1 + quote.last.units().unsigned_abs() / 100 % 500;
    json!({
        "lstup_time": time::seconds(quote.at.min(core.now)).to_string(),
        "ltp": four(quote.last),
        "last_traded_quantity": size.to_string(),
        "total_buy": (size * 400).to_string(),
        "total_sell": (size * 410).to_string(),
        "last_volume": quote.volume.to_string(),
        "avg_cost": four(typical(quote)),
        "open_int": "0",
        "change": four(change),
        "per_change": four(percent(change, quote.previous_close)),
        "low_price_range": four(instrument.band.0),
        "high_price_range": four(instrument.band.1),
        "year_high": year_high.to_string(),
        "year_low": year_low.to_string(),
        "ohlc": {
            "open": four(quote.open),
            "high": four(quote.high),
            "low": four(quote.low),
            "close": four(quote.previous_close),
        },
        "depth": {
            "buy": side(instrument, quote.last, size, -1),
            "sell": side(instrument, quote.last, size, 1),
        },
    })
}

/// Lowest and highest price of a year, today included.
fn year(core: &Core<'_>, quote: &Quote) -> (Price, Price) {
    let symbols = std::slice::from_ref(&quote.symbol);
    let days = core.market.candles(symbols, Interval::Day, YEAR, core.now).unwrap_or_default();
    let low = days.iter().flat_map(|days| &days.low).min().map(|units| Price::from_units(*units));
    let high = days.iter().flat_map(|days| &days.high).max().map(|units| Price::from_units(*units));
    (low.map_or(quote.low, |low| low.min(quote.low)), high.map_or(quote.high, |high| high.max(quote.high)))
}

/// Stands for the average traded price, which the data do not tell.
fn typical(quote: &Quote) -> Price {
    Price::from_units((quote.high.units() + quote.low.units() + quote.last.units()) / 3)
}

/// `change` of `base` in percent, as a price so that it has four decimals; zero without a base.
fn percent(change: Price, base: Price) -> Price {
    if base.is_zero() {
        return Price::ZERO;
    }
    let hundredfold = i128::from(change.units()) * 100 * 10_000;
    Price::from_units((hundredfold / i128::from(base.units())) as i64)
}

/// Five levels a tick apart: bids from the last price down, offers from a tick above it up.
fn side(instrument: &Instrument, last: Price, size: u64, direction: i64) -> Vec<Value> {
    let tick = instrument.tick.step().units();
    let best = instrument.tick.round_down(last).units() + if direction > 0 { tick } else { 0 };
    (0..5)
        .map(|level| {
            let price = Price::from_units((best + direction * level * tick).max(0));
            let waiting = size * (level.unsigned_abs() + 1);
            json!({
                "price": four(price),
                "quantity": waiting.to_string(),
                "orders": (level + 1).to_string(),
            })
        })
        .collect()
}

/// `801.6000`.
fn four(price: Price) -> String {
    let units = price.units();
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", units.unsigned_abs() / 10_000, units.unsigned_abs() % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_decimals_and_a_sign() {
        assert_eq!(four(Price::from_paise(80_160)), "801.6000");
        assert_eq!(four(Price::from_paise(-5)), "-0.0500");
        let rupees = Price::from_rupees;
        assert_eq!(four(percent(rupees(-3), rupees(120))), "-2.5000");
        assert_eq!(four(percent(rupees(1), Price::ZERO)), "0.0000");
    }
}
