//! Two days on simulated time at an account of the embedded kotak-neo-sim, at a pace that an author can follow.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use journal::{Entry, MemoryJournal, RunEnd, RunOutcome};
use model::clock::SharedClock;
use model::{Intent, StrategyName, Timestamp};
use oms::Desk;
use runtime::Mode;
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{Project, Teller, Told};
use crate::cli::DevArgs;
use crate::clock::{SimulatedClock, SystemClock, simulated_runtime};
use crate::commands::journal_line;
use crate::config::PositionConfig;
use crate::exit::Failure;
use crate::host::Host;
use crate::hotswap::{Rules, SwapEvent, Watch};
use crate::output;
use crate::runner::Runner;
use crate::scheduler::{HostEvent, Observer};
use crate::sim_account::SimAccount;
use crate::simulate::{OrderRow, collect};
use crate::wiring::PaperMarket;

/// How the days came out.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    from: Timestamp,
    until: Timestamp,
    /// Runs by how they ended.
    runs: BTreeMap<String, u64>,
    orders: Vec<OrderRow>,
    /// Orders that reached the broker.
    reached_broker: usize,
    /// Of those, orders that reached it more than once.
    reached_twice: usize,
    fills: usize,
    /// Orders whose outcome is not known.
    unknown: usize,
    /// Versions that were taken over.
    versions: u64,
    session_generation: u64,
    logins: u32,
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let runs: Vec<String> =
            self.runs.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        write!(
            f,
            "{} to {}: runs: {}; {} orders, {} fills, {} unknown; {} versions taken over in one session ({} logins)",
            self.from,
            self.until,
            if runs.is_empty() { "none".to_owned() } else { runs.join(", ") },
            self.orders.len(),
            self.fills,
            self.unknown,
            self.versions,
            self.logins
        )
    }
}

/// Waits for a build that went well; false: it is to stop.
fn wait_for_build(builds: &Receiver<bool>, stop: &watch::Receiver<bool>, once: bool) -> bool {
    loop {
        if *stop.borrow() {
            return false;
        }
        match builds.recv_timeout(Duration::from_millis(100)) {
            Ok(true) => return true,
            Ok(false) if once => return false,
            Ok(false) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// Trades the days, and anew after a save when they are over.
pub(super) fn trade(
    project: &Project,
    args: &DevArgs,
    teller: Teller,
    builds: &Receiver<bool>,
) -> Result<(), Failure> {
    let io = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("the network runtime cannot start")?;
    let (tell, stop) = watch::channel(false);
    io.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = tell.send(true);
        }
    });
    while wait_for_build(builds, &stop, args.once) {
        match days(project, args, teller, &io, stop.clone()) {
            Ok(account) => teller.tell(&Told::Days(account)),
            Err(failure) if args.once => return Err(failure),
            Err(failure) => teller.trouble(&failure),
        }
        if args.once || *stop.borrow() {
            return Ok(());
        }
        teller.words("the next save begins the days anew; Ctrl-C ends");
    }
    if args.once && !*stop.borrow() {
        return Err(Failure::general(anyhow!("there was no build to trade with")));
    }
    Ok(())
}

fn days(
    project: &Project,
    args: &DevArgs,
    teller: Teller,
    io: &Runtime,
    stop: watch::Receiver<bool>,
) -> Result<Account, Failure> {
    let scratch = tempfile::tempdir().context("no scratch folder can be made")?;
    let mut config = project.config.clone();
    config.plugin_dir = scratch.path().to_owned();
    if config.data.dir.is_none() && config.account.positions.is_empty() {
        config.account.positions = vec![PositionConfig::seeded()];
    }
    let paper = PaperMarket::load(&config, None)?;
    let dates = &paper.data.sessions(paper.sessions.exchange).dates;
    let [.., first, last] = dates[..] else {
        return Err(Failure::config(anyhow!("the market data have fewer than two sessions")));
    };
    let (from, until) = (Timestamp::at_ist(first, 9, 0), Timestamp::at_ist(last, 23, 0));
    let simulated = simulated_runtime().context("the runtime of the days cannot start")?;
    let pace = Duration::from_millis(args.pace);
    simulated.block_on(async {
        let clock: SharedClock = Arc::new(SimulatedClock::starting_at(from));
        let sim = SimAccount::open(&config, &paper, &clock, io.handle(), from)?;
        let mut world = sim.world(&config, &paper, &clock, Box::new(MemoryJournal::new()))?;
        let (wake, woken) = sync_channel::<()>(1);
        let woken = Mutex::new(woken);
        // A version that is ready does not wait for its tick.
        world.gate = Some(Arc::new(move |_| {
            if !pace.is_zero() {
                let _ = woken.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(pace);
            }
        }));
        // `plugin release` does not reach the journal of these days.
        world.lifts_quarantine = true;
        let versions = Arc::new(Mutex::new(0));
        let observer = observer(world.desk.clone(), teller, wake, Arc::clone(&versions));
        let host = Host::start(world, config.tasks.clone(), Mode::Paper, observer);
        let rules = Rules {
            config: Arc::new(config.clone()),
            must_vouch: false,
            clock: Arc::clone(&clock),
            machine: Arc::new(SystemClock),
        };
        let watch = Watch::start(rules, host.world.runtime.clone(), &host.scheduler.strategies)
            .context("the component's file cannot be watched")?;
        if let Some(strategy) = host.scheduler.strategies.get(&project.strategy) {
            teller.tell(&Told::Begins { strategy: &project.strategy, hash: strategy.slot.live().hash });
        }
        let running = sim.connection.start_session(&host.world.desk);
        let ended = host.run(Some(until), stop).await;
        drop(watch);
        let session = host.world.live.as_ref().map(|live| (live.session)(clock.now()));
        running.end().await;
        ended.map_err(|error| Failure::unavailable(error.into()))?;
        let versions = *versions.lock().unwrap_or_else(PoisonError::into_inner);
        account(&host.world.desk, project, &sim, (from, until), versions, session)
    })
}

