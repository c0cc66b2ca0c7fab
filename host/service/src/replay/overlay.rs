//! The recorded world with another version in it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use calendar::Phase;
use market::{Candles, InstrumentFilter, Interval, Quote};
use model::{
    BoxFuture, Date, DayAccount, Difference, Funds, Holding, Instrument, ModifyRequest, OrderError, OrderId,
    OrderView, Origin, PlaceRequest, Placed, PositionView, Quantity, ReadError, Status, Symbol, Timestamp,
    ready,
};
use runtime::tape::{Call, Function, Refused, Tape, decode, encode};
use runtime::{Services, SessionView, Severity};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::past::{Act, AlertText, Past, taken};
use super::standing::Orders;

/// The most reads without an answer that are told one by one.
const UNANSWERED_MAX: usize = 100;

/// [`Services`] that answer reads from the recorded run, and keep orders, alerts and state of their own.
pub struct Overlay {
    past: Past,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    day: Option<Date>,
    for_session: Option<Date>,
    /// Answers of the recorded run, by function and arguments, in order.
    answers: BTreeMap<(Function, String), VecDeque<String>>,
    /// What holds for the day: daily candles, instruments, the session; newest last.
    of_day: Vec<(Function, String, String)>,
    orders: Orders,
    alerts: BTreeMap<(Date, String), AlertText>,
    state: BTreeMap<String, Option<Vec<u8>>>,
    unanswered: Unanswered,
}

/// Reads that the recording could not answer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Unanswered {
    /// How many.
    pub count: u64,
    /// The first of them: run, function, arguments.
    pub first: Vec<(String, Function, String)>,
}

/// What the new version did.
pub struct Done {
    /// By order: at which run, and what.
    pub acts: BTreeMap<OrderId, Vec<(usize, Act)>>,
    /// Day and key of what it placed.
    pub keys: BTreeMap<OrderId, (Date, String)>,
    /// Its alerts.
    pub alerts: BTreeMap<(Date, String), AlertText>,
    /// What it read in vain.
    pub unanswered: Unanswered,
}

impl Overlay {
    /// Over all of a strategy's recorded runs.
    pub fn new(past: Past) -> Self {
        Self { past, inner: Mutex::default() }
    }

