//! A version that runs beside the live one: it sees what that one sees, and nothing of what it does leaves.
//!
//! Its orders are kept here and stand unfilled; its state is its own, and begins with what the live version had when
//! the shadow began; its alerts of the day are counted. Other reads are answered from what the host knows: of the
//! broker it asks holdings and funds at most once a tick, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calendar::Phase;
use market::{Candles, InstrumentFilter, Interval, Quote};
use model::{
    BoxFuture, Date, DayAccount, Difference, Funds, Holding, Instrument, IntentId, ModifyRequest, OrderError,
    OrderId, OrderView, Origin, PlaceRequest, Placed, PositionView, Price, Quantity, ReadError, Status,
    Symbol, Timestamp, Validity, ready,
};
use runtime::{Services, SessionView, Severity};
use serde::{Deserialize, Serialize};

/// Orders that a shadow may place in a day; more are denied.
const ORDERS_MAX: usize = 1_000;
/// Alerts of a day that are told apart; more are dropped.
const ALERTS_MAX: usize = 1_000;
/// Bytes that its own state may take; what is written beyond it is dropped, and said once.
const STATE_BYTES_MAX: usize = 8 << 20;

#[derive(Default)]
struct Kept {
    state: BTreeMap<String, Option<Vec<u8>>>,
    state_full: bool,
    /// Its own, and its picture of inherited ones that it has changed.
    orders: Vec<OrderView>,
    /// Orders as they stood before it changed what had ended for the live version by then: that one had nothing left
    /// to change, so either picture may be the live one's.
    outlived: BTreeMap<String, OrderView>,
    alerts: BTreeSet<(Date, String)>,
}

impl Kept {
    fn order(&self, id: &str) -> Option<&OrderView> {
        self.orders.iter().find(|order| order.id == id)
    }
}

/// What the broker was asked in the present tick: the same answer for the rest of it.
#[derive(Default)]
struct AskedBroker {
    holdings: Option<Result<Vec<Holding>, ReadError>>,
    funds: Option<Result<Funds, ReadError>>,
}

/// Where a shadow's host functions lead.
pub struct Shadow {
    inner: Arc<dyn Services>,
    /// The state that it began with.
    base: BTreeMap<String, Vec<u8>>,
    // Held over the question: two at once would ask twice.
    asked: tokio::sync::Mutex<AskedBroker>,
    /// Orders as they stood when it began: it would have taken them over.
    inherited: BTreeMap<String, OrderView>,
    kept: Mutex<Kept>,
}

fn denied(rule: &'static str, reason: impl Into<String>) -> OrderError {
    OrderError::Denied { rule, reason: reason.into() }
}

