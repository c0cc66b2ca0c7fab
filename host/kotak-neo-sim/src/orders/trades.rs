//! Trades as the wire shows them: in parts, twice, or not yet, where a fault says so.

use model::{BrokerOrderId, Date, Price, Product, Quantity, Side, Symbol, Timestamp};
use paper::Exchange;

use super::table::{OrderTable, Tracked};

/// A fill, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireTrade {
    pub trade_id: String,
    pub order: BrokerOrderId,
    pub symbol: Symbol,
    pub side: Side,
    pub product: Product,
    pub quantity: Quantity,
    pub price: Price,
    pub at: Timestamp,
    /// It is told once more.
    pub repeated: bool,
}

/// The fills of `session` that may be seen at `now`, in order. Repeats are in it: whoever counts shares
/// leaves them out.
pub(crate) fn wire_trades(
    exchange: &Exchange,
    table: &OrderTable,
    session: Date,
    now: Timestamp,
) -> Vec<WireTrade> {
    let all = exchange.all_trades();
    let since = all.iter().rposition(|trade| trade.trade.session != session).map_or(0, |at| at + 1);
    let mut seen = Vec::new();
    for paper in &all[since..] {
        let tracked = table.orders.get(&paper.trade.broker_id);
        if tracked.is_some_and(|order| order.spoiled.hides_trades && order.is_hidden(now)) {
            continue;
        }
        seen.extend(parts_of(paper, tracked, now));
    }
    seen
}

/// The parts of one trade that may be seen at `now`, repeats included.
pub(crate) fn parts_of(
    paper: &paper::PaperTrade,
    tracked: Option<&Tracked>,
    now: Timestamp,
) -> Vec<WireTrade> {
    let trade = &paper.trade;
    let (parts, every_s) = tracked.and_then(|order| order.spoiled.parts).unwrap_or((1, 0));
    let doubled = tracked.is_some_and(|order| order.spoiled.doubled);
    let parts = parts.clamp(1, trade.quantity.get().max(1));
    let (share, rest) = (trade.quantity.get() / parts, trade.quantity.get() % parts);
    let mut seen = Vec::new();
    for part in 0..parts {
        let at = trade.at.plus_seconds(i64::from(part) * i64::from(every_s));
        // The first part may be a little ahead of now, where a fault let the exchange run ahead.
        if part > 0 && at > now {
            break;
        }
        let whole = WireTrade {
            trade_id: if parts == 1 {
                trade.trade_id.clone()
            } else {
                format!("{}-{}", trade.trade_id, part + 1)
            },
            order: trade.broker_id.clone(),
            symbol: trade.symbol.clone(),
            side: trade.side,
            product: paper.product,
            quantity: Quantity::new(if part == 0 { share + rest } else { share }),
            price: trade.price,
            at: at.min(now),
            repeated: false,
        };
        if doubled {
            seen.push(whole.clone());
            seen.push(WireTrade { repeated: true, ..whole });
        } else {
            seen.push(whole);
        }
    }
    seen
}
