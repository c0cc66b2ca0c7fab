//! The session keeper under shuttle's scheduler: the same source files, on shuttle's primitives.
//!
//! Thousands of schedules of callers that all saw one session expire. Whatever the order, there is one
//! login, everybody gets its session, and nobody is handed the old one once the renewal began.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex as StdMutex};

use model::{BoxFuture, Clock, Date, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use shuttle::future::{block_on, spawn, yield_now};
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::PctScheduler;
use shuttle::sync::Mutex as ShuttleMutex;
use shuttle::{Config, Runner};

#[path = "../src/session"]
#[allow(dead_code, unused_imports, reason = "the files of the crate, of which this test uses a part")]
mod session {
    mod attempt;
    mod bounded;
    mod codes;
    mod config;
    mod contest;
    mod ending;
    mod event;
    mod flight;
    mod generation;
    mod keeper;
    mod no_session;
    mod port;
    mod record;
    mod renewal;
    mod standing;
    mod status;
    mod tally;
    mod totp;

    pub use config::KeeperConfig;
    pub use event::SessionEvent;
    pub use generation::{Generation, Session};
    pub use keeper::{DueGuard, Keeper, Renewed, Surroundings};
    pub use no_session::NoSession;
    pub use port::{Conflicts, Events, Login, LoginError, LoginErrorKind, Spawn, Stepped};
    pub use record::{Memory, Record, Save};
    pub use status::{KeeperState, KeeperStatus};
    pub use totp::{Totp, TotpSecretError};

    /// In the place of the crate's `sync`: every use is a point where shuttle may run somebody else.
    mod sync {
        use std::sync::{Arc, PoisonError};

        use arc_swap::ArcSwapOption;
        use shuttle::sync::MutexGuard;

        pub(super) use shuttle::sync::Mutex;
        pub(super) use shuttle::sync::atomic::{AtomicUsize, Ordering};

        pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
            mutex.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(super) struct Slot<T> {
            slot: ArcSwapOption<T>,
            turns: AtomicUsize,
        }

        impl<T> Slot<T> {
            pub(super) fn empty() -> Self {
                Self { slot: ArcSwapOption::empty(), turns: AtomicUsize::new(0) }
            }
            pub(super) fn load(&self) -> Option<Arc<T>> {
                self.turns.fetch_add(1, Ordering::SeqCst);
                self.slot.load_full()
            }
            pub(super) fn put(&self, thing: Arc<T>) {
                self.turns.fetch_add(1, Ordering::SeqCst);
                self.slot.store(Some(thing));
            }
            pub(super) fn take(&self) -> Option<Arc<T>> {
                self.turns.fetch_add(1, Ordering::SeqCst);
                self.slot.swap(None)
            }
        }
    }
}

use session::{
    Conflicts, Generation, Keeper, KeeperConfig, Login, LoginError, Memory, NoSession, Renewed, Session,
    SessionEvent, Stepped, Surroundings, Totp,
};

/// Time moves only by a login; nobody waits for it.
struct Moves(AtomicI64);

impl Moves {
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000_000, SeqCst);
    }
}

impl Clock for Moves {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(SeqCst))
    }
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(std::future::poll_fn(move |_| {
            if self.now() >= at { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        }))
    }
}

struct Client {
    number: usize,
}

/// A broker that always says yes, after a while, and one login at a time.
struct Broker {
    clock: Arc<Moves>,
    logins: AtomicUsize,
    logouts: StdMutex<Vec<usize>>,
    /// A renewal began: the old session is logged out.
    began: AtomicBool,
    at_work: AtomicBool,
    codes: StdMutex<Vec<String>>,
}

impl Login for Broker {
    type Client = Client;
    type View = ();

    fn view<'a>(&'a self, code: SecretString) -> BoxFuture<'a, Result<Stepped<()>, LoginError>> {
        assert!(!self.at_work.swap(true, SeqCst), "two logins at once");
        let mut codes = self.codes.lock().expect("whole");
        assert!(!codes.iter().any(|sent| sent == code.expose_secret()), "a code was sent twice");
        codes.push(code.expose_secret().to_owned());
        Box::pin(async {
            yield_now().await;
            Ok(Stepped { value: (), server_time: None })
        })
    }

    fn validate<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, Result<Stepped<Client>, LoginError>> {
        Box::pin(async {
            yield_now().await;
            yield_now().await;
            assert!(self.at_work.swap(false, SeqCst));
            // Past the contest window, and into a half minute of its own.
            self.clock.pass(1000);
            let number = self.logins.fetch_add(1, SeqCst) + 1;
            Ok(Stepped { value: Client { number }, server_time: None })
        })
    }

    fn logout<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, ()> {
        self.began.store(true, SeqCst);
        self.logouts.lock().expect("whole").push(client.number);
        Box::pin(yield_now())
    }
}