impl Shadow {
    /// Beside the version whose orders so far are `inherited` and whose state is `state`.
    pub fn beside(
        inner: Arc<dyn Services>,
        inherited: &[OrderView],
        state: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Self {
        let inherited = inherited.iter().map(|order| (order.id.clone(), order.clone())).collect();
        let base = state.into_iter().collect();
        Self { inner, base, asked: tokio::sync::Mutex::default(), inherited, kept: Mutex::default() }
    }

    /// A tick begins: the broker may be asked again.
    pub async fn tick_begins(&self) {
        *self.asked.lock().await = AskedBroker::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run has ended well: what it wrote is its state.
    pub fn keep(&self, written: Vec<(String, Option<Vec<u8>>)>) {
        let mut kept = self.kept();
        let size = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
        let mut bytes: usize = kept.state.iter().map(|(key, value)| key.len() + size(value)).sum();
        for (key, value) in written {
            bytes += key.len() + size(&value);
            if bytes > STATE_BYTES_MAX {
                if !std::mem::replace(&mut kept.state_full, true) {
                    tracing::warn!(
                        "a shadow's state is larger than {STATE_BYTES_MAX} bytes; the rest is dropped"
                    );
                }
                return;
            }
            kept.state.insert(key, value);
        }
    }

    /// A trading day has begun: its orders have ended with their session, but for those that are meant for this one.
    pub fn new_day(&self) {
        let today = self.inner.now().ist_date();
        let mut kept = self.kept();
        kept.orders.retain(|order| order.for_session >= today);
        kept.outlived.retain(|_, order| order.for_session >= today);
        kept.alerts.clear();
    }

    /// Whether it sees this order of the live version's as that one has it.
    fn shares(&self, kept: &Kept, order: &OrderView) -> bool {
        self.inherited.contains_key(&order.id) && kept.order(&order.id).is_none()
    }

    /// What it would have done, beside what the live version did: `lives` are that one's orders of `day`.
    ///
    /// Terms and cancellations are compared. Fills and expiry are not: nothing of a shadow's meets the market. It
    /// keeps to the market's phases, but not to the desk's risk rules nor to the orders a day of a grant: those count
    /// the live version's orders. So an order that they deny the live version is told as by the shadow only.
    pub fn compare(&self, lives: &[OrderView], day: Date) -> Comparison {
        let kept = self.kept();
        let is_of_day = |order: &&OrderView| order.placed_at.ist_date() == day || order.for_session >= day;
        let theirs: BTreeMap<&str, &OrderView> =
            lives.iter().filter(is_of_day).map(|order| (order.id.as_str(), order)).collect();
        let alerts = kept.alerts.iter().filter(|(of, _)| *of == day).count();
        let mut comparison = Comparison { alerts, ..Comparison::default() };
        let mut both = BTreeSet::new();
        for order in kept.orders.iter().filter(is_of_day) {
            let Some(live) = theirs.get(order.id.as_str()) else {
                comparison.differ(format!("{}: {}, by the shadow only", order.key, what(order)));
                continue;
            };
            both.insert(order.id.as_str());
            let outlived = kept.outlived.get(&order.id);
            if is_alike(order, live) || outlived.is_some_and(|before| is_alike(before, live)) {
                comparison.same += 1;
            } else {
                comparison.part(order, live);
            }
        }
        let rest = lives.iter().filter(is_of_day).filter(|live| !both.contains(live.id.as_str()));
        for live in rest {
            match self.inherited.get(&live.id) {
                // Neither has changed it.
                Some(before) if is_alike(before, live) => {}
                Some(before) => comparison.part(before, live),
                None => comparison.differ(format!("{}: {}, by the live one only", live.key, what(live))),
            }
        }
        comparison
    }
}

fn is_alike(own: &OrderView, live: &OrderView) -> bool {
    own.terms == live.terms && is_cancelled(own) == is_cancelled(live)
}

/// Whether its version took it back. What an IOC order leaves is cancelled by the exchange.
fn is_cancelled(order: &OrderView) -> bool {
    order.terms.validity != Validity::Ioc && matches!(order.status, Status::Canceled | Status::PendingCancel)
}

fn what(order: &OrderView) -> String {
    let terms = &order.terms;
    let end = if is_cancelled(order) { ", cancelled" } else { "" };
    format!("{} {} {} at {}{end}", terms.side, terms.quantity, terms.symbol, terms.price)
}

/// A shadow's day beside the live version's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Orders that both placed or changed alike.
    pub same: usize,
    /// Orders that only one placed, changed or cancelled, or with other terms. What the desk's risk rules deny the
    /// live version is among them: a shadow is not held to those.
    pub different: usize,
    /// The first of those, in words.
    pub differences: Vec<String>,
    /// Alerts that the shadow would have sent on the day.
    pub alerts: usize,
}

/// Differences that are told in words.
const TOLD_MAX: usize = 10;

impl Comparison {
    /// The same order stands otherwise.
    fn part(&mut self, own: &OrderView, live: &OrderView) {
        self.differ(format!("{}: {} where the live one has {}", own.key, what(own), what(live)));
    }

    fn differ(&mut self, words: String) {
        self.different += 1;
        if self.differences.len() < TOLD_MAX {
            self.differences.push(words);
        }
    }
}

impl Services for Shadow {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn instruments(&self, filter: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        self.inner.instruments(filter)
    }

    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, ReadError> {
        self.inner.instrument(symbol)
    }

