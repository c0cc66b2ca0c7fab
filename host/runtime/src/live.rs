//! A strategy in real time: computing bounded by epochs, waiting by a deadline, both from one setting.

use std::sync::Arc;

use model::Timestamp;
use wasmtime::{Store, UpdateDeadline};

use crate::bindings::tradeagent::strategy::types;
use crate::convert;
use crate::engine::Profile;
use crate::host::Host;
use crate::instance::{Loaded, Run, Turns};
use crate::outcome::{Outcome, RunResult, StopReason};
use crate::run::{Cause, RunInfo};
use crate::services::{RunStart, Services};

/// One strategy's instance, made at the first run of a trading day and kept for its runs. After a run
/// that was stopped, or whose future was dropped, it is gone (it can never be entered again) and the
/// next run makes a new one.
pub struct LiveInstance {
    loaded: Loaded,
    services: Arc<dyn Services>,
    instance: Option<(Store<Host>, Run)>,
}

impl LiveInstance {
    /// For a component that a live runtime loaded.
    ///
    /// # Panics
    /// When `loaded` comes from a deterministic runtime: a mistake in wiring.
    pub fn new(loaded: Loaded, services: Arc<dyn Services>) -> Self {
        assert_eq!(loaded.profile(), Profile::Live, "a live instance needs a live runtime");
        Self { loaded, services, instance: None }
    }

    /// What it runs.
    pub const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// A trading day has begun: the next run makes a new instance.
    pub fn new_day(&mut self) {
        self.instance = None;
    }

    /// One run. Whatever the component does, this ends, within the run time and one epoch. Dropping the
    /// future ends the run too; an order it had placed lives on at the desk.
    pub async fn run(&mut self, info: RunInfo, now: Timestamp, cause: Cause) -> Outcome {
        let info = Arc::new(info);
        self.services.run_begins(&RunStart { loaded: &self.loaded, info: &info, now, cause: &cause });
        let running = self.loaded.pulse().begin(self.loaded.limits().run_time);
        // Taken out, so that an instance whose run does not end here is never entered again.
        let (mut store, known) = match self.instance.take() {
            Some((store, run)) => (store, Some(run)),
            None => (self.store(&info), None),
        };
        let host = store.data_mut();
        host.begin(&info);
        host.until = Some(running.until());
        store.set_epoch_deadline(1);
        let ended = tokio::select! {
            biased;
            ended = enter(&self.loaded, &mut store, known, now, &cause) => ended,
            () = running.deadline() => Err(Stop::Deadline),
        };
        let host = store.data_mut();
        let outcome = match ended {
            Ok((run, result)) => {
                let outcome = host.ended(result);
                self.instance = Some((store, run));
                outcome
            }
            Err(stop) => {
                let reason = stop.reason(host);
                host.stopped(reason)
            }
        };
        self.services.run_ends(&outcome);
        outcome
    }

    fn store(&self, info: &Arc<RunInfo>) -> Store<Host> {
        let mut store = self.loaded.store(&self.services, info);
        let turns = self.loaded.turns();
        store.epoch_deadline_callback(move |mut caller| {
            let host = caller.data_mut();
            if host.until.is_some_and(crate::pulse::Until::passed) {
                let limit = host.limits().run_time;
                host.end_with(StopReason::OutOfTime { limit });
                return Ok(UpdateDeadline::Interrupt);
            }
            Ok(match turns {
                Turns::Slices => UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())),
                Turns::Whole => UpdateDeadline::Continue(1),
            })
        });
        store
    }
}

/// Why a run did not end by itself.
enum Stop {
    /// It waited too long.
    Deadline,
    /// It could not be instantiated.
    NotStarted(wasmtime::Error),
    /// The call failed.
    Call(wasmtime::Error),
}

impl Stop {
    fn reason(self, host: &mut Host) -> StopReason {
        match self {
            Self::Deadline => StopReason::OutOfTime { limit: host.limits().run_time },
            Self::NotStarted(error) => host.why_not_started(&error),
            Self::Call(error) => host.why(&error),
        }
    }
}

async fn enter(
    loaded: &Loaded,
    store: &mut Store<Host>,
    known: Option<Run>,
    now: Timestamp,
    cause: &Cause,
) -> Result<(Run, RunResult), Stop> {
    let run = match known {
        Some(run) => run,
        None => start(loaded, store).await.map_err(Stop::NotStarted)?,
    };
    let (result,) =
        run.call_async(store, (now.nanos(), types::Cause::from(cause))).await.map_err(Stop::Call)?;
    Ok((run, convert::result(result)))
}

async fn start(loaded: &Loaded, store: &mut Store<Host>) -> wasmtime::Result<Run> {
    let instance = loaded.pre().instantiate_async(&mut *store).await?;
    instance.get_typed_func(store, loaded.run_index())
}
