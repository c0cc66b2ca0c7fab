//! A host's life: reconcile, run what is due, stop in time.

use std::sync::Arc;
use std::time::Duration;

use journal::{Durability, Entry, JournalError};
use model::{ReadError, Timestamp};
use tokio::sync::{Notify, watch};

use crate::hotswap::Surroundings;
use crate::runner::Runner;
use crate::schedule::Task;
use crate::scheduler::{Ended, HostEvent, Observer, Scheduler};
use crate::strategies;
use crate::supervisor::Pulse;
use crate::tend::tend;
use crate::wiring::World;
use runtime::Mode;

/// After a stop is asked for: how long what is on the wire may take before it is journaled Unknown.
/// Two seconds below the ten in which the process is gone.
pub const DRAIN: Duration = Duration::from_secs(8);

/// A task due within this time is reason enough for a login.
const DUE_SOON_NANOS: i64 = 10 * model::time::MINUTE;

/// A task that ends with whoever began it.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why a host ended badly.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The journal failed: trading stopped at once.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The desk stopped.
    #[error("{0}")]
    Desk(String),
}

/// A host with its scheduler, ready to run.
pub struct Host {
    /// The parts.
    pub world: World,
    /// The loop.
    pub scheduler: Arc<Scheduler>,
    /// Told when a new broker session was opened.
    pub renewed: Arc<Notify>,
    /// Beats while the host's loop goes round.
    pub pulse: Pulse,
}

impl Host {
    /// Gives every strategy its actor. Must be called inside the async runtime.
    pub fn start(mut world: World, tasks: Vec<Task>, mode: Mode, observer: Observer) -> Self {
        let loaded = std::mem::take(&mut world.strategies);
        let tell = Arc::clone(&observer);
        let around = Surroundings {
            desk: world.desk.clone(),
            services: Arc::clone(&world.services),
            quiet: Arc::clone(&world.quiet),
            standings: world.standings.clone(),
            machine: crate::clock::system(),
            observer: Arc::new(move |strategy, event| {
                tell(HostEvent::Version { strategy: strategy.clone(), event: event.clone() });
            }),
            lifts_quarantine: world.lifts_quarantine,
        };
        let live = strategies::start(loaded, &around, world.tapes.as_ref());
        let runner = Runner {
            account: world.account.clone(),
            desk: world.desk.clone(),
            sessions: world.sessions.clone(),
            clock: Arc::clone(&world.clock),
            mode,
        };
        let mut scheduler = Scheduler::new(tasks, live, runner, observer);
        scheduler.gate = world.gate.take();
        let mut renewed = Arc::default();
        if let Some(link) = &world.live {
            scheduler.own_work = link.own_work.clone();
            scheduler.while_due = Some(Arc::clone(&link.while_due));
            renewed = Arc::clone(&link.renewed);
        }
        Self { world, scheduler: Arc::new(scheduler), renewed, pulse: Pulse::default() }
    }

    fn note(&self, kind: &str, text: String) -> Result<(), JournalError> {
        let entry = Entry::Note { kind: kind.to_owned(), text, at: self.world.clock.now() };
        self.world.desk.with_journal(|journal| journal.commit(&[entry], Durability::Synced))
    }

    /// Before the daily hour the session is renewed only for a task: one that is due soon counts.
    fn due_soon(&self) -> Option<Box<dyn std::any::Any + Send>> {
        let live = self.world.live.as_ref()?;
        let now = self.world.clock.now();
        let (at, _) = self.scheduler.next_run(now)?;
        (at.nanos_since(now) <= DUE_SOON_NANOS).then(|| (live.while_due)())
    }

    /// Nothing may run on a book that is not known. A broker that does not answer is asked again: a failed
    /// answer is never evidence.
    async fn know_the_books(&self) -> Result<(), HostError> {
        let mut wait_seconds = 1;
        loop {
            self.pulse.beat();
            let _due = self.due_soon();
            let Err(why) = self.read_books().await? else { return Ok(()) };
            tracing::warn!(why, wait_seconds, "the broker could not be read; trying again");
            let clock = &self.world.clock;
            clock.sleep_until(clock.now().plus_seconds(wait_seconds)).await;
            wait_seconds = (wait_seconds * 2).min(60);
        }
    }

    /// The books and what a broker needs before the first task. The inner error: it may be asked again.
    async fn read_books(&self) -> Result<Result<(), String>, HostError> {
        match self.world.desk.reconcile().await {
            Ok(differences) => {
                for difference in differences {
                    tracing::warn!(
                        subject = difference.subject,
                        "journal and broker differ: {}",
                        difference.what
                    );
                }
            }
            Err(ReadError::Unavailable(why)) => return Ok(Err(why)),
            Err(error) => return Err(HostError::Desk(error.to_string())),
        }
        match &self.world.live {
            Some(live) => Ok((live.prepare)().await),
            None => Ok(Ok(())),
        }
    }

    /// Runs until told to stop or `until` has come.
    pub async fn run(
        &self,
        until: Option<Timestamp>,
        stop: watch::Receiver<bool>,
    ) -> Result<Ended, HostError> {
        self.note("host-start", format!("tradeagent {}", env!("CARGO_PKG_VERSION")))?;
        let desk = self.world.desk.clone();
        let tending =
            tend(desk, Arc::clone(&self.world.clock), Arc::clone(&self.renewed), self.pulse.clone());
        let tending = AbortOnDrop(tokio::spawn(tending));
        let mut stopped = stop.clone();
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return Ok(Ended::Stopped),
            known = self.know_the_books() => known?,
        }
        let ended = self.scheduler.run(until, stop).await;
        drop(tending);
        let unknown = self.world.desk.shutdown(DRAIN).await;
        if unknown > 0 {
            tracing::warn!(unknown, "orders were still on the wire and are journaled as unknown");
        }
        if let Some(why) = self.world.desk.halted() {
            return Err(HostError::Desk(why));
        }
        let ended = ended?;
        self.note("host-stop", format!("{ended:?}"))?;
        Ok(ended)
    }
}