    fn quote<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>> {
        self.inner.quote(symbol)
    }

    fn candles(&self, symbols: &[Symbol], interval: Interval, n: u32) -> Result<Vec<Candles>, ReadError> {
        self.inner.candles(symbols, interval, n)
    }

    fn session(&self, origin: &Origin) -> Result<SessionView, ReadError> {
        self.inner.session(origin)
    }

    /// What the system owns, with its own working sells in place of those that the live version has placed since, and
    /// of those that it has changed itself.
    fn positions(&self, origin: &Origin) -> Result<Vec<PositionView>, ReadError> {
        let mut positions = self.inner.positions(origin)?;
        let lives = self.inner.own_orders(origin)?;
        let kept = self.kept();
        for view in &mut positions {
            let symbol = &view.position.symbol;
            let replaced = lives.iter().filter(|order| !self.shares(&kept, order));
            let theirs: Quantity = replaced.map(|order| order.working_sell(symbol)).sum();
            let own: Quantity = kept.orders.iter().map(|order| order.working_sell(symbol)).sum();
            view.in_working_sells = view.in_working_sells.saturating_sub(theirs) + own;
            view.free = view.position.settled.saturating_sub(view.in_working_sells);
        }
        Ok(positions)
    }

    fn holdings<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>> {
        Box::pin(async move {
            let mut asked = self.asked.lock().await;
            if let Some(answer) = &asked.holdings {
                return answer.clone();
            }
            asked.holdings.insert(self.inner.holdings(origin).await).clone()
        })
    }

    fn funds<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>> {
        Box::pin(async move {
            let mut asked = self.asked.lock().await;
            if let Some(answer) = &asked.funds {
                return answer.clone();
            }
            asked.funds.insert(self.inner.funds(origin).await).clone()
        })
    }

    /// A shadow settles nothing: it is told that nothing is left.
    fn reconcile<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>> {
        ready(Ok(Vec::new()))
    }

    fn day_account<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>> {
        self.inner.day_account(origin)
    }

    fn order(&self, origin: &Origin, id: &str) -> Result<OrderView, ReadError> {
        match self.kept().order(id) {
            Some(order) => Ok(order.clone()),
            None => self.inner.order(origin, id),
        }
    }

    fn own_orders(&self, origin: &Origin) -> Result<Vec<OrderView>, ReadError> {
        let mut orders = self.inner.own_orders(origin)?;
        let kept = self.kept();
        orders.retain(|order| self.shares(&kept, order));
        orders.extend(kept.orders.iter().cloned());
        Ok(orders)
    }

    fn account_orders<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>> {
        self.inner.account_orders(origin)
    }

    fn place<'a>(
        &'a self,
        origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        let PlaceRequest { key, terms, reason, .. } = request;
        let id = IntentId::derive(&origin.account, &origin.strategy, origin.day, &key);
        let name = id.to_string();
        let before =
            if self.inherited.contains_key(&name) { self.inner.order(origin, &name).ok() } else { None };
        let mut kept = self.kept();
        if let Some(there) = kept.order(&name).or(before.as_ref()) {
            return ready(if there.terms == terms {
                Ok(there.placed(id))
            } else {
                Err(denied("key-reused", format!("the key {key} was used for another order")))
            });
        }
        if kept.orders.len() >= ORDERS_MAX {
            return ready(Err(denied(
                "shadow-orders",
                format!("a shadow keeps at most {ORDERS_MAX} orders"),
            )));
        }
        let for_session = match self.session_for(origin, terms.amo) {
            Ok(session) => session,
            Err(not_now) => return ready(Err(not_now)),
        };
        let order = OrderView {
            id: name,
            strategy: Some(origin.strategy.clone()),
            key,
            broker_id: None,
            status: if terms.amo { Status::QueuedAmo } else { Status::New },
            for_session,
            terms,
            filled: Quantity::ZERO,
            average: Price::ZERO,
            placed_at: self.inner.now(),
            reason,
        };
        let answer = Ok(order.placed(id));
        kept.orders.push(order);
        ready(answer)
    }

