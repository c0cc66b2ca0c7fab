//! Trading days at full speed: one thread moves the clock by hand from one due instant to the next.
//!
//! The same components, desk, journal entries and paper exchange as in `run`; only the waiting is gone.
//! Every host function is ready at its first poll, computing is bounded by fuel, and one seed gives one
//! trace.

mod corporate;
pub mod page;
mod record;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use broker::Broker;
use calendar::Session;
use journal::{JournalError, RunOutcome};
use market::PriceSource;
use model::{Date, InstrumentClass, LedgerKind, Money, StrategyName, Timestamp};
use oms::Desk;
use runtime::tape::TapeSink;
use runtime::{InlineInstance, Mode, Services};

pub use record::{DayRow, FillRow, OrderRow, Simulation, SkipRow};

use crate::clock::ManualClock;
use crate::config::Config;
use crate::exit::Failure;
use crate::recording::recorded;
use crate::runner::{Claim, Runner};
use crate::schedule::{Task, plan};
use crate::services::Sessions;
use crate::strategies::Strategy;
use crate::wiring::World;

/// Why a simulation stopped.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The desk could not work.
    #[error("{0}")]
    Desk(String),
    /// The calendar does not know a day.
    #[error(transparent)]
    Calendar(#[from] calendar::CalendarError),
    /// A broker call waited, which cannot be in a simulation.
    #[error("a broker call waited in a simulation: this is a defect, please report it")]
    Waited,
}

/// What is driven.
pub struct Driver {
    /// The clock that is moved.
    pub clock: Arc<ManualClock>,
    /// Claims and ends runs.
    pub runner: Runner,
    /// Sessions.
    pub sessions: Sessions,
    /// The strategies, by name.
    pub strategies: BTreeMap<StrategyName, Strategy>,
    /// Where their host functions lead.
    pub services: Arc<dyn Services>,
    /// Where runs are recorded; none: nowhere.
    pub tapes: Option<Arc<dyn TapeSink>>,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The exchange itself.
    pub exchange: Arc<Mutex<paper::Exchange>>,
    /// The exchange as the desk sees it.
    pub broker: Arc<dyn Broker>,
    /// Prices, for the value of positions.
    pub prices: Arc<dyn PriceSource>,
    /// A new instance at each tick, as if the host had been restarted before it.
    pub fresh_instances: bool,
}

/// Polls a future once; in a simulation nothing may wait.
pub fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

impl Driver {
    /// Of `world`, whose exchange must be in this process.
    ///
    /// # Errors
    /// When it is not.
    pub fn of(
        mut world: World,
        config: &Config,
        prices: Arc<dyn PriceSource>,
        clock: Arc<ManualClock>,
    ) -> Result<Self, Failure> {
        let exchange = world.exchange.take().ok_or_else(|| {
            Failure::config(anyhow::anyhow!(
                "simulate needs broker = \"paper\"; the exchange in a process of its own is for `run`"
            ))
        })?;
        Ok(Self {
            clock,
            runner: Runner {
                account: world.account.clone(),
                desk: world.desk.clone(),
                sessions: world.sessions.clone(),
                clock: Arc::clone(&world.clock),
                mode: Mode::Simulation,
            },
            sessions: world.sessions.clone(),
            strategies: std::mem::take(&mut world.strategies),
            services: Arc::clone(&world.services),
            tapes: world.tapes.take(),
            tasks: config.tasks.clone(),
            exchange,
            broker: Arc::clone(&world.broker) as Arc<dyn Broker>,
            prices,
            fresh_instances: false,
        })
    }

    const fn desk(&self) -> &Desk {
        &self.runner.desk
    }

    /// Runs the sessions of `days`, calling `progress` after each.
    pub fn run(
        &self,
        days: &[Date],
        mut progress: impl FnMut(Date, usize),
    ) -> Result<Vec<DayRow>, SimulationError> {
        let mut rows = Vec::with_capacity(days.len());
        for (done, day) in days.iter().enumerate() {
            let Some(session) = self.sessions.calendar.session(self.sessions.exchange, *day)? else {
                continue;
            };
            rows.push(self.day(&session)?);
            progress(*day, done + 1);
        }
        Ok(rows)
    }

