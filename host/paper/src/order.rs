//! An order as the exchange keeps it.

use broker::BrokerOrder;
use model::{BrokerOrderId, Date, Money, OrderTerms, OrderType, Price, Quantity, Status, Symbol, Timestamp};

/// An order in the exchange's book, from acceptance on and for ever.
#[derive(Debug, Clone)]
pub(crate) struct PaperOrder {
    pub id: BrokerOrderId,
    pub tag: Option<String>,
    pub terms: OrderTerms,
    pub status: Status,
    pub filled: Quantity,
    /// Value of what is filled.
    pub value: Money,
    pub at: Timestamp,
    pub session: Date,
    pub reason: String,
    /// Rank among equal prices: the number of the acceptance or of the change that lost the old rank.
    pub priority: u64,
    /// It stood in the book unmarketable at the last price: a later crossing comes to it, at its limit.
    pub resting: bool,
    /// Its trigger has traded (always so without one).
    pub triggered: bool,
    /// The price that its block is counted at, when it has no limit.
    pub basis: Price,
    /// Cash that it blocks.
    pub blocked: Money,
}

impl PaperOrder {
    pub fn symbol(&self) -> &Symbol {
        &self.terms.symbol
    }

    pub fn left(&self) -> Quantity {
        self.terms.quantity.saturating_sub(self.filled)
    }

    pub const fn is_open(&self) -> bool {
        !self.status.is_final()
    }

    /// Its limit; none: at the market.
    pub fn limit(&self) -> Option<Price> {
        match self.terms.order_type {
            OrderType::Limit | OrderType::StopLimit => Some(self.terms.price),
            OrderType::Market | OrderType::StopMarket => None,
        }
    }

    /// The status of an order that is working at the exchange.
    pub fn working_status(&self) -> Status {
        match (self.triggered, self.filled.is_zero()) {
            (false, _) => Status::PendingTrigger,
            (true, true) => Status::New,
            (true, false) => Status::PartiallyFilled,
        }
    }

    pub fn row(&self) -> BrokerOrder {
        BrokerOrder {
            broker_id: self.id.clone(),
            tag: self.tag.clone(),
            terms: self.terms.clone(),
            status: self.status.clone(),
            filled: self.filled,
            average: self.value.per_share(self.filled),
            at: self.at,
            session: self.session,
            reason: self.reason.clone(),
        }
    }
}
