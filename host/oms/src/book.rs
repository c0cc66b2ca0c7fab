//! What the desk knows: orders, positions, the switch. Pure memory; every change to it is a journal
//! entry too, and replaying the entries makes the same book.

use std::collections::BTreeMap;

use broker::BrokerOrder;
use journal::{Alert, Entry, OperatorAction, Severity, TradingState};
use model::ledger::Ledger;
use model::state::Applied;
use model::{
    BrokerOrderId, Date, Evidence, Fact, IntentId, LedgerEntry, LedgerKind, OrderId, OrderState, OrderTerms,
    Price, Quantity, Side, Status, Symbol, Timestamp,
};
use tokio::sync::oneshot;

use crate::day::DayBook;
use crate::doubt::Watch;
use crate::open_calls::OpenCalls;

/// Orders and sessions older than this are dropped from memory (the journal keeps them).
pub(crate) const KEEP_DAYS: u32 = 7;

/// An order that is not settled, and what is being found out about it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The order.
    pub(crate) order: OrderState,
    /// The book's revision when it last changed.
    pub(crate) touched: u64,
    /// Calls about it on the wire now.
    pub(crate) on_wire: u32,
    /// What the reconciler has seen so far.
    pub(crate) watch: Option<Watch>,
}

impl Slot {
    /// With no call on the wire and no doubt.
    fn at_rest(order: OrderState, revision: u64) -> Box<Self> {
        Box::new(Self { order, touched: revision, on_wire: 0, watch: None })
    }
}

/// A modify or cancel that was begun, for the same-key rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) order: OrderId,
    pub(crate) day: Date,
    /// New limit and total quantity; none for a cancel.
    pub(crate) to: Option<(Price, Quantity)>,
}

/// The desk's memory. Orders are boxed: they are large, come and go singly, and a tree keeps eleven in a
/// row.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Orders that are not settled: what limits and positions look at.
    pub(crate) live: BTreeMap<OrderId, Box<Slot>>,
    /// Settled ones of the last days: for the same-key rule and late evidence.
    pub(crate) done: BTreeMap<OrderId, Box<OrderState>>,
    /// Modifies and cancels of the last days.
    pub(crate) changes: BTreeMap<IntentId, Change>,
    /// Orders by the broker's number.
    pub(crate) by_broker: BTreeMap<BrokerOrderId, OrderId>,
    /// Positions.
    pub(crate) ledger: Ledger,
    /// The last sessions.
    pub(crate) days: BTreeMap<Date, DayBook>,
    /// Orders placed, by trading day.
    pub(crate) placed: BTreeMap<Date, u32>,
    /// Orders at the broker that are not ours, as last seen.
    pub(crate) external: Vec<BrokerOrder>,
    /// The operator's switch.
    pub(crate) trading: TradingState,
    /// Why nothing is sent any more.
    pub(crate) halted: Option<String>,
    /// No new intents: the host is stopping.
    pub(crate) closing: bool,
    /// Rises with every change to an order.
    pub(crate) revision: u64,
    /// Calls on the wire.
    pub(crate) on_wire: u32,
    /// Placements between their first check and their commit, and who waits for them.
    pub(crate) starting: BTreeMap<IntentId, Vec<oneshot::Sender<()>>>,
    /// Calls without an answer.
    pub(crate) open_calls: OpenCalls,
    pub(crate) newest_day: Option<Date>,
}

impl Book {
    /// An order by its number, settled or not.
    pub(crate) fn order(&self, id: OrderId) -> Option<&OrderState> {
        self.live.get(&id).map(|slot| &slot.order).or_else(|| self.done.get(&id).map(Box::as_ref))
    }

    /// Takes a new order in.
    pub(crate) fn insert(&mut self, order: OrderState) {
        self.roll(order.day);
        self.revision += 1;
        *self.placed.entry(order.day).or_default() += 1;
        self.live.insert(order.id, Slot::at_rest(order, self.revision));
    }

    /// Takes an order out whose intent could not be written.
    pub(crate) fn remove(&mut self, id: OrderId) {
        if let Some(slot) = self.live.remove(&id)
            && let Some(count) = self.placed.get_mut(&slot.order.day)
        {
            *count = count.saturating_sub(1);
        }
    }

