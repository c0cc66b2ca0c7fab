//! The loop that begins runs when they are due.
//!
//! Schedule on wall time, wait on monotonic time, look again on jumps: after every wait all instants
//! between the last look and now are considered, and a slot that has a row in the journal is never
//! begun again. Tasks never wait for each other: each run is a task of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use journal::{JournalError, RunOutcome, RunRow};
use model::{BoxFuture, Date, Exchange, Report, StrategyName, Timestamp};
use runtime::StrategyHandle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::hotswap::{Slot, SwapEvent};
use crate::runner::Runner;
use crate::schedule::{CatchUp, Due, Task, plan};
use crate::strategies::{LiveStrategy, Strategy};

/// How many past sessions are searched for missed runs at start.
const SESSIONS_BACK: u32 = 10;
/// How many closed days in a row are stepped over to find the next session.
const DAYS_AHEAD: u32 = 30;

/// Something that the one who watches wants to see.
#[derive(Debug, Clone)]
pub enum HostEvent {
    /// A run ended, or was not begun.
    Run {
        /// The task.
        task: String,
        /// When it was due.
        scheduled: Timestamp,
        /// How it ended.
        outcome: RunOutcome,
    },
    /// Something became of a version of a strategy.
    Version {
        /// The strategy.
        strategy: StrategyName,
        /// What.
        event: SwapEvent,
    },
    /// The broker's books were read and something had changed.
    Changed {
        /// When.
        at: Timestamp,
    },
}

impl std::fmt::Display for HostEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run { task, scheduled, outcome } => {
                write!(f, "{task} of {}: ", scheduled.ist().format("%Y-%m-%d %H:%M:%S"))?;
                match outcome {
                    RunOutcome::Done { report: Some(report) } => f.write_str(&report.summary),
                    RunOutcome::Done { report: None } => f.write_str("done"),
                    RunOutcome::Failed { reason } => write!(f, "failed: {reason}"),
                    RunOutcome::Trapped { reason } => write!(f, "stopped: {reason}"),
                    RunOutcome::Interrupted => f.write_str("interrupted"),
                    RunOutcome::Skipped { reason } => write!(f, "skipped: {reason}"),
                    RunOutcome::Missed { reason } => write!(f, "missed: {reason}"),
                }
            }
            Self::Version { strategy, event } => write!(f, "{strategy}: {event}"),
            Self::Changed { .. } => f.write_str("the broker's books have changed"),
        }
    }
}

/// Work of the host itself that is scheduled like a strategy; its answer is one line for the record.
pub type OwnWork = Arc<dyn Fn() -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// Told before a run begins; what it gives is kept until the run has ended (a login before the daily hour
/// is allowed while a task is due).
pub type WhileDue = Arc<dyn Fn() -> Box<dyn std::any::Any + Send> + Send + Sync>;

/// Called before what is due begins, on the host's thread: a simulated day waits in it for its author.
pub type Gate = Arc<dyn Fn(Timestamp) + Send + Sync>;

/// Who watches.
pub type Observer = Arc<dyn Fn(HostEvent) + Send + Sync>;

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Its `until` has come.
    Finished,
    /// The calendar knows no further session.
    CalendarEnds,
}

/// The scheduler of one account.
pub struct Scheduler {
    /// The declared tasks.
    pub tasks: Vec<Task>,
    /// The strategies, by name.
    pub strategies: BTreeMap<StrategyName, LiveStrategy>,
    /// Claims and ends runs.
    pub runner: Runner,
    /// Who watches.
    pub observer: Observer,
    /// The host's own work, by the name that its tasks give as their strategy.
    pub own_work: BTreeMap<StrategyName, OwnWork>,
    /// Told before each run.
    pub while_due: Option<WhileDue>,
    /// Passed before what is due begins.
    pub gate: Option<Gate>,
    running: Arc<Mutex<BTreeSet<String>>>,
}

impl Scheduler {
    /// A scheduler that has not begun.
    pub fn new(
        tasks: Vec<Task>,
        strategies: BTreeMap<StrategyName, LiveStrategy>,
        runner: Runner,
        observer: Observer,
    ) -> Self {
        let running = Arc::default();
        Self {
            tasks,
            strategies,
            runner,
            observer,
            own_work: BTreeMap::new(),
            while_due: None,
            gate: None,
            running,
        }
    }

