//! A change to a working order.

use std::sync::Arc;

use broker::CallKind;
use model::risk::check_modify;
use model::{IntentId, ModifyRequest, OrderError, Origin, Placed};

use crate::commit::{Committed, no_order};
use crate::deliver::{Delivered, Outgoing, What};
use crate::desk::{Desk, Inner};
use crate::eyes::Eyes;
use crate::open_calls::OpenCall;
use crate::place::detached;

impl Desk {
    /// Changes limit and total quantity of a working order of the same strategy. Dropping the future
    /// loses the answer, never the change.
    pub async fn modify(&self, origin: &Origin, request: ModifyRequest) -> Result<Placed, OrderError> {
        let desk = Arc::clone(&self.inner);
        let origin = origin.clone();
        if desk.is_inline() {
            return desk.modify(origin, request, None).await;
        }
        let call = OpenCall::begin(&desk, &origin);
        detached(async move { desk.modify(origin, request, Some(call)).await }).await
    }
}

impl Inner {
    async fn modify(
        self: Arc<Self>,
        origin: Origin,
        request: ModifyRequest,
        call: Option<OpenCall>,
    ) -> Result<Placed, OrderError> {
        let number = call.as_ref().map(|call| call.number);
        let id = IntentId::derive(&self.config.account, &origin.strategy, origin.day, &request.key);
        let order = request.order;
        if !self.is_inline() {
            if let Some(placed) = self.look_at_modify(id, &origin, &request)? {
                return Ok(placed);
            }
            self.permit(CallKind::Modify, None).await?;
        }
        let outgoing = Outgoing { order, intent: id, what: What::Modify(request.clone()), call: number };
        match self.step(move |desk| desk.commit_modify(id, origin, request, number)).await?? {
            Committed::Same(placed) => Ok(placed),
            Committed::Send(change) => {
                match self.deliver(outgoing, || self.broker.modify(change.clone())).await? {
                    Delivered::Answer(answer) => {
                        self.step(move |desk| desk.record_change(order, id, answer)).await?
                    }
                    Delivered::Withdrawn(denied) => Err(denied),
                    Delivered::Stands(placed) => Ok(placed),
                }
            }
        }
    }

    /// The first look, which spares a hopeless change the wait.
    fn look_at_modify(
        &self,
        id: IntentId,
        origin: &Origin,
        request: &ModifyRequest,
    ) -> Result<Option<Placed>, OrderError> {
        let book = self.book();
        if let Some(placed) = Self::same_modify(&book, id, request)? {
            return Ok(Some(placed));
        }
        Self::is_open(&book)?;
        let order = book.order(request.order).ok_or_else(|| no_order(request.order))?;
        let eyes = Eyes { book: &book, view: self.view.as_ref(), day: origin.day };
        check_modify(&eyes, &self.config.limits, &origin.strategy, order, request.clone())?;
        Ok(None)
    }
}