    fn modify<'a>(
        &'a self,
        origin: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        let price = request.price;
        let quantity = request.total_quantity;
        ready(self.change(origin, request.order, |order| {
            order.terms.price = price;
            order.terms.quantity = quantity;
        }))
    }

    fn cancel<'a>(
        &'a self,
        origin: &'a Origin,
        order: OrderId,
        _any_stale: bool,
        reason: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        ready(self.change(origin, order, |order| {
            order.status = Status::Canceled;
            order.reason = reason;
        }))
    }

    fn state_get(&self, _origin: &Origin, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(value) = self.kept().state.get(key) {
            return Ok(value.clone());
        }
        Ok(self.base.get(key).cloned())
    }

    fn state_keys(&self, _origin: &Origin, prefix: &str) -> Result<Vec<String>, ReadError> {
        let began_with = self.base.range(prefix.to_owned()..).map(|(key, _)| key);
        let mut keys: BTreeSet<String> =
            began_with.take_while(|key| key.starts_with(prefix)).cloned().collect();
        for (key, value) in self.kept().state.range(prefix.to_owned()..) {
            if !key.starts_with(prefix) {
                break;
            }
            if value.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        Ok(keys.into_iter().collect())
    }

    fn alert(&self, origin: &Origin, key: &str, _severity: Severity, text: &str) -> bool {
        let mut kept = self.kept();
        let is_new = kept.alerts.len() < ALERTS_MAX && kept.alerts.insert((origin.day, key.to_owned()));
        if is_new {
            tracing::info!(strategy = %origin.strategy, "shadow: would alert: {text}");
        }
        is_new
    }

    fn log(&self, origin: &Origin, level: tracing::Level, message: &str) {
        self.inner.log(origin, level, &format!("shadow: {message}"));
    }
}

impl Shadow {
    /// The session that an order of now is for: when the desk takes none, neither does a shadow.
    fn session_for(&self, origin: &Origin, amo: bool) -> Result<Date, OrderError> {
        let not_now = |phase: Phase, reason: String| OrderError::NotNow { phase: phase.to_string(), reason };
        let session =
            self.inner.session(origin).map_err(|error| not_now(Phase::Closed, error.to_string()))?;
        if amo {
            let outside = || not_now(session.phase, "after-market orders are not taken now".to_owned());
            return session.for_session.ok_or_else(outside);
        }
        let now = self.inner.now();
        let is_open = session
            .phases
            .iter()
            .any(|(_, window)| window.phase == Phase::Continuous && window.start <= now && now < window.end);
        if is_open {
            Ok(session.trading_day)
        } else {
            Err(not_now(session.phase, "orders are taken in continuous trading".to_owned()))
        }
    }

    /// Changes an order of its own, or its picture of one that it took over.
    fn change(
        &self,
        origin: &Origin,
        id: OrderId,
        change: impl FnOnce(&mut OrderView),
    ) -> Result<Placed, OrderError> {
        let name = id.to_string();
        let live = self.inner.order(origin, &name).ok();
        let has_ended = live.as_ref().is_some_and(|order| order.status.is_final());
        let taken_over = live.filter(|_| self.inherited.contains_key(&name));
        let mut kept = self.kept();
        let place = kept.orders.iter().position(|order| order.id == name);
        let Some(before) = place.map(|place| kept.orders[place].clone()).or(taken_over) else {
            return Err(denied("no-such-order", format!("there is no order {name}")));
        };
        if before.status.is_final() {
            return Err(denied("order-is-final", format!("order {name} has ended")));
        }
        let mut order = before.clone();
        change(&mut order);
        let answer = order.placed(id);
        if has_ended {
            kept.outlived.entry(name).or_insert(before);
        }
        match place {
            Some(place) => kept.orders[place] = order,
            None => kept.orders.push(order),
        }
        Ok(answer)
    }
}
