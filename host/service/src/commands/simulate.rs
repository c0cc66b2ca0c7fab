//! `simulate`: imported trading days at full speed.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use anyhow::{Context as _, anyhow};
use journal::{Journal, SqliteJournal};
use market::PriceSource;
use model::{Date, Money, Timestamp};
use oms::Blocking;
use runtime::{Profile, Turns};
use serde::Serialize;

use crate::cli::SimulateArgs;
use crate::clock::ManualClock;
use crate::config::Config;
use crate::exit::Failure;
use crate::output;
use crate::recording::{Direct, Folder};
use crate::simulate::{Driver, Simulation, SimulationError, collect, page};
use crate::wiring::{Link, PaperMarket, Ways, World};

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    from: Date,
    to: Date,
    seed: u64,
    sessions: usize,
    opening_cash: Money,
    /// Sessions of the calendar in the range for which there are no data.
    sessions_without_data: &'a [Date],
    #[serde(flatten)]
    simulation: &'a Simulation,
}

/// Runs it.
pub fn run(args: &SimulateArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.path.as_deref())?;
    config.apply_params(&args.param)?;
    if let Some(cash) = args.cash {
        config.account.cash = cash;
    }
    if let Some(universe) = &args.universe {
        config.set_universe(universe)?;
    }
    let paper = PaperMarket::load(&config, Some(&args.data))?;
    let (days, missing) = days(&paper, args)?;
    let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else {
        return Err(Failure::general(anyhow!(
            "there are no sessions with data in that range; `tradeagent data info {}` tells which there are",
            args.data.display()
        )));
    };
    let scratch;
    let path = match &args.journal {
        Some(path) if path.exists() => {
            return Err(Failure::general(anyhow!(
                "{} exists already: a simulation begins on an empty journal; name another file or remove it",
                path.display()
            )));
        }
        Some(path) => path.clone(),
        None => {
            scratch = tempfile::tempdir().context("no scratch folder can be made")?;
            scratch.path().join("simulation.sqlite")
        }
    };
    let journal: Box<dyn Journal> = Box::new(SqliteJournal::open_bulk(&path).map_err(anyhow::Error::from)?);
    let clock = ManualClock::at(Timestamp::at_ist(first, 0, 0));
    let ways = Ways {
        clock: clock.clone(),
        blocking: Blocking::Inline,
        profile: Profile::Deterministic,
        turns: Turns::Whole,
        cache: Some(config.plugin_cache()),
        seed: args.seed,
        book: None,
    };
    let mut world = World::build(&config, Link::paper(&config, &paper, &ways)?, journal, ways)?;
    let tapes = args.record.as_deref().map(recorder).transpose()?;
    world.tapes = tapes.clone().map(|tapes| tapes as _);
    let desk = world.desk.clone();
    let driver = Driver::of(world, &config, Arc::clone(&paper.market) as Arc<dyn PriceSource>, clock)?;
    let progress = output::Progress::new("simulate", days.len() as u64);
    let rows = driver.run(&days, |day, done| progress.set(done as u64, &day.to_string())).map_err(stopped)?;
    progress.finish();
    if let Some(tapes) = tapes {
        tapes.finish().map_err(|error| Failure::general(error.into()))?;
    }
    let simulation = collect(&desk, rows)?;
    let answer = Answer {
        version: 1,
        from: first,
        to: last,
        seed: args.seed,
        sessions: days.len(),
        opening_cash: config.account.cash,
        sessions_without_data: &missing,
        simulation: &simulation,
    };
    // A strategy that never did its work (a parameter that it does not know) is no simulation.
    if let Some((task, outcomes)) = simulation
        .runs
        .iter()
        .find(|(_, outcomes)| outcomes.contains_key("failed") && !outcomes.contains_key("done"))
    {
        let reason =
            simulation.skipped.iter().find(|skip| skip.task == **task).map_or("", |skip| &skip.reason);
        return Err(Failure::general(anyhow!(
            "{task} failed at every one of its {} runs: {reason}",
            outcomes["failed"]
        )));
    }
    if let Some(path) = &args.report {
        let opening: Money =
            config.account.positions.iter().map(|position| position.price * position.quantity).sum();
        let frame = page::Frame {
            seed: args.seed,
            opening: config.account.cash + opening,
            charges: driver.exchange.lock().unwrap_or_else(PoisonError::into_inner).account().charges,
            config: &config,
            market: paper.market.as_ref(),
        };
        let data = page::data(&simulation, &frame)
            .ok_or_else(|| Failure::general(anyhow!("there is nothing to report: no day was simulated")))?;
        crate::report::write(path, &data)?;
    }
    if args.json {
        output::json(&answer)?;
    } else {
        show(&answer, args);
    }
    Ok(())
}

