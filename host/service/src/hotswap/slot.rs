//! The place of one strategy in a running host: which version is live, which waits, which may be rolled back.
//!
//! A new version passes four doors. It is read, checked and compiled beside the running host ([`super::watch`]).
//! It is vouched for, where the account is real. It does a tick in shadow, where nothing it does leaves. And it
//! is never let in while an order of its strategy is Unknown: what that order became is for the version that
//! placed it. Then it answers between two ticks, and through its first ticks the version before it stands by:
//! when it traps or overruns, that one comes back, with the state as it was.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use journal::{Alert, Durability, Entry, JournalError};
use model::{ContentHash, OrderView, StrategyName, Timestamp};
use oms::Desk;
use runtime::{Cause, LiveInstance, Outcome, RunInfo, RunResult, Services};

use super::shadow::Shadow;
use super::story::{CandidateView, SwapEvent, SwapObserver, VersionsView};
use crate::strategies::Strategy;

/// Ticks in which a new version that traps or overruns is rolled back.
pub const TRIAL_TICKS: u32 = 3;
/// How long a version's tick in shadow may take: the live tick waits for it when it is to decide.
const SHADOW_RUN: Duration = Duration::from_secs(2);
/// Versions that were refused and are remembered, so that they are not tried again.
const REFUSED_MAX: usize = 64;

/// Whether a version may go live: the error says what would let it.
pub type Vouch = Arc<dyn Fn(&ContentHash) -> Result<(), String> + Send + Sync>;

/// A version that has been checked and compiled.
pub struct Candidate {
    /// It.
    pub strategy: Strategy,
    /// From which file.
    pub path: PathBuf,
    /// Asked each time before it could go live.
    pub vouch: Vouch,
    /// When its file was noticed, by the machine's clock.
    pub noticed: Timestamp,
}

/// A version that waits, with its life in shadow.
struct Waiting {
    candidate: Candidate,
    why: String,
    shadow: Arc<Shadow>,
    instance: Option<LiveInstance>,
    ticks: u32,
    is_proved: bool,
}

/// A version in its first ticks, and what comes back when it fails.
struct Trial {
    ticks_left: u32,
    before: Strategy,
    state: Vec<(String, Vec<u8>)>,
    noticed: Option<Timestamp>,
}

struct Inner {
    live: Strategy,
    waiting: Option<Waiting>,
    trial: Option<Trial>,
    refused: VecDeque<ContentHash>,
    last: Option<String>,
}

impl Inner {
    fn remember(&mut self, refused: &ContentHash) {
        if self.refused.len() == REFUSED_MAX {
            self.refused.pop_front();
        }
        self.refused.push_back(refused.clone());
    }
}

/// What a slot needs of the host.
#[derive(Clone)]
pub struct Surroundings {
    /// The desk, and through it the journal.
    pub desk: Desk,
    /// Where host functions lead.
    pub services: Arc<dyn Services>,
    /// The machine's clock, for how long a swap took.
    pub machine: model::clock::SharedClock,
    /// Told what happens.
    pub observer: SwapObserver,
}

