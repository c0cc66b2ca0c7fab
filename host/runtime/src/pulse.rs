//! Real time for live runs: one thread that advances the epoch every few milliseconds and wakes runs whose time
//! is up. It sleeps while nothing runs, and ends with the runtime.
//!
//! Deadlines here are real monotonic time on purpose, not the injected clock: `demo` runs under a
//! simulated clock, and an endless loop does not stop for that one.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::{Engine, EngineWeak};

use crate::engine::EPOCH_MILLIS;

#[expect(
    clippy::disallowed_methods,
    reason = "the bound on computing is real time, whatever the injected clock says"
)]
fn real_now() -> Instant {
    Instant::now()
}

#[derive(Default)]
struct State {
    /// Runs under way; the thread ticks while there are any.
    running: usize,
    stop: bool,
    waiting: BTreeMap<(Instant, u64), Waker>,
    next_id: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while holding this lock leaves the plain values in it valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's owner.
pub(crate) struct Pulse {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// Starts the thread for `engine`; it holds the engine weakly.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let weak = engine.weak();
        let thread = std::thread::Builder::new().name("strategy-epochs".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || tick(&shared, &weak)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A run begins that may last `limit`.
    pub(crate) fn begin(&self, limit: Duration) -> Running {
        let mut state = self.shared.lock();
        state.running += 1;
        state.next_id += 1;
        let id = state.next_id;
        let first = state.running == 1;
        drop(state);
        if first {
            self.shared.changed.notify_one();
        }
        Running { shared: Arc::clone(&self.shared), until: real_now() + limit, id }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // The thread runs nothing that panics; there is nothing to hear from it.
            let _ = thread.join();
        }
    }
}

fn tick(shared: &Shared, engine: &EngineWeak) {
    let mut state = shared.lock();
    while !state.stop {
        if state.running == 0 {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        // A notification means that runs have begun again: a tick that comes early is harmless.
        let (guard, _) = shared
            .changed
            .wait_timeout(state, Duration::from_millis(EPOCH_MILLIS))
            .unwrap_or_else(PoisonError::into_inner);
        state = guard;
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        let later = state.waiting.split_off(&(real_now(), u64::MAX));
        let due = std::mem::replace(&mut state.waiting, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
        drop(engine);
        state = shared.lock();
    }
}

/// A run under way.
pub(crate) struct Running {
    shared: Arc<Shared>,
    until: Instant,
    id: u64,
}

impl Running {
    /// The instant at which its time is up.
    pub(crate) const fn until(&self) -> Until {
        Until(self.until)
    }

    /// Ready when its time is up.
    pub(crate) const fn deadline(&self) -> Deadline<'_> {
        Deadline { run: self }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.running -= 1;
        state.waiting.remove(&(self.until, self.id));
    }
}

/// A real instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until(Instant);

impl Until {
    /// Whether it has come.
    pub(crate) fn passed(self) -> bool {
        real_now() >= self.0
    }
}

/// See [`Running::deadline`].
pub(crate) struct Deadline<'a> {
    run: &'a Running,
}

impl Future for Deadline<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.run.until().passed() {
            return Poll::Ready(());
        }
        let key = (self.run.until, self.run.id);
        self.run.shared.lock().waiting.insert(key, cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Profile, engine};

    fn block_on(future: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().expect("runtime").block_on(future);
    }

    #[test]
    fn a_deadline_wakes_its_run_in_real_time() {
        let engine = engine(Profile::Live).expect("engine");
        let pulse = Pulse::start(&engine).expect("thread");
        let began = real_now();
        let run = pulse.begin(Duration::from_millis(25));
        block_on(run.deadline());
        let took = real_now() - began;
        assert!(took >= Duration::from_millis(25), "{took:?}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }

    #[test]
    fn the_thread_ends_with_its_owner_and_keeps_no_engine() {
        let engine = engine(Profile::Live).expect("engine");
        let pulse = Pulse::start(&engine).expect("thread");
        let run = pulse.begin(Duration::from_secs(60));
        let shared = Arc::downgrade(&pulse.shared);
        drop(pulse);
        drop(run);
        assert_eq!(shared.strong_count(), 0);
    }
}