/// A folder that has no recording yet: two simulations of the same days have runs of the same names.
fn recorder(folder: &std::path::Path) -> Result<Arc<Direct>, Failure> {
    let there = Folder::days(folder).map_err(|error| Failure::general(error.into()))?;
    if !there.is_empty() {
        return Err(Failure::general(anyhow!(
            "{} holds a recording already: name another folder or remove it",
            folder.display()
        )));
    }
    Direct::new(folder).map(Arc::new).map_err(|error| Failure::general(error.into()))
}

/// What stops the desk is a journal that cannot be written: the same exit code from wherever it is told.
fn stopped(error: SimulationError) -> Failure {
    match error {
        SimulationError::Journal(error) => error.into(),
        SimulationError::Desk(_) => Failure::unavailable(error.into()),
        error => Failure::general(error.into()),
    }
}

/// The sessions to run, and those of the calendar in between that have no data.
fn days(paper: &PaperMarket, args: &SimulateArgs) -> Result<(Vec<Date>, Vec<Date>), Failure> {
    let with_data: BTreeSet<Date> =
        paper.data.sessions(paper.sessions.exchange).dates.iter().copied().collect();
    let (Some(first), Some(last)) = (with_data.first(), with_data.last()) else {
        return Ok(Default::default());
    };
    for (option, date) in [("--from", args.from), ("--to", args.to)] {
        let Some(date) = date else { continue };
        let known = paper.sessions.calendar.is_trading_day(paper.sessions.exchange, date);
        known.map_err(|error| Failure::usage(anyhow!("{option}: {error}")))?;
    }
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        return Err(Failure::usage(anyhow!("--from {from} is after --to {to}")));
    }
    let from = args.from.unwrap_or(*first);
    let to = args.to.unwrap_or(*last);
    let (mut days, mut missing) = (Vec::new(), Vec::new());
    let mut day = from.max(*first);
    while day <= to.min(*last) {
        let trades = paper
            .sessions
            .calendar
            .is_trading_day(paper.sessions.exchange, day)
            .map_err(|error| Failure::general(error.into()))?;
        if trades {
            if with_data.contains(&day) { days.push(day) } else { missing.push(day) }
        }
        day =
            day.succ_opt().ok_or_else(|| Failure::general(anyhow!("the calendar of this computer ends")))?;
    }
    Ok((days, missing))
}

fn show(answer: &Answer<'_>, args: &SimulateArgs) {
    let simulation = answer.simulation;
    let say = |text: String| output::line(&text);
    say(format!("{} to {}: {} sessions, seed {}", answer.from, answer.to, answer.sessions, answer.seed));
    if !answer.sessions_without_data.is_empty() {
        let days: Vec<String> = answer.sessions_without_data.iter().map(ToString::to_string).collect();
        say(format!("without data, so without a trading day: {}", days.join(", ")));
    }
    let rows: Vec<Vec<String>> = simulation
        .runs
        .iter()
        .map(|(task, outcomes)| {
            let outcomes: Vec<String> =
                outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
            let last = simulation.last_summary.get(task).cloned().unwrap_or_default();
            vec![task.clone(), outcomes.join(", "), last]
        })
        .collect();
    output::table(&["task", "runs", "last word"], &rows);
    say(format!(
        "orders {}, buys filled {}, sells filled {}",
        simulation.orders.len(),
        simulation.buys_filled,
        simulation.sells_filled
    ));
    if let Some(last) = simulation.days.last() {
        say(format!("cash      {:>18}", output::money(last.cash)));
        say(format!("positions {:>18}  in {} symbols", output::money(last.positions_value), last.positions));
        let charges: Money = simulation.fills.iter().map(|fill| fill.charges).sum();
        say(format!("charges   {:>18}", output::money(charges)));
        let profit = last.equity - answer.opening_cash;
        say(format!(
            "equity    {:>18}  ({} since the start)",
            output::money(last.equity),
            output::money(profit)
        ));
    }
    let mut skips: Vec<(&String, &u64)> = simulation.skips_by_reason.iter().collect();
    skips.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (reason, count) in skips.iter().take(8) {
        say(format!("passed over {count} times: {reason}"));
    }
    if skips.len() > 8 {
        say(format!("and {} more reasons; `--json` lists them", skips.len() - 8));
    }
    say(format!("trace {}", simulation.trace_hash));
    if let Some(path) = &args.report {
        say(format!("report {}", path.display()));
    }
}