    /// What the recording has.
    pub const fn past(&self) -> &Past {
        &self.past
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Run number `run` of the recording is next.
    pub fn begin(&self, run: usize, tape: &Tape) {
        let mut inner = self.inner();
        let day = tape.info.origin.day;
        if inner.day.replace(day) != Some(day) {
            inner.of_day.clear();
        }
        inner.for_session = tape.info.for_session;
        inner.orders.begin(run, tape.now);
        inner.answers.clear();
        for call in &tape.calls {
            let key = (call.function, call.arguments.clone());
            inner.answers.entry(key).or_default().push_back(call.answer.clone());
            match call.function {
                Function::Candles | Function::Instruments | Function::Instrument | Function::Session => {
                    inner.of_day.push((call.function, call.arguments.clone(), call.answer.clone()));
                }
                _ => {}
            }
            if call.function == Function::Session
                && let Ok(Ok(session)) = decode::<Result<SessionView, ReadError>>(&call.answer)
            {
                let open = session.phases.iter().filter(|(_, window)| window.phase == Phase::Continuous);
                if let Some(end) = open.map(|(_, window)| window.end).max() {
                    inner.orders.session_ends.insert(session.trading_day, end);
                }
            }
        }
        // How orders stood when the recorded run began: before it did anything itself.
        let acts =
            |call: &&Call| matches!(call.function, Function::Place | Function::Modify | Function::Cancel);
        for call in tape.calls.iter().take_while(|call| !acts(call)) {
            inner.orders.see_call(&self.past, tape, call);
        }
    }

    /// The run has ended, with these writes; what the recording saw of orders in it is known from now on.
    pub fn end(&self, tape: &Tape, writes: Vec<(String, Option<Vec<u8>>)>) {
        let mut inner = self.inner();
        inner.state.extend(writes);
        inner.orders.end();
        for call in &tape.calls {
            inner.orders.see_placed(&self.past, tape, call);
            inner.orders.see_call(&self.past, tape, call);
        }
    }

    /// What was done in all runs.
    pub fn done(&self) -> Done {
        let inner = self.inner();
        Done {
            acts: inner.orders.acts.clone(),
            keys: inner.orders.keys.clone(),
            alerts: inner.alerts.clone(),
            unanswered: inner.unanswered.clone(),
        }
    }

    /// The recorded answer to this very call; asked more often than then, the last one again.
    fn exact<A: Serialize, T: DeserializeOwned>(&self, function: Function, arguments: &A) -> Option<T> {
        let mut inner = self.inner();
        let answers = inner.answers.get_mut(&(function, encode(arguments)))?;
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        decode(&answer?).ok()
    }

    /// Of the day's answers of `function`, the newest for which `find` has something.
    fn of_day<T>(&self, function: Function, find: impl Fn(&str, &str) -> Option<T>) -> Option<T> {
        let inner = self.inner();
        let answers = inner.of_day.iter().rev().filter(|(of, _, _)| *of == function);
        answers.into_iter().find_map(|(_, arguments, answer)| find(arguments, answer))
    }

    fn in_vain<A: Serialize, T>(&self, run: &str, function: Function, arguments: &A) -> Result<T, ReadError> {
        let arguments = encode(arguments);
        let why = format!("the recording has no answer to {function} {arguments}");
        let unanswered = &mut self.inner().unanswered;
        unanswered.count += 1;
        if unanswered.first.len() < UNANSWERED_MAX {
            unanswered.first.push((run.to_owned(), function, arguments));
        }
        Err(ReadError::Unavailable(why))
    }

    fn plain<T: DeserializeOwned>(&self, origin: &Origin, function: Function) -> Result<T, ReadError> {
        let exact: Option<Result<T, ReadError>> = self.exact(function, &());
        exact.unwrap_or_else(|| self.in_vain(origin.run.as_str(), function, &()))
    }

    /// The last `n` bars of one symbol, when the recording has as many, or all that there are.
    fn bars(&self, symbol: &Symbol, interval: Interval, n: u32) -> Option<Candles> {
        self.of_day(Function::Candles, |arguments, answer| {
            let (symbols, of, asked): (Vec<Symbol>, Interval, u32) = decode(arguments).ok()?;
            if of != interval || interval != Interval::Day || !symbols.contains(symbol) {
                return None;
            }
            let all: Result<Vec<Candles>, ReadError> = decode(answer).ok()?;
            let mut candles = all.ok()?.into_iter().find(|candles| candles.symbol == *symbol)?;
            if asked < n && candles.len() as u32 >= asked {
                return None;
            }
            let from = candles.len().saturating_sub(n as usize);
            candles.start.drain(..from);
            for column in [&mut candles.open, &mut candles.high, &mut candles.low, &mut candles.close] {
                column.drain(..from);
            }
            candles.volume.drain(..from);
            Some(candles)
        })
    }

    fn put(&self, origin: &Origin, request: PlaceRequest) -> Result<Placed, OrderError> {
        let order = OrderId::derive(&origin.account, &origin.strategy, origin.day, &request.key);
        let mut inner = self.inner();
        let past = &self.past;
        let known = inner.orders.first_terms(order).cloned().or_else(|| {
            let view = inner.orders.seen(order).filter(|_| !inner.orders.was_placed(past, order));
            view.map(|view| view.terms.clone())
        });
        let act = Act::Place(request.terms.clone());
        let nth = inner.orders.ask(order, &act);
        let said = past.said(order, &act, inner.orders.run(), nth);
        if let Some(terms) = known {
            let same = terms == request.terms;
            if let Some(said) = said.filter(|_| same && inner.orders.follows(past, order)) {
                return said.clone().map_err(Into::into);
            }
            let view = inner.orders.view(past, order).filter(|_| same);
            return view.map(|view| view.placed(order)).ok_or_else(|| OrderError::Denied {
                rule: "key-reused",
                reason: format!("the key `{}` belongs to another order of today", request.key),
            });
        }
        let answer = said.or_else(|| past.said_at_all(order, &act)).cloned();
        if let Some(answer) = &answer
            && !taken(&act, answer)
        {
            return answer.clone().map_err(Into::into);
        }
        let status = if request.terms.amo { Status::QueuedAmo } else { Status::New };
        let for_session = inner.for_session.filter(|_| request.terms.amo).unwrap_or(origin.day);
        let mut view = OrderView {
            id: order.to_string(),
            strategy: Some(origin.strategy.clone()),
            key: request.key,
            broker_id: None,
            terms: request.terms,
            status: status.clone(),
            filled: Quantity::new(0),
            average: model::Price::default(),
            for_session,
            placed_at: inner.orders.now(),
            reason: request.reason,
        };
        let refused = matches!(&answer, Some(Err(Refused::Refused { .. })));
        if refused {
            view.status = Status::Rejected;
        }
        inner.orders.place(order, view);
        match answer {
            Some(answer) if refused || inner.orders.follows(past, order) => answer.map_err(Into::into),
            // In another run than then it stands by itself.
            _ => Ok(Placed { id: order, status, filled: Quantity::new(0), average: model::Price::default() }),
        }
    }

    /// A change or cancellation: the recorded answer where it was asked for then, else it is done. With
    /// `any_stale` another strategy's order can be cancelled once its session is over.
    fn change(&self, order: OrderId, act: Act, any_stale: bool) -> Result<Placed, OrderError> {
        let mut inner = self.inner();
        let past = &self.past;
        let nth = inner.orders.ask(order, &act);
        let said = past.said(order, &act, inner.orders.run(), nth);
        let answer = said.or_else(|| past.said_at_all(order, &act));
        let followed = inner.orders.follows(past, order);
        if let Some(answer) = answer
            && followed
            && !taken(&act, answer)
        {
            return answer.clone().map_err(Into::into);
        }
        // What was done in this very run then can be done now.
        if !followed || said.is_none() {
            let own = inner.orders.view(past, order);
            let other = inner.orders.other(order).filter(|_| own.is_none()).cloned();
            let foreign = other.is_some();
            match own.or(other) {
                Some(view) if foreign && !(any_stale && inner.orders.is_over(view.for_session)) => {
                    return Err(OrderError::Denied {
                        rule: "not-own-order",
                        reason: format!("order {order} is another's and its session is not over"),
                    });
                }
                // Ended: for a cancellation that is an answer.
                Some(view) if view.status.is_final() && act == Act::Cancel => return Ok(view.placed(order)),
                Some(view) if !view.status.is_final() => {}
                // Of an order from before the recording that it never looked at, what it asked can be asked.
                None if answer.is_some() && !inner.orders.was_placed(past, order) => {}
                _ => {
                    return Err(OrderError::Denied {
                        rule: "not-working",
                        reason: format!("order {order} is not working"),
                    });
                }
            }
        }
        match act {
            Act::Modify(price, total) => inner.orders.modify(order, price, total),
            Act::Cancel => inner.orders.cancel(order),
            Act::Place(_) => {}
        }
        if let Some(answer) = answer.filter(|_| inner.orders.follows(past, order)) {
            return answer.clone().map_err(Into::into);
        }
        match inner.orders.view(past, order).or_else(|| inner.orders.other(order).cloned()) {
            Some(view) => Ok(view.placed(order)),
            None => Err(OrderError::Unknown(order)),
        }
    }
}

impl Services for Overlay {
    fn now(&self) -> Timestamp {
        self.exact(Function::Now, &()).unwrap_or_else(|| self.inner().orders.now())
    }

