//! Services that are written down while they are used.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use market::{Candles, InstrumentFilter, Interval, Quote};
use model::{
    BoxFuture, DayAccount, Difference, Funds, Holding, Instrument, ModifyRequest, OrderError, OrderId,
    OrderView, Origin, PlaceRequest, Placed, PositionView, ReadError, RunId, Symbol, Timestamp,
};
use serde::Serialize;

use super::{Bytes, Call, Function, Refused, Tape, encode};
use crate::instance::Loaded;
use crate::outcome::Outcome;
use crate::services::{RunStart, Services, SessionView, Severity};

/// How much of one run is kept at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Calls.
    pub calls: usize,
    /// Bytes of arguments and answers together.
    pub bytes: usize,
}

impl Default for Bounds {
    /// Twice what a run may call, and some 64 MiB: a screen of the whole exchange is a third of that.
    fn default() -> Self {
        Self { calls: 200_000, bytes: 64 << 20 }
    }
}

/// Why a run has no tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// It is larger than a tape may be.
    #[error("it is larger than a recorded run may be")]
    TooLarge,
}

/// Where tapes go. It must not wait: the strategy's next run does.
pub trait TapeSink: Send + Sync + 'static {
    /// A run has ended.
    fn take(&self, tape: Tape, loaded: &Loaded);
    /// A run has ended that could not be recorded; it was not disturbed.
    fn dropped(&self, run: &RunId, why: Dropped);
}

/// [`Services`] of one strategy, whose runs never overlap, with everything written down.
pub struct Recording {
    inner: Arc<dyn Services>,
    sink: Arc<dyn TapeSink>,
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Runs that the present instance had before this one.
    runs: u64,
    now: Option<Begun>,
}

struct Begun {
    loaded: Loaded,
    tape: Tape,
    bytes: usize,
    over: bool,
}

impl Recording {
    /// Of `inner`; each run's tape goes to `sink`.
    pub fn new(inner: Arc<dyn Services>, sink: Arc<dyn TapeSink>, bounds: Bounds) -> Self {
        Self { inner, sink, bounds, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Plain values: a panic while locked leaves them valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep<A: Serialize, T: Serialize>(&self, function: Function, arguments: &A, answer: &T) {
        {
            let state = self.state();
            let Some(begun) = state.now.as_ref() else { return };
            if begun.over {
                return;
            }
        }
        let call = Call { function, arguments: encode(arguments), answer: encode(answer) };
        let mut state = self.state();
        let Some(begun) = state.now.as_mut() else { return };
        begun.bytes += call.arguments.len() + call.answer.len();
        if begun.bytes > self.bounds.bytes || begun.tape.calls.len() >= self.bounds.calls {
            begun.over = true;
            begun.tape.calls = Vec::new();
        } else {
            begun.tape.calls.push(call);
        }
    }

    fn kept<A: Serialize, T: Serialize>(&self, function: Function, arguments: &A, answer: T) -> T {
        self.keep(function, arguments, &answer);
        answer
    }

    /// What was asked for an order is kept even when the run ends before the answer: it has been asked.
    async fn acted<A: Serialize + Sync>(
        &self,
        function: Function,
        arguments: &A,
        order: OrderId,
        answer: BoxFuture<'_, Result<Placed, OrderError>>,
    ) -> Result<Placed, OrderError> {
        let mut asked = Asked { recording: self, function, arguments, order, answer: None };
        let answer = answer.await;
        asked.answer = Some(answer.clone());
        answer
    }
}

/// A call for an order. It is kept when this goes, with the answer that there is by then.
struct Asked<'a, A: Serialize> {
    recording: &'a Recording,
    function: Function,
    arguments: &'a A,
    order: OrderId,
    answer: Option<Result<Placed, OrderError>>,
}

impl<A: Serialize> Drop for Asked<'_, A> {
    fn drop(&mut self) {
        let answer = self.answer.take().unwrap_or(Err(OrderError::Unknown(self.order)));
        self.recording.keep(self.function, self.arguments, &answer.map_err(Refused::from));
    }
}

impl Services for Recording {
    fn run_begins(&self, start: &RunStart<'_>) {
        self.inner.run_begins(start);
        let mut state = self.state();
        let tape = Tape {
            info: start.info.clone(),
            now: start.now,
            cause: start.cause.clone(),
            component: start.loaded.hash().clone(),
            grants: start.loaded.grants().clone(),
            limits: *start.loaded.limits(),
            nth: state.runs,
            calls: Vec::new(),
            end: super::End {
                ended: super::Ended::Done(None),
                state: Vec::new(),
                log_dropped: 0,
                host_calls: 0,
            },
        };
        state.now = Some(Begun { loaded: start.loaded.clone(), tape, bytes: 0, over: false });
    }

