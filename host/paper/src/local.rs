//! The paper exchange as a broker in this process.

use std::sync::{Arc, Mutex, MutexGuard};

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
use model::{BoxFuture, Clock, Funds, Holding};

use crate::exchange::Exchange;

/// A broker whose exchange lives in this process. Every call first lets the exchange's time pass up to
/// the clock's present instant, and is ready at its first poll.
#[derive(Clone)]
pub struct PaperBroker {
    exchange: Arc<Mutex<Exchange>>,
    clock: Arc<dyn Clock>,
}

impl PaperBroker {
    /// A broker over `exchange`, whose time `clock` tells.
    pub fn new(exchange: Arc<Mutex<Exchange>>, clock: Arc<dyn Clock>) -> Self {
        Self { exchange, clock }
    }

    /// The exchange, advanced to the clock's present instant.
    pub fn exchange(&self) -> MutexGuard<'_, Exchange> {
        let mut exchange = lock(&self.exchange);
        exchange.advance(self.clock.now());
        exchange
    }
}

/// A panic in another holder is that holder's to report; the exchange's own steps do not panic half-way.
pub(crate) fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Broker for PaperBroker {
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.exchange().place(call) })
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.exchange().modify(&call) })
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.exchange().cancel(&call) })
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
