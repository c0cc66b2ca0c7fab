//! `run`: what this run is.

use super::Host;
use crate::bindings::tradeagent::strategy::run;
use crate::convert;

impl run::Host for Host {
    fn about(&mut self) -> wasmtime::Result<run::RunInfo> {
        self.enter()?;
        let info = &self.info;
        Ok(run::RunInfo {
            id: info.id.to_string(),
            task: info.task.clone(),
            strategy: info.origin.strategy.to_string(),
            scheduled: info.scheduled.nanos(),
            trading_day: convert::date(info.origin.day),
            for_session: info.for_session.map(convert::date),
            mode: info.mode.into(),
            attempt: info.attempt,
            feeds: info.feeds.iter().map(Into::into).collect(),
            extras: Vec::new(),
        })
    }
}
