//! The paper exchange as a broker in this process.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
use model::{BoxFuture, Clock, Funds, Holding};

use crate::durable::{self, BookLog, DurableError, OrderCall};
use crate::exchange::Exchange;

/// A broker whose exchange lives in this process. Every call first lets the exchange's time pass up to
/// the clock's present instant, and is ready at its first poll.
#[derive(Clone)]
pub struct PaperBroker {
    exchange: Arc<Mutex<Exchange>>,
    clock: Arc<dyn Clock>,
    log: Option<Arc<Mutex<BookLog>>>,
}

impl PaperBroker {
    /// A broker over `exchange`, whose time `clock` tells. Its account ends with the process.
    pub fn new(exchange: Arc<Mutex<Exchange>>, clock: Arc<dyn Clock>) -> Self {
        Self { exchange, clock, log: None }
    }

    /// The same with an account that outlives the process in the file at `path`: `exchange`, which has not
    /// begun, is brought to where the file ends, or begins at the clock's present instant. `market` names
    /// data and calendar, see [`BookLog::open`].
    ///
    /// # Errors
    /// See [`DurableError`]; the exchange is then of no use.
    pub fn durable(
        exchange: Arc<Mutex<Exchange>>,
        clock: Arc<dyn Clock>,
        path: &Path,
        market: &str,
    ) -> Result<Self, DurableError> {
        let log = BookLog::open(path, market, clock.now(), &mut lock(&exchange))?;
        Ok(Self { exchange, clock, log: Some(Arc::new(Mutex::new(log))) })
    }

    /// The exchange, advanced to the clock's present instant. For reading: an order call on it directly
    /// does not reach the file of a durable account.
    pub fn exchange(&self) -> MutexGuard<'_, Exchange> {
        let mut exchange = lock(&self.exchange);
        durable::advance(&mut exchange, self.log.as_deref(), self.clock.now());
        exchange
    }

    fn take(&self, order: &OrderCall) -> Result<Ack, SendError> {
        durable::take(&mut self.exchange(), self.log.as_deref(), order)
    }
}

/// A panic in another holder is that holder's to report; the exchange's own steps do not panic half-way.
pub(crate) fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Broker for PaperBroker {
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.take(&OrderCall::Place(call)) })
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.take(&OrderCall::Modify(call)) })
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.take(&OrderCall::Cancel(call)) })
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        Box::pin(async move { Ok(self.exchange().orders()) })
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        Box::pin(async move { Ok(self.exchange().trades()) })
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        Box::pin(async move { Ok(self.exchange().positions()) })
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        Box::pin(async move { Ok(self.exchange().holdings()) })
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        Box::pin(async move { Ok(self.exchange().funds()) })
    }
}
