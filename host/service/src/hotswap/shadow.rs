//! A version that runs beside the live one: it sees what that one sees, and nothing of what it does leaves.
//!
//! Its orders are kept here and stand unfilled; its state is its own, and begins with what the live version had when
//! the shadow began; its alerts are counted. Other reads are answered from what the host knows: of the broker it asks
//! holdings and funds at most once a tick, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use market::{Candles, InstrumentFilter, Interval, Quote};
use model::{
    BoxFuture, DayAccount, Difference, Funds, Holding, Instrument, IntentId, ModifyRequest, OrderError,
    OrderId, OrderTerms, OrderView, Origin, PlaceRequest, Placed, PositionView, Price, Quantity, ReadError,
    Status, Symbol, Timestamp, ready,
};
use runtime::{Services, SessionView, Severity};
use serde::{Deserialize, Serialize};

/// Orders that a shadow may place in a day; more are denied.
const ORDERS_MAX: usize = 1_000;
/// Bytes that its own state may take; what is written beyond it is dropped, and said once.
const STATE_BYTES_MAX: usize = 8 << 20;

#[derive(Default)]
struct Kept {
    state: BTreeMap<String, Option<Vec<u8>>>,
    state_full: bool,
    orders: Vec<OrderView>,
    alerts: BTreeSet<String>,
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
    /// Orders that stood before it began: it would have taken them over.
    inherited: BTreeSet<String>,
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
        let inherited = inherited.iter().map(|order| order.id.clone()).collect();
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

    /// A trading day has begun: its orders have ended with their session.
    pub fn new_day(&self) {
        self.kept().orders.clear();
    }

    /// What it would have done, beside what the live version did: `lives` are that one's orders of the day.
    pub fn compare(&self, lives: &[OrderView]) -> Comparison {
        let kept = self.kept();
        let lives: BTreeMap<&str, &OrderView> = lives
            .iter()
            .filter(|order| !self.inherited.contains(&order.id))
            .map(|order| (order.key.as_str(), order))
            .collect();
        let mut comparison = Comparison { alerts: kept.alerts.len(), ..Comparison::default() };
        let mut both = BTreeSet::new();
        for order in &kept.orders {
            match lives.get(order.key.as_str()) {
                Some(live) if live.terms == order.terms => comparison.same += 1,
                Some(live) => comparison.differ(format!(
                    "{}: {} where the live one has {}",
                    order.key,
                    what(&order.terms),
                    what(&live.terms)
                )),
                None => {
                    comparison.differ(format!("{}: {}, by the shadow only", order.key, what(&order.terms)))
                }
            }
            both.insert(order.key.as_str());
        }
        for (key, live) in lives {
            if !both.contains(key) {
                comparison.differ(format!("{key}: {}, by the live one only", what(&live.terms)));
            }
        }
        comparison
    }
}

fn what(terms: &OrderTerms) -> String {
    format!("{} {} {} at {}", terms.side, terms.quantity, terms.symbol, terms.price)
}

/// A shadow's day beside the live version's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Orders that both placed alike.
    pub same: usize,
    /// Orders that only one placed, or with other terms.
    pub different: usize,
    /// The first of those, in words.
    pub differences: Vec<String>,
    /// Alerts that the shadow would have sent.
    pub alerts: usize,
}

/// Differences that are told in words.
const TOLD_MAX: usize = 10;

impl Comparison {
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

    /// What the system owns, with its own working sells in place of those that the live version has placed since.
    fn positions(&self, origin: &Origin) -> Result<Vec<PositionView>, ReadError> {
        let mut positions = self.inner.positions(origin)?;
        let lives = self.inner.own_orders(origin)?;
        let kept = self.kept();
        for view in &mut positions {
            let symbol = &view.position.symbol;
            let since = lives.iter().filter(|order| !self.inherited.contains(&order.id));
            let theirs: Quantity = since.map(|order| order.working_sell(symbol)).sum();
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
        match self.kept().orders.iter().find(|order| order.id == id) {
            Some(order) => Ok(order.clone()),
            None => self.inner.order(origin, id),
        }
    }

    fn own_orders(&self, origin: &Origin) -> Result<Vec<OrderView>, ReadError> {
        let mut orders = self.inner.own_orders(origin)?;
        let kept = self.kept();
        orders.retain(|order| {
            self.inherited.contains(&order.id) && !kept.orders.iter().any(|own| own.id == order.id)
        });
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
        let before = if self.inherited.contains(&name) { self.inner.order(origin, &name).ok() } else { None };
        let mut kept = self.kept();
        if let Some(there) = kept.orders.iter().find(|order| order.id == name).or(before.as_ref()) {
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
        let session = self.inner.session(origin).ok().and_then(|session| session.for_session);
        let order = OrderView {
            id: name,
            strategy: Some(origin.strategy.clone()),
            key,
            broker_id: None,
            status: if terms.amo { Status::QueuedAmo } else { Status::New },
            for_session: session.filter(|_| terms.amo).unwrap_or(origin.day),
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
        let is_new = kept.alerts.len() < ORDERS_MAX && kept.alerts.insert(format!("{}:{key}", origin.day));
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
    /// Changes an order of its own, or its picture of one that it took over.
    fn change(
        &self,
        origin: &Origin,
        id: OrderId,
        change: impl FnOnce(&mut OrderView),
    ) -> Result<Placed, OrderError> {
        let name = id.to_string();
        let mut kept = self.kept();
        if !kept.orders.iter().any(|order| order.id == name) {
            let taken_over = self.inherited.contains(&name).then(|| self.inner.order(origin, &name).ok());
            let Some(order) = taken_over.flatten() else {
                return Err(denied("no-such-order", format!("there is no order {name}")));
            };
            kept.orders.push(order);
        }
        let Some(order) = kept.orders.iter_mut().find(|order| order.id == name) else {
            return Err(denied("no-such-order", format!("there is no order {name}")));
        };
        if order.status.is_final() {
            return Err(denied("order-is-final", format!("order {name} has ended")));
        }
        change(order);
        Ok(order.placed(id))
    }
}
