//! The journal's entries as orders, positions and trails.

use std::collections::BTreeMap;

use journal::{Entry, Recorded};
use model::ledger::Ledger;
use model::{
    Action, Date, Evidence, Fact, IntentId, OrderId, OrderState, OrderView, PositionView, Quantity, Side,
    Source, Status,
};

use super::views::{OrderLine, TrailLine};

/// Orders and ledger, as a replay tells them.
#[derive(Debug, Default)]
pub(super) struct Folded {
    orders: BTreeMap<OrderId, OrderState>,
    ledger: Ledger,
}

impl Folded {
    /// From the entries of a replay, in order.
    pub(super) fn new(entries: Vec<Recorded>) -> Self {
        let mut folded = Self::default();
        for recorded in entries {
            match recorded.entry {
                Entry::Intent(intent) => match OrderState::new(&intent) {
                    Some(order) => {
                        folded.orders.insert(order.id, order);
                    }
                    None => {
                        if let Some(order) = folded.orders.get_mut(&intent.order()) {
                            order.begin(&intent);
                        }
                    }
                },
                Entry::Evidence(evidence) => {
                    if let Some(order) = folded.orders.get_mut(&evidence.order) {
                        // A contradiction was told when it came; here its cautious reading is shown.
                        let _ = order.apply(&evidence);
                    }
                }
                Entry::Ledger(entry) => {
                    // Likewise a sale of more than there was.
                    let _ = folded.ledger.apply(&entry);
                }
                _ => {}
            }
        }
        folded
    }

    /// An order by its number, or by the broker's.
    pub(super) fn order(&self, id: &str) -> Option<&OrderState> {
        let by_broker = || {
            self.orders
                .values()
                .find(|order| order.broker_id.as_ref().is_some_and(|known| known.as_str() == id))
        };
        IntentId::parse(id).and_then(|id| self.orders.get(&id)).or_else(by_broker)
    }

    /// Orders of `day` and those that are not settled, by time.
    pub(super) fn orders(&self, day: Date) -> Vec<OrderLine> {
        let mut orders: Vec<&OrderState> = self
            .orders
            .values()
            .filter(|order| order.day == day || order.for_session == day || !order.is_settled())
            .collect();
        orders.sort_by_key(|order| (order.placed_at, order.id));
        orders.into_iter().map(order_line).collect()
    }

    /// Orders whose outcome is not known, by time.
    pub(super) fn unresolved(&self) -> Vec<OrderLine> {
        let mut orders: Vec<&OrderState> =
            self.orders.values().filter(|order| order.is_unresolved()).collect();
        orders.sort_by_key(|order| (order.placed_at, order.id));
        orders.into_iter().map(order_line).collect()
    }

    /// What the system owns on `day`.
    pub(super) fn positions(&self, day: Date) -> Vec<PositionView> {
        let in_sells = |symbol: &model::Symbol| -> Quantity {
            let sells = self.orders.values().filter(|order| {
                order.terms.side == Side::Sell && order.terms.symbol == *symbol && !order.is_settled()
            });
            sells.map(OrderState::exposed).sum()
        };
        self.ledger
            .positions(day)
            .into_iter()
            .map(|position| {
                let in_working_sells = in_sells(&position.symbol);
                let free = position.settled.saturating_sub(in_working_sells);
                PositionView { position, in_working_sells, free }
            })
            .collect()
    }
}

/// An order for a reader.
pub(super) fn order_line(order: &OrderState) -> OrderLine {
    let status = match order.status() {
        // Written down, and the host ended before it wrote down what came of it.
        Status::PendingNew => Status::Unknown,
        status => status,
    };
    let view = OrderView {
        id: order.id.to_string(),
        strategy: Some(order.strategy.clone()),
        key: order.key.clone(),
        broker_id: order.broker_id.clone(),
        terms: order.terms.clone(),
        status,
        filled: order.filled(),
        average: order.average(),
        for_session: order.for_session,
        placed_at: order.placed_at,
        reason: if order.words.is_empty() { order.reason.clone() } else { order.words.clone() },
    };
    OrderLine::new(&view, order.is_unresolved())
}

/// What happened to an order, in words.
pub(super) fn trail(entries: &[Recorded]) -> Vec<TrailLine> {
    entries.iter().filter_map(|recorded| line(recorded.seq, &recorded.entry)).collect()
}

fn line(seq: u64, entry: &Entry) -> Option<TrailLine> {
    let (at, kind, text) = match entry {
        Entry::Intent(intent) => {
            let what = match &intent.action {
                Action::Place { terms, for_session } => format!(
                    "{} {} {} at {} for {for_session}{}",
                    terms.side,
                    terms.quantity,
                    terms.symbol,
                    terms.price,
                    if terms.amo { ", after-market" } else { "" }
                ),
                Action::Modify { price, total_quantity, .. } => {
                    format!("change to {total_quantity} at {price}")
                }
                Action::Cancel { .. } => "cancel".to_owned(),
            };
            let why = if intent.reason.is_empty() { String::new() } else { format!(": {}", intent.reason) };
            (intent.at, "intent".to_owned(), format!("{} in {}: {what}{why}", intent.strategy, intent.run))
        }
        Entry::Attempt { at, .. } => (*at, "attempt".to_owned(), "sent".to_owned()),
        Entry::Evidence(evidence) => (evidence.at, source(evidence.source).to_owned(), fact(evidence)),
        Entry::Ledger(entry) => {
            let text = format!(
                "{} {} at {}, charges {}, settles {}",
                entry.side, entry.quantity, entry.price, entry.charges, entry.settles
            );
            (entry.at, "ledger".to_owned(), text)
        }
        Entry::Operator { action: journal::OperatorAction::Resolve { verdict, .. }, by, at } => {
            (*at, "operator".to_owned(), format!("{verdict}, by {by}"))
        }
        _ => return None,
    };
    Some(TrailLine { seq, at, kind, text })
}

const fn source(source: Source) -> &'static str {
    match source {
        Source::Answer => "answer",
        Source::OrderBook => "order-book",
        Source::Trades => "trades",
        Source::Feed => "feed",
        Source::Reconciler => "reconciler",
        Source::Operator => "operator",
    }
}

fn fact(evidence: &Evidence) -> String {
    match &evidence.fact {
        Fact::Acked { broker_id } => format!("accepted as {broker_id}"),
        Fact::Refused { code, reason } => format!("refused ({code}): {reason}"),
        Fact::Unsent { why } => format!("not sent, its session had expired: {why}"),
        Fact::Unclear { why } => format!("no clear answer: {why}"),
        Fact::Seen { status, filled, average, reason, .. } => {
            let filled =
                if filled.is_zero() { String::new() } else { format!(", {filled} filled at {average}") };
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            format!("{status}{filled}{reason}")
        }
        Fact::Filled(fill) => format!("{} filled at {} (trade {})", fill.quantity, fill.price, fill.trade_id),
        Fact::NotPlaced { why } => format!("not placed: {why}"),
        Fact::Parked { why } => format!("parked: {why}"),
    }
}
