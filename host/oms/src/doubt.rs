//! What is not known about an order, and how often reading has failed to tell.

use model::{Date, OrderState, Timestamp};

/// One kind of not knowing. Each has its own proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Whether the order reached the exchange at all.
    Place,
    /// Which trades make up fills that the book shows.
    Unbooked,
    /// Whether a modify was taken.
    Replace,
    /// Whether a cancellation was taken.
    Cancel,
    /// What became of a day order whose session is over and which the book no longer shows.
    Past,
}

impl Doubt {
    /// The first doubt about `order` on `today`; none for what waits for the operator.
    pub(crate) fn about(order: &OrderState, today: Date) -> Option<Self> {
        if order.is_place_unresolved() {
            return (order.status() != model::Status::Parked).then_some(Self::Place);
        }
        if order.filled() > order.booked() {
            return Some(Self::Unbooked);
        }
        if order.is_final() {
            return None;
        }
        if let Some(change) = order.replacing() {
            return (!change.parked).then_some(Self::Replace);
        }
        if let Some(change) = order.cancelling() {
            return (!change.parked).then_some(Self::Cancel);
        }
        (order.for_session < today).then_some(Self::Past)
    }
}

/// Reads that bear on one doubt.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) doubt: Doubt,
    /// Reads in a row that showed no trace of the feared outcome, well spaced.
    clean: u32,
    first_clean: Timestamp,
    last_clean: Timestamp,
    /// Complete reads so far.
    reads: u32,
    began: Timestamp,
}

/// Reads without a trace that make a proof, together with their spacing.
const CLEAN_READS: u32 = 3;

impl Watch {
    pub(crate) const fn new(doubt: Doubt, at: Timestamp) -> Self {
        Self { doubt, clean: 0, first_clean: at, last_clean: at, reads: 0, began: at }
    }

    /// A complete read at `at` showed no trace; true when that makes three over more than `lag`.
    pub(crate) fn saw_nothing(&mut self, at: Timestamp, lag: i64) -> bool {
        self.reads += 1;
        if self.clean == 0 {
            self.first_clean = at;
        } else if at.nanos_since(self.last_clean) < lag / 4 {
            // Three reads in one breath are one read.
            return false;
        }
        self.clean += 1;
        self.last_clean = at;
        self.clean >= CLEAN_READS && at.nanos_since(self.first_clean) > lag
    }

    /// A complete read at `at` showed something that fits the feared outcome, or could not tell.
    pub(crate) const fn saw_something(&mut self) {
        self.reads += 1;
        self.clean = 0;
    }

    /// Reading does not tell, nor is it about to: a person has to.
    pub(crate) const fn is_hopeless(&self, at: Timestamp, lag: i64, park_after: u32) -> bool {
        self.clean == 0 && self.reads >= park_after && at.nanos_since(self.began) > lag.saturating_mul(3)
    }
}

#[cfg(test)]
mod tests {
    use model::time::SECOND;

    use super::*;

    #[test]
    fn absence_takes_three_reads_spaced_over_more_than_the_lag() {
        let lag = 60 * SECOND;
        let at = |seconds| Timestamp::from_nanos(0).plus_seconds(seconds);
        let mut watch = Watch::new(Doubt::Place, at(0));
        let seen: Vec<bool> =
            [0, 1, 2, 3, 30, 45, 60, 61].into_iter().map(|s| watch.saw_nothing(at(s), lag)).collect();
        assert_eq!(seen, [false, false, false, false, false, false, false, false]);
        assert!(watch.saw_nothing(at(76), lag));
        watch.saw_something();
        assert!(!watch.saw_nothing(at(200), lag), "a trace begins it anew");
        let mut two = Watch::new(Doubt::Place, at(0));
        assert!(!two.saw_nothing(at(0), lag));
        assert!(!two.saw_nothing(at(500), lag), "two reads are not three");
    }

    #[test]
    fn hope_ends_after_the_reads_and_three_lags() {
        let lag = 60 * SECOND;
        let at = |seconds| Timestamp::from_nanos(0).plus_seconds(seconds);
        let mut watch = Watch::new(Doubt::Place, at(0));
        for _ in 0..4 {
            watch.saw_something();
        }
        assert!(!watch.is_hopeless(at(170), lag, 4));
        assert!(watch.is_hopeless(at(181), lag, 4));
        assert!(!watch.is_hopeless(at(181), lag, 5));
    }
}
