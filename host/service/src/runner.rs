//! One run of one task: claimed in the journal, run, ended in the journal.
//!
//! A run is a durable row keyed (task, scheduled time): at most once, whatever restarts. What it wrote
//! to its state commits with its end, in one transaction; a trap drops it.

use std::collections::BTreeMap;
use std::sync::Arc;

use journal::{Durability, Entry, JournalError, RunEnd, RunOutcome, RunRow, RunStart};
use model::clock::SharedClock;
use model::{Account, Date, Origin, StrategyName, Timestamp};
use oms::Desk;
use runtime::{Cause, Mode, Outcome, RunInfo, RunResult, STRIKES_MAX};

use crate::schedule::Task;
use crate::services::Sessions;
use crate::strategies::Strategy;

/// What every run needs.
#[derive(Clone)]
pub struct Runner {
    /// For which account.
    pub account: Account,
    /// The desk, and through it the journal.
    pub desk: Desk,
    /// Sessions, for the run's `for-session`.
    pub sessions: Sessions,
    /// Now.
    pub clock: SharedClock,
    /// With what the host trades.
    pub mode: Mode,
}

/// What the claim of a slot gave.
#[derive(Debug)]
pub enum Claim {
    /// It is ours to run.
    Ours(Box<RunInfo>),
    /// It has run, or is running, already.
    Taken,
}

impl Runner {
    /// Claims the slot of `task` at `scheduled`, durably.
    pub fn claim(
        &self,
        task: &Task,
        strategy: &Strategy,
        scheduled: Timestamp,
        attempt: u32,
    ) -> Result<Claim, JournalError> {
        if !self.take(task, scheduled, attempt)? {
            return Ok(Claim::Taken);
        }
        let info = self.info(task, strategy, scheduled, attempt);
        Ok(Claim::Ours(Box::new(info)))
    }

