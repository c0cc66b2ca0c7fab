//! Services that answer from a tape, strictly in its order.

use std::sync::{Mutex, PoisonError};

use market::{Candles, InstrumentFilter, Interval, Quote};
use model::{
    BoxFuture, DayAccount, Difference, Funds, Holding, Instrument, ModifyRequest, OrderError, OrderId,
    OrderView, Origin, PlaceRequest, Placed, PositionView, ReadError, Symbol, Timestamp, ready,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Bytes, Call, Function, Refused, decode, encode};
use crate::services::{Services, SessionView, Severity};

/// Answers the calls of one run after the other from their tapes. From the first call on that the tape
/// does not have next, there is no answer: what follows is not the recorded run.
#[derive(Default)]
pub struct Replaying {
    position: Mutex<Position>,
}

#[derive(Default)]
struct Position {
    calls: std::vec::IntoIter<Call>,
    left: bool,
    now: Timestamp,
}

const LEFT: &str = "the replay has left the recording";

/// What a read is answered once the replay has left its tape.
pub fn left_the_recording() -> ReadError {
    ReadError::Unavailable(LEFT.to_owned())
}

impl Replaying {
    /// The next run's calls, and the instant at which it began.
    pub fn begin(&self, calls: Vec<Call>, now: Timestamp) {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        *position = Position { calls: calls.into_iter(), left: false, now };
    }

    fn next<A: Serialize, T: DeserializeOwned>(&self, function: Function, arguments: &A) -> Option<T> {
        let arguments = encode(arguments);
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        if position.left {
            return None;
        }
        let answer = position
            .calls
            .next()
            .filter(|call| call.function == function && call.arguments == arguments)
            .and_then(|call| decode(&call.answer).ok());
        position.left = answer.is_none();
        answer
    }

    fn read<A: Serialize, T: DeserializeOwned>(
        &self,
        function: Function,
        arguments: &A,
    ) -> Result<T, ReadError> {
        self.next(function, arguments).unwrap_or_else(|| Err(left_the_recording()))
    }

    fn act<A: Serialize>(&self, function: Function, arguments: &A) -> Result<Placed, OrderError> {
        let answer: Option<Result<Placed, Refused>> = self.next(function, arguments);
        answer.map_or_else(|| Err(OrderError::Desk(LEFT.to_owned())), |answer| answer.map_err(Into::into))
    }
}

impl Services for Replaying {
    fn now(&self) -> Timestamp {
        self.next(Function::Now, &())
            .unwrap_or_else(|| self.position.lock().unwrap_or_else(PoisonError::into_inner).now)
    }

    fn instruments(&self, filter: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        self.read(Function::Instruments, filter)
    }

    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, ReadError> {
        self.read(Function::Instrument, symbol)
    }

    fn quote<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>> {
        ready(self.read(Function::Quote, symbol))
    }

    fn candles(&self, symbols: &[Symbol], interval: Interval, n: u32) -> Result<Vec<Candles>, ReadError> {
        self.read(Function::Candles, &(symbols, interval, n))
    }

    fn session(&self, _origin: &Origin) -> Result<SessionView, ReadError> {
        self.read(Function::Session, &())
    }

    fn positions(&self, _origin: &Origin) -> Result<Vec<PositionView>, ReadError> {
        self.read(Function::Positions, &())
    }

    fn holdings<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>> {
        ready(self.read(Function::Holdings, &()))
    }

    fn funds<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>> {
        ready(self.read(Function::Funds, &()))
    }

    fn reconcile<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>> {
        ready(self.read(Function::Reconcile, &()))
    }

    fn day_account<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>> {
        ready(self.read(Function::DayAccount, &()))
    }

    fn order(&self, _origin: &Origin, id: &str) -> Result<OrderView, ReadError> {
        self.read(Function::Order, &id)
    }

    fn own_orders(&self, _origin: &Origin) -> Result<Vec<OrderView>, ReadError> {
        self.read(Function::OwnOrders, &())
    }

    fn account_orders<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>> {
        ready(self.read(Function::AccountOrders, &()))
    }

    fn place<'a>(
        &'a self,
        _origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        ready(self.act(Function::Place, &request))
    }

    fn modify<'a>(
        &'a self,
        _origin: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        ready(self.act(Function::Modify, &request))
    }

    fn cancel<'a>(
        &'a self,
        _origin: &'a Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        ready(self.act(Function::Cancel, &(order, any_stale, reason)))
    }

    fn state_get(&self, _origin: &Origin, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let answer: Result<Option<Bytes>, ReadError> = self.read(Function::StateGet, &key);
        answer.map(|value| value.map(|bytes| bytes.0))
    }

    fn state_keys(&self, _origin: &Origin, prefix: &str) -> Result<Vec<String>, ReadError> {
        self.read(Function::StateKeys, &prefix)
    }

    fn alert(&self, _origin: &Origin, key: &str, severity: Severity, text: &str) -> bool {
        self.next(Function::Alert, &(key, severity, text)).unwrap_or(false)
    }

    fn log(&self, _origin: &Origin, level: tracing::Level, message: &str) {
        let _: Option<()> = self.next(Function::Log, &(level.as_str(), message));
    }
}