    fn instance_made(&self) {
        self.inner.instance_made();
        let mut state = self.state();
        state.runs = 0;
        if let Some(begun) = &mut state.now {
            begun.tape.nth = 0;
        }
    }

    fn run_ends(&self, outcome: &Outcome) {
        self.inner.run_ends(outcome);
        let begun = {
            let mut state = self.state();
            state.runs += 1;
            state.now.take()
        };
        let Some(Begun { loaded, mut tape, over, .. }) = begun else { return };
        if over {
            return self.sink.dropped(&tape.info.id, Dropped::TooLarge);
        }
        tape.end = outcome.into();
        self.sink.take(tape, &loaded);
    }

    fn now(&self) -> Timestamp {
        self.kept(Function::Now, &(), self.inner.now())
    }

    fn instruments(&self, filter: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        self.kept(Function::Instruments, filter, self.inner.instruments(filter))
    }

    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, ReadError> {
        self.kept(Function::Instrument, symbol, self.inner.instrument(symbol))
    }

    fn quote<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>> {
        Box::pin(async move { self.kept(Function::Quote, symbol, self.inner.quote(symbol).await) })
    }

    fn candles(&self, symbols: &[Symbol], interval: Interval, n: u32) -> Result<Vec<Candles>, ReadError> {
        let answer = self.inner.candles(symbols, interval, n);
        self.kept(Function::Candles, &(symbols, interval, n), answer)
    }

    fn session(&self, origin: &Origin) -> Result<SessionView, ReadError> {
        self.kept(Function::Session, &(), self.inner.session(origin))
    }

    fn positions(&self, origin: &Origin) -> Result<Vec<PositionView>, ReadError> {
        self.kept(Function::Positions, &(), self.inner.positions(origin))
    }

    fn holdings<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>> {
        Box::pin(async move { self.kept(Function::Holdings, &(), self.inner.holdings(origin).await) })
    }

    fn funds<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>> {
        Box::pin(async move { self.kept(Function::Funds, &(), self.inner.funds(origin).await) })
    }

    fn reconcile<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>> {
        Box::pin(async move { self.kept(Function::Reconcile, &(), self.inner.reconcile(origin).await) })
    }

    fn day_account<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>> {
        Box::pin(async move { self.kept(Function::DayAccount, &(), self.inner.day_account(origin).await) })
    }

    fn order(&self, origin: &Origin, id: &str) -> Result<OrderView, ReadError> {
        self.kept(Function::Order, &id, self.inner.order(origin, id))
    }

    fn own_orders(&self, origin: &Origin) -> Result<Vec<OrderView>, ReadError> {
        self.kept(Function::OwnOrders, &(), self.inner.own_orders(origin))
    }

    fn account_orders<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>> {
        Box::pin(
            async move { self.kept(Function::AccountOrders, &(), self.inner.account_orders(origin).await) },
        )
    }

    fn place<'a>(
        &'a self,
        origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(async move {
            let order = OrderId::derive(&origin.account, &origin.strategy, origin.day, &request.key);
            self.acted(Function::Place, &request, order, self.inner.place(origin, request.clone())).await
        })
    }

    fn modify<'a>(
        &'a self,
        origin: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(async move {
            let answer = self.inner.modify(origin, request.clone());
            self.acted(Function::Modify, &request, request.order, answer).await
        })
    }

    fn cancel<'a>(
        &'a self,
        origin: &'a Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(async move {
            let answer = self.inner.cancel(origin, order, any_stale, reason.clone());
            self.acted(Function::Cancel, &(order, any_stale, reason), order, answer).await
        })
    }

    fn state_get(&self, origin: &Origin, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let answer = self.inner.state_get(origin, key);
        self.keep(Function::StateGet, &key, &answer.clone().map(|value| value.map(Bytes)));
        answer
    }

    fn state_keys(&self, origin: &Origin, prefix: &str) -> Result<Vec<String>, ReadError> {
        self.kept(Function::StateKeys, &prefix, self.inner.state_keys(origin, prefix))
    }

    fn alert(&self, origin: &Origin, key: &str, severity: Severity, text: &str) -> bool {
        let answer = self.inner.alert(origin, key, severity, text);
        self.kept(Function::Alert, &(key, severity, text), answer)
    }

    fn log(&self, origin: &Origin, level: tracing::Level, message: &str) {
        self.inner.log(origin, level, message);
        self.keep(Function::Log, &(level.as_str(), message), &());
    }
}
