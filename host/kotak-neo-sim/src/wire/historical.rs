//! Candles (facts 2.13): prices are JSON numbers, times ISO 8601 with `+0530`.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use market::{CANDLES_MAX, Candles, Interval};
use model::{Date, Price, Timestamp};
use serde_json::{Value, json};

use crate::call::Call;
use crate::core::Core;
use crate::reply::Reply;

/// A length of candles: how it is made, and the most days of one call.
struct Length {
    from: Interval,
    /// Minutes; 0: days, 7: weeks of days.
    minutes: i64,
    days_max: i64,
}

/// One candle of the answer.
struct Candle {
    start: i64,
    prices: [i64; 4],
    volume: u64,
}

/// `historical/details`.
pub(crate) fn candles(core: &Core<'_>, call: &Call) -> Reply {
    match try_candles(core, call) {
        Ok(reply) => reply,
        Err((code, message)) => {
            let body = json!({"status": "ERROR", "fault": {"code": code, "message": message}});
            Reply::json(code, &body)
        }
    }
}

fn try_candles(core: &Core<'_>, call: &Call) -> Result<Reply, (u16, String)> {
    let field = |name: &str| {
        let text = call.query.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        text.ok_or_else(|| (400, format!("Missing required parameter: {name}")))
    };
    let day = |name: &str| {
        let text = field(name)?;
        let day = text.get(..10).and_then(|day| Date::parse_from_str(day, "%Y-%m-%d").ok());
        day.ok_or_else(|| (400, format!("Invalid {name} value")))
    };
    let word = field("interval")?;
    let length = length(word).ok_or_else(|| (400, "Invalid interval value".to_owned()))?;
    let (from, to) = (day("fromdate")?, day("todate")?);
    let span = (to - from).num_days() + 1;
    if span < 1 {
        return Err((400, "fromdate cannot be after todate".to_owned()));
    }
    if span > length.days_max {
        return Err((400, format!("Date range exceeds the limit of {} days", length.days_max)));
    }
    let invalid = || (400, "Invalid neosymbol".to_owned());
    let (segment, token) = field("neosymbol")?.split_once('|').ok_or_else(invalid)?;
    let symbol = core.universe.by_token(segment, token).ok_or_else(invalid)?;
    let known = core
        .market
        .candles(std::slice::from_ref(symbol), length.from, CANDLES_MAX, core.now)
        .unwrap_or_default();
    let rows: Vec<Value> = known
        .first()
        .map(|known| joined(known, &length, from, to))
        .unwrap_or_default()
        .iter()
        .map(row)
        .collect();
    if rows.is_empty() {
        return Err((400, nothing(core, from)));
    }
    Ok(Reply::ok(&json!({"status": "success", "interval": word, "data": {"candles": rows}})))
}

/// "No data" arrives as a fault too.
fn nothing(core: &Core<'_>, from: Date) -> String {
    let today = core.now.ist_date();
    if from == today && core.book_session() < today {
        return "Market has not yet opened".to_owned();
    }
    "No data found for the given duration".to_owned()
}

fn length(word: &str) -> Option<Length> {
    let (minutes, days_max) = match word {
        "D" => return Some(Length { from: Interval::Day, minutes: 0, days_max: 180 }),
        "W" => return Some(Length { from: Interval::Day, minutes: 7, days_max: 180 }),
        "1min" => (1, 30),
        "3min" => (3, 30),
        "5min" => (5, 30),
        "10min" => (10, 60),
        "15min" => (15, 60),
        "30min" => (30, 90),
        "60min" => (60, 90),
        _ => return None,
    };
    Some(Length { from: Interval::Minute, minutes, days_max })
}

/// The known candles within the days, joined to the length that was asked for.
fn joined(known: &Candles, length: &Length, from: Date, to: Date) -> Vec<Candle> {
    let mut joined: BTreeMap<i64, Candle> = BTreeMap::new();
    let mut opens: BTreeMap<Date, i64> = BTreeMap::new();
    for at in 0..known.len() {
        let start = known.start[at];
        let day = Timestamp::from_nanos(start).ist_date();
        if day < from || day > to {
            continue;
        }
        let open = *opens.entry(day).or_insert(start);
        let key = match (length.from, length.minutes) {
            (Interval::Day, 0) => start,
            (Interval::Day, _) => {
                i64::from(day.num_days_from_ce()) - i64::from(day.weekday().num_days_from_monday())
            }
            (Interval::Minute, minutes) => {
                let step = minutes * model::time::MINUTE;
                open + (start - open).div_euclid(step) * step
            }
        };
        let begins = if length.from == Interval::Minute { key } else { start };
        let candle = joined.entry(key).or_insert_with(|| Candle {
            start: begins,
            prices: [known.open[at], known.high[at], known.low[at], known.close[at]],
            volume: 0,
        });
        let [_, high, low, close] = &mut candle.prices;
        *high = (*high).max(known.high[at]);
        *low = (*low).min(known.low[at]);
        *close = known.close[at];
        candle.volume += known.volume[at];
    }
    joined.into_values().collect()
}

fn row(candle: &Candle) -> Value {
    let at = Timestamp::from_nanos(candle.start).ist().format("%Y-%m-%dT%H:%M:%S+0530").to_string();
    let [open, high, low, close] = candle.prices.map(|units| Price::from_units(units).as_rupees_f64());
    // The place of the open interest is not populated yet.
    json!([at, open, high, low, close, candle.volume, 0])
}