    /// Looks at the book as it would be without an order that is in it.
    pub(crate) fn without<R>(&mut self, id: OrderId, look: impl FnOnce(&Self) -> R) -> R {
        let Some(slot) = self.live.remove(&id) else { return look(self) };
        let day = slot.order.day;
        let placed = self.placed.get(&day).copied();
        if let Some(count) = self.placed.get_mut(&day) {
            *count = count.saturating_sub(1);
        }
        let seen = look(self);
        self.live.insert(id, slot);
        if let Some(placed) = placed {
            self.placed.insert(day, placed);
        }
        seen
    }

    /// A new trading day drops what is older than [`KEEP_DAYS`].
    fn roll(&mut self, day: Date) {
        if self.newest_day.is_some_and(|newest| day <= newest) {
            return;
        }
        self.newest_day = Some(day);
        let oldest = days_before(day, KEEP_DAYS);
        let by_broker = &mut self.by_broker;
        self.done.retain(|_, order| {
            let keep = order.day.max(order.for_session) >= oldest;
            if !keep
                && let Some(number) = &order.broker_id
                && by_broker.get(number) == Some(&order.id)
            {
                by_broker.remove(number);
            }
            keep
        });
        self.changes.retain(|_, change| change.day >= oldest);
        self.days = self.days.split_off(&oldest);
        self.placed = self.placed.split_off(&oldest);
    }

    /// One call about `order` goes out.
    pub(crate) fn sent(&mut self, order: OrderId) {
        self.on_wire += 1;
        self.revision += 1;
        if let Some(slot) = self.live.get_mut(&order) {
            slot.on_wire += 1;
            slot.touched = self.revision;
        }
    }

    /// Its call came back.
    pub(crate) fn answered(&mut self, order: OrderId) {
        self.on_wire = self.on_wire.saturating_sub(1);
        if let Some(slot) = self.live.get_mut(&order) {
            slot.on_wire = slot.on_wire.saturating_sub(1);
        }
    }

    /// Takes evidence in. What has to be kept is added to `out`: the evidence itself when it changed
    /// something or `keep` says so, and on a contradiction an alert and the switch thrown.
    pub(crate) fn learn(&mut self, evidence: Evidence, keep: bool, out: &mut Vec<Entry>) -> Applied {
        let id = evidence.order;
        self.revision += 1;
        let revision = self.revision;
        // Late evidence is always accepted.
        let (order, touched) = match self.live.get_mut(&id) {
            Some(slot) => (&mut slot.order, Some(&mut slot.touched)),
            None => match self.done.get_mut(&id) {
                Some(order) => (order.as_mut(), None),
                None => return Applied::Nothing,
            },
        };
        let was_unresolved = order.is_unresolved();
        let had_number = order.broker_id.is_some();
        let outcome = order.apply(&evidence);
        if outcome != Ok(Applied::Nothing)
            && let Some(touched) = touched
        {
            *touched = revision;
        }
        if let Some(number) = &order.broker_id
            && !had_number
        {
            self.by_broker.insert(number.clone(), id);
        }
        let at = evidence.at;
        let newly_unresolved = !was_unresolved && order.is_unresolved();
        let parked = matches!(evidence.fact, Fact::Parked { .. }) && outcome == Ok(Applied::Changed);
        let lost = matches!(evidence.fact, Fact::Unclear { .. })
            && (newly_unresolved || order.status() == Status::Unknown);
        if keep || outcome != Ok(Applied::Nothing) {
            out.push(Entry::Evidence(evidence));
        }
        if lost || parked {
            let alert = doubt_alert(order, parked, at);
            out.push(Entry::Alert(alert));
        }
        self.settle(id);
        match outcome {
            Ok(applied) => applied,
            Err(contradiction) => {
                self.freeze(&format!("contradiction:{id}"), &contradiction.to_string(), at, out);
                Applied::Changed
            }
        }
    }