    /// Claims the slot durably; false: it has run, or is running, already.
    pub fn take(&self, task: &Task, scheduled: Timestamp, attempt: u32) -> Result<bool, JournalError> {
        let start = RunStart {
            id: task.run_id(scheduled),
            task: task.name.clone(),
            strategy: task.strategy.clone(),
            scheduled,
            day: scheduled.ist_date(),
            at: self.clock.now(),
            attempt,
        };
        match self.desk.with_journal(|journal| journal.commit(&[Entry::RunStart(start)], Durability::Synced))
        {
            Ok(()) => Ok(true),
            Err(JournalError::Duplicate(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Keeps how a run of the host's own work ended; a failure is an alert.
    pub fn finish_own(
        &self,
        task: &Task,
        scheduled: Timestamp,
        outcome: RunOutcome,
    ) -> Result<(), JournalError> {
        let now = self.clock.now();
        let mut entries = Vec::with_capacity(2);
        if let RunOutcome::Failed { reason } = &outcome {
            entries.push(Entry::Alert(self.failed(task, scheduled.ist_date(), reason, now)));
        }
        entries.push(self.end(task, scheduled, now, outcome));
        self.desk.with_journal(|journal| journal.commit(&entries, Durability::Synced))
    }

    /// Once per task, day and reason: what fails each minute says so once.
    fn failed(&self, task: &Task, day: Date, reason: &str, at: Timestamp) -> journal::Alert {
        journal::Alert {
            key: format!("failed:{}:{day}:{reason}", task.name),
            severity: journal::Severity::Warning,
            source: "host".to_owned(),
            text: format!("{} did not do its work: {reason}", task.name),
            at,
        }
    }

    /// What a run of `task` by this version of its strategy is told.
    pub fn info(&self, task: &Task, strategy: &Strategy, scheduled: Timestamp, attempt: u32) -> RunInfo {
        let now = self.clock.now();
        let id = task.run_id(scheduled);
        RunInfo {
            id: id.clone(),
            task: task.name.clone(),
            origin: Origin {
                account: self.account.clone(),
                strategy: task.strategy.clone(),
                component: strategy.hash.clone(),
                run: id,
                day: scheduled.ist_date(),
            },
            scheduled,
            mode: self.mode,
            attempt,
            for_session: self
                .sessions
                .calendar
                .amo_session(self.sessions.exchange, now, self.sessions.amo)
                .ok(),
            feeds: Arc::from([]),
            params: Arc::clone(&strategy.params),
        }
    }

    /// Keeps how a run ended, its state and its strikes, in one commit. `is_forgiven`: the version that ran was
    /// rolled back for it, so it is no strike of the strategy.
    pub fn finish(
        &self,
        task: &Task,
        info: &RunInfo,
        outcome: Outcome,
        is_forgiven: bool,
    ) -> Result<RunOutcome, JournalError> {
        let now = self.clock.now();
        if let Some(note) = outcome.log_note() {
            tracing::warn!(strategy = %task.strategy, run = %info.id, "{note}");
        }
        let ended = match &outcome.result {
            RunResult::Done(report) => RunOutcome::Done { report: report.clone() },
            RunResult::Failed(_, reason) => RunOutcome::Failed { reason: reason.clone() },
            RunResult::Stopped(reason) => RunOutcome::Trapped { reason: reason.to_string() },
        };
        let strike =
            !is_forgiven && matches!(&outcome.result, RunResult::Stopped(reason) if reason.is_strike());
        let mut entries: Vec<Entry> = outcome
            .state
            .into_iter()
            .map(|(key, value)| Entry::State { strategy: task.strategy.clone(), key, value })
            .collect();
        if strike && let RunOutcome::Trapped { reason } = &ended {
            let strikes = self.strikes(task)? + 1;
            entries.push(Entry::Quarantine {
                strategy: task.strategy.clone(),
                strikes,
                reason: Some(reason.clone()),
                at: now,
            });
            entries.push(Entry::Alert(journal::Alert {
                key: format!("trap:{}", info.id),
                severity: if strikes >= STRIKES_MAX {
                    journal::Severity::Critical
                } else {
                    journal::Severity::Warning
                },
                source: "host".to_owned(),
                text: if strikes >= STRIKES_MAX {
                    format!("{} is in quarantine after {strikes} strikes: {reason}", task.strategy)
                } else {
                    format!("{}: {reason} (strike {strikes} of {})", task.strategy, STRIKES_MAX)
                },
                at: now,
            }));
        }
        if let RunOutcome::Failed { reason } = &ended {
            entries.push(Entry::Alert(self.failed(task, info.origin.day, reason, now)));
        }
        entries.push(self.end(task, info.scheduled, now, ended.clone()));
        self.desk.with_journal(|journal| journal.commit(&entries, Durability::Synced))?;
        Ok(ended)
    }

    fn end(&self, task: &Task, scheduled: Timestamp, at: Timestamp, outcome: RunOutcome) -> Entry {
        Entry::RunEnd(RunEnd {
            id: task.run_id(scheduled),
            task: task.name.clone(),
            strategy: task.strategy.clone(),
            scheduled,
            day: scheduled.ist_date(),
            at,
            outcome,
        })
    }

    /// Keeps that a slot was not run, and why. A slot that has a row already stays as it is.
    pub fn not_run(
        &self,
        task: &Task,
        scheduled: Timestamp,
        outcome: RunOutcome,
    ) -> Result<(), JournalError> {
        let entry = self.end(task, scheduled, self.clock.now(), outcome);
        match self.desk.with_journal(|journal| journal.commit(&[entry], Durability::Synced)) {
            Ok(()) | Err(JournalError::Duplicate(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends a run that an earlier life of the host began, under a task that is no longer declared.
    pub fn interrupted(&self, row: &RunRow) -> Result<(), JournalError> {
        let end = RunEnd {
            id: row.id.clone(),
            task: row.task.clone(),
            strategy: row.strategy.clone(),
            scheduled: row.scheduled,
            day: row.day,
            at: self.clock.now(),
            outcome: RunOutcome::Interrupted,
        };
        self.desk.with_journal(|journal| journal.commit(&[Entry::RunEnd(end)], Durability::Synced))
    }

    fn strikes(&self, task: &Task) -> Result<u32, JournalError> {
        Ok(self
            .desk
            .with_journal(|journal| journal.quarantine())?
            .into_iter()
            .find(|(strategy, _, _)| *strategy == task.strategy)
            .map_or(0, |(_, strikes, _)| strikes))
    }

    /// What ends the quarantine of `strategy`, as it is told.
    pub fn way_out(strategy: &StrategyName) -> String {
        format!("clear it with `tradeagent plugin release {strategy}`")
    }

    /// Why this strategy must not run, if so.
    pub fn quarantined(&self, task: &Task) -> Result<Option<String>, JournalError> {
        Ok(self.desk.with_journal(|journal| journal.quarantine())?.into_iter().find_map(
            |(strategy, strikes, why)| {
                (strategy == task.strategy && strikes >= STRIKES_MAX).then(|| {
                    let way_out = Self::way_out(&strategy);
                    format!("{strategy} is in quarantine after {strikes} strikes, the last: {why}; {way_out}")
                })
            },
        ))
    }

    /// The cause that a run of this attempt is given.
    pub const fn cause(attempt: u32) -> Cause {
        if attempt > 1 { Cause::Resumed } else { Cause::Scheduled }
    }
}

/// Parameters of a strategy, by name.
pub type Params = Arc<BTreeMap<String, String>>;
