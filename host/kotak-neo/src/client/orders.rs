//! Place, modify, cancel.

use serde_json::{Map, Value};

use super::{Client, SMALL_BYTES_MAX};
use crate::error::Error;
use crate::fields::Fields;
use crate::order_number::OrderNumber;
use crate::orders::{CancelOrder, ModifyOrder, PlaceOrder};

impl Client {
    /// Places an order (facts 2.1). Success means that the order system took it; the risk system or the exchange
    /// may still reject it, which the book shows.
    ///
    /// [`Error::NotSent`] and [`Error::Invalid`] prove that there is no order. With [`Error::NoAnswer`] and
    /// [`Error::Unreadable`] there may be one: look for it, do not send again.
    pub async fn place(&self, order: &PlaceOrder) -> Result<OrderNumber, Error> {
        order.check()?;
        self.order_call("quick/order/rule/ms/place", order.wire(), None).await
    }

    /// Changes an order (facts 2.2).
    pub async fn modify(&self, order: &ModifyOrder) -> Result<OrderNumber, Error> {
        order.check()?;
        self.order_call("quick/order/vr/modify", order.wire(), Some(&order.order_no)).await
    }

    /// Cancels an order (facts 2.3). Success means that the request was taken.
    pub async fn cancel(&self, order: &CancelOrder) -> Result<OrderNumber, Error> {
        self.order_call("quick/order/cancel", order.wire(), Some(&order.order_no)).await
    }

    /// `known`: the number of the order that is changed. A success may leave it out; a new order's may not.
    async fn order_call(
        &self,
        path: &str,
        form: Map<String, Value>,
        known: Option<&OrderNumber>,
    ) -> Result<OrderNumber, Error> {
        let mut call = self.post(path, form);
        call.timeout = self.patience.order;
        call.answer_bytes_max = SMALL_BYTES_MAX;
        let answer = self.call(call).await?;
        let given = Fields::of(&answer.json).and_then(|fields| fields.order_no(&["nOrdNo"]));
        match (given.map_err(|why| answer.unreadable(&why))?, known) {
            (Some(number), _) => Ok(number),
            (None, Some(known)) => Ok(known.clone()),
            (None, None) => Err(answer.unreadable("a success without `nOrdNo`")),
        }
    }
}
