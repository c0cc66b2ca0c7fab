//! Making an [`OrderRequest`] without naming all of its eleven fields.

use crate::bindings::tradeagent::strategy::types::{Instant, OrderRequest, OrderType, Product, Validity};
use crate::price::{Price, Quantity};

impl OrderRequest {
    /// A limit order for delivery that stands to the end of the session. `key` is the strategy's own name for it
    /// within the day: what it is for, never a clock or a count.
    ///
    /// ```
    /// use tradeagent_sdk::buy::types::OrderRequest;
    /// use tradeagent_sdk::price::Price;
    /// let order = OrderRequest::limit("dip:TCS", "TCS", 10, Price::rupees(3_000)).after_market().because("a new low");
    /// assert!(order.amo && order.quantity == 10 && order.price == 30_000_000);
    /// ```
    pub fn limit(
        key: impl Into<String>,
        symbol: impl Into<String>,
        quantity: impl Into<Quantity>,
        price: impl Into<Price>,
    ) -> Self {
        Self {
            key: key.into(),
            symbol: symbol.into(),
            order_type: OrderType::Limit,
            product: Product::Delivery,
            validity: Validity::Day,
            quantity: quantity.into().0,
            price: price.into().0,
            trigger: None,
            amo: false,
            send_by: None,
            reason: String::new(),
        }
    }

    /// A market order for delivery: the same without a limit.
    ///
    /// ```
    /// use tradeagent_sdk::sell::types::{OrderRequest, OrderType};
    /// assert_eq!(OrderRequest::market("exit:TCS", "TCS", 10).order_type, OrderType::Market);
    /// ```
    pub fn market(key: impl Into<String>, symbol: impl Into<String>, quantity: impl Into<Quantity>) -> Self {
        Self { order_type: OrderType::Market, ..Self::limit(key, symbol, quantity, Price(0)) }
    }

    /// Queued by the broker for the next open.
    ///
    /// ```
    /// use tradeagent_sdk::buy::types::OrderRequest;
    /// assert!(OrderRequest::limit("dip:TCS", "TCS", 1, 100).after_market().amo);
    /// ```
    #[must_use]
    pub fn after_market(self) -> Self {
        Self { amo: true, ..self }
    }

    /// Not to be sent after this instant.
    ///
    /// ```
    /// use tradeagent_sdk::buy::types::OrderRequest;
    /// assert_eq!(OrderRequest::limit("dip:TCS", "TCS", 1, 100).before(5).send_by, Some(5));
    /// ```
    #[must_use]
    pub fn before(self, send_by: Instant) -> Self {
        Self { send_by: Some(send_by), ..self }
    }

    /// Why, for the auditor.
    ///
    /// ```
    /// use tradeagent_sdk::buy::types::OrderRequest;
    /// assert_eq!(OrderRequest::limit("dip:TCS", "TCS", 1, 100).because("a new low").reason, "a new low");
    /// ```
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..self }
    }
}
