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

use journal::{Alert, Durability, Entry, JournalError};
use model::{ContentHash, OrderView, StrategyName, Timestamp};
use oms::Desk;
use runtime::{Cause, LiveInstance, RunInfo, STRIKES_MAX, Services};

use super::shadow::Shadow;
use super::standing::{REFUSED_MAX, Standing, Standings};
use super::story::{CandidateView, SwapEvent, SwapObserver, VersionsView};
use crate::strategies::Strategy;

/// Whether a version may go live: the error says what would let it.
pub type Vouch = Arc<dyn Fn(&ContentHash) -> Result<(), String> + Send + Sync>;

/// A version that has been checked and compiled.
#[derive(Clone)]
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

/// How far a version has come in shadow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// It has done no tick yet.
    None,
    /// Its first tick took longer than the live one may be kept waiting: it does one beside it.
    Slow,
    /// It has done a tick.
    Done,
}

/// A version that waits, with its life in shadow.
pub(super) struct Waiting {
    pub(super) candidate: Candidate,
    pub(super) why: String,
    pub(super) shadow: Arc<Shadow>,
    pub(super) instance: Option<LiveInstance>,
    /// Trading days that have begun since it waits: an instance belongs to one.
    pub(super) days: u32,
    pub(super) ticks: u32,
    pub(super) proof: Proof,
}

/// A version in its first ticks, and what comes back when it fails.
pub(super) struct Trial {
    pub(super) ticks_left: u32,
    pub(super) from: PathBuf,
    pub(super) before: Strategy,
    pub(super) state: Vec<(String, Vec<u8>)>,
    pub(super) noticed: Option<Timestamp>,
}

pub(super) struct Inner {
    pub(super) live: Strategy,
    pub(super) waiting: Option<Waiting>,
    pub(super) trial: Option<Trial>,
    /// What could not be loaded, and why: by this process, as it is configured now.
    pub(super) refused: VecDeque<(ContentHash, String)>,
    pub(super) last: Option<String>,
    /// Of the last tick.
    day: Option<model::Date>,
}

impl Inner {
    /// Remembers why this version is not tried again by this process.
    pub(super) fn remember(&mut self, hash: &ContentHash, why: &str) {
        if self.refused.iter().any(|(refused, _)| refused == hash) {
            return;
        }
        if self.refused.len() == REFUSED_MAX {
            self.refused.pop_front();
        }
        self.refused.push_back((hash.clone(), why.to_owned()));
    }

    /// What waits, if it is this version.
    pub(super) fn waiting(&mut self, hash: &ContentHash) -> Option<&mut Waiting> {
        self.waiting.as_mut().filter(|waiting| waiting.candidate.strategy.hash == *hash)
    }
}

/// What a slot needs of the host.
#[derive(Clone)]
pub struct Surroundings {
    /// The desk, and through it the journal.
    pub desk: Desk,
    /// Where host functions lead.
    pub services: Arc<dyn Services>,
    /// Where those of a version in shadow lead: the same, without asking the broker for fresh prices.
    pub quiet: Arc<dyn Services>,
    /// The machine's clock, for how long a swap took.
    pub machine: model::clock::SharedClock,
    /// Where it is kept what is live.
    pub standings: Standings,
    /// Told what happens.
    pub observer: SwapObserver,
    /// Whether a version that is offered ends its strategy's quarantine: where no command of an operator's reaches.
    pub lifts_quarantine: bool,
}

/// The place of one strategy.
pub struct Slot {
    pub(super) name: StrategyName,
    pub(super) around: Surroundings,
    pub(super) standing: Standing,
    inner: Mutex<Inner>,
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Held by a tick in shadow.
    pub(super) shadowing: tokio::sync::Mutex<()>,
}