    fn move_to(&self, at: Timestamp) -> Result<(), SimulationError> {
        self.clock.set(at);
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner).advance(at);
        self.absorb()
    }

    fn absorb(&self) -> Result<(), SimulationError> {
        let orders = now_or_never(self.broker.orders()).ok_or(SimulationError::Waited)?;
        let trades = now_or_never(self.broker.trades()).ok_or(SimulationError::Waited)?;
        if let (Ok(orders), Ok(trades)) = (orders, trades) {
            self.desk().absorb(&orders, &trades);
        }
        self.desk().halted().map_or(Ok(()), |why| Err(SimulationError::Desk(why)))
    }

    fn day(&self, session: &Session) -> Result<DayRow, SimulationError> {
        let mut instances: BTreeMap<StrategyName, InlineInstance> = BTreeMap::new();
        self.move_to(session.open(InstrumentClass::WithoutDerivatives).plus_minutes(-15))?;
        corporate::actions(self, session.date)?;
        let mut last = None;
        for due in plan(&self.tasks, session) {
            if last != Some(due.at) {
                self.move_to(due.at)?;
                last = Some(due.at);
            }
            self.tick(&self.tasks[due.task], due.at, &mut instances)?;
            self.absorb()?;
            self.desk().with_journal(|journal| journal.flush())?;
        }
        self.move_to(Timestamp::at_ist(session.date, 23, 59))?;
        self.desk().with_journal(|journal| journal.flush())?;
        Ok(self.close_of(session.date))
    }

    fn tick(
        &self,
        task: &Task,
        at: Timestamp,
        instances: &mut BTreeMap<StrategyName, InlineInstance>,
    ) -> Result<(), SimulationError> {
        let Some(strategy) = self.strategies.get(&task.strategy) else {
            let reason = format!("there is no strategy `{}`", task.strategy);
            return Ok(self.runner.not_run(task, at, RunOutcome::Skipped { reason })?);
        };
        if let Some(reason) = self.runner.quarantined(task)? {
            return Ok(self.runner.not_run(task, at, RunOutcome::Skipped { reason })?);
        }
        let Claim::Ours(info) = self.runner.claim(task, strategy, at, 1)? else { return Ok(()) };
        let instance = instances.entry(strategy.name.clone()).or_insert_with(|| {
            let services = recorded(&self.services, self.tapes.as_ref());
            InlineInstance::new(strategy.loaded.clone(), services, (*info).clone())
        });
        if self.fresh_instances {
            instance.new_day();
        }
        let outcome = instance.run((*info).clone(), at, &Runner::cause(1));
        self.runner.finish(task, &info, outcome, false)?;
        Ok(())
    }

    /// The account at the end of a day.
    fn close_of(&self, date: Date) -> DayRow {
        let funds = self.exchange.lock().unwrap_or_else(PoisonError::into_inner).funds();
        let positions = self.desk().positions(date);
        let value = |view: &model::PositionView| {
            let last = self.prices.auction_price(&view.position.symbol, date);
            last.map_or(view.position.cost, |price| price * view.position.quantity)
        };
        let positions_value: Money = positions.iter().map(value).sum();
        let cash = funds.available + funds.blocked;
        DayRow {
            date,
            cash,
            blocked: funds.blocked,
            positions: positions.len(),
            positions_cost: positions.iter().map(|view| view.position.cost).sum(),
            positions_value,
            equity: cash + positions_value,
        }
    }
}

/// Reads what the journal kept of a simulation.
pub fn collect(desk: &Desk, days: Vec<DayRow>) -> Result<Simulation, JournalError> {
    const CHUNK: u32 = 10_000;
    let mut simulation = Simulation::of(days);
    let mut hasher = journal::TraceHash::default();
    let mut from = 0;
    loop {
        let entries = desk.with_journal(|journal| journal.entries(from, CHUNK))?;
        let Some(last) = entries.last() else { break };
        from = last.seq + 1;
        for recorded in &entries {
            hasher.add(&recorded.entry);
            simulation.add(&recorded.entry);
        }
    }
    simulation.trace_hash = hasher.hex();
    simulation.settle();
    Ok(simulation)
}

/// Whether a ledger line is a trade.
pub const fn is_fill(kind: &LedgerKind) -> bool {
    matches!(kind, LedgerKind::Fill { .. } | LedgerKind::ReconciledFill { .. })
}