    fn instruments(&self, filter: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        let wanted = encode(filter);
        self.exact(Function::Instruments, filter)
            .or_else(|| {
                self.of_day(Function::Instruments, |arguments, answer| {
                    (arguments == wanted).then(|| decode(answer).ok()).flatten()
                })
            })
            .unwrap_or_else(|| self.in_vain("", Function::Instruments, filter))
    }

    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, ReadError> {
        let wanted = encode(symbol);
        self.exact(Function::Instrument, symbol)
            .or_else(|| {
                self.of_day(Function::Instrument, |arguments, answer| {
                    (arguments == wanted).then(|| decode(answer).ok()).flatten()
                })
            })
            .or_else(|| {
                self.of_day(Function::Instruments, |_, answer| {
                    let all: Result<Vec<Instrument>, ReadError> = decode(answer).ok()?;
                    all.ok()?.into_iter().find(|it| it.symbol == *symbol).map(Ok)
                })
            })
            .unwrap_or_else(|| self.in_vain("", Function::Instrument, symbol))
    }

    fn quote<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>> {
        let exact: Option<Result<Quote, ReadError>> = self.exact(Function::Quote, symbol);
        ready(exact.unwrap_or_else(|| self.in_vain("", Function::Quote, symbol)))
    }

    fn candles(&self, symbols: &[Symbol], interval: Interval, n: u32) -> Result<Vec<Candles>, ReadError> {
        let arguments = (symbols, interval, n);
        self.exact(Function::Candles, &arguments)
            .or_else(|| {
                let all: Option<Vec<Candles>> =
                    symbols.iter().map(|symbol| self.bars(symbol, interval, n)).collect();
                all.map(Ok)
            })
            .unwrap_or_else(|| self.in_vain("", Function::Candles, &arguments))
    }

    fn session(&self, origin: &Origin) -> Result<SessionView, ReadError> {
        let exact: Option<Result<SessionView, ReadError>> = self.exact(Function::Session, &());
        exact
            .or_else(|| self.of_day(Function::Session, |_, answer| decode(answer).ok()))
            .unwrap_or_else(|| self.in_vain(origin.run.as_str(), Function::Session, &()))
    }

