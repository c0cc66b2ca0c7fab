//! Waiting with an end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use model::{Clock, Timestamp};

/// The outcome of `work` when it comes by `until`; otherwise none, and `work` is dropped.
pub(super) async fn within<T>(
    clock: &dyn Clock,
    until: Timestamp,
    work: impl Future<Output = T>,
) -> Option<T> {
    unless(clock.sleep_until(until), work).await
}

/// The outcome of `work` when it comes before that of `stop`; otherwise none, and `work` is dropped.
pub(super) async fn unless<T>(stop: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut stop) = (pin!(work), pin!(stop));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => stop.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// `at` and `span` later.
pub(super) fn after(at: Timestamp, span: Duration) -> Timestamp {
    at.plus_nanos(nanos(span))
}

/// A span in nanoseconds; one that does not fit is as long as fits.
pub(super) fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX / 4)
}

/// The wait before try number `tries` + 1: `first`, doubled with each try, at most `longest`.
pub(super) fn doubled(first: Duration, tries: u32, longest: Duration) -> Duration {
    let times = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(times).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_its_bound() {
        let wait = |tries| doubled(Duration::from_secs(5), tries, Duration::from_secs(300)).as_secs();
        assert_eq!([1, 2, 3, 6, 7, 40].map(wait), [5, 10, 20, 160, 300, 300]);
    }
}
