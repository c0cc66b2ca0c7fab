//! What differs, a line for each order and alert: an order and all that was asked of it is one line.

use std::collections::BTreeSet;

use model::{Date, OrderId, OrderTerms, Price, Quantity, RunId, Side, StrategyName, Symbol, Timestamp};
use runtime::tape::{End, Ended, Tape};
use serde::Serialize;

use super::overlay::Done;
use super::past::{Act, AlertText, Past};

/// In what way something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The recording has it, the new version not.
    OnlyBefore,
    /// The new version has it, the recording not.
    OnlyNow,
    /// Both have it, and not the same.
    Changed,
}

/// What was asked for an order, to its last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Shares at first.
    pub quantity: Option<Quantity>,
    /// Price at first.
    pub price: Option<Price>,
    /// Shares at last, when it was changed.
    pub last_quantity: Option<Quantity>,
    /// Price at last, when it was changed.
    pub last_price: Option<Price>,
    /// How often it was changed.
    pub changes: usize,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// When each thing was asked, in order.
    pub at: Vec<Timestamp>,
}

/// An order that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    /// The trading day of its placing; none for an order from before the recording.
    pub day: Option<Date>,
    /// Whose.
    pub strategy: StrategyName,
    /// Its key; of an order from before the recording, its number.
    pub key: String,
    /// Its number.
    pub order: OrderId,
    /// In or out.
    pub side: Option<Side>,
    /// What.
    pub symbol: Option<Symbol>,
    /// In what way it differs.
    pub what: What,
    /// As recorded.
    pub before: Option<Content>,
    /// As it would have been.
    pub now: Option<Content>,
    /// In words.
    pub text: String,
}

/// An alert that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertRow {
    /// On which trading day.
    pub day: Date,
    /// Whose.
    pub strategy: StrategyName,
    /// Its key.
    pub key: String,
    /// In what way it differs.
    pub what: What,
    /// As recorded.
    pub before: Option<AlertText>,
    /// As it would have been.
    pub now: Option<AlertText>,
}

/// A run that ended differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndRow {
    /// Which.
    pub run: RunId,
    /// As recorded.
    pub before: String,
    /// As it would have.
    pub now: String,
}

fn what<T>(before: Option<&T>, now: Option<&T>) -> What {
    match (before, now) {
        (Some(_), None) => What::OnlyBefore,
        (None, Some(_)) => What::OnlyNow,
        _ => What::Changed,
    }
}

/// The instant of a run of the recording.
fn instant(past: &Past, run: usize) -> Timestamp {
    past.instants.get(run).copied().unwrap_or_default()
}

fn content(past: &Past, acts: &[(usize, Act)]) -> Option<Content> {
    let first = first_terms(acts);
    let changes: Vec<(Price, Quantity)> = acts
        .iter()
        .filter_map(|(_, act)| match act {
            Act::Modify(price, total) => Some((*price, *total)),
            _ => None,
        })
        .collect();
    let last = changes.last();
    (!acts.is_empty()).then(|| Content {
        quantity: first.map(|terms| terms.quantity),
        price: first.map(|terms| terms.price),
        last_quantity: last.map(|(_, total)| *total),
        last_price: last.map(|(price, _)| *price),
        changes: changes.len(),
        cancelled: acts.iter().any(|(_, act)| *act == Act::Cancel),
        at: acts.iter().map(|(run, _)| instant(past, *run)).collect(),
    })
}

fn first_terms(acts: &[(usize, Act)]) -> Option<&OrderTerms> {
    acts.iter().find_map(|(_, act)| match act {
        Act::Place(terms) => Some(terms),
        _ => None,
    })
}

/// The first of the same acts that was asked in another run, in words.
fn moved(past: &Past, before: &[(usize, Act)], now: &[(usize, Act)]) -> Option<String> {
    let (was, is) = before.iter().zip(now).find(|(was, is)| was.0 != is.0)?;
    let act = match is.1 {
        Act::Place(_) => "placed",
        Act::Modify(..) => "changed",
        Act::Cancel => "cancelled",
    };
    let (was, is) = (instant(past, was.0).ist(), instant(past, is.0).ist());
    // As short as the two can be told apart.
    let formats: &[&str] =
        if was.date() == is.date() { &["%H:%M", "%H:%M:%S", "%H:%M:%S%.3f"] } else { &["%Y-%m-%d %H:%M"] };
    let told = formats.iter().find_map(|format| {
        let (was, is) = (was.format(format).to_string(), is.format(format).to_string());
        (was != is).then(|| format!("{act} at {is}, not {was}"))
    });
    Some(told.unwrap_or_else(|| format!("{act} in another run of {}", is.format("%H:%M"))))
}

