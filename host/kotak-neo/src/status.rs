//! Where an order is in its life.

use std::fmt;

use crate::words::words;

words! {
    /// An order's status (facts 2.14). The broker's documents call it an open set: what is not known here is
    /// carried as it came.
    OrderStatus {
        /// Received by the order system.
        PutOrderReqReceived = "put order req received",
        /// Being checked.
        ValidationPending = "validation pending",
        /// On its way to the exchange.
        OpenPending = "open pending",
        /// Working; partly filled when `0 < filled < quantity`.
        Open = "open",
        /// A stop order whose trigger was not touched yet.
        TriggerPending = "trigger pending",
        /// A change is on its way.
        ModifyPending = "modify pending",
        /// A change is being checked.
        ModifyValidationPending = "modify validation pending",
        /// Changed; working.
        Modified = "modified",
        /// A change was not made; working as before.
        NotModified = "not modified",
        /// A cancel is on its way.
        CancelPending = "cancel pending",
        /// A cancel was not made; working as before.
        NotCancelled = "not cancelled",
        /// Partly filled; working.
        PartiallyFilled = "partially filled",
        /// Waits for the next session.
        AfterMarketOrderReqReceived = "after market order req received",
        /// Waits for the next session, by another spelling.
        AmoReqReceived = "amo req received",
        /// Waits for the next session, changed.
        ModifyAfterMarketOrderReqReceived = "modify after market order req received",
        /// Filled whole.
        Complete = "complete",
        /// Filled whole, by another spelling.
        Traded = "traded",
        /// Refused by the broker's risk system or the exchange.
        Rejected = "rejected",
        /// Cancelled; what was filled before stays. Also an IOC's remainder.
        Cancelled = "cancelled" | "canceled",
        /// Cancelled while it waited for the next session.
        CancelledAfterMarketOrder = "cancelled after market order",
    }
}

impl OrderStatus {
    /// Nothing more can happen to the order. `false` for an unknown status.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Complete
                | Self::Traded
                | Self::Rejected
                | Self::Cancelled
                | Self::CancelledAfterMarketOrder
        )
    }

    /// It says that something was filled.
    pub(crate) fn names_a_fill(&self) -> bool {
        matches!(self, Self::Complete | Self::Traded | Self::PartiallyFilled)
    }
}
