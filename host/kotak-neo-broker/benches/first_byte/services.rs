//! What the guest reaches: the desk, and nothing to read.

use market::{Candles, InstrumentFilter, Interval, Quote};
use model::clock::SharedClock;
use model::{
    BoxFuture, DayAccount, Difference, Funds, Holding, Instrument, ModifyRequest, OrderError, OrderId,
    OrderView, Origin, PlaceRequest, Placed, PositionView, ReadError, Symbol, Timestamp,
};
use oms::Desk;
use runtime::{Services, SessionView, Severity};

use crate::marks::Marks;

/// Orders go to the desk as the service hands them on; every read is refused.
pub struct ToDesk {
    /// The desk.
    pub desk: Desk,
    /// Now.
    pub clock: SharedClock,
    /// Where it is noted when the guest is about to place, and when the desk is called.
    pub marks: Marks,
}

fn nothing<T>() -> Result<T, ReadError> {
    Err(ReadError::Unavailable("this bench has nothing to read".to_owned()))
}

fn nothing_later<T: Send + 'static>() -> BoxFuture<'static, Result<T, ReadError>> {
    Box::pin(std::future::ready(nothing()))
}

impl Services for ToDesk {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
    fn instruments(&self, _: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        nothing()
    }
    fn instrument(&self, _: &Symbol) -> Result<Instrument, ReadError> {
        nothing()
    }
    fn quote<'a>(&'a self, _: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>> {
        nothing_later()
    }
    fn candles(&self, _: &[Symbol], _: Interval, _: u32) -> Result<Vec<Candles>, ReadError> {
        nothing()
    }
    fn session(&self, _: &Origin) -> Result<SessionView, ReadError> {
        nothing()
    }
    fn positions(&self, _: &Origin) -> Result<Vec<PositionView>, ReadError> {
        nothing()
    }
    fn holdings<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>> {
        nothing_later()
    }
    fn funds<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>> {
        nothing_later()
    }
    fn reconcile<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>> {
        nothing_later()
    }
    fn day_account<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>> {
        nothing_later()
    }
    fn order(&self, _: &Origin, _: &str) -> Result<OrderView, ReadError> {
        nothing()
    }
    fn own_orders(&self, _: &Origin) -> Result<Vec<OrderView>, ReadError> {
        nothing()
    }
    fn account_orders<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>> {
        nothing_later()
    }
    fn place<'a>(
        &'a self,
        origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        self.marks.pass(|passed| &mut passed.desk);
        Box::pin(self.desk.place(origin, request))
    }
    fn modify<'a>(
        &'a self,
        origin: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(self.desk.modify(origin, request))
    }
    fn cancel<'a>(
        &'a self,
        origin: &'a Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(self.desk.cancel(origin, order, any_stale, reason))
    }
    fn state_get(&self, _: &Origin, _: &str) -> Result<Option<Vec<u8>>, ReadError> {
        nothing()
    }
    fn state_keys(&self, _: &Origin, _: &str) -> Result<Vec<String>, ReadError> {
        nothing()
    }
    fn alert(&self, _: &Origin, _: &str, _: Severity, _: &str) -> bool {
        false
    }
    fn log(&self, _: &Origin, _: tracing::Level, _: &str) {
        self.marks.pass(|passed| &mut passed.guest);
    }
}
