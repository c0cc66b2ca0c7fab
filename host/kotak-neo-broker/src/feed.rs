//! The order feed as the fast path: what it says goes to the desk at once; the books are the truth.

use std::sync::Arc;

use broker::{Broker as _, BrokerOrder};
use kotak_neo::OrderRow;
use kotak_neo::feed::{FeedEvent, FeedOptions, FeedOrder, OrderFeed};
use kotak_neo::transport::Transport;

use crate::adapter::KotakBroker;

/// What the feed has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedNews {
    /// It is connected: everything that happened before is in the books.
    Connected,
    /// An order's new state. Where the frame says too little for a row, only that something changed.
    Order(Option<Box<BrokerOrder>>),
    /// Something else changed.
    Changed,
    /// It is not connected; it goes on trying.
    Lost(String),
}

/// Follows the feed of the present session over `transport` until the session is not accepted any more.
/// `None`: there is no session. The answer says how it ended.
pub async fn follow(
    broker: &KotakBroker,
    transport: Arc<dyn Transport>,
    sink: &(dyn Fn(FeedNews) + Sync),
) -> Option<String> {
    let session = broker.inner.keeper.current()?;
    let mut feed = OrderFeed::new(transport, session.client.session().clone(), FeedOptions::default());
    while let Some(event) = feed.next().await {
        match event {
            FeedEvent::Connected { .. } => sink(FeedNews::Connected),
            FeedEvent::Order(order) => sink(FeedNews::Order(broker.row(&order).map(Box::new))),
            FeedEvent::Position(_) => sink(FeedNews::Changed),
            FeedEvent::Other(_) => {}
            FeedEvent::Lost { why } => {
                sink(FeedNews::Lost(why));
                // Another session is the present one: its feed is another.
                let present = broker.inner.keeper.current().map(|present| present.generation);
                if present != Some(session.generation) {
                    return Some("the session was renewed".to_owned());
                }
            }
            FeedEvent::Refused { text } => {
                // A report tells whether the session is dead; if so the keeper has it renewed, or retires it.
                return Some(match broker.orders().await {
                    Ok(_) => text,
                    Err(why) => format!("{text}; {why}"),
                });
            }
        }
    }
    Some("it ended".to_owned())
}

impl KotakBroker {
    /// A frame as a row of the book, if it says all that a row needs.
    fn row(&self, order: &FeedOrder) -> Option<BrokerOrder> {
        let row = OrderRow {
            order_no: order.order_no.clone(),
            exchange_order_id: order.exchange_order_id.clone(),
            tag: order.tag.clone(),
            status: order.status.clone(),
            reject_reason: order.reject_reason.clone(),
            segment: order.segment.clone()?,
            trading_symbol: order.trading_symbol.clone()?,
            symbol: order.symbol.clone(),
            token: order.token.clone(),
            side: order.side?,
            order_type: order.order_type.clone()?,
            product: order.product.clone()?,
            validity: None,
            price: order.price?,
            trigger: order.trigger.unwrap_or_default(),
            average_price: order.average_price.unwrap_or_default(),
            quantity: order.quantity?,
            filled: order.filled?,
            unfilled: order.unfilled,
            cancelled: order.cancelled,
            disclosed: None,
            amo: false,
            tick: None,
            lot: None,
            algo_id: None,
            order_time: order.order_time,
            entry_time: None,
            exchange_time: order.exchange_time,
            broker_time: order.broker_time,
            updated_ns: order.updated_ns,
        };
        let directory = self.directory();
        Some(self.inner.reader(&directory).order(&row))
    }
}