    /// Moves a settled order out of the hot map, and one that was thought to be settled back into it.
    fn settle(&mut self, id: OrderId) {
        if self.done.get(&id).is_some_and(|order| !order.is_settled())
            && let Some(order) = self.done.remove(&id)
        {
            self.live.insert(id, Slot::at_rest(*order, self.revision));
            return;
        }
        if self.live.get(&id).is_some_and(|slot| slot.on_wire == 0 && slot.order.is_settled())
            && let Some(slot) = self.live.remove(&id)
        {
            self.done.insert(id, Box::new(slot.order));
        }
    }

    /// Enters shares and money.
    pub(crate) fn post(&mut self, entry: LedgerEntry, out: &mut Vec<Entry>) {
        if let LedgerKind::ReconciledFill { order, .. } = &entry.why {
            let id = *order;
            if let Some(slot) = self.live.get_mut(&id) {
                slot.order.note_inferred(entry.quantity);
            } else if let Some(order) = self.done.get_mut(&id) {
                order.note_inferred(entry.quantity);
            }
            self.settle(id);
        }
        let before = if entry.side == Side::Sell { self.ledger.realised() } else { model::Money::ZERO };
        let outcome = self.ledger.apply(&entry);
        let realised =
            if entry.side == Side::Sell { self.ledger.realised() - before } else { model::Money::ZERO };
        if let Err(oversold) = outcome {
            self.freeze(&format!("oversold:{}", entry.symbol), &oversold.to_string(), entry.at, out);
        }
        self.days.entry(entry.session).or_default().add(entry, realised);
    }

    /// Only cancellations from here on, durably, until a person has looked.
    pub(crate) fn freeze(&mut self, key: &str, what: &str, at: Timestamp, out: &mut Vec<Entry>) {
        if self.trading != TradingState::CancelsOnly {
            self.trading = TradingState::CancelsOnly;
            let action = OperatorAction::SetTrading { state: TradingState::CancelsOnly };
            out.push(Entry::Operator { action, by: "desk".to_owned(), at });
        }
        out.push(Entry::Alert(Alert {
            key: key.to_owned(),
            severity: Severity::Critical,
            source: "desk".to_owned(),
            text: format!(
                "{what}. Trading is frozen (cancellations only). Compare `tradeagent orders` with the broker's book, then `tradeagent kill-switch off`."
            ),
            at,
        }));
    }

    /// The order that a row or trade belongs to: by tag first, then by the broker's number (which may
    /// begin anew each day: the newest order with it is meant).
    pub(crate) fn match_row(&self, broker_id: &BrokerOrderId, tag: Option<&str>) -> Option<OrderId> {
        if let Some(id) = tag.and_then(IntentId::parse)
            && self.order(id).is_some()
        {
            return Some(id);
        }
        self.by_broker.get(broker_id).copied()
    }

    /// Shares in working and unresolved sells of `symbol`.
    pub(crate) fn in_sells(&self, symbol: &Symbol) -> Quantity {
        let sells = self.live.values().map(|slot| &slot.order);
        sells
            .filter(|order| order.terms.side == Side::Sell && order.terms.symbol == *symbol)
            .map(OrderState::exposed)
            .sum()
    }
}

fn doubt_alert(order: &OrderState, parked: bool, at: Timestamp) -> Alert {
    let OrderTerms { symbol, side, quantity, .. } = &order.terms;
    let what = if parked {
        format!("cannot be resolved by reading: `tradeagent orders resolve {}`", order.id)
    } else {
        "has no clear answer; it counts as filled and blocks its symbol while the host finds out".to_owned()
    };
    Alert {
        key: format!("{}:{}:{}", if parked { "parked" } else { "unknown" }, order.id, order.cancels()),
        severity: if parked { Severity::Critical } else { Severity::Warning },
        source: "desk".to_owned(),
        text: format!("order {} of {} ({side} {quantity} {symbol}) {what}", order.id, order.strategy),
        at,
    }
}

/// `days` days before `date`.
pub(crate) fn days_before(date: Date, days: u32) -> Date {
    (0..days).fold(date, |day, _| day.pred_opt().unwrap_or(day))
}