    const fn exchange(&self) -> Exchange {
        self.runner.sessions.exchange
    }

    fn now(&self) -> Timestamp {
        self.runner.clock.now()
    }

    /// Begins runs as they fall due, until told to stop or `until` has come.
    pub async fn run(
        &self,
        until: Option<Timestamp>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Ended, JournalError> {
        let mut runs = JoinSet::new();
        let mut cursor = self.now();
        for due in self.after_a_restart(cursor)? {
            self.begin(&mut runs, due.0, due.1)?;
        }
        let mut day = cursor.ist_date();
        let ended = loop {
            while let Some(done) = runs.try_join_next() {
                done.unwrap_or_else(|error| tracing::error!(%error, "a run's task failed"));
            }
            let Some(next) = self.next_instant(cursor) else { break Ended::CalendarEnds };
            let wake = until.map_or(next, |until| until.min(next));
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break Ended::Stopped,
                () = self.runner.clock.sleep_until(wake) => {}
            }
            if until.is_some_and(|until| wake >= until && next > until) {
                break Ended::Finished;
            }
            let now = self.now().max(wake);
            if now.ist_date() != day {
                day = now.ist_date();
                for strategy in self.strategies.values() {
                    strategy.handle.new_day().await;
                    strategy.slot.new_day();
                }
            }
            if let Some(gate) = &self.gate {
                gate(now);
            }
            self.refresh().await;
            let mut due = self.due_between(cursor, now);
            self.pass_over_late(&mut due, now)?;
            for one in due {
                self.begin(&mut runs, one, 1)?;
            }
            cursor = now;
        };
        if ended == Ended::Finished {
            while let Some(done) = runs.join_next().await {
                done.unwrap_or_else(|error| tracing::error!(%error, "a run's task failed"));
            }
        }
        Ok(ended)
    }

