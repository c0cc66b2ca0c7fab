//! A strategy in `simulate` and `backtest`: in the caller's thread, bounded by fuel, nothing waits.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use model::{Report, Timestamp};
use wasmtime::Store;

use crate::bindings::tradeagent::strategy::types;
use crate::convert;
use crate::engine::Profile;
use crate::host::Host;
use crate::instance::{Loaded, Run};
use crate::outcome::{Outcome, RunResult};
use crate::run::{Bar, Cause, RunInfo};
use crate::services::{RunStart, Services};

/// One strategy's instance, made at its first run and kept until [`InlineInstance::new_day`] or a run
/// that was stopped.
pub struct InlineInstance {
    loaded: Loaded,
    services: Arc<dyn Services>,
    info: Arc<RunInfo>,
    fuel: u64,
    instance: Option<(Store<Host>, Run)>,
}

impl InlineInstance {
    /// For a component that a deterministic runtime loaded; `info` is what bars run under until
    /// [`InlineInstance::run`] or [`InlineInstance::set_info`] gives another.
    ///
    /// # Panics
    /// When `loaded` comes from a live runtime: a mistake in wiring.
    pub fn new(loaded: Loaded, services: Arc<dyn Services>, info: RunInfo) -> Self {
        assert_eq!(
            loaded.profile(),
            Profile::Deterministic,
            "an inline instance needs a deterministic runtime"
        );
        let fuel = loaded.limits().fuel;
        Self { loaded, services, info: Arc::new(info), fuel, instance: None }
    }

    /// What it runs.
    pub const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Gives the runs from now on this fuel in place of their limit: a replay of a run that real time bounded, and
    /// that ended by itself.
    pub const fn allow_fuel(&mut self, fuel: u64) {
        self.fuel = fuel;
    }

    /// A trading day has begun: the next run makes a new instance.
    pub fn new_day(&mut self) {
        self.instance = None;
    }

    /// What the bars from now on run under (a backtest changes it with the trading day).
    pub fn set_info(&mut self, info: RunInfo) {
        self.info = Arc::new(info);
        if let Some((store, _)) = &mut self.instance {
            store.data_mut().begin(&self.info);
        }
    }

    /// One run.
    pub fn run(&mut self, info: RunInfo, now: Timestamp, cause: &Cause) -> Outcome {
        self.set_info(info);
        self.services.run_begins(&RunStart { loaded: &self.loaded, info: &self.info, now, cause });
        let outcome = match self.enter(now, types::Cause::from(cause)) {
            Ok(result) => self.ended(convert::result(result)),
            Err(outcome) => *outcome,
        };
        self.services.run_ends(&outcome);
        outcome
    }

    /// One finished bar, with every limit on and as little else as possible. What the strategy writes
    /// into its state stays visible to it and is taken out by [`InlineInstance::take_state`]. An error
    /// is a run that was stopped or that failed by itself.
    pub fn bar(&mut self, now: Timestamp, feed: u32, bar: &Bar) -> Result<Option<Report>, Box<Outcome>> {
        let cause = types::Cause::Bar(types::BarEvent { feed, bar: bar.into() });
        if let Some((store, _)) = &mut self.instance {
            store.data_mut().rearm();
        }
        match self.enter(now, cause)? {
            Ok(report) => Ok(report.map(Into::into)),
            failed => Err(Box::new(self.ended(convert::result(failed)))),
        }
    }

    /// Takes out what bars have written into the state.
    pub fn take_state(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        self.instance.as_mut().map(|(store, _)| store.data_mut().take_state()).unwrap_or_default()
    }

    fn enter(
        &mut self,
        now: Timestamp,
        cause: types::Cause,
    ) -> Result<Result<Option<types::Report>, types::TaskError>, Box<Outcome>> {
        if self.instance.is_none() {
            self.start()?;
        }
        let Some((store, run)) = &mut self.instance else { unreachable!("made above") };
        store.data_mut().fuel = self.fuel;
        let params = (now.nanos(), cause);
        let called = store.set_fuel(self.fuel).and_then(|()| {
            if self.loaded.wasi() {
                once(run.call_async(&mut *store, params))
            } else {
                run.call(&mut *store, params)
            }
        });
        match called {
            Ok((result,)) => Ok(result),
            Err(error) => {
                let host = store.data_mut();
                let reason = host.why(&error);
                let outcome = host.stopped(reason);
                self.instance = None;
                Err(Box::new(outcome))
            }
        }
    }

    fn start(&mut self) -> Result<(), Box<Outcome>> {
        let mut store = self.loaded.store(&self.services, &self.info);
        store.data_mut().begin(&self.info);
        let started = store.set_fuel(self.fuel).and_then(|()| {
            let instance = if self.loaded.wasi() {
                once(self.loaded.pre().instantiate_async(&mut store))?
            } else {
                self.loaded.pre().instantiate(&mut store)?
            };
            instance.get_typed_func(&mut store, self.loaded.run_index())
        });
        match started {
            Ok(run) => {
                self.instance = Some((store, run));
                Ok(())
            }
            Err(error) => {
                let host = store.data_mut();
                let reason = host.why_not_started(&error);
                Err(Box::new(host.stopped(reason)))
            }
        }
    }

    fn ended(&mut self, result: RunResult) -> Outcome {
        match &mut self.instance {
            Some((store, _)) => store.data_mut().ended(result),
            None => Outcome { result, state: Vec::new(), log_dropped: 0, host_calls: 0 },
        }
    }
}

/// Polls a call on a fiber once. Only a component with WASI imports takes this way; our own functions
/// have said so themselves when they waited, and a sleep is over at once, so what waits here is WASI.
fn once<T>(call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wasmtime::format_err!(
            "it polled through WASI for what never comes, which cannot be waited for here"
        )),
    }
}
