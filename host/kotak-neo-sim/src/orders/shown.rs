//! An order as the wire shows it at an instant: the exchange's state in the broker's words (facts 2.14),
//! and what faults do to it.

use model::{Money, Price, Quantity, Status, Timestamp};
use paper::Exchange;

use super::table::Tracked;
use super::trades::parts_of;

/// How the `rejRsn` of an order begins that ended with its session. The wire has no status for that: such
/// an order is `cancelled`, with the rest of its quantity in `cnlQty`.
pub(crate) const EXPIRED: &str = "Expired: ";

/// Status and figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub status: String,
    pub filled: Quantity,
    pub average: Price,
    pub cancelled: Quantity,
    /// Empty where the wire says `--`.
    pub reason: String,
    /// Nothing more will change.
    pub is_final: bool,
}

/// The order at `now`.
pub(crate) fn shown(order: &Tracked, exchange: &Exchange, now: Timestamp) -> Shown {
    let row = &order.row;
    let (filled, average) = match order.spoiled.parts {
        None => (row.filled, row.average),
        Some(_) => filled_in_parts(order, exchange, now),
    };
    let all_told = filled == row.filled;
    let ended = row.status.is_final() && all_told;
    let status = if all_told { word(order) } else { "open" };
    let strange = order.spoiled.strange.as_ref().filter(|(_, until)| until.is_none_or(|until| now < until));
    let status = match strange {
        Some((text, _)) if !ended => text.clone(),
        _ => status.to_owned(),
    };
    let cancelled = match row.status {
        Status::Canceled | Status::Expired if ended => row.terms.quantity.saturating_sub(filled),
        _ => Quantity::ZERO,
    };
    Shown { status, filled, average, cancelled, reason: reason(order, ended), is_final: ended }
}

fn word(order: &Tracked) -> &str {
    match &order.row.status {
        Status::New | Status::PartiallyFilled => "open",
        Status::PendingTrigger => "trigger pending",
        Status::QueuedAmo if order.changed_in_queue => "modify after market order req received",
        Status::QueuedAmo => "after market order req received",
        Status::Filled => "complete",
        Status::Rejected => "rejected",
        Status::Canceled | Status::Expired if order.ended_in_queue => "cancelled after market order",
        Status::Canceled | Status::Expired => "cancelled",
        other => other.as_str(),
    }
}

fn reason(order: &Tracked, ended: bool) -> String {
    match order.row.status {
        Status::Rejected => order.row.reason.clone(),
        Status::Expired if ended => format!("{EXPIRED}{}", order.row.reason),
        Status::Canceled if ended && order.row.reason != REQUESTED => order.row.reason.clone(),
        _ => String::new(),
    }
}

/// What the exchange writes beside an order that its owner cancelled; the wire writes nothing.
const REQUESTED: &str = "cancelled on request";

fn filled_in_parts(order: &Tracked, exchange: &Exchange, now: Timestamp) -> (Quantity, Price) {
    let mut filled = Quantity::ZERO;
    let mut value = Money::ZERO;
    let mine = exchange.all_trades().iter().filter(|trade| trade.trade.broker_id == order.row.broker_id);
    for part in mine.flat_map(|trade| parts_of(trade, Some(order), now)).filter(|part| !part.repeated) {
        filled += part.quantity;
        value += part.price * part.quantity;
    }
    (filled, value.per_share(filled))
}
