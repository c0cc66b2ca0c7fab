//! The orders of the new version within the recorded world.
//!
//! As long as all that it asked of an order is what was asked then, and in the same runs, the order has its
//! recorded fate. From the first thing that is another on, it stands as it was asked, without further fills,
//! until its session ends.

use std::collections::BTreeMap;

use model::{
    Date, OrderId, OrderTerms, OrderView, PlaceRequest, Placed, Quantity, ReadError, Status, StrategyName,
    Symbol, Timestamp,
};
use runtime::tape::{Call, Function, Refused, Tape, decode};

use super::past::{Act, Past};

/// One order as the new version asked for it.
#[derive(Debug, Clone)]
struct Standing {
    view: OrderView,
    cancelled: bool,
}

/// All orders of the new version.
#[derive(Debug, Default)]
pub struct Orders {
    /// What it asked, by order: at which run, and what.
    pub acts: BTreeMap<OrderId, Vec<(usize, Act)>>,
    /// Day and key of those that it placed.
    pub keys: BTreeMap<OrderId, (Date, String)>,
    standing: BTreeMap<OrderId, Standing>,
    /// As last seen in the recording.
    seen: BTreeMap<OrderId, OrderView>,
    /// Orders of other strategies, as they stand for the new version.
    others: BTreeMap<OrderId, OrderView>,
    /// What this run has asked until now, taken or not.
    asked: BTreeMap<OrderId, Vec<Act>>,
    run: usize,
    now: Timestamp,
    /// When continuous trading of a day ends, as far as it was asked for.
    pub session_ends: BTreeMap<Date, Timestamp>,
}

