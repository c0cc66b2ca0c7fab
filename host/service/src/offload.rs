//! A real socket under simulated time.
//!
//! Simulated time jumps when every task is idle, and a task that waits for a socket looks idle. So the call
//! runs on a runtime of its own, in real time, and this runtime's only thread waits for it: simulated time
//! stands still meanwhile, and so does every other task, so that how long an answer takes does not decide
//! whose turn is next. The other side is told the instant first, because its clock is ours.

use std::sync::Arc;

use kotak_neo::transport::{BoxFuture, FeedSocket, Request, Response, Transport, TransportError};
use model::Timestamp;
use model::clock::SharedClock;
use tokio::runtime::Handle;

/// Told the present instant before each call.
pub type TellInstant = Arc<dyn Fn(Timestamp) + Send + Sync>;

/// A transport whose calls run elsewhere, in real time.
pub struct Offloaded {
    inner: Arc<dyn Transport>,
    io: Handle,
    clock: SharedClock,
    tell: TellInstant,
}

impl Offloaded {
    /// `inner` on the runtime of `io`; `tell` is told what `clock` shows before each call.
    pub fn new(inner: Arc<dyn Transport>, io: Handle, clock: SharedClock, tell: TellInstant) -> Self {
        Self { inner, io, clock, tell }
    }

    fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, TransportError>> + Send + 'static,
    ) -> Result<T, TransportError> {
        (self.tell)(self.clock.now());
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.io.spawn(async move {
            // Whoever asked waits below.
            let _ = answer.send(call.await);
        });
        answered.recv().unwrap_or_else(|_| Err(TransportError::NoAnswer("the call's task ended".to_owned())))
    }
}

impl Transport for Offloaded {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let inner = Arc::clone(&self.inner);
        // Sent when it is first polled, as by any other transport.
        Box::pin(async move { self.wait(async move { inner.send(request).await }) })
    }

    fn pause(&self, length: std::time::Duration) -> BoxFuture<'_, ()> {
        let nanos = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX / 8);
        Box::pin(self.clock.sleep_until(self.clock.now().plus_nanos(nanos)))
    }

    fn connect(&self, _url: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        // A frame could come at any moment of real time, and none of simulated time: the books are read.
        let why = "there is no order feed on simulated time; the books are read instead";
        Box::pin(std::future::ready(Err(TransportError::NotSent(why.to_owned()))))
    }
}
