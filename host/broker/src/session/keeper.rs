//! The keeper itself: who gets which session, and who starts the one login.

use std::sync::Arc;

use model::Timestamp;
use model::clock::SharedClock;

use super::flight::Flight;
use super::record::{Memory, Record, Save};
use super::renewal::Landing;
use super::standing::Standing;
use super::sync::{AtomicUsize, Mutex, Ordering, Slot, lock};
use super::{
    Conflicts, Events, Generation, KeeperConfig, KeeperStatus, Login, NoSession, Session, SessionEvent,
    Spawn, Totp,
};

/// What a renewal gives: a session later than the one seen to expire, or the reason why there is none.
pub type Renewed<C> = Result<Arc<Session<C>>, NoSession>;

/// What a keeper lives among.
pub struct Surroundings {
    /// What else could be logged in.
    pub conflicts: Arc<dyn Conflicts>,
    /// Now, and waiting.
    pub clock: SharedClock,
    /// Runs the logins.
    pub spawn: Spawn,
    /// Hears what happened.
    pub events: Events,
    /// What an earlier process knew, and where this one's knowledge goes.
    pub memory: Memory,
}

/// The one owner of the logins of one account.
pub struct Keeper<L: Login> {
    pub(super) login: Arc<L>,
    pub(super) totp: Totp,
    pub(super) conflicts: Arc<dyn Conflicts>,
    pub(super) clock: SharedClock,
    pub(super) spawn: Spawn,
    events: Events,
    save: Save,
    /// The session to use. It changes only under the gate.
    pub(super) current: Slot<Session<L::Client>>,
    gate: Mutex<Gate<L::Client>>,
    dues: Arc<AtomicUsize>,
    /// Lands when the end begins: nobody waits for a later time.
    pub(super) ending: Flight<()>,
    /// Lands when the last session is logged out.
    pub(super) gone: Flight<()>,
}

/// What is decided by one at a time. Never held across a wait.
pub(super) struct Gate<C> {
    pub standing: Standing,
    /// The renewal under way.
    pub flight: Option<Arc<Flight<Renewed<C>>>>,
    /// Out of sight, not yet logged out.
    pub retired: Option<Arc<Session<C>>>,
    /// As it was last kept.
    kept: Record,
    /// That it could not be kept was said.
    unkept: bool,
}

/// While one lives, a login before the daily hour is allowed.
#[must_use = "the permission ends when it is dropped"]
pub struct DueGuard(Arc<AtomicUsize>);

impl Drop for DueGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<L: Login> Keeper<L> {
    /// A keeper without a session. It does nothing until it is asked.
    pub fn new(config: KeeperConfig, login: Arc<L>, totp: Totp, surroundings: Surroundings) -> Arc<Self> {
        let Surroundings { conflicts, clock, spawn, events, memory: Memory { record, save } } = surroundings;
        let standing = Standing::new(config, record.clone(), clock.now());
        let gate = Gate { standing, flight: None, retired: None, kept: record, unkept: false };
        Arc::new(Self {
            login,
            totp,
            conflicts,
            clock,
            spawn,
            events,
            save,
            current: Slot::empty(),
            gate: Mutex::new(gate),
            dues: Arc::new(AtomicUsize::new(0)),
            ending: Flight::new(),
            gone: Flight::new(),
        })
    }

    /// The session to use, without a lock. None: [`Keeper::renew`] with [`Generation::NONE`].
    pub fn current(&self) -> Option<Arc<Session<L::Client>>> {
        self.current.load()
    }

    /// A session later than `seen`, the generation whose expiry the caller saw ([`Generation::NONE`] when
    /// there was no session).
    ///
    /// Whoever asks first starts the login; all who ask until it ends get its outcome. A caller that goes
    /// away does not stop it. When there is a later session already, it is the answer.
    ///
    /// # Errors
    /// Why there is no session. Nothing was sent to the broker for an answer that comes at once.
    pub async fn renew(self: &Arc<Self>, seen: Generation) -> Renewed<L::Client> {
        if let Some(session) = self.later_than(seen) {
            return Ok(session);
        }
        let flight = self.board(seen)?;
        match flight {
            Boarded::There(session) => Ok(session),
            Boarded::Under(flight) => flight.join().await,
        }
    }

    fn later_than(&self, seen: Generation) -> Option<Arc<Session<L::Client>>> {
        self.current.load().filter(|session| session.generation > seen)
    }