    fn positions(&self, origin: &Origin) -> Result<Vec<PositionView>, ReadError> {
        let mut positions: Vec<PositionView> = self.plain(origin, Function::Positions)?;
        let inner = self.inner();
        for view in &mut positions {
            let (theirs, mine) = inner.orders.working_sells(&self.past, &view.position.symbol);
            if theirs != mine {
                let bound = view.in_working_sells.get().saturating_sub(theirs).saturating_add(mine);
                let free = view.free.get().saturating_add(theirs).saturating_sub(mine);
                (view.in_working_sells, view.free) = (Quantity::new(bound), Quantity::new(free));
            }
        }
        Ok(positions)
    }

    fn holdings<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>> {
        ready(self.plain(origin, Function::Holdings))
    }

    fn funds<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>> {
        ready(self.plain(origin, Function::Funds))
    }

    fn reconcile<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>> {
        ready(self.plain(origin, Function::Reconcile))
    }

    fn day_account<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>> {
        ready(self.plain(origin, Function::DayAccount))
    }

    fn order(&self, origin: &Origin, id: &str) -> Result<OrderView, ReadError> {
        let recorded: Option<Result<OrderView, ReadError>> = self.exact(Function::Order, &id);
        let Some(order) = OrderId::parse(id) else {
            return recorded.unwrap_or_else(|| self.in_vain(origin.run.as_str(), Function::Order, &id));
        };
        let mut inner = self.inner();
        if let Some(Ok(view)) = &recorded {
            inner.orders.see(&self.past, &origin.strategy, view);
        }
        if let Some(view) = inner.orders.view(&self.past, order) {
            return Ok(view);
        }
        if inner.orders.was_placed(&self.past, order) {
            return Err(ReadError::NotFound(format!("there is no order {id}")));
        }
        drop(inner);
        recorded.unwrap_or_else(|| Err(ReadError::NotFound(format!("there is no order {id}"))))
    }

    fn own_orders(&self, origin: &Origin) -> Result<Vec<OrderView>, ReadError> {
        let recorded: Option<Result<Vec<OrderView>, ReadError>> = self.exact(Function::OwnOrders, &());
        let mut inner = self.inner();
        let recorded = match recorded {
            Some(recorded) => recorded?,
            None => inner.orders.last_seen(&self.past, origin.day),
        };
        for view in &recorded {
            inner.orders.see(&self.past, &origin.strategy, view);
        }
        Ok(inner.orders.overlay(&self.past, recorded, origin.day))
    }

    fn account_orders<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>> {
        let recorded: Result<Vec<OrderView>, ReadError> = self.plain(origin, Function::AccountOrders);
        ready(recorded.map(|recorded| {
            let mut inner = self.inner();
            for view in &recorded {
                inner.orders.see(&self.past, &origin.strategy, view);
            }
            inner.orders.overlay(&self.past, recorded, origin.day)
        }))
    }

    fn place<'a>(
        &'a self,
        origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        ready(self.put(origin, request))
    }

    fn modify<'a>(
        &'a self,
        _origin: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        ready(self.change(request.order, Act::Modify(request.price, request.total_quantity), false))
    }

    fn cancel<'a>(
        &'a self,
        _origin: &'a Origin,
        order: OrderId,
        any_stale: bool,
        _reason: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        ready(self.change(order, Act::Cancel, any_stale))
    }

    fn state_get(&self, origin: &Origin, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(written) = self.inner().state.get(key) {
            return Ok(written.clone());
        }
        match self.past.state.get(key) {
            Some(value) => Ok(value.clone()),
            // It was there and nobody read it then: "not there" would be a lie.
            None if self.past.state_keys.contains(key) => {
                self.in_vain(origin.run.as_str(), Function::StateGet, &key)
            }
            None => Ok(None),
        }
    }

    fn state_keys(&self, _origin: &Origin, prefix: &str) -> Result<Vec<String>, ReadError> {
        let inner = self.inner();
        let mut keys = self.past.state_keys.clone();
        keys.extend(self.past.state.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key.clone()));
        for (key, value) in &inner.state {
            if value.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        Ok(keys.into_iter().filter(|key| key.starts_with(prefix)).collect())
    }

    fn alert(&self, origin: &Origin, key: &str, severity: Severity, text: &str) -> bool {
        let key = (origin.day, key.to_owned());
        if self.past.alerted_before.contains(&key) {
            return false;
        }
        let mut inner = self.inner();
        if inner.alerts.contains_key(&key) {
            return false;
        }
        inner.alerts.insert(key, (severity, text.to_owned()));
        true
    }

    fn log(&self, _origin: &Origin, _level: tracing::Level, _message: &str) {}
}
