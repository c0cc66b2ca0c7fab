#![doc = include_str!("../README.md")]

mod logic;
#[cfg(test)]
mod tests;

use tradeagent_sdk::eod::{self, *};
use tradeagent_sdk::params::Params;

#[derive(Default)]
struct Mine;

impl Strategy for Mine {
    fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
        Params::read().done()?;
        let account = portfolio::get_day_account()?;
        let placed: u32 = account.orders.iter().map(|(_, count)| *count).sum();
        let summary = logic::summary(placed, account.fills, account.realised - account.charges);
        // The same key goes out once a day, however often this runs.
        notify::alert("day", notify::Severity::Info, &summary);
        Ok(Some(Report::new(summary)))
    }
}

eod::export!(Mine);