    /// Joins the renewal under way, or begins one when that is allowed.
    fn board(self: &Arc<Self>, seen: Generation) -> Result<Boarded<L::Client>, NoSession> {
        let now = self.clock.now();
        let mut gate = lock(&self.gate);
        if let Some(session) = self.later_than(seen) {
            return Ok(Boarded::There(session));
        }
        if let Some(flight) = &gate.flight {
            return Ok(Boarded::Under(Arc::clone(flight)));
        }
        let mut events = Vec::new();
        if let Some(dead) = self.current.take() {
            events = gate.standing.expired(now);
            gate.retired = Some(dead);
        }
        // A dead session is logged out, and a contest is looked into, even where no login may follow.
        if gate.retired.is_none() && !gate.standing.contest.pending() {
            gate.standing.may_log_in(now, self.is_due())?;
        }
        let landing = self.begin(&mut gate, now);
        events.extend(self.keep(&mut gate).err().and_then(Unkept::news));
        drop(gate);
        let flight = landing.flight();
        self.tell(events);
        (self.spawn)(Box::pin(landing.fly()));
        Ok(Boarded::Under(flight))
    }

    fn begin(self: &Arc<Self>, gate: &mut Gate<L::Client>, now: Timestamp) -> Landing<L> {
        let flight = Arc::new(Flight::new());
        gate.flight = Some(Arc::clone(&flight));
        gate.standing.since = now;
        Landing::new(Arc::clone(self), flight)
    }

    /// Called on a timer. It notices that a session outlived the contest window, and makes the probe login
    /// of a contested account once the cool-down is over, without waiting for it.
    pub fn tend(self: &Arc<Self>) {
        let (news, landing) = self.gate(|gate, now| {
            let news = gate.standing.observe(now);
            let wanted = gate.standing.contest.open().is_some()
                && gate.flight.is_none()
                && gate.standing.live.is_none()
                && gate.standing.may_log_in(now, self.is_due()).is_ok();
            (news, wanted.then(|| self.begin(gate, now)))
        });
        self.tell(news);
        if let Some(landing) = landing {
            (self.spawn)(Box::pin(landing.fly()));
        }
    }

    /// Says that a task is due: while the guard lives, a login before the daily hour is allowed.
    pub fn due(self: &Arc<Self>) -> DueGuard {
        self.dues.fetch_add(1, Ordering::SeqCst);
        DueGuard(Arc::clone(&self.dues))
    }

    pub(super) fn is_due(&self) -> bool {
        self.dues.load(Ordering::SeqCst) > 0
    }

    /// The operator says that the credentials are good now: after [`NoSession::WrongCredentials`]. A later
    /// process believes it only once a login has shown it.
    pub fn operator_cleared(&self) {
        let cleared = self.gate(|gate, now| gate.standing.clear(now));
        self.tell(cleared.then_some(SessionEvent::Cleared));
    }

    /// When the next one-time code may leave: later than now where that of this half minute was sent, by
    /// whichever process, or is about to end.
    pub fn next_code(&self) -> Timestamp {
        self.gate(|gate, now| gate.standing.next_code(now))
    }

    /// How the keeper stands at this instant.
    pub fn status(&self) -> KeeperStatus {
        let (news, status) = self.gate(|gate, now| {
            let news = gate.standing.observe(now);
            let flying = gate.flight.is_some();
            (news, gate.standing.status(now, self.is_due(), flying))
        });
        self.tell(news);
        status
    }

    pub(super) fn gate<T>(&self, decide: impl FnOnce(&mut Gate<L::Client>, Timestamp) -> T) -> T {
        let (decided, unkept) = self.gate_kept(decide);
        self.tell(unkept.err().and_then(Unkept::news));
        decided
    }

    /// Decides, and keeps what a later process must know of it before anything can follow from it.
    pub(super) fn gate_kept<T>(
        &self,
        decide: impl FnOnce(&mut Gate<L::Client>, Timestamp) -> T,
    ) -> (T, Result<(), Unkept>) {
        let now = self.clock.now();
        let mut gate = lock(&self.gate);
        let decided = decide(&mut gate, now);
        let kept = self.keep(&mut gate);
        (decided, kept)
    }

    /// Under the gate, although it may wait for a disk: a later record must not be overtaken by an earlier
    /// one. It changes a few times a day.
    fn keep(&self, gate: &mut Gate<L::Client>) -> Result<(), Unkept> {
        let record = gate.standing.record();
        if record == gate.kept {
            return Ok(());
        }
        match (self.save)(&record) {
            Ok(()) => {
                (gate.kept, gate.unkept) = (record, false);
                Ok(())
            }
            Err(text) => Err(Unkept { text, said: std::mem::replace(&mut gate.unkept, true) }),
        }
    }

    /// Says what happened. Never under the gate: whoever hears it may be slow.
    pub(super) fn tell(&self, events: impl IntoIterator<Item = SessionEvent>) {
        events.into_iter().for_each(|event| (self.events)(event));
    }
}

/// What a later process must know could not be kept.
pub(super) struct Unkept {
    pub text: String,
    said: bool,
}

impl Unkept {
    /// The event; none when it was said already.
    pub(super) fn news(self) -> Option<SessionEvent> {
        (!self.said).then_some(SessionEvent::NotKept { text: self.text })
    }
}

enum Boarded<C> {
    There(Arc<Session<C>>),
    Under(Arc<Flight<Renewed<C>>>),
}
