//! One outcome that many wait for.
//!
//! Of the standard library only: what belongs to a runtime does not run under shuttle.

use std::collections::BTreeMap;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::sync::{Mutex, lock};

/// Something under way. It ends once; whoever joins, then or later, gets the same outcome.
pub(super) struct Flight<T>(Mutex<State<T>>);

struct State<T> {
    outcome: Option<T>,
    tickets: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl<T: Clone> Flight<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { outcome: None, tickets: 0, waiting: BTreeMap::new() }))
    }

    /// Ends it. A second outcome is ignored.
    pub(super) fn land(&self, outcome: T) {
        let waiting = {
            let mut state = lock(&self.0);
            if state.outcome.is_none() {
                state.outcome = Some(outcome);
            }
            mem::take(&mut state.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    /// Waits for the outcome. Dropping the future leaves nothing behind.
    pub(super) const fn join(&self) -> Join<'_, T> {
        Join { flight: self, ticket: None }
    }
}

/// A wait for a [`Flight`].
pub(super) struct Join<'a, T> {
    flight: &'a Flight<T>,
    ticket: Option<u64>,
}

impl<T: Clone> Future for Join<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut state = lock(&self.flight.0);
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        let ticket = self.ticket.unwrap_or(state.tickets);
        if self.ticket.is_none() {
            state.tickets += 1;
        }
        state.waiting.insert(ticket, cx.waker().clone());
        drop(state);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl<T> Drop for Join<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            lock(&self.flight.0).waiting.remove(&ticket);
        }
    }
}