fn words(before: Option<&Content>, now: Option<&Content>) -> String {
    let one = |content: &Content| {
        let mut text = match (content.quantity, content.price) {
            (Some(quantity), Some(price)) => format!("{quantity} at {price}"),
            _ => "an earlier order".to_owned(),
        };
        if let (Some(total), Some(price)) = (content.last_quantity, content.last_price) {
            text.push_str(&format!(", at last {total} at {price}"));
        }
        if content.cancelled {
            text.push_str(", cancelled");
        }
        text
    };
    let (before, now) = match (before, now) {
        (Some(before), None) => return format!("only before: {}", one(before)),
        (None, Some(now)) => return format!("only now: {}", one(now)),
        (None, None) => return String::new(),
        (Some(before), Some(now)) => (before, now),
    };
    fn change<T: PartialEq + std::fmt::Display>(
        name: &str,
        before: Option<T>,
        now: Option<T>,
    ) -> Option<String> {
        let told = |value: Option<T>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        (before != now).then(|| format!("{name} {} -> {}", told(before), told(now)))
    }
    let changed = before.changes + now.changes > 0;
    let at_last = |content: &Content| content.last_price.or(content.price).filter(|_| changed);
    let in_all = |content: &Content| content.last_quantity.or(content.quantity).filter(|_| changed);
    let fate = |content: &Content| if content.cancelled { "cancelled" } else { "not cancelled" };
    let parts = [
        change("price", before.price, now.price),
        change("quantity", before.quantity, now.quantity),
        change("last price", at_last(before), at_last(now)),
        change("last quantity", in_all(before), in_all(now)),
    ];
    let mut parts: Vec<String> = parts.into_iter().flatten().collect();
    if before.cancelled != now.cancelled {
        parts.push(format!("{} -> {}", fate(before), fate(now)));
    }
    let parts = if parts.is_empty() { "what was asked in between".to_owned() } else { parts.join(", ") };
    format!("changed {parts}")
}

/// The orders that differ: by day, by the run in which they were first placed, and by key.
pub fn orders(strategy: &StrategyName, past: &Past, done: &Done) -> Vec<OrderRow> {
    let all: BTreeSet<OrderId> = past.acts.keys().chain(done.acts.keys()).copied().collect();
    let mut rows: Vec<(Option<usize>, OrderRow)> = all
        .into_iter()
        .filter_map(|order| {
            let before = past.acts.get(&order).map_or(&[][..], Vec::as_slice);
            let now = done.acts.get(&order).map_or(&[][..], Vec::as_slice);
            if before == now {
                return None;
            }
            let terms = first_terms(now).or_else(|| first_terms(before));
            let named = past.keys.get(&order).or_else(|| done.keys.get(&order));
            let (day, key) = match named {
                Some((day, key)) => (Some(*day), key.clone()),
                None => (None, order.to_string()),
            };
            let (was, is) = (content(past, before), content(past, now));
            let same = before.iter().map(|(_, act)| act).eq(now.iter().map(|(_, act)| act));
            let moved = moved(past, before, now).filter(|_| same);
            let row = OrderRow {
                day,
                strategy: strategy.clone(),
                key,
                order,
                side: terms.map(|terms| terms.side),
                symbol: terms.map(|terms| terms.symbol.clone()),
                what: what(was.as_ref(), is.as_ref()),
                text: moved.unwrap_or_else(|| words(was.as_ref(), is.as_ref())),
                before: was,
                now: is,
            };
            Some((before.iter().chain(now).map(|(run, _)| *run).min(), row))
        })
        .collect();
    rows.sort_by(|(one_run, one), (other_run, other)| {
        (one.day, one_run, &one.key).cmp(&(other.day, other_run, &other.key))
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The alerts that differ, by day and key.
pub fn alerts(strategy: &StrategyName, past: &Past, done: &Done) -> Vec<AlertRow> {
    let all: BTreeSet<&(Date, String)> = past.alerts.keys().chain(done.alerts.keys()).collect();
    all.into_iter()
        .filter_map(|key| {
            let (before, now) = (past.alerts.get(key), done.alerts.get(key));
            (before != now).then(|| AlertRow {
                day: key.0,
                strategy: strategy.clone(),
                key: key.1.clone(),
                what: what(before, now),
                before: before.cloned(),
                now: now.cloned(),
            })
        })
        .collect()
}

/// Whether a run ended differently. What it reports of its work differs with the work, and is no line.
pub fn ends(tape: &Tape, now: &End) -> Option<EndRow> {
    let told = |ended: &Ended| match ended {
        Ended::Done(_) => "done".to_owned(),
        Ended::Failed(_, why) => format!("failed: {why}"),
        Ended::Stopped { why, .. } => format!("stopped: {why}"),
    };
    let (before, now) = (told(&tape.end.ended), told(&now.ended));
    (before != now).then(|| EndRow { run: tape.info.id.clone(), before, now })
}