/// The place of one strategy.
pub struct Slot {
    name: StrategyName,
    around: Surroundings,
    inner: Mutex<Inner>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Slot {
    /// With the version that the host began with.
    pub fn new(live: Strategy, around: Surroundings) -> Self {
        let name = live.name.clone();
        let inner = Inner { live, waiting: None, trial: None, refused: VecDeque::new(), last: None };
        Self { name, around, inner: Mutex::new(inner), turn: Arc::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by a run from the choice of its version until what it wrote is kept: a run that was begun by one version
    /// never follows the roll-back of it, and none comes in between.
    pub async fn turn(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// The live version.
    pub fn live(&self) -> Strategy {
        self.inner().live.clone()
    }

    /// Whether this version is here already, or is not wanted.
    pub fn knows(&self, hash: &ContentHash) -> bool {
        let inner = self.inner();
        inner.live.hash == *hash
            || inner.waiting.as_ref().is_some_and(|waiting| waiting.candidate.strategy.hash == *hash)
            || inner.refused.contains(hash)
    }

    /// The file shows no new version any more, or is gone: what came from it waits no longer.
    pub fn withdraw(&self, path: &Path) {
        let mut inner = self.inner();
        if inner.waiting.as_ref().is_some_and(|waiting| waiting.candidate.path == path) {
            inner.waiting = None;
            inner.last = Some("the candidate was taken back".to_owned());
        }
    }

    /// A version that has been checked and compiled waits for its turn; the one that waited before is dropped.
    pub fn offer(&self, candidate: Candidate, day: model::Date) {
        let lives = self.around.desk.own_orders(&self.name, day);
        let shadow = Arc::new(Shadow::beside(Arc::clone(&self.around.services), &lives));
        let hash = candidate.strategy.hash.clone();
        let why = match (candidate.vouch)(&hash) {
            Ok(()) => "for its next tick".to_owned(),
            Err(why) => {
                self.alert_of_candidate(&hash, &why, candidate.noticed);
                why
            }
        };
        self.inner().waiting =
            Some(Waiting { candidate, why: why.clone(), shadow, instance: None, ticks: 0, is_proved: false });
        (self.around.observer)(&self.name, &SwapEvent::Waits { hash, why });
    }

    /// The operator is told, once a day, that a version needs a word from somebody.
    fn alert_of_candidate(&self, hash: &ContentHash, why: &str, at: Timestamp) {
        let alert = Entry::Alert(Alert {
            key: format!("candidate:{}:{}", self.name, at.ist_date()),
            severity: journal::Severity::Warning,
            source: "host".to_owned(),
            text: format!("{}: a new version, {hash}, runs in shadow only: {why}", self.name),
            at,
        });
        if let Err(error) = self.commit(vec![alert]) {
            tracing::error!(%error, "a candidate could not be told of");
        }
    }

    /// A version that could not be loaded, by its hash where it has one.
    pub fn refuse(&self, hash: Option<ContentHash>, why: String) {
        let mut inner = self.inner();
        if let Some(hash) = &hash {
            inner.remember(hash);
        }
        inner.last = Some(format!("refused: {why}"));
        drop(inner);
        (self.around.observer)(&self.name, &SwapEvent::Refused { hash, why });
    }

    /// A tick begins: which version answers it. A version that waits and may go live does this tick in shadow
    /// first, and takes over when that goes well. `info` is what a version's run is told.
    ///
    /// # Errors
    /// When the journal fails.
    pub async fn begin(
        &self,
        info: impl Fn(&Strategy) -> RunInfo,
        now: Timestamp,
        cause: &Cause,
    ) -> Result<Strategy, JournalError> {
        if let Some(hash) = self.may_take_over() {
            if !self.is_proved() {
                self.shadow_tick(info, now, cause).await;
            }
            // Meanwhile another may have been offered, a word taken back, an order lost sight of.
            if self.may_take_over() == Some(hash) {
                self.take_over(now)?;
            }
        }
        Ok(self.live())
    }

    fn is_proved(&self) -> bool {
        self.inner().waiting.as_ref().is_some_and(|waiting| waiting.is_proved)
    }

    /// What waits and could take over now; says why it does not.
    fn may_take_over(&self) -> Option<ContentHash> {
        let mut inner = self.inner();
        let waiting = inner.waiting.as_mut()?;
        if let Err(why) = (waiting.candidate.vouch)(&waiting.candidate.strategy.hash) {
            waiting.why = why;
            return None;
        }
        let is_ours = |order: &&OrderView| order.strategy.as_ref() == Some(&self.name);
        if let Some(order) = self.around.desk.unresolved().iter().find(is_ours) {
            waiting.why = format!(
                "what became of its order {} is not known yet; see `tradeagent orders --unresolved`",
                order.id
            );
            return None;
        }
        Some(waiting.candidate.strategy.hash.clone())
    }

    /// One tick of the version that waits, in shadow. A version that fails there is dropped and named.
    async fn shadow_tick(&self, info: impl Fn(&Strategy) -> RunInfo, now: Timestamp, cause: &Cause) {
        let Some((strategy, shadow, instance)) = self.inner().waiting.as_mut().map(|waiting| {
            (waiting.candidate.strategy.clone(), Arc::clone(&waiting.shadow), waiting.instance.take())
        }) else {
            return;
        };
        let mut instance = instance.unwrap_or_else(|| {
            let services: Arc<dyn Services> = Arc::clone(&shadow) as Arc<dyn Services>;
            LiveInstance::new(strategy.loaded.within(SHADOW_RUN), services)
        });
        let Outcome { result, state, .. } = instance.run(info(&strategy), now, cause.clone()).await;
        let mut inner = self.inner();
        // Another may have been offered meanwhile: this one's tick is of no interest any more.
        let Some(waiting) = inner.waiting.as_mut().filter(|it| it.candidate.strategy.hash == strategy.hash)
        else {
            return;
        };
        match result {
            RunResult::Stopped(reason) if reason.is_strike() => {
                inner.waiting = None;
                drop(inner);
                self.refuse(Some(strategy.hash), format!("in its first tick, in shadow: {reason}"));
            }
            // Not the strategy's fault: it is tried again.
            RunResult::Stopped(_) => {}
            RunResult::Done(_) | RunResult::Failed(..) => {
                shadow.keep(state);
                waiting.instance = Some(instance);
                waiting.ticks += 1;
                waiting.is_proved = true;
            }
        }
    }

    /// What waits and has proved itself is live from here on; its state so far is kept for a way back.
    fn take_over(&self, now: Timestamp) -> Result<(), JournalError> {
        let mut inner = self.inner();
        if !inner.waiting.as_ref().is_some_and(|waiting| waiting.is_proved) {
            return Ok(());
        }
        let state = self.state()?;
        let Some(Waiting { candidate, .. }) = inner.waiting.take() else { return Ok(()) };
        let hash = candidate.strategy.hash.clone();
        let text = format!(
            "{}: {hash} takes over from {}, {} of state kept for a way back; from {}",
            self.name,
            inner.live.hash,
            state.len(),
            candidate.path.display()
        );
        self.commit(vec![Entry::Note { kind: "version-live".to_owned(), text, at: now }])?;
        let before = std::mem::replace(&mut inner.live, candidate.strategy);
        // Of two in a row that are still on trial, the way back leads to the last that had passed.
        let (before, state) = match inner.trial.take() {
            Some(earlier) => (earlier.before, earlier.state),
            None => (before, state),
        };
        inner.trial =
            Some(Trial { ticks_left: TRIAL_TICKS, before, state, noticed: Some(candidate.noticed) });
        Ok(())
    }

    fn commit(&self, entries: Vec<Entry>) -> Result<(), JournalError> {
        self.around.desk.with_journal(|journal| journal.commit(&entries, Durability::Synced))
    }

    fn state(&self) -> Result<Vec<(String, Vec<u8>)>, JournalError> {
        self.around.desk.with_journal(|journal| {
            let mut state = Vec::new();
            for key in journal.state_keys(&self.name, "")? {
                if let Some(value) = journal.state_get(&self.name, &key)? {
                    state.push((key, value));
                }
            }
            Ok(state)
        })
    }

    /// A tick of the version `hash` has ended, and what it wrote is not kept yet. True: it was rolled back, so
    /// its failure is no strike of the strategy.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn ended(
        &self,
        hash: &ContentHash,
        result: &RunResult,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let mut inner = self.inner();
        if inner.live.hash != *hash {
            return Ok(false);
        }
        let Some(trial) = &mut inner.trial else { return Ok(false) };
        if let RunResult::Stopped(reason) = result
            && reason.is_strike()
        {
            let why = reason.to_string();
            // Kept first: a way back that cannot be written stays a way back.
            self.commit(self.way_back(&trial.before, &trial.state, hash, &why, now)?)?;
            let Some(Trial { before, .. }) = inner.trial.take() else { return Ok(false) };
            let to = before.hash.clone();
            inner.live = before;
            inner.remember(hash);
            inner.last = Some(format!("{hash} was rolled back: {why}"));
            drop(inner);
            (self.around.observer)(&self.name, &SwapEvent::RolledBack { hash: hash.clone(), to, why });
            return Ok(true);
        }
        trial.ticks_left -= 1;
        let first = trial.noticed.take();
        let before = trial.before.hash.clone();
        if trial.ticks_left == 0 {
            inner.trial = None;
        }
        if let Some(noticed) = first {
            let millis = self.around.machine.now().nanos_since(noticed) / 1_000_000;
            inner.last = Some(format!("{hash} took over from {before}"));
            drop(inner);
            (self.around.observer)(&self.name, &SwapEvent::Live { hash: hash.clone(), before, millis });
        }
        Ok(false)
    }

    /// What brings the state back and says why.
    fn way_back(
        &self,
        before: &Strategy,
        state: &[(String, Vec<u8>)],
        hash: &ContentHash,
        why: &str,
        now: Timestamp,
    ) -> Result<Vec<Entry>, JournalError> {
        let write = |key: String, value| Entry::State { strategy: self.name.clone(), key, value };
        let mut entries: Vec<Entry> = self
            .state()?
            .into_iter()
            .filter(|(key, _)| !state.iter().any(|(kept, _)| kept == key))
            .map(|(key, _)| write(key, None))
            .collect();
        entries.extend(state.iter().map(|(key, value)| write(key.clone(), Some(value.clone()))));
        let text = format!("{}: {hash} is rolled back to {}: {why}", self.name, before.hash);
        entries.push(Entry::Note { kind: "version-rolled-back".to_owned(), text: text.clone(), at: now });
        entries.push(Entry::Alert(Alert {
            key: format!("rolled-back:{}:{hash}", self.name),
            severity: journal::Severity::Critical,
            source: "host".to_owned(),
            text,
            at: now,
        }));
        Ok(entries)
    }

    /// After a live tick: a version that may not take over does the tick in shadow, so that it can be compared.
    pub async fn follow(&self, info: impl Fn(&Strategy) -> RunInfo, now: Timestamp, cause: &Cause) {
        let waits = self
            .inner()
            .waiting
            .as_ref()
            .is_some_and(|waiting| (waiting.candidate.vouch)(&waiting.candidate.strategy.hash).is_err());
        if waits {
            self.shadow_tick(info, now, cause).await;
        }
    }

    /// A trading day has begun.
    pub fn new_day(&self) {
        if let Some(waiting) = &mut self.inner().waiting {
            waiting.instance = None;
            waiting.shadow.new_day();
        }
    }

    /// How the versions stand; the live version's orders are those of `day`.
    pub fn view(&self, day: model::Date) -> VersionsView {
        let lives = self.around.desk.own_orders(&self.name, day);
        let inner = self.inner();
        VersionsView {
            strategy: self.name.clone(),
            live: inner.live.hash.clone(),
            trial_ticks_left: inner.trial.as_ref().map_or(0, |trial| trial.ticks_left),
            candidate: inner.waiting.as_ref().map(|waiting| CandidateView {
                hash: waiting.candidate.strategy.hash.clone(),
                file: waiting.candidate.path.display().to_string(),
                why: waiting.why.clone(),
                shadow_ticks: waiting.ticks,
                shadow: waiting.shadow.compare(&lives),
            }),
            last: inner.last.clone(),
        }
    }
}
