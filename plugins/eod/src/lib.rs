#![doc = include_str!("../README.md")]

mod logic;
mod settings;

use settings::Settings;
use tradeagent_sdk::eod::portfolio::Difference;
use tradeagent_sdk::eod::types::{Order, Status};
use tradeagent_sdk::eod::{self, *};
use tradeagent_sdk::params::Params;
use tradeagent_sdk::{describe, stage};

#[derive(Default)]
struct Eod;

impl Strategy for Eod {
    fn run(&mut self, tick: Tick) -> Result<Option<Report>, TaskError> {
        let settings = Settings::from_params(Params::read())?;
        let mut report = Report::new("");
        let cancelled = if settings.cancel_stale { cancel_all_stale(&tick, &mut report)? } else { 0 };
        // Before the account: it may find fills that came late.
        let differences = step("reconciliation", portfolio::reconcile(), &mut report);
        if let Some(differences) = &differences {
            put_differences(&mut report, differences, settings.differences_max as usize);
        }
        let account = step("day account", portfolio::get_day_account(), &mut report);
        if let Some(account) = &account {
            logic::put_account(&mut report, account);
        }
        let positions = step("positions", portfolio::get_positions(), &mut report);
        if let Some(positions) = &positions {
            logic::put_positions(&mut report, positions);
        }
        let counts = (positions.map(|it| it.len()), differences.map(|it| it.len()));
        report.summary = logic::summary(account.as_ref(), counts.0, cancelled, counts.1);
        // The day's report leaves through the outbox; an interrupted run that is entered again sends it
        // once, because the host keeps one alert per key and day.
        notify::alert("day-report", notify::Severity::Info, &logic::letter(&report));
        Ok(Some(report))
    }
}

/// A read whose failure is on record and no reason to stop.
fn step<T>(what: &str, answer: Result<T, types::ReadError>, report: &mut Report) -> Option<T> {
    answer.map_err(|error| report.skip(what, describe::read_error(&error))).ok()
}

fn cancel_all_stale(tick: &Tick, report: &mut Report) -> Result<u32, TaskError> {
    let session = market::get_session()?;
    let over = logic::session_is_over(&session, tick.now);
    let Some(orders) = step("orders", order_book::get_account_orders(), report) else { return Ok(0) };
    let mut cancelled = 0;
    for order in &orders {
        if logic::is_stale(order, session.trading_day, over) {
            cancelled += cancel(order, report);
        } else if order.strategy.is_some() && stage::of(&order.status) == stage::Stage::InFlight {
            let status = stage::name(&order.status);
            report.skip(format!("order {}", order.id), format!("{} is {status}: left alone", order.symbol));
        }
    }
    report.figure("stale orders cancelled", cancelled);
    Ok(cancelled)
}

/// 1 when the order is cancelled now. "Complete already" is an answer and no failure.
fn cancel(order: &Order, report: &mut Report) -> u32 {
    let subject = format!("order {}", order.id);
    match cancelling::cancel(&order.id, "its session is over") {
        Ok(placed) if matches!(placed.status, Status::Canceled | Status::PendingCancel) => 1,
        Ok(placed) => {
            let status = stage::name(&placed.status);
            report.skip(subject, format!("{} is {status} already: nothing to cancel", order.symbol));
            0
        }
        Err(error) => {
            report.skip(subject, format!("{}: {}", order.symbol, describe::order_error(&error)));
            0
        }
    }
}

fn put_differences(report: &mut Report, differences: &[Difference], listed_max: usize) {
    report.figure("differences", differences.len());
    for difference in differences.iter().take(listed_max) {
        report.extras.push((format!("difference {}", difference.subject), difference.what.clone()));
    }
    if let Some(first) = differences.first() {
        let text = format!(
            "Journal and broker do not agree: {} differences. {}: {}",
            differences.len(),
            first.subject,
            first.what
        );
        notify::alert("differences", notify::Severity::Critical, &text);
    }
}

eod::export!(Eod);
