//! A new order, from request to answer.
//!
//! Path: same key? -> switch -> risk -> permit -> (commit.rs: all of it again, intent and attempt on the
//! disk) -> wire -> (answer.rs: evidence). Grants were checked before.

use std::sync::Arc;

use broker::CallKind;
use model::risk::check_place;
use model::{IntentId, OrderError, Origin, PlaceRequest, Placed, Timestamp};
use tokio::sync::oneshot;

use crate::commit::Committed;
use crate::deliver::{Delivered, Outgoing, What, lane};
use crate::desk::{Desk, Inner, lock};
use crate::eyes::Eyes;
use crate::open_calls::OpenCall;
use crate::wire;

/// What stands between a request and its turn.
enum Start {
    /// It is the first of its key.
    Go,
    /// It was placed before: this is how it stands.
    Same(Placed),
    /// Another call with the key is between check and commit.
    Wait(oneshot::Receiver<()>),
}

/// A key taken between check and commit; given back however that ends.
struct Claim<'a> {
    desk: &'a Inner,
    id: IntentId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        for waiting in self.desk.book().starting.remove(&self.id).into_iter().flatten() {
            // Whoever no longer waits need not be told.
            let _ = waiting.send(());
        }
    }
}

impl Desk {
    /// Places an order, or tells how the one with the same key and content stands. The order does not
    /// live in this future: dropping it loses the answer, never the order.
    pub async fn place(&self, origin: &Origin, request: PlaceRequest) -> Result<Placed, OrderError> {
        let desk = &self.inner;
        let id = IntentId::derive(&desk.config.account, &origin.strategy, origin.day, &request.key);
        if desk.is_inline() {
            return desk.place_inline(id, origin.clone(), request).await;
        }
        let (desk, origin) = (Arc::clone(desk), origin.clone());
        let call = OpenCall::begin(&desk, &origin);
        // Boxed, so that the inline way does not carry its size.
        detached(Box::pin(async move { desk.place(id, origin, request, call).await })).await
    }
}

/// Runs to its end whether or not anyone waits for it.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, OrderError>> + Send + 'static,
) -> Result<T, OrderError> {
    tokio::spawn(work).await.unwrap_or_else(|_| {
        Err(OrderError::Desk("the order desk failed; see the log, then start again".to_owned()))
    })
}

impl Inner {
    /// Nothing waits, so the check under the commit's lock is the only one needed.
    async fn place_inline(
        &self,
        id: IntentId,
        origin: Origin,
        request: PlaceRequest,
    ) -> Result<Placed, OrderError> {
        match self.commit_place(id, origin, request, None)? {
            Committed::Same(placed) => Ok(placed),
            Committed::Send(call) => {
                let answer = wire::guarded(|| self.broker.place(call)).await;
                self.record_place(id, answer)
            }
        }
    }

    async fn place(
        self: Arc<Self>,
        id: IntentId,
        origin: Origin,
        request: PlaceRequest,
        call: OpenCall,
    ) -> Result<Placed, OrderError> {
        let number = call.number;
        loop {
            match self.start(id, &origin, &request)? {
                Start::Go => break,
                Start::Same(placed) => return Ok(placed),
                Start::Wait(done) => {
                    // Both outcomes mean: look again.
                    let _ = done.await;
                }
            }
        }
        let claim = Claim { desk: &self, id };
        let send_by = request.send_by;
        self.permit(CallKind::Place, send_by).await?;
        let committed = self.step(move |desk| desk.commit_place(id, origin, request, Some(number))).await??;
        drop(claim);
        match committed {
            Committed::Same(placed) => Ok(placed),
            Committed::Send(call) => {
                let what = What::Place { send_by };
                let outgoing = Outgoing { order: id, intent: id, what, call: Some(number) };
                match self.deliver(outgoing, || self.broker.place(call.clone())).await? {
                    Delivered::Answer(answer) => self.step(move |desk| desk.record_place(id, answer)).await?,
                    Delivered::Withdrawn(denied) => Err(denied),
                    Delivered::Stands(placed) => Ok(placed),
                }
            }
        }
    }

    /// The first look, which spares a hopeless order the wait.
    fn start(&self, id: IntentId, origin: &Origin, request: &PlaceRequest) -> Result<Start, OrderError> {
        let now = self.clock.now();
        let mut book = self.book();
        if let Some(placed) = Self::same_place(&book, id, request)? {
            return Ok(Start::Same(placed));
        }
        if let Some(waiting) = book.starting.get_mut(&id) {
            let (tell, done) = oneshot::channel();
            waiting.push(tell);
            return Ok(Start::Wait(done));
        }
        Self::is_open(&book)?;
        let eyes = Eyes { book: &book, view: self.view.as_ref(), day: origin.day };
        check_place(&eyes, &self.config.limits, &origin.strategy, request.clone())?;
        self.session(request.terms.amo, now)?;
        book.starting.insert(id, Vec::new());
        Ok(Start::Go)
    }

    /// Waits for the call's turn, then for a broker that can take it at once.
    pub(crate) async fn permit(&self, kind: CallKind, send_by: Option<Timestamp>) -> Result<(), OrderError> {
        if self.is_inline() {
            return Ok(());
        }
        let now = self.clock.now();
        let at = lock(&self.limiter).reserve(lane(kind), now).ok_or_else(|| OrderError::Denied {
            rule: "rate-limit",
            reason: format!(
                "more calls are waiting than {} a second can carry",
                self.config.orders_per_second
            ),
        })?;
        if send_by.is_some_and(|send_by| at > send_by) {
            return Err(too_late());
        }
        if at > now {
            self.clock.sleep_until(at).await;
        }
        self.broker
            .ready(kind)
            .await
            .map_err(|not_ready| OrderError::Denied { rule: "session", reason: not_ready.reason })
    }
}

pub(crate) fn too_late() -> OrderError {
    OrderError::Denied { rule: "send-by", reason: "its time to be sent has passed".to_owned() }
}