/// The orders in a recorded answer.
fn views(call: &Call) -> Vec<OrderView> {
    match call.function {
        Function::OwnOrders | Function::AccountOrders => {
            decode::<Result<_, ReadError>>(&call.answer).ok().and_then(Result::ok).unwrap_or_default()
        }
        Function::Order => {
            let view = decode::<Result<_, ReadError>>(&call.answer).ok().and_then(Result::ok);
            view.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

impl Orders {
    /// The recorded run `run` is answered from; it is `now`.
    pub fn begin(&mut self, run: usize, now: Timestamp) {
        (self.run, self.now) = (run, now);
        self.asked.clear();
    }

    /// The run is over: what it asked in the recording and not now will not be asked any more.
    pub const fn end(&mut self) {
        self.run += 1;
    }

    /// The recorded run that is answered from.
    pub const fn run(&self) -> usize {
        self.run
    }

    /// The present instant.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// `act` is asked; answers with how often this run has asked it before.
    pub fn ask(&mut self, order: OrderId, act: &Act) -> usize {
        let asked = self.asked.entry(order).or_default();
        let before = asked.iter().filter(|known| *known == act).count();
        asked.push(act.clone());
        before
    }

    /// Whether all that was asked of the order until now is what the recording has, in the same runs.
    pub fn follows(&self, past: &Past, order: OrderId) -> bool {
        let recorded = past.acts.get(&order).map_or(&[][..], Vec::as_slice);
        let mine = self.acts.get(&order).map_or(&[][..], Vec::as_slice);
        let before = recorded.iter().take_while(|(run, _)| *run < self.run).count();
        let until = recorded.iter().take_while(|(run, _)| *run <= self.run).count();
        (before..=until).contains(&mine.len())
            && recorded.iter().zip(mine).all(|(recorded, mine)| recorded == mine)
    }

    fn is_placed(past: &Past, order: OrderId) -> bool {
        past.acts.get(&order).is_some_and(|acts| matches!(acts.first(), Some((_, Act::Place(_)))))
    }

    /// Learns what a recorded answer says of orders.
    pub fn see_call(&mut self, past: &Past, tape: &Tape, call: &Call) {
        views(call).iter().for_each(|view| self.see(past, &tape.info.origin.strategy, view));
    }

    /// Learns how an order stood in the recording of `strategy`.
    pub fn see(&mut self, past: &Past, strategy: &StrategyName, view: &OrderView) {
        let Some(order) = OrderId::parse(&view.id) else { return };
        match &view.strategy {
            Some(owner) if owner == strategy => self.see_own(past, order, view),
            // What only the recording did to it is not so for the new version.
            Some(_) if self.follows(past, order) => {
                self.others.insert(order, view.clone());
            }
            _ => {}
        }
    }

    fn see_own(&mut self, past: &Past, order: OrderId, view: &OrderView) {
        self.seen.insert(order, view.clone());
        if !Self::is_placed(past, order) {
            // From before the recording: both versions have it.
            self.standing.entry(order).or_insert_with(|| Standing { view: view.clone(), cancelled: false });
        }
        if self.follows(past, order)
            && let Some(standing) = self.standing.get_mut(&order)
        {
            standing.view = view.clone();
        }
    }

    /// Learns of a recorded placing, until the recording looks at the order itself.
    pub fn see_placed(&mut self, past: &Past, tape: &Tape, call: &Call) {
        if call.function != Function::Place {
            return;
        }
        let (Ok(request), Ok(Ok(placed))) =
            (decode::<PlaceRequest>(&call.arguments), decode::<Result<Placed, Refused>>(&call.answer))
        else {
            return;
        };
        if self.seen.contains_key(&placed.id) {
            return;
        }
        let for_session = tape.info.for_session.filter(|_| request.terms.amo);
        let view = OrderView {
            id: placed.id.to_string(),
            strategy: Some(tape.info.origin.strategy.clone()),
            key: request.key,
            broker_id: None,
            terms: request.terms,
            status: placed.status,
            filled: placed.filled,
            average: placed.average,
            for_session: for_session.unwrap_or(tape.info.origin.day),
            placed_at: tape.now,
            reason: request.reason,
        };
        self.see_own(past, placed.id, &view);
    }

    /// Whether continuous trading of the session is over, as far as it is known.
    pub fn is_over(&self, session: Date) -> bool {
        self.now.ist_date() > session || self.session_ends.get(&session).is_some_and(|end| *end <= self.now)
    }

    /// As it stands by itself: without further fills, until its session ends.
    fn by_itself(&self, mut view: OrderView, cancelled: bool) -> OrderView {
        view.status = if view.status.is_final() {
            view.status
        } else if cancelled {
            Status::Canceled
        } else if self.is_over(view.for_session) {
            Status::Expired
        } else if view.terms.amo && self.now.ist_date() < view.for_session {
            Status::QueuedAmo
        } else if view.filled.is_zero() {
            Status::New
        } else {
            Status::PartiallyFilled
        };
        view
    }

    /// An order that the new version has, as it stands for it.
    pub fn view(&self, past: &Past, order: OrderId) -> Option<OrderView> {
        let standing = self.standing.get(&order)?;
        match self.seen.get(&order) {
            // The recording may not have looked again after its session.
            Some(seen) if self.follows(past, order) && self.is_over(seen.for_session) => {
                Some(self.by_itself(seen.clone(), false))
            }
            Some(seen) if self.follows(past, order) => Some(seen.clone()),
            _ => Some(self.by_itself(standing.view.clone(), standing.cancelled)),
        }
    }

    /// An order of another strategy, as it stands for the new version.
    pub fn other(&self, order: OrderId) -> Option<&OrderView> {
        self.others.get(&order)
    }

    /// An own order as last seen in the recording.
    pub fn seen(&self, order: OrderId) -> Option<&OrderView> {
        self.seen.get(&order)
    }

    /// Whether the recording placed the order.
    pub fn was_placed(&self, past: &Past, order: OrderId) -> bool {
        Self::is_placed(past, order)
    }

    /// A recorded list of orders as the new version sees it.
    pub fn overlay(&self, past: &Past, recorded: Vec<OrderView>, today: Date) -> Vec<OrderView> {
        let mut shown = Vec::with_capacity(recorded.len());
        let mut there = std::collections::BTreeSet::new();
        for view in recorded {
            let Some(order) = OrderId::parse(&view.id) else {
                shown.push(view);
                continue;
            };
            let ours = self.standing.contains_key(&order);
            if ours && self.follows(past, order) {
                there.insert(order);
                shown.push(view);
            } else if !ours && !Self::is_placed(past, order) {
                let other = self.others.get(&order).filter(|_| !self.follows(past, order));
                shown.push(other.cloned().unwrap_or(view));
            }
        }
        // What both have and this list has not, though it was seen before, has ended since.
        let ended = |order: &OrderId| self.seen.contains_key(order) && self.follows(past, *order);
        let mine = self.standing.keys().filter(|order| !there.contains(order) && !ended(order));
        let mine = mine.filter_map(|order| self.view(past, *order));
        shown.extend(mine.filter(|view| !view.status.is_final() || view.placed_at.ist_date() == today));
        shown
    }

    /// Own orders as last seen, for a run in which the recording did not ask for them.
    pub fn last_seen(&self, past: &Past, today: Date) -> Vec<OrderView> {
        let mine = self
            .seen
            .iter()
            .filter(|(order, _)| Self::is_placed(past, **order) || self.standing.contains_key(order));
        mine.map(|(_, view)| view.clone())
            .filter(|view| !view.status.is_final() || view.placed_at.ist_date() == today)
            .collect()
    }

    /// Keeps that something was asked.
    pub fn act(&mut self, order: OrderId, act: Act) {
        let acts = self.acts.entry(order).or_default();
        if acts.last().is_none_or(|(_, last)| *last != act) {
            acts.push((self.run, act));
        }
    }

    /// A new order stands.
    pub fn place(&mut self, order: OrderId, view: OrderView) {
        self.keys.insert(order, (view.placed_at.ist_date(), view.key.clone()));
        self.act(order, Act::Place(view.terms.clone()));
        self.standing.insert(order, Standing { view, cancelled: false });
    }

    /// The terms that a placed order has now, as it was asked for.
    pub fn first_terms(&self, order: OrderId) -> Option<&OrderTerms> {
        self.acts.get(&order)?.iter().find_map(|(_, act)| match act {
            Act::Place(terms) => Some(terms),
            _ => None,
        })
    }

    /// Changes an order.
    pub fn modify(&mut self, order: OrderId, price: model::Price, total: Quantity) {
        self.act(order, Act::Modify(price, total));
        if let Some(standing) = self.standing.get_mut(&order) {
            standing.view.terms.price = price;
            standing.view.terms.quantity = total;
        }
    }

    /// Cancels an order.
    pub fn cancel(&mut self, order: OrderId) {
        self.act(order, Act::Cancel);
        if let Some(standing) = self.standing.get_mut(&order) {
            standing.cancelled = true;
        }
        if let Some(other) = self.others.get_mut(&order) {
            other.status = Status::Canceled;
        }
    }

    /// Shares of `symbol` in working sells: of the recording's that the new version has not, and of its own
    /// that the recording has not.
    pub fn working_sells(&self, past: &Past, symbol: &Symbol) -> (u32, u32) {
        let working = |view: &OrderView| {
            if self.is_over(view.for_session) { 0 } else { view.working_sell(symbol).get() }
        };
        let parted = |order: OrderId| !(self.standing.contains_key(&order) && self.follows(past, order));
        let recorded = self.seen.iter().filter(|(order, view)| {
            parted(**order)
                && (Self::is_placed(past, **order) || self.standing.contains_key(order))
                && !view.status.is_final()
        });
        let mine = self.standing.keys().filter(|order| parted(**order));
        (
            recorded.map(|(_, view)| working(view)).sum(),
            mine.filter_map(|order| self.view(past, *order)).map(|view| working(&view)).sum(),
        )
    }
}
