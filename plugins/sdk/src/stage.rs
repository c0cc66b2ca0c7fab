//! What a strategy may do with an order, by its status.

use crate::bindings::tradeagent::strategy::types::Status;

/// What a strategy may do with an order.
///
/// ```
/// use tradeagent_sdk::{buy::types::Status, stage::{self, Stage}};
/// assert_eq!(stage::of(&Status::PartiallyFilled), Stage::Working);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It stands at the broker and may be changed or cancelled.
    Working,
    /// On its way, or nobody knows where it is: leave it alone, and place nothing in its stead.
    InFlight,
    /// It has ended.
    Final,
}

/// The stage of a status. One that this version does not name is [`Stage::InFlight`]: the careful answer.
///
/// ```
/// use tradeagent_sdk::{buy::types::Status, stage::{self, Stage}};
/// assert_eq!(stage::of(&Status::Rejected), Stage::Final);
/// assert_eq!(stage::of(&Status::Other("suspended".to_owned())), Stage::InFlight);
/// ```
pub const fn of(status: &Status) -> Stage {
    match status {
        Status::New | Status::PendingTrigger | Status::QueuedAmo | Status::PartiallyFilled => Stage::Working,
        Status::PendingNew | Status::PendingReplace | Status::PendingCancel => Stage::InFlight,
        Status::Unknown | Status::Parked | Status::Other(_) => Stage::InFlight,
        Status::Filled | Status::Canceled | Status::Rejected | Status::Expired | Status::NotPlaced => {
            Stage::Final
        }
    }
}

/// A status as the host's reports name it.
///
/// ```
/// use tradeagent_sdk::{buy::types::Status, stage};
/// assert_eq!(stage::name(&Status::QueuedAmo), "queued-amo");
/// ```
pub fn name(status: &Status) -> &str {
    match status {
        Status::PendingNew => "pending-new",
        Status::New => "new",
        Status::PendingTrigger => "pending-trigger",
        Status::QueuedAmo => "queued-amo",
        Status::PendingReplace => "pending-replace",
        Status::PendingCancel => "pending-cancel",
        Status::PartiallyFilled => "partially-filled",
        Status::Filled => "filled",
        Status::Canceled => "canceled",
        Status::Rejected => "rejected",
        Status::Expired => "expired",
        Status::Unknown => "unknown",
        Status::NotPlaced => "not-placed",
        Status::Parked => "parked",
        Status::Other(other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_never_taken_for_ended() {
        for status in [Status::Unknown, Status::Parked, Status::Other("suspended".to_owned())] {
            assert_eq!(of(&status), Stage::InFlight);
        }
    }
}