impl Slot {
    /// With the version that the host began with.
    pub fn new(live: Strategy, around: Surroundings) -> Self {
        let name = live.name.clone();
        let standing = around.standings.standing(&name);
        let inner = Mutex::new(Inner {
            live,
            waiting: None,
            trial: None,
            refused: VecDeque::new(),
            last: None,
            day: None,
        });
        Self { name, around, standing, inner, turn: Arc::default(), shadowing: tokio::sync::Mutex::default() }
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
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

    /// Whether this version, found in `path`, is here already, or is not wanted.
    pub fn knows(&self, path: &Path, hash: &ContentHash) -> bool {
        let mut inner = self.inner();
        // While a version of this file is on trial, the one before it in the same file is the way back by hand.
        let is_on_trial = inner.trial.as_ref().is_some_and(|trial| trial.from == path);
        inner.live.hash == *hash
            || inner.waiting(hash).is_some()
            || (!is_on_trial && self.standing.is_settled(path, hash))
    }

    /// Why this version is not tried, if it failed before.
    pub fn refusal(&self, hash: &ContentHash) -> Option<String> {
        let inner = self.inner();
        let refused = inner.refused.iter().find(|(refused, _)| refused == hash);
        let is_banned = self.standing.is_refused(hash);
        refused.map(|(_, why)| why.clone()).or_else(|| is_banned.then(|| self.standing.refusal()))
    }

    /// The file is gone, and with it what waits from it.
    pub fn file_is_gone(&self, path: &Path) {
        self.standing.file_is_gone(path);
        self.withdraw(path, None);
    }

    /// The file holds something else now, or nothing: what came from it waits no longer.
    pub fn withdraw(&self, path: &Path, holds: Option<&ContentHash>) {
        let mut inner = self.inner();
        let is_gone = |waiting: &Waiting| {
            waiting.candidate.path == path && Some(&waiting.candidate.strategy.hash) != holds
        };
        if inner.waiting.as_ref().is_some_and(is_gone) {
            inner.waiting = None;
            inner.last = Some("the candidate was taken back".to_owned());
        }
    }

    /// A version that has been checked and compiled waits for its turn; the one that waited before is dropped. It
    /// waits for the disk: not for a thread that runs ticks.
    pub fn offer(&self, candidate: Candidate, day: model::Date) {
        let state = match self.state() {
            Ok(state) => state,
            Err(error) => return self.refuse(None, format!("its state cannot be read: {error}")),
        };
        let hash = candidate.strategy.hash.clone();
        // A thread beside a simulated host has no clock of its days.
        let day = self.inner().day.map_or(day, |begun| begun.max(day));
        self.standing.keep_copy(&candidate.strategy, &candidate.path);
        let lives = self.around.desk.own_orders(&self.name, day);
        let shadow = Arc::new(Shadow::beside(Arc::clone(&self.around.quiet), &lives, state));
        let why = match (candidate.vouch)(&hash) {
            Ok(()) => {
                self.lift_quarantine(candidate.noticed);
                self.quarantine().unwrap_or_else(|| "for its next tick".to_owned())
            }
            Err(why) => {
                self.alert_of_candidate(&hash, &why, candidate.noticed);
                why
            }
        };
        self.inner().waiting = Some(Waiting {
            candidate,
            why: why.clone(),
            shadow,
            instance: None,
            days: 0,
            ticks: 0,
            proof: Proof::None,
        });
        self.forget_others();
        (self.around.observer)(&self.name, &SwapEvent::Waits { hash, why });
    }

    /// Lets go of copies of versions that nothing leads back to.
    fn forget_others(&self) {
        let inner = self.inner();
        let mut needed = vec![inner.live.hash.clone()];
        needed.extend(inner.waiting.as_ref().map(|waiting| waiting.candidate.strategy.hash.clone()));
        needed.extend(inner.trial.as_ref().map(|trial| trial.before.hash.clone()));
        // Under the lock: nothing takes over meanwhile.
        self.standing.forget_all_but(&needed);
    }

    /// Without it there would be no tick in which the version could take over.
    fn lift_quarantine(&self, at: Timestamp) {
        if self.around.lifts_quarantine
            && let Err(error) = self.forget_strikes(at)
        {
            tracing::error!(%error, "the quarantine of {} stays", self.name);
        }
    }

    /// What the operator has to do before the strategy has ticks again.
    fn quarantine(&self) -> Option<String> {
        let strikes = self.around.desk.with_journal(|journal| journal.quarantine()).ok()?;
        let name = &self.name;
        strikes.iter().any(|(strategy, strikes, _)| strategy == name && *strikes >= STRIKES_MAX).then(|| {
            format!("{name} is in quarantine; `tradeagent plugin release {name}` lets it run again, with this version")
        })
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

    pub(super) fn commit(&self, entries: Vec<Entry>) -> Result<(), JournalError> {
        self.around.desk.with_journal(|journal| journal.commit(&entries, Durability::Synced))
    }

    /// A version that could not be loaded, by its hash where it has one: not tried again by this process.
    pub fn refuse(&self, hash: Option<ContentHash>, why: String) {
        let mut inner = self.inner();
        if let Some(hash) = &hash {
            inner.remember(hash, &why);
        }
        inner.last = Some(format!("refused: {why}"));
        drop(inner);
        (self.around.observer)(&self.name, &SwapEvent::Refused { hash, why });
    }

    /// A version that failed at its work: not tried again, by the next process neither.
    pub(super) fn ban(&self, hash: ContentHash, why: String) {
        self.standing.refuse(&hash);
        self.refuse(Some(hash), why);
    }

    /// A tick begins: which version answers it. A version that waits and may go live does this tick in shadow
    /// first, and takes over when that goes well. `info` is what a version's run is told.
    pub async fn begin(
        &self,
        info: impl Fn(&Strategy) -> RunInfo,
        now: Timestamp,
        cause: &Cause,
    ) -> Strategy {
        self.inner().day = Some(now.ist_date());
        if let Some(hash) = self.may_take_over() {
            self.prove(info, now, cause).await;
            // Meanwhile another may have been offered, a word taken back, an order lost sight of.
            if self.may_take_over() == Some(hash)
                && let Err(error) = self.take_over(now)
            {
                tracing::error!(%error, "the next version of {} cannot take over", self.name);
            }
        }
        self.live()
    }

    /// What waits, and whether somebody vouches for it. That reads files: never under the lock.
    pub(super) fn vouched(&self) -> Option<(ContentHash, Result<(), String>)> {
        let (vouch, hash) = {
            let inner = self.inner();
            let candidate = &inner.waiting.as_ref()?.candidate;
            (Arc::clone(&candidate.vouch), candidate.strategy.hash.clone())
        };
        let vouched = vouch(&hash);
        Some((hash, vouched))
    }

    /// Whether a version from another file waits that somebody vouches for: one that nobody vouches for does not take
    /// its place. It reads files.
    pub fn is_promised(&self, besides: &Path) -> bool {
        let is_other = |waiting: &Waiting| waiting.candidate.path != besides;
        self.inner().waiting.as_ref().is_some_and(is_other)
            && self.vouched().is_some_and(|(_, vouched)| vouched.is_ok())
    }

    /// What waits and could take over now; says why it does not.
    fn may_take_over(&self) -> Option<ContentHash> {
        let (hash, vouched) = self.vouched()?;
        let obstacle = vouched.err().or_else(|| self.unsettled());
        let mut inner = self.inner();
        let waiting = inner.waiting(&hash)?;
        let Some(why) = obstacle else { return Some(hash) };
        waiting.why = why;
        None
    }

    /// An order whose fate is for the version that asked for it.
    fn unsettled(&self) -> Option<String> {
        // Asked first: a call that ends without an answer leaves an Unknown order behind.
        if self.around.desk.has_open_calls(&self.name) {
            return Some("the live version has an order on its way to the broker".to_owned());
        }
        let is_ours = |order: &&OrderView| order.strategy.as_ref() == Some(&self.name);
        let unresolved = self.around.desk.unresolved();
        unresolved.iter().find(is_ours).map(|order| {
            format!(
                "what became of its order {} is not known yet; see `tradeagent orders --unresolved`",
                order.id
            )
        })
    }

    /// How the versions stand; the live version's orders are those of `day`.
    pub fn view(&self, day: model::Date) -> VersionsView {
        let lives = self.around.desk.own_orders(&self.name, day);
        let quarantine = self.quarantine();
        let inner = self.inner();
        VersionsView {
            strategy: self.name.clone(),
            live: inner.live.hash.clone(),
            trial_ticks_left: inner.trial.as_ref().map_or(0, |trial| trial.ticks_left),
            candidate: inner.waiting.as_ref().map(|waiting| CandidateView {
                hash: waiting.candidate.strategy.hash.clone(),
                file: waiting.candidate.path.display().to_string(),
                why: quarantine.unwrap_or_else(|| waiting.why.clone()),
                shadow_ticks: waiting.ticks,
                shadow: waiting.shadow.compare(&lives, day),
            }),
            last: inner.last.clone(),
        }
    }
}
