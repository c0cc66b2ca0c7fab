//! The end of a working order.

use std::sync::Arc;

use broker::CallKind;
use model::{IntentId, OrderError, OrderId, Origin, Placed};

use crate::answer::ALREADY_COMPLETE;
use crate::commit::{Committed, standing};
use crate::deliver::{Delivered, Outgoing, What};
use crate::desk::{Desk, Inner};
use crate::open_calls::OpenCall;
use crate::place::detached;

impl Desk {
    /// Cancels a working order: the strategy's own, or with `any_stale` another's whose session is over.
    /// "Already ended" is an answer, not an error. Cancelling is allowed in every state of the switch.
    pub async fn cancel(
        &self,
        origin: &Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
    ) -> Result<Placed, OrderError> {
        let desk = Arc::clone(&self.inner);
        let origin = origin.clone();
        if desk.is_inline() {
            return desk.cancel(origin, order, any_stale, reason, None).await;
        }
        let call = OpenCall::begin(&desk, &origin);
        detached(async move { desk.cancel(origin, order, any_stale, reason, Some(call)).await }).await
    }
}

impl Inner {
    async fn cancel(
        self: Arc<Self>,
        origin: Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
        call: Option<OpenCall>,
    ) -> Result<Placed, OrderError> {
        let number = call.as_ref().map(|call| call.number);
        self.permit(CallKind::Cancel, None).await?;
        match self.step(move |desk| desk.commit_cancel(origin, order, any_stale, reason, number)).await?? {
            Committed::Same(placed) => Ok(placed),
            Committed::Send((intent, cancel)) => {
                let outgoing = Outgoing { order, intent, what: What::Cancel, call: number };
                match self.deliver(outgoing, || self.broker.cancel(cancel.clone())).await? {
                    Delivered::Answer(answer) => self.finish_cancel(order, intent, answer).await,
                    Delivered::Withdrawn(denied) => Err(denied),
                    Delivered::Stands(placed) => Ok(placed),
                }
            }
        }
    }

    /// The acknowledgement says that the request was taken; the book says what came of it.
    async fn finish_cancel(
        self: &Arc<Self>,
        order: OrderId,
        intent: IntentId,
        answer: Result<broker::Ack, broker::SendError>,
    ) -> Result<Placed, OrderError> {
        let outcome = self.step(move |desk| desk.record_change(order, intent, answer)).await?;
        match &outcome {
            Ok(_) => {}
            Err(OrderError::Refused { code, .. }) if code == ALREADY_COMPLETE => {}
            Err(_) => return outcome,
        }
        // Best effort: what cannot be read now, the reconciler reads later.
        let since = self.book().revision;
        if let Ok(rows) = self.broker.orders().await {
            let trades = self.broker.trades().await.unwrap_or_default();
            self.step(move |desk| desk.absorb(&rows, &trades, Some(since), Some(order))).await?;
        }
        let book = self.book();
        book.order(order)
            .map(standing)
            .ok_or_else(|| OrderError::Desk(format!("order {order} is not in the book")))
    }
}