    /// The instants of the session of `date`; none on a closed day or beyond the calendar.
    fn plan_of(&self, date: Date) -> Vec<Due> {
        match self.runner.sessions.calendar.session(self.exchange(), date) {
            Ok(Some(session)) => plan(&self.tasks, &session),
            Ok(None) => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "no runs are planned on {date}");
                Vec::new()
            }
        }
    }

    /// The first due instant after `cursor`.
    fn next_instant(&self, cursor: Timestamp) -> Option<Timestamp> {
        let mut date = cursor.ist_date();
        for _ in 0..DAYS_AHEAD {
            if let Some(due) = self.plan_of(date).into_iter().find(|due| due.at > cursor) {
                return Some(due.at);
            }
            date = date.succ_opt()?;
        }
        None
    }

    /// When the next run of any task is due, and which.
    pub fn next_run(&self, after: Timestamp) -> Option<(Timestamp, &Task)> {
        let at = self.next_instant(after)?;
        self.plan_of(at.ist_date())
            .into_iter()
            .find(|due| due.at == at)
            .map(|due| (at, &self.tasks[due.task]))
    }

    fn due_between(&self, after: Timestamp, until: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        let mut date = after.ist_date();
        while date <= until.ist_date() {
            due.extend(self.plan_of(date).into_iter().filter(|due| due.at > after && due.at <= until));
            let Some(next) = date.succ_opt() else { break };
            date = next;
        }
        due
    }

    /// Takes out what is past its deadline, and of a task that is due more than once all but the last.
    fn pass_over_late(&self, due: &mut Vec<Due>, now: Timestamp) -> Result<(), JournalError> {
        let mut last_of: BTreeMap<usize, Timestamp> = BTreeMap::new();
        for one in due.iter() {
            last_of.insert(one.task, one.at);
        }
        let mut missed: BTreeMap<(usize, Date), Vec<Timestamp>> = BTreeMap::new();
        due.retain(|one| {
            let late = now.nanos_since(one.at) > self.tasks[one.task].deadline.nanos();
            let superseded = last_of[&one.task] != one.at;
            if late || superseded {
                missed.entry((one.task, one.at.ist_date())).or_default().push(one.at);
            }
            !(late || superseded)
        });
        for ((task, _), slots) in missed {
            self.missed(task, &slots, "the clock jumped or the host was held up")?;
        }
        Ok(())
    }

    /// One row for a stretch of missed slots of one session: at the last of them, with the count.
    fn missed(&self, task: usize, slots: &[Timestamp], why: &str) -> Result<(), JournalError> {
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return Ok(()) };
        let reason = match slots.len() {
            1 => why.to_owned(),
            count => format!(
                "{count} runs from {} to {}: {why}",
                first.ist_time().format("%H:%M"),
                last.ist_time().format("%H:%M")
            ),
        };
        self.not_run(task, *last, RunOutcome::Missed { reason })
    }

    fn not_run(&self, task: usize, scheduled: Timestamp, outcome: RunOutcome) -> Result<(), JournalError> {
        let task = &self.tasks[task];
        self.runner.not_run(task, scheduled, outcome.clone())?;
        (self.observer)(HostEvent::Run { task: task.name.clone(), scheduled, outcome });
        Ok(())
    }

    /// Looks at what an earlier life of the host left: interrupted runs, missed ones. Answers with
    /// what is to be begun now, and as which attempt.
    fn after_a_restart(&self, now: Timestamp) -> Result<Vec<(Due, u32)>, JournalError> {
        let mut begin = Vec::new();
        for open in self.runner.desk.with_journal(|journal| journal.open_runs())? {
            match self.tasks.iter().position(|task| task.name == open.task) {
                Some(task) if self.may_resume(&self.tasks[task], &open, now) => {
                    begin.push((Due { at: open.scheduled, task }, open.attempts + 1));
                }
                Some(task) => self.not_run(task, open.scheduled, RunOutcome::Interrupted)?,
                // A task that is no longer declared: ended under the name it had.
                None => self.runner.interrupted(&open)?,
            }
        }
        for session in self.sessions_back(now)? {
            let rows = self.runner.desk.with_journal(|journal| journal.runs(session))?;
            for (index, task) in self.tasks.iter().enumerate() {
                let last_row = rows.iter().filter(|row| row.task == task.name).map(|row| row.scheduled).max();
                let mut slots: Vec<Timestamp> = self
                    .plan_of(session)
                    .into_iter()
                    .filter(|due| {
                        due.task == index && due.at <= now && last_row.is_none_or(|row| due.at > row)
                    })
                    .map(|due| due.at)
                    .collect();
                if task.catch_up == CatchUp::Once
                    && slots.last().is_some_and(|at| now.nanos_since(*at) <= task.deadline.nanos())
                {
                    begin.extend(slots.pop().map(|at| (Due { at, task: index }, 1)));
                }
                self.missed(index, &slots, "the host was not running")?;
            }
        }
        begin.sort_by_key(|(due, _)| (due.at, due.task));
        Ok(begin)
    }

    fn may_resume(&self, task: &Task, open: &RunRow, now: Timestamp) -> bool {
        task.resume && now.nanos_since(open.scheduled) <= task.deadline.nanos()
    }

    /// The sessions whose runs may have been missed: from the last run's to today's.
    fn sessions_back(&self, now: Timestamp) -> Result<Vec<Date>, JournalError> {
        let today = now.ist_date();
        let last = self
            .runner
            .desk
            .with_journal(|journal| journal.last_runs(1))?
            .first()
            .map_or(today, |row| row.day);
        let calendar = &self.runner.sessions.calendar;
        let mut sessions = Vec::new();
        if calendar.is_trading_day(self.exchange(), today).unwrap_or(false) {
            sessions.push(today);
        }
        let mut date = today;
        for _ in 0..SESSIONS_BACK {
            match calendar.previous_trading_day(self.exchange(), date) {
                Ok(previous) if previous >= last => {
                    sessions.push(previous);
                    date = previous;
                }
                _ => break,
            }
        }
        sessions.reverse();
        Ok(sessions)
    }

    /// Claims the slot and sends the run on its way.
    fn begin(&self, runs: &mut JoinSet<()>, due: Due, attempt: u32) -> Result<(), JournalError> {
        let task = &self.tasks[due.task];
        let skip = |reason: String| self.not_run(due.task, due.at, RunOutcome::Skipped { reason });
        if let Some(work) = self.own_work.get(&task.strategy) {
            return self.begin_own(runs, task, due.at, attempt, Arc::clone(work));
        }
        let Some(strategy) = self.strategies.get(&task.strategy) else {
            return skip(format!("there is no strategy `{}`", task.strategy));
        };
        if let Some(reason) = self.runner.quarantined(task)? {
            return skip(reason);
        }
        if !self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(task.name.clone()) {
            return skip("its run before this one has not ended".to_owned());
        }
        if !self.runner.take(task, due.at, attempt)? {
            self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&task.name);
            return Ok(());
        }
        let run = Run {
            runner: self.runner.clone(),
            task: task.clone(),
            scheduled: due.at,
            attempt,
            slot: Arc::clone(&strategy.slot),
            handle: strategy.handle.clone(),
        };
        let (observer, running) = (Arc::clone(&self.observer), Arc::clone(&self.running));
        let due = self.while_due.as_ref().map(|tell| tell());
        runs.spawn(async move {
            let ended = run.run().await;
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&run.task.name);
            match ended {
                Ok(outcome) => observer(HostEvent::Run {
                    task: run.task.name.clone(),
                    scheduled: run.scheduled,
                    outcome,
                }),
                Err(error) => {
                    tracing::error!(%error, task = run.task.name, "the end of a run could not be kept")
                }
            }
            refresh(&run.runner, &observer).await;
            drop(due);
            run.follow().await;
        });
        Ok(())
    }

    /// The same for work of the host's own.
    fn begin_own(
        &self,
        runs: &mut JoinSet<()>,
        task: &Task,
        scheduled: Timestamp,
        attempt: u32,
        work: OwnWork,
    ) -> Result<(), JournalError> {
        if !self.runner.take(task, scheduled, attempt)? {
            return Ok(());
        }
        let (runner, task, observer) = (self.runner.clone(), task.clone(), Arc::clone(&self.observer));
        let due = self.while_due.as_ref().map(|tell| tell());
        runs.spawn(async move {
            let _due = due;
            let outcome = match work().await {
                Ok(summary) => RunOutcome::Done { report: Some(Report { summary, ..Report::default() }) },
                Err(reason) => RunOutcome::Failed { reason },
            };
            if let Err(error) = runner.finish_own(&task, scheduled, outcome.clone()) {
                tracing::error!(%error, task = task.name, "the end of a run could not be kept");
            }
            observer(HostEvent::Run { task: task.name.clone(), scheduled, outcome });
        });
        Ok(())
    }

    /// Reads the broker's books once. A failed read changes nothing.
    pub async fn refresh(&self) {
        refresh(&self.runner, &self.observer).await;
    }
}

