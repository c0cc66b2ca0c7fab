//! The sim behind the client's transport port, in this process. Waiting is the clock's, so on simulated
//! time a day of calls takes no time, and the same calls give the same bytes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kotak_neo::transport::{BoxFuture, FeedFrame, FeedSocket, Request, Response, Transport, TransportError};
use model::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::feed::{FeedId, FeedOut};
use crate::reply::Reply;
use crate::sim::Sim;

/// How long a feed waits before it looks whether time alone has brought something.
const FEED_LOOK: Duration = Duration::from_secs(1);

/// A way to a sim in this process. Its base URL is `http://sim.invalid`.
#[derive(Clone)]
pub struct SimTransport {
    sim: Arc<Sim>,
}

impl SimTransport {
    pub(crate) const fn new(sim: Arc<Sim>) -> Self {
        Self { sim }
    }

    async fn wait(&self, length: Duration) {
        self.sim.clock().sleep_until(later(self.sim.now(), length)).await;
    }

    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let reply = self.sim.handle(&request);
        // The answer comes in a later turn, as from a network.
        tokio::task::yield_now().await;
        let after = Duration::from_millis(reply.complete_after_ms());
        let (status, headers, body) = match reply {
            Reply::Answer { status, headers, body, .. } => (status, headers, body),
            Reply::Drop => return Err(TransportError::NoAnswer("the connection was closed".to_owned())),
            Reply::Refuse => return Err(TransportError::NotSent("connection refused".to_owned())),
        };
        if after > request.timeout {
            self.wait(request.timeout).await;
            return Err(TransportError::NoAnswer(format!("no answer within {:?}", request.timeout)));
        }
        if !after.is_zero() {
            self.wait(after).await;
        }
        if body.len() > request.answer_bytes_max {
            return Err(TransportError::NoAnswer("the answer is too long".to_owned()));
        }
        Ok(Response { status, headers, body })
    }
}

impl Transport for SimTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }

    fn connect(&self, url: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        let known = url.split('?').next().is_some_and(|path| path.ends_with("/realtime"));
        let opened = if known {
            self.sim.feed_open().map_err(|_| "the upgrade was refused")
        } else {
            Err("there is no websocket but /realtime")
        };
        let socket = opened
            .map(|id| {
                Box::new(SimSocket { way: self.clone(), id, pongs: 0, ready: VecDeque::new() })
                    as Box<dyn FeedSocket>
            })
            .map_err(|why| TransportError::NotSent(why.to_owned()));
        Box::pin(std::future::ready(socket))
    }

    fn pause(&self, length: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.wait(length))
    }
}

struct SimSocket {
    way: SimTransport,
    id: FeedId,
    /// Pings that were not answered yet.
    pongs: usize,
    /// What was polled and not yet shown.
    ready: VecDeque<FeedOut>,
}

impl SimSocket {
    async fn frame(&mut self, patience: Duration) -> FeedFrame {
        if self.pongs > 0 {
            self.pongs -= 1;
            return FeedFrame::Pong;
        }
        let sim = Arc::clone(&self.way.sim);
        let deadline = later(sim.now(), patience);
        let mut changes = sim.changes();
        loop {
            changes.mark_unchanged();
            if self.ready.is_empty() {
                self.ready.extend(sim.feed_poll(self.id));
            }
            match self.ready.pop_front() {
                Some(FeedOut::Text(text)) => return FeedFrame::Text(text),
                Some(FeedOut::Closed(why)) => return FeedFrame::Closed(why),
                None if deadline <= sim.now() => return FeedFrame::Quiet,
                None => {}
            }
            let look = later(sim.now(), FEED_LOOK).min(deadline);
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                () = sim.clock().sleep_until(look) => {}
            }
        }
    }
}

impl FeedSocket for SimSocket {
    fn send_text(&mut self, text: SecretString) -> BoxFuture<'_, Result<(), TransportError>> {
        self.way.sim.feed_text(self.id, text.expose_secret());
        Box::pin(std::future::ready(Ok(())))
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<(), TransportError>> {
        self.pongs += 1;
        Box::pin(std::future::ready(Ok(())))
    }

    fn next(&mut self, patience: Duration) -> BoxFuture<'_, FeedFrame> {
        Box::pin(self.frame(patience))
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        self.way.sim.feed_close(self.id);
    }
}

fn later(at: Timestamp, length: Duration) -> Timestamp {
    let nanos = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(at.nanos().saturating_add(nanos))
}