fn account(
    desk: &Desk,
    project: &Project,
    sim: &SimAccount,
    (from, until): (Timestamp, Timestamp),
    versions: u64,
    session: Option<crate::control::views::SessionLine>,
) -> Result<Account, Failure> {
    let simulation = collect(desk, Vec::new())?;
    let mut runs = BTreeMap::new();
    for task in project.config.tasks.iter().filter(|task| task.strategy == project.strategy) {
        for (outcome, count) in simulation.runs.get(&task.name).into_iter().flatten() {
            *runs.entry(outcome.clone()).or_default() += count;
        }
    }
    let reached = sim.orders_by_tag();
    Ok(Account {
        from,
        until,
        runs,
        reached_broker: reached.len(),
        reached_twice: reached.values().filter(|times| **times > 1).count(),
        fills: simulation.fills.iter().filter(|fill| fill.order.is_some()).count(),
        unknown: desk.unresolved().len(),
        versions,
        session_generation: session.as_ref().map_or(0, |session| session.generation),
        logins: session.as_ref().map_or(0, |session| session.logins),
        orders: simulation.orders,
    })
}

/// How far the journal was told, and what need not be told again.
#[derive(Default)]
struct Reading {
    next_seq: u64,
    /// Why the strategy's last run was left out: a quarantine would say so at every tick.
    left_out: BTreeMap<StrategyName, String>,
}

impl Reading {
    /// The entry's line, if it tells something new.
    fn line(&mut self, entry: &Entry) -> Option<(Timestamp, String)> {
        match entry {
            Entry::RunEnd(RunEnd { strategy, outcome: RunOutcome::Skipped { reason }, .. }) => {
                let before = self.left_out.insert(strategy.clone(), reason.clone());
                if before.as_ref() == Some(reason) {
                    return None;
                }
                let (at, text) = journal_line::line(entry)?;
                return Some((at, text.replace(&Runner::way_out(strategy), "save another version")));
            }
            Entry::RunEnd(RunEnd { strategy, .. })
            | Entry::Intent(Intent { strategy, .. })
            | Entry::Quarantine { strategy, .. } => self.goes_on(strategy),
            _ => {}
        }
        journal_line::line(entry)
    }

    /// Something else became of it: why a run is left out is told again.
    fn goes_on(&mut self, strategy: &StrategyName) {
        self.left_out.remove(strategy);
    }
}

/// Tells versions and orders as they come; a version that is ready wakes the gate.
fn observer(
    desk: Desk,
    teller: Teller,
    wake: std::sync::mpsc::SyncSender<()>,
    versions: Arc<Mutex<u64>>,
) -> Observer {
    let reading = Mutex::new(Reading::default());
    Arc::new(move |event| match &event {
        HostEvent::Version { strategy, event } => {
            reading.lock().unwrap_or_else(PoisonError::into_inner).goes_on(strategy);
            match event {
                SwapEvent::Waits { .. } => drop(wake.try_send(())),
                SwapEvent::Live { .. } => *versions.lock().unwrap_or_else(PoisonError::into_inner) += 1,
                SwapEvent::Refused { .. } | SwapEvent::RolledBack { .. } => {}
            }
            teller.tell(&Told::Version { strategy, version: event });
        }
        HostEvent::Run { .. } | HostEvent::Changed { .. } => {
            let mut reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
            let next = reading.next_seq;
            let Ok(entries) = desk.with_journal(|journal| journal.entries(next, 1_000)) else { return };
            if let Some(last) = entries.last() {
                reading.next_seq = last.seq + 1;
            }
            for (at, text) in entries.iter().filter_map(|recorded| reading.line(&recorded.entry)) {
                teller.words(&output::plain(&format!("{}  {text}", at.ist().format("%d %b %H:%M:%S"))));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use market::demo::DAY1;

    use super::*;

    #[test]
    fn a_quarantine_is_told_once_and_again_when_something_else_has_happened() {
        let strategy = StrategyName::from("mine");
        let at = Timestamp::at_ist(DAY1, 9, 30);
        let ended = |outcome| {
            Entry::RunEnd(RunEnd {
                id: "mine@9:30".into(),
                task: "tick".to_owned(),
                strategy: strategy.clone(),
                scheduled: at,
                day: DAY1,
                at,
                outcome,
            })
        };
        let way_out = Runner::way_out(&strategy);
        let reason = format!("mine is in quarantine after 3 strikes, the last: a trap; {way_out}");
        let left_out = ended(RunOutcome::Skipped { reason });
        let mut reading = Reading::default();
        let expected = "tick not done: mine is in quarantine after 3 strikes, the last: a trap; \
                        save another version";
        assert_eq!(reading.line(&left_out), Some((at, expected.to_owned())));
        assert_eq!(reading.line(&left_out), None);
        assert_eq!(reading.line(&left_out), None);
        assert!(reading.line(&ended(RunOutcome::Trapped { reason: "a trap".to_owned() })).is_some());
        assert!(reading.line(&left_out).is_some(), "it ran in between");
        assert_eq!(reading.line(&left_out), None);
        reading.goes_on(&strategy);
        assert!(reading.line(&left_out).is_some(), "a version came in between");
    }
}