/// One run on its way, whose slot in the schedule is claimed.
pub(crate) struct Run {
    pub(crate) runner: Runner,
    pub(crate) task: Task,
    pub(crate) scheduled: Timestamp,
    pub(crate) attempt: u32,
    pub(crate) slot: Arc<Slot>,
    pub(crate) handle: StrategyHandle,
}

impl Run {
    /// Chooses the version, runs it, keeps how it ended.
    pub(crate) async fn run(&self) -> Result<RunOutcome, JournalError> {
        let Self { runner, task, slot, .. } = self;
        let cause = Runner::cause(self.attempt);
        let told = |strategy: &Strategy| runner.info(task, strategy, self.scheduled, self.attempt);
        let turn = slot.turn().await;
        let strategy = slot.begin(told, runner.clock.now(), &cause).await;
        // Made once the version is chosen: its orders carry its hash.
        let info = told(&strategy);
        let now = runner.clock.now();
        let outcome = self.handle.run(strategy.loaded, info.clone(), now, cause.clone()).await;
        let rolled_back = slot.ended(&strategy.hash, &outcome.result, runner.clock.now());
        let ended = rolled_back.and_then(|rolled_back| runner.finish(task, &info, outcome, rolled_back));
        drop(turn);
        ended
    }

    /// Once the run is told: what waits and may not take over does the tick in shadow. The next run does not wait
    /// for it.
    pub(crate) async fn follow(&self) {
        let Self { runner, task, slot, .. } = self;
        let told = |strategy: &Strategy| runner.info(task, strategy, self.scheduled, self.attempt);
        slot.follow(told, runner.clock.now(), &Runner::cause(self.attempt)).await;
    }
}

async fn refresh(runner: &Runner, observer: &Observer) {
    match runner.desk.refresh().await {
        Ok(0) => {}
        Ok(_) => observer(HostEvent::Changed { at: runner.clock.now() }),
        Err(error) => tracing::warn!(%error, "the broker's books could not be read"),
    }
}
