//! A broker call that panics is a call without a clear answer.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use broker::{Ack, SendError};
use model::BoxFuture;

const PANICKED: &str = "the broker adapter failed while the call was under way";

/// Makes the call and waits for it; never panics.
pub(crate) async fn guarded<'a>(
    call: impl FnOnce() -> BoxFuture<'a, Result<Ack, SendError>>,
) -> Result<Ack, SendError> {
    let unclear = || Err(SendError::Unclear(PANICKED.to_owned()));
    let Ok(mut future) = catch_unwind(AssertUnwindSafe(call)) else { return unclear() };
    // The future is dropped after a panic and never polled again.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll,
        Err(_) => Poll::Ready(unclear()),
    })
    .await
}
