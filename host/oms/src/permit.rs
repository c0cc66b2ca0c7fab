//! One limiter per account: at most so many calls in *any* second, a few of them kept for cancels.

use broker::rate::{Lane, WAIT_NANOS_MAX};
use model::Timestamp;

/// What wants to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// A place or modify.
    Order,
    /// A cancel.
    Cancel,
}

/// The account's limiter.
#[derive(Debug)]
pub(crate) struct Limiter {
    orders: Lane,
    reserve: Lane,
}

impl Limiter {
    /// `per_second` calls in any second, `reserve` of them for cancels alone (fewer than `per_second`).
    pub(crate) fn new(per_second: u32, reserve: u32) -> Self {
        debug_assert!(per_second > reserve, "checked when the desk opens");
        Self { orders: Lane::new(per_second - reserve), reserve: Lane::new(reserve) }
    }

    /// The instant at which the call may go, reserved for it; `None` when the queue is too long.
    pub(crate) fn reserve(&mut self, call: Call, now: Timestamp) -> Option<Timestamp> {
        let ordinary = self.orders.next(now);
        let (lane, at) = match call {
            Call::Cancel if self.reserve.size() > 0 => {
                let kept = self.reserve.next(now);
                if kept <= ordinary { (&mut self.reserve, kept) } else { (&mut self.orders, ordinary) }
            }
            Call::Order | Call::Cancel => (&mut self.orders, ordinary),
        };
        if at.nanos_since(now) > WAIT_NANOS_MAX {
            return None;
        }
        lane.take(at);
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use model::time::SECOND;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cancel_goes_at_once_while_orders_queue() {
        let mut limiter = Limiter::new(8, 2);
        let now = Timestamp::from_nanos(0);
        for _ in 0..20 {
            limiter.reserve(Call::Order, now).expect("short queue");
        }
        assert_eq!(limiter.reserve(Call::Cancel, now), Some(now));
        assert_eq!(limiter.reserve(Call::Cancel, now), Some(now));
        assert!(limiter.reserve(Call::Cancel, now).expect("soon") > now);
        let refused = (0..400).filter(|_| limiter.reserve(Call::Order, now).is_none()).count();
        assert!(refused > 0, "the queue is bounded");
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_desk() {
        let mut limiter = Limiter::new(8, 2);
        let late = Timestamp::from_nanos(7_200 * SECOND);
        for _ in 0..8 {
            limiter.reserve(Call::Order, late);
        }
        let early = Timestamp::from_nanos(0);
        assert_eq!(limiter.reserve(Call::Order, early), Some(early));
    }

    proptest! {
        #[test]
        fn no_window_of_a_second_holds_more_than_the_rate(
            calls in prop::collection::vec((any::<bool>(), 0_i64..400_000_000), 1..200)
        ) {
            let mut limiter = Limiter::new(8, 2);
            let mut now = Timestamp::from_nanos(0);
            let mut sent = Vec::new();
            for (cancel, pause) in calls {
                now = now.plus_nanos(pause);
                let call = if cancel { Call::Cancel } else { Call::Order };
                sent.extend(limiter.reserve(call, now));
            }
            sent.sort();
            for window in sent.windows(9) {
                prop_assert!(window[8].nanos_since(window[0]) > SECOND);
            }
        }
    }
}
