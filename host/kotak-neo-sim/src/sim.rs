//! The sim: one account at one broker, at the instant that its clock shows.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use kotak_neo::transport::Request;
use model::Timestamp;
use model::clock::{Rng, SharedClock};
use paper::Exchange;
use tokio::sync::watch;

use crate::audit::{Audit, audit};
use crate::call::Call;
use crate::config::{MarketData, SimConfig};
use crate::core::{Core, State};
use crate::endpoint::Endpoint;
use crate::faults::{FaultList, Faults};
use crate::feed::{self, FeedId, FeedOut, Feeds};
use crate::orders::{self, OrderTable};
use crate::reply::Reply;
use crate::route::Route;
use crate::serve::serve;
use crate::session::Sessions;
use crate::transport::SimTransport;
use crate::universe::Universe;

/// Moves the clock of a sim forward.
type Mover = Box<dyn Fn(Duration) + Send + Sync>;

/// A paper exchange behind the wire. Every question to it lets the exchange catch up with the clock first,
/// so nothing happens between two questions that could not be told at the second.
pub struct Sim {
    config: SimConfig,
    market: Arc<dyn MarketData>,
    universe: Universe,
    clock: SharedClock,
    faults: Faults,
    /// Locked before `state`.
    exchange: Arc<Mutex<Exchange>>,
    state: Mutex<State>,
    /// The version of the feeds: whoever waits for frames waits for this.
    feeds: watch::Sender<u64>,
    mover: OnceLock<Mover>,
}

impl Sim {
    /// A sim of `exchange` at the prices of `market`, which must be the ones that the exchange trades at.
    pub fn new<M: MarketData>(
        config: SimConfig,
        exchange: Arc<Mutex<Exchange>>,
        market: Arc<M>,
        clock: SharedClock,
    ) -> Arc<Self> {
        let rng = Rng::new(config.seed);
        let faults = Faults(Arc::new(Mutex::new(FaultList::new(rng.fork("faults")))));
        let state = State {
            sessions: Sessions::default(),
            orders: OrderTable::default(),
            feeds: Feeds::default(),
            faults: Arc::clone(&faults.0),
            calls: Default::default(),
            rng: rng.fork("tokens"),
            one_session: config.one_session,
            code_clock: None,
        };
        Arc::new(Self {
            universe: Universe::new(&config.listing),
            config,
            market,
            clock,
            faults,
            exchange,
            state: Mutex::new(state),
            feeds: watch::Sender::new(0),
            mover: OnceLock::new(),
        })
    }

    /// Serves one call of the wire, now. Whatever the reply says, what the call did is done.
    pub fn answer(&self, call: &Call) -> Reply {
        let route = Route::of(call);
        if let Route::Control(what) = route {
            return crate::control::control(self, what, call);
        }
        let endpoint = route.endpoint().unwrap_or(Endpoint::Unknown);
        let (reply, now) = self.with(|core| (serve(core, endpoint, &route, call), core.now));
        reply.dated(now.plus_nanos(self.config.skew_ms.saturating_mul(1_000_000)))
    }

    /// The same for a request of the client's transport port.
    pub fn handle(&self, request: &Request) -> Reply {
        self.answer(&Call::of(request))
    }

    /// The faults: set them, take them away, see what they did.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// What really happened so far.
    pub fn audit(&self) -> Audit {
        let fired = self.faults.fired();
        self.with(|core| audit(core, fired))
    }

    /// The sim behind the client's transport port, in this process.
    pub fn transport(self: &Arc<Self>) -> SimTransport {
        SimTransport::new(Arc::clone(self))
    }

    /// What the sim is made of.
    pub const fn config(&self) -> &SimConfig {
        &self.config
    }

    /// The clock that the sim follows.
    pub const fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Another program logs in, at once.
    pub fn foreign_login(&self) {
        self.with(|core| {
            core.state.sessions.foreign_login_at(core.now);
            core.pass_sessions();
        });
    }

    /// No foreign login is due any more; those that a fault causes go on with the fault.
    pub fn foreign_login_never(&self) {
        self.with(|core| core.state.sessions.foreign_login_never());
    }

    /// One-time codes of `clock` are taken as well as those of the sim's own: a bot makes them from the
    /// machine's time, whatever day the sim plays.
    pub fn takes_codes_of(&self, clock: SharedClock) {
        self.with(|core| core.state.code_clock = Some(clock));
    }

    /// Whether a completed login ends the sessions before it, from now on.
    pub fn set_one_session(&self, one_session: bool) {
        self.with(|core| core.state.one_session = one_session);
    }

    /// Whether a completed login ends the sessions before it.
    pub fn one_session(&self) -> bool {
        self.with(|core| core.state.one_session)
    }

    /// Closes every connection of the feed.
    pub fn cut_feeds(&self) {
        self.with(|core| core.state.feeds.cut());
    }

    /// Says how the clock of this sim is moved forward. Once; a second way is not taken.
    pub fn moves_time_by(&self, mover: impl Fn(Duration) + Send + Sync + 'static) {
        let _ = self.mover.set(Box::new(mover));
    }

    /// Moves the clock forward; false when it is not ours to move. Everything due on the way has happened.
    pub fn move_time(&self, by: Duration) -> bool {
        let Some(mover) = self.mover.get() else { return false };
        mover(by);
        self.pass();
        true
    }

    /// Lets the exchange catch up with the clock.
    pub fn pass(&self) {
        self.with(|_| ());
    }

    /// The present instant of the sim.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Opens a connection of the feed, or says what its upgrade is answered with.
    ///
    /// # Errors
    /// A fault on `feed`, or too many connections.
    pub fn feed_open(&self) -> Result<FeedId, Reply> {
        self.with(feed::open)
    }

    /// A text frame of the client.
    pub fn feed_text(&self, id: FeedId, text: &str) {
        self.with(|core| feed::text(core, id, text));
    }

    /// What the client has not been told yet, in order.
    pub fn feed_poll(&self, id: FeedId) -> Vec<FeedOut> {
        self.with(|core| feed::poll(core, id))
    }

    /// The client is gone.
    pub fn feed_close(&self, id: FeedId) {
        self.with(|core| core.state.feeds.close(id));
    }

    /// Changes whenever a connection may have something to poll. The passing of time alone (a fill, the end
    /// of a session) is no change: whoever waits looks again once in a while.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.feeds.subscribe()
    }

    /// Works on everything at the present instant, after all that is due has happened.
    fn with<T>(&self, work: impl FnOnce(&mut Core<'_>) -> T) -> T {
        let mut exchange = lock(&self.exchange);
        let mut state = lock(&self.state);
        let now = self.clock.now();
        exchange.advance(now);
        let mut core = Core {
            now,
            config: &self.config,
            market: self.market.as_ref(),
            universe: &self.universe,
            exchange: &mut exchange,
            state: &mut state,
        };
        core.pass_sessions();
        orders::sync(&mut core);
        let result = work(&mut core);
        let version = state.feeds.version;
        drop((state, exchange));
        self.feeds.send_if_modified(|known| std::mem::replace(known, version) != version);
        result
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
