//! How often the account may ask, and what a 429 does.
//!
//! Kotak's FAQ says ten requests a second over all calls, its quotes page 25 a second for quotes alone
//! (facts: `kotak-neo.md` 5). Some users stayed blocked for hours after bursts, so a 429 holds back
//! everything but cancels, for longer each time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use broker::rate::Lane;
use model::Timestamp;
use model::clock::SharedClock;
use model::time::SECOND;

/// The longest that a call waits for its turn; beyond it the caller is told.
const WAIT_NANOS_MAX: i64 = 5 * SECOND;
/// The longest pause that a row of 429s leads to.
const PAUSE_SECONDS_MAX: i64 = 60;

/// What wants to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A place or modify.
    Order,
    /// A cancel: it has a reserve, and no 429 holds it back.
    Cancel,
    /// Books, positions, funds, history.
    Report,
    /// Quotes.
    Quote,
}

/// How many calls there may be in any second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// All but quotes; default 10.
    pub overall: u32,
    /// Of those, kept for cancels; default 2.
    pub cancel_reserve: u32,
    /// Quotes; default 25.
    pub quotes: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { overall: 10, cancel_reserve: 2, quotes: 25 }
    }
}

/// It is not this call's turn, and will not be soon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// More calls wait than the rate can carry.
    #[error("more calls are waiting than the broker's rate can carry; ask less often")]
    Queue,
    /// The broker said 429.
    #[error("the broker asked to slow down (429); the next call goes at {until}")]
    Paused {
        /// When it goes on.
        until: Timestamp,
    },
}

/// The account's limiter.
pub struct Limits {
    clock: SharedClock,
    state: Mutex<State>,
}

struct State {
    calls: Lane,
    cancels: Lane,
    quotes: Lane,
    paused_until: Option<Timestamp>,
    refusals: u32,
}

impl Limits {
    /// With these rates, on this clock.
    pub fn new(rates: Rates, clock: SharedClock) -> Self {
        let ordinary = rates.overall.saturating_sub(rates.cancel_reserve).max(1);
        let state = State {
            calls: Lane::new(ordinary),
            cancels: Lane::new(rates.cancel_reserve.max(1)),
            quotes: Lane::new(rates.quotes.max(1)),
            paused_until: None,
            refusals: 0,
        };
        Self { clock, state: Mutex::new(state) }
    }

    /// Waits for the call's turn, at most five seconds.
    pub async fn turn(&self, turn: Turn) -> Result<(), Busy> {
        let now = self.clock.now();
        let at = self.reserve(turn, now)?;
        if at > now {
            self.clock.sleep_until(at).await;
        }
        Ok(())
    }

    fn reserve(&self, turn: Turn, now: Timestamp) -> Result<Timestamp, Busy> {
        let mut state = self.state();
        if turn == Turn::Cancel {
            return state.reserve_cancel(now);
        }
        if let Some(until) = state.paused_until.filter(|until| *until > now) {
            return Err(Busy::Paused { until });
        }
        let lane = if turn == Turn::Quote { &mut state.quotes } else { &mut state.calls };
        let at = lane.next(now);
        if at.nanos_since(now) > WAIT_NANOS_MAX {
            return Err(Busy::Queue);
        }
        lane.take(at);
        Ok(at)
    }

    /// The broker said 429: everything but cancels pauses, for longer each time in a row.
    pub fn refused(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let seconds = (1_i64 << state.refusals.min(6)).min(PAUSE_SECONDS_MAX);
        state.refusals = state.refusals.saturating_add(1);
        state.paused_until = Some(now.plus_seconds(seconds));
    }

    /// The broker took a call: it is not holding us back any more.
    pub fn accepted(&self) {
        self.state().refusals = 0;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reserve_cancel(&mut self, now: Timestamp) -> Result<Timestamp, Busy> {
        let kept = self.cancels.next(now);
        let ordinary = self.calls.next(now);
        let (lane, at) =
            if kept <= ordinary { (&mut self.cancels, kept) } else { (&mut self.calls, ordinary) };
        if at.nanos_since(now) > WAIT_NANOS_MAX {
            return Err(Busy::Queue);
        }
        lane.take(at);
        Ok(at)
    }
}