struct Clean;

impl Conflicts for Clean {
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        Box::pin(async {
            yield_now().await;
            Ok(Vec::new())
        })
    }
}

struct World {
    broker: Arc<Broker>,
    clock: Arc<Moves>,
    keeper: Arc<Keeper<Broker>>,
    events: Arc<ShuttleMutex<Vec<SessionEvent>>>,
}

/// A keeper that opened `N` sessions, the last of which has just expired; and their generations.
fn world<const N: usize>() -> (World, [Generation; N]) {
    let date = Date::from_ymd_opt(2025, 3, 4).expect("a date");
    let clock = Arc::new(Moves(AtomicI64::new(Timestamp::at_ist(date, 10, 0).nanos())));
    let broker = Arc::new(Broker {
        clock: Arc::clone(&clock),
        logins: AtomicUsize::new(0),
        logouts: StdMutex::default(),
        began: AtomicBool::new(false),
        at_work: AtomicBool::new(false),
        codes: StdMutex::default(),
    });
    let events = Arc::new(ShuttleMutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let keeper = Keeper::new(
        KeeperConfig::default(),
        Arc::clone(&broker),
        Totp::from_base32(&"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned().into()).expect("a secret"),
        Surroundings {
            conflicts: Arc::new(Clean),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            spawn: Arc::new(|task| drop(spawn(task))),
            events: Arc::new(move |event| {
                // A listener may be slow: whatever happens meanwhile must not be told before.
                for _ in 0..thread_rng().gen_range(0..32) {
                    shuttle::thread::yield_now();
                }
                heard.lock().expect("whole").push(event);
            }),
            memory: Memory::none(),
        },
    );
    let mut seen = Generation::NONE;
    let generations = std::array::from_fn(|_| {
        seen = block_on(keeper.renew(seen)).expect("a session").generation;
        clock.pass(1000);
        seen
    });
    broker.began.store(false, SeqCst);
    (World { broker, clock, keeper, events }, generations)
}

impl World {
    fn logins(&self) -> usize {
        self.broker.logins.load(SeqCst)
    }

    /// A call of the desk: it looks for the session to use, sees the expiry of `seen`, and renews.
    fn caller(&self, seen: Generation, old: Generation) -> impl Future<Output = Renewed<Client>> + use<> {
        let (keeper, broker) = (Arc::clone(&self.keeper), Arc::clone(&self.broker));
        async move {
            // Some come when the login is under way, or when it has just ended.
            for _ in 0..thread_rng().gen_range(0..12) {
                yield_now().await;
            }
            let began = broker.began.load(SeqCst);
            let there = keeper.current();
            assert!(!began || there.is_none_or(|there| there.generation > old), "handed out after its end");
            let session = keeper.renew(seen).await?;
            assert!(!began || session.generation > old, "handed out after its end");
            Ok(session)
        }
    }
}

fn on_the_next(renewed: Renewed<Client>, old: Generation) -> Arc<Session<Client>> {
    let session = renewed.expect("a session");
    assert_eq!(session.generation.get(), old.get() + 1);
    assert_eq!(session.client.number as u64, session.generation.get(), "the client is the generation's own");
    session
}

/// All of `callers` saw generation 1 expire.
fn herd(callers: usize) {
    let (world, [old]) = world();
    let tasks: Vec<_> = (0..callers).map(|_| spawn(world.caller(old, old))).collect();
    for task in tasks {
        on_the_next(block_on(task).expect("it ran"), old);
    }
    assert_eq!(world.logins(), 2, "one login for all");
    assert_eq!(*world.broker.logouts.lock().expect("whole"), [1]);
    let there = world.keeper.current().expect("a session");
    assert_eq!(there.generation.get(), 2);
    let events = world.events.lock().expect("whole").clone();
    let told: Vec<_> = events.iter().map(|event| serde_json::to_value(event).expect("JSON")).collect();
    let told: Vec<_> =
        told.iter().map(|event| (event["event"].as_str(), event["generation"].as_u64())).collect();
    let opened = |generation| (Some("opened"), Some(generation));
    assert_eq!(told, [opened(1), (Some("expired"), Some(1)), opened(2)], "each told once, in order");
}

/// As `herd`, and one of them, often the one that started the login, goes away somewhere in the middle.
fn herd_with_one_cancelled(callers: usize) {
    let (world, [old]) = world();
    let mut tasks: Vec<_> = (0..callers).map(|_| spawn(world.caller(old, old))).collect();
    let one = tasks.remove(thread_rng().gen_range(0..callers));
    let canceller = spawn(async move {
        for _ in 0..thread_rng().gen_range(0..8) {
            yield_now().await;
        }
        one.abort();
    });
    for task in tasks {
        on_the_next(block_on(task).expect("it ran"), old);
    }
    block_on(canceller).expect("it ran");
    assert_eq!(world.logins(), 2, "one login for all");
}

/// Some report generation 2, which is the present one; others, late, generation 1 or none at all.
fn late_reports(callers: usize) {
    let (world, [first, old]) = world();
    let tasks: Vec<_> = (0..callers)
        .map(|at| (at % 3 == 0, [old, first, Generation::NONE][at % 3]))
        .map(|(present, seen)| (present, spawn(world.caller(seen, old))))
        .collect();
    for (present, task) in tasks {
        let session = block_on(task).expect("it ran").expect("a session");
        assert!(!present || session.generation > old, "the one that expired is no answer");
        assert!(session.generation >= old);
    }
    assert_eq!(world.logins(), 3, "the late reports made no login");
    assert_eq!(world.keeper.current().expect("a session").generation.get(), 3);
}

/// Callers renew while the host goes down.
fn ending(callers: usize) {
    let (world, [old]) = world();
    let tasks: Vec<_> = (0..callers).map(|_| spawn(world.caller(old, old))).collect();
    let keeper = Arc::clone(&world.keeper);
    let end = spawn(async move { keeper.end().await });
    for task in tasks {
        match block_on(task).expect("it ran") {
            Ok(session) => assert_eq!(session.generation.get(), 2),
            Err(no) => assert_eq!(no, NoSession::Ended),
        }
    }
    block_on(end).expect("it ran");
    assert!(world.keeper.current().is_none());
    let mut logouts = world.broker.logouts.lock().expect("whole").clone();
    logouts.sort_unstable();
    assert_eq!(logouts, (1..=world.logins()).collect::<Vec<_>>(), "each session is logged out once");
    world.clock.pass(3600);
    assert_eq!(block_on(world.keeper.renew(old)).expect_err("ended"), NoSession::Ended);
}

/// Generation 1 expires for all, and so does generation 2 for each who gets it.
fn twice(callers: usize) {
    let (world, [old]) = world();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (keeper, first) = (Arc::clone(&world.keeper), world.caller(old, old));
            spawn(async move {
                let next = first.await.expect("a session");
                if next.generation.get() == 3 {
                    // This one came when both were over.
                    return next;
                }
                let last = keeper.renew(next.generation).await.expect("a session");
                assert!(last.generation > next.generation, "the one that expired is no answer");
                last
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(block_on(task).expect("it ran").generation.get(), 3);
    }
    assert_eq!(world.logins(), 3, "one login for each expiry");
}

fn some() -> usize {
    thread_rng().gen_range(4..=12)
}

/// Ten thousand schedules, the same ones each time.
fn under_ten_thousand_schedules(test: fn(usize)) {
    shuttle::check_random_with_seed(move || test(some()), 1, 6_000);
    let preempted = PctScheduler::new_from_seed(2, 4, 4_000);
    Runner::new(preempted, Config::default()).run(move || test(some()));
}

#[test]
fn one_login_for_all() {
    under_ten_thousand_schedules(herd);
}

/// Three schedules take a second; ten thousand (`TRADEAGENT_SCHEDULES=10000`) the better part of an hour.
#[test]
fn one_login_for_a_thousand_callers() {
    let told = std::env::var("TRADEAGENT_SCHEDULES").ok().map(|text| text.parse().expect("a number"));
    shuttle::check_random_with_seed(|| herd(1_000), 3, told.unwrap_or(3));
}

#[test]
fn a_cancelled_caller_changes_nothing() {
    under_ten_thousand_schedules(herd_with_one_cancelled);
}

#[test]
fn late_reports_make_no_login() {
    under_ten_thousand_schedules(late_reports);
}

#[test]
fn an_expiry_is_never_answered_with_what_expired() {
    under_ten_thousand_schedules(twice);
}

#[test]
fn every_session_is_logged_out_at_the_end() {
    under_ten_thousand_schedules(ending);
}
