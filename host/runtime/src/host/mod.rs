//! The host side of the contract: one file per interface, over one [`Host`] per instance.
//!
//! Each function first takes a call from the run's budget; when that is used up the run ends. What a
//! grant does not allow is answered, before any effect, never trapped.

mod act;
mod log;
mod market;
mod order_book;
mod portfolio;
mod run;
mod serve;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Origin;
use wasmtime::bail;

use crate::bindings::tradeagent::strategy::types;
use crate::grants::Grants;
use crate::limits::{Limits, Meter};
use crate::outcome::{Outcome, RunResult, StopReason, one_line};
use crate::pulse::Until;
use crate::run::RunInfo;
use crate::services::Services;

/// What a store holds: where host functions lead, and what is left of the run's budgets.
pub(crate) struct Host {
    services: Arc<dyn Services>,
    grants: Arc<Grants>,
    limits: Limits,
    info: Arc<RunInfo>,
    /// Memory and tables of the instance.
    pub(crate) meter: Meter,
    /// What bounds a deterministic run.
    pub(crate) fuel: u64,
    /// When a live run's time is up.
    pub(crate) until: Option<Until>,
    /// Written in this run, over the durable state.
    state: BTreeMap<String, Option<Vec<u8>>>,
    state_written: usize,
    /// Keys of the state, once they were counted in this run.
    state_keys: Option<usize>,
    calls: u64,
    log_left: usize,
    log_dropped: u64,
    alerts: u32,
    panicked: Option<(String, String)>,
    stop: Option<StopReason>,
    #[cfg(feature = "wasi")]
    pub(crate) wasi: Option<crate::wasi::Wasi>,
}

impl types::Host for Host {}

impl Host {
    pub(crate) fn new(
        services: Arc<dyn Services>,
        grants: Arc<Grants>,
        limits: Limits,
        info: Arc<RunInfo>,
    ) -> Self {
        Self {
            #[cfg(feature = "wasi")]
            wasi: None,
            services,
            grants,
            limits,
            info,
            meter: Meter::new(limits),
            fuel: limits.fuel,
            until: None,
            state: BTreeMap::new(),
            state_written: 0,
            state_keys: None,
            calls: 0,
            log_left: limits.log_bytes,
            log_dropped: 0,
            alerts: 0,
            panicked: None,
            stop: None,
        }
    }

    /// Gives the instance WASI's empty world.
    #[cfg(feature = "wasi")]
    pub(crate) fn with_wasi(mut self) -> Self {
        self.wasi = Some(crate::wasi::Wasi::new(&self.services, &self.limits));
        self
    }

    /// A new run begins, with its budgets whole.
    pub(crate) fn begin(&mut self, info: &Arc<RunInfo>) {
        self.info = Arc::clone(info);
        self.state.clear();
        self.state_keys = None;
        #[cfg(feature = "wasi")]
        if let Some(wasi) = &self.wasi {
            wasi.reseed(&self.info);
        }
        self.rearm();
    }

    /// The budgets are whole again; state that was written stays.
    pub(crate) fn rearm(&mut self) {
        self.state_written = 0;
        self.calls = 0;
        self.log_left = self.limits.log_bytes;
        self.log_dropped = 0;
        self.alerts = 0;
    }

    /// Takes out what was written into the state since the run began.
    pub(crate) fn take_state(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        self.state_keys = None;
        std::mem::take(&mut self.state).into_iter().collect()
    }

    /// The outcome of a run that ended by itself.
    pub(crate) fn ended(&mut self, result: RunResult) -> Outcome {
        #[cfg(feature = "wasi")]
        self.log_printed();
        Outcome { result, state: self.take_state(), log_dropped: self.log_dropped, host_calls: self.calls }
    }

    /// The outcome of a run that was stopped: what it wrote is dropped.
    pub(crate) fn stopped(&mut self, reason: StopReason) -> Outcome {
        #[cfg(feature = "wasi")]
        self.log_printed();
        self.state.clear();
        Outcome {
            result: RunResult::Stopped(reason),
            state: Vec::new(),
            log_dropped: self.log_dropped,
            host_calls: self.calls,
        }
    }

    /// Why a call into the guest failed: the host's own reason first, then the guest's last words, then
    /// wasmtime's.
    pub(crate) fn why(&mut self, error: &wasmtime::Error) -> StopReason {
        if let Some(reason) = self.stop.take().or_else(|| self.meter.hit.take()) {
            return reason;
        }
        if let Some((message, location)) = self.panicked.take() {
            return StopReason::Panicked { message, location };
        }
        StopReason::from_error(error, self.fuel)
    }

    /// Why an instance could not be made.
    pub(crate) fn why_not_started(&mut self, error: &wasmtime::Error) -> StopReason {
        match self.why(error) {
            StopReason::Trapped { .. } => StopReason::NotStarted(one_line(error)),
            reason => reason,
        }
    }

    /// Remembers why this run ends and gives the error that ends it.
    pub(crate) fn end_with(&mut self, reason: StopReason) -> wasmtime::Error {
        let error = wasmtime::format_err!("{reason}");
        self.stop.get_or_insert(reason);
        error
    }

    /// A host function waited where none may.
    pub(crate) fn waited(&mut self, function: &'static str) -> wasmtime::Error {
        self.end_with(StopReason::Waited { function })
    }

    /// The limits of this strategy.
    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where its functions lead.
    #[cfg(feature = "wasi")]
    pub(crate) fn services(&self) -> Arc<dyn Services> {
        Arc::clone(&self.services)
    }

    fn origin(&self) -> &Origin {
        &self.info.origin
    }

    /// Takes one call from the budget.
    fn enter(&mut self) -> wasmtime::Result<()> {
        self.calls += 1;
        if self.calls > self.limits.host_calls {
            let limit = self.limits.host_calls;
            return Err(self.end_with(StopReason::TooManyHostCalls { limit }));
        }
        if self.stop.is_some() {
            bail!("the run has ended");
        }
        Ok(())
    }
}

/// An answer in the contract's types.
fn answer<T, U: From<T>, E, F: From<E>>(result: Result<T, E>) -> wasmtime::Result<Result<U, F>> {
    Ok(result.map(U::from).map_err(F::from))
}

/// A list in the contract's types.
fn answer_list<T, U: From<T>, E, F: From<E>>(
    result: Result<Vec<T>, E>,
) -> wasmtime::Result<Result<Vec<U>, F>> {
    Ok(result.map(|items| items.into_iter().map(U::from).collect()).map_err(F::from))
}

/// At most `limit` bytes of `text`, cut between characters.
pub(crate) fn cut(mut text: String, limit: usize) -> String {
    text.truncate(text.floor_char_boundary(limit));
    text
}
