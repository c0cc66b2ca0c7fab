//! A hand clock, an executor that runs until everybody waits, and a broker that says what it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use broker::session::{
    Conflicts, Generation, Keeper, KeeperConfig, Login, LoginError, LoginErrorKind, Memory, Record, Renewed,
    SessionEvent, Stepped, Surroundings, Totp,
};
use model::{BoxFuture, Clock, Date, Timestamp};
use secrecy::{ExposeSecret, SecretString};

pub const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A Tuesday.
pub fn day() -> Date {
    Date::from_ymd_opt(2025, 3, 4).expect("a date")
}

pub fn at(hour: u32, minute: u32) -> Timestamp {
    Timestamp::at_ist(day(), hour, minute)
}

/// Time stands still until it is moved.
pub struct HandClock {
    now: Mutex<Timestamp>,
    sleepers: Mutex<BTreeMap<(Timestamp, u64), Waker>>,
    tickets: AtomicUsize,
}

impl HandClock {
    fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(now), sleepers: Mutex::default(), tickets: AtomicUsize::new(0) })
    }
    fn set(&self, to: Timestamp) {
        *lock(&self.now) = to;
        let later = lock(&self.sleepers).split_off(&(to.plus_nanos(1), 0));
        let due = std::mem::replace(&mut *lock(&self.sleepers), later);
        due.into_values().for_each(Waker::wake);
    }
    fn next(&self) -> Option<Timestamp> {
        lock(&self.sleepers).keys().next().map(|(at, _)| *at)
    }
}

struct Sleep<'a> {
    clock: &'a HandClock,
    key: (Timestamp, u64),
}

impl Future for Sleep<'_> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if *lock(&self.clock.now) >= self.key.0 {
            return Poll::Ready(());
        }
        lock(&self.clock.sleepers).insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        lock(&self.clock.sleepers).remove(&self.key);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *lock(&self.now)
    }
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let ticket = self.tickets.fetch_add(1, Ordering::SeqCst) as u64;
        Box::pin(Sleep { clock: self, key: (at, ticket) })
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    future: BoxFuture<'static, ()>,
    woken: Arc<Woken>,
    dropped: Arc<AtomicBool>,
}

/// Tasks, polled in the order they came, only when woken.
#[derive(Clone, Default)]
pub struct Executor(Arc<Mutex<Vec<Task>>>);

impl Executor {
    /// Runs `future`; the handle drops it when asked.
    pub fn spawn(&self, future: BoxFuture<'static, ()>) -> Arc<AtomicBool> {
        let dropped = Arc::new(AtomicBool::new(false));
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        lock(&self.0).push(Task { future, woken, dropped: Arc::clone(&dropped) });
        dropped
    }

    /// Drops the task that was spawned last.
    pub fn drop_last(&self) {
        let last = lock(&self.0).pop();
        drop(last.expect("a task"));
    }

    /// Until everybody waits.
    pub fn settle(&self) {
        loop {
            let tasks = std::mem::take(&mut *lock(&self.0));
            let mut ran = false;
            let mut waiting = Vec::new();
            for mut task in tasks {
                if task.dropped.load(Ordering::SeqCst) {
                    ran = true;
                    continue;
                }
                if task.woken.0.swap(false, Ordering::SeqCst) {
                    ran = true;
                    let waker = Waker::from(Arc::clone(&task.woken));
                    if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                        continue;
                    }
                }
                waiting.push(task);
            }
            let mut now = lock(&self.0);
            waiting.append(&mut now);
            *now = waiting;
            if !ran {
                return;
            }
        }
    }
}

/// What a step says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say {
    Yes,
    WrongCredentials,
    WrongCode,
    Down,
    Nothing,
}

/// A client of the scripted broker: it knows which one it is, and is counted while it lives.
pub struct Client {
    pub number: usize,
    alive: Arc<AtomicUsize>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A broker by script: what the queues do not say is yes.
pub struct Script {
    clock: Arc<HandClock>,
    pub views: Mutex<VecDeque<Say>>,
    pub validates: Mutex<VecDeque<Say>>,
    /// The broker's clock less ours, in seconds; none: its answers have no date.
    pub ahead: Mutex<Option<i64>>,
    /// Step two waits while this is set.
    pub hold: Mutex<bool>,
    pub logout_hangs: Mutex<bool>,
    /// Every call, in order: `view CODE`, `validate`, `logout NUMBER`.
    pub calls: Mutex<Vec<String>>,
    pub alive: Arc<AtomicUsize>,
    made: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

impl Script {
    fn answer<T>(&self, say: Say, value: impl FnOnce() -> T) -> Result<Stepped<T>, LoginError> {
        let server_time = lock(&self.ahead).map(|ahead| self.clock.now().plus_seconds(ahead));
        let (kind, text) = match say {
            Say::Yes => return Ok(Stepped { value: value(), server_time }),
            Say::WrongCredentials => (LoginErrorKind::WrongCredentials, "Invalid MPIN"),
            Say::WrongCode => (LoginErrorKind::WrongCode, "Invalid TOTP"),
            Say::Down | Say::Nothing => (LoginErrorKind::Unavailable, "503"),
        };
        Err(LoginError { kind, text: text.to_owned(), server_time })
    }

    fn client(&self) -> Client {
        self.alive.fetch_add(1, Ordering::SeqCst);
        let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
        Client { number, alive: Arc::clone(&self.alive) }
    }

    pub fn release(&self) {
        *lock(&self.hold) = false;
        lock(&self.waker).take().into_iter().for_each(Waker::wake);
    }

    /// How many of the calls begin with `word`.
    pub fn count(&self, word: &str) -> usize {
        lock(&self.calls).iter().filter(|call| call.starts_with(word)).count()
    }

    pub fn codes(&self) -> Vec<String> {
        lock(&self.calls).iter().filter_map(|call| call.strip_prefix("view ").map(str::to_owned)).collect()
    }
}

fn next(queue: &Mutex<VecDeque<Say>>) -> Say {
    lock(queue).pop_front().unwrap_or(Say::Yes)
}

impl Login for Script {
    type Client = Client;
    type View = ();

    fn view<'a>(&'a self, code: SecretString) -> BoxFuture<'a, Result<Stepped<()>, LoginError>> {
        lock(&self.calls).push(format!("view {}", code.expose_secret()));
        Box::pin(async move {
            let say = next(&self.views);
            if say == Say::Nothing {
                pending::<()>().await;
            }
            self.answer(say, || ())
        })
    }

    fn validate<'a>(&'a self, (): &'a ()) -> BoxFuture<'a, Result<Stepped<Client>, LoginError>> {
        lock(&self.calls).push("validate".to_owned());
        Box::pin(async move {
            let say = next(&self.validates);
            if say == Say::Nothing {
                pending::<()>().await;
            }
            poll_fn(|cx| {
                if !*lock(&self.hold) {
                    return Poll::Ready(());
                }
                *lock(&self.waker) = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
            self.answer(say, || self.client())
        })
    }

    fn logout<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, ()> {
        lock(&self.calls).push(format!("logout {}", client.number));
        Box::pin(async move {
            if *lock(&self.logout_hangs) {
                pending::<()>().await;
            }
        })
    }
}

/// What the look finds.
pub struct Machine {
    pub found: Mutex<Result<Vec<String>, String>>,
    pub looks: AtomicUsize,
    pub hangs: AtomicBool,
}

impl Conflicts for Machine {
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if self.hangs.load(Ordering::SeqCst) {
                pending::<()>().await;
            }
            lock(&self.found).clone()
        })
    }
}

/// What outlives a process.
#[derive(Default)]
pub struct Disk {
    pub text: Mutex<Option<String>>,
    pub full: AtomicBool,
}

impl Disk {
    fn recall(&self) -> Record {
        lock(&self.text)
            .as_ref()
            .map_or_else(Record::default, |text| serde_json::from_str(text).expect("whole"))
    }
}

/// All of it, and the keeper.
pub struct World {
    pub disk: Arc<Disk>,
    /// The process writes no more when it is cleared.
    lives: Arc<AtomicBool>,
    pub clock: Arc<HandClock>,
    pub executor: Executor,
    pub script: Arc<Script>,
    pub machine: Arc<Machine>,
    pub events: Arc<Mutex<Vec<SessionEvent>>>,
    pub keeper: Arc<Keeper<Script>>,
}

/// A call of `renew` under way.
pub struct Asked {
    outcome: Arc<Mutex<Option<Renewed<Client>>>>,
    dropped: Arc<AtomicBool>,
}

impl Asked {
    pub fn outcome(&self) -> Option<Renewed<Client>> {
        lock(&self.outcome).clone()
    }
    /// The caller goes away.
    pub fn cancel(&self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

impl World {
    /// At ten in the morning.
    pub fn new() -> Self {
        Self::with(at(10, 0), KeeperConfig::default())
    }

    pub fn with(start: Timestamp, config: KeeperConfig) -> Self {
        let clock = HandClock::new(start);
        let script = Arc::new(Script {
            clock: Arc::clone(&clock),
            views: Mutex::default(),
            validates: Mutex::default(),
            ahead: Mutex::new(None),
            hold: Mutex::new(false),
            logout_hangs: Mutex::new(false),
            calls: Mutex::default(),
            alive: Arc::default(),
            made: AtomicUsize::new(0),
            waker: Mutex::default(),
        });
        let machine = Arc::new(Machine {
            found: Mutex::new(Ok(Vec::new())),
            looks: AtomicUsize::new(0),
            hangs: AtomicBool::new(false),
        });
        Self::process(config, clock, script, machine, Arc::default())
    }

    /// `kill -9`, and a new process after it: what was not written is gone.
    pub fn restarted(self) -> Self {
        self.restarted_with(KeeperConfig::default())
    }

    pub fn restarted_with(self, config: KeeperConfig) -> Self {
        self.lives.store(false, Ordering::SeqCst);
        let Self { clock, executor, script, machine, disk, .. } = self;
        lock(&executor.0).clear();
        Self::process(config, clock, script, machine, disk)
    }

    fn process(
        config: KeeperConfig,
        clock: Arc<HandClock>,
        script: Arc<Script>,
        machine: Arc<Machine>,
        disk: Arc<Disk>,
    ) -> Self {
        let executor = Executor::default();
        let events: Arc<Mutex<Vec<SessionEvent>>> = Arc::default();
        let (spawner, heard) = (executor.clone(), Arc::clone(&events));
        let lives = Arc::new(AtomicBool::new(true));
        let (kept, alive) = (Arc::clone(&disk), Arc::clone(&lives));
        let save = move |record: &Record| {
            if kept.full.load(Ordering::SeqCst) {
                return Err("no space left on device".to_owned());
            }
            if alive.load(Ordering::SeqCst) {
                *lock(&kept.text) = Some(serde_json::to_string(record).expect("json"));
            }
            Ok(())
        };
        let keeper = Keeper::new(
            config,
            Arc::clone(&script),
            Totp::from_base32(&SECRET.to_owned().into()).expect("a secret"),
            Surroundings {
                conflicts: Arc::clone(&machine) as Arc<dyn Conflicts>,
                clock: Arc::clone(&clock) as Arc<dyn Clock>,
                spawn: Arc::new(move |task| drop(spawner.spawn(task))),
                events: Arc::new(move |event| lock(&heard).push(event)),
                memory: Memory { record: disk.recall(), save: Arc::new(save) },
            },
        );
        Self { disk, lives, clock, executor, script, machine, events, keeper }
    }

    /// Calls `renew`, and runs until everybody waits.
    pub fn ask(&self, seen: Generation) -> Asked {
        let outcome: Arc<Mutex<Option<Renewed<Client>>>> = Arc::default();
        let (keeper, place) = (Arc::clone(&self.keeper), Arc::clone(&outcome));
        let dropped = self.executor.spawn(Box::pin(async move {
            let renewed = keeper.renew(seen).await;
            *lock(&place) = Some(renewed);
        }));
        self.executor.settle();
        Asked { outcome, dropped }
    }

    /// Calls `renew`, and lets time jump from one due instant to the next until there is an answer.
    pub fn renew(&self, seen: Generation) -> Renewed<Client> {
        let asked = self.ask(seen);
        self.finish(&asked)
    }

    pub fn finish(&self, asked: &Asked) -> Renewed<Client> {
        loop {
            self.executor.settle();
            if let Some(outcome) = asked.outcome() {
                return outcome;
            }
            let due = self.clock.next().expect("somebody waits for a time");
            self.clock.set(due);
        }
    }

    /// A session, whatever it takes.
    pub fn open(&self, seen: Generation) -> Generation {
        self.renew(seen).expect("a session").generation
    }

    pub fn tend(&self) {
        self.keeper.tend();
        self.executor.settle();
    }

    pub fn end(&self) -> Arc<AtomicBool> {
        let (keeper, done) = (Arc::clone(&self.keeper), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&done);
        self.executor.spawn(Box::pin(async move {
            keeper.end().await;
            flag.store(true, Ordering::SeqCst);
        }));
        self.executor.settle();
        done
    }

    pub fn pass(&self, seconds: i64) {
        self.go_to(self.clock.now().plus_seconds(seconds));
    }

    /// Moves the clock through every due instant up to `to`.
    pub fn go_to(&self, to: Timestamp) {
        self.executor.settle();
        while let Some(due) = self.clock.next().filter(|due| *due <= to) {
            self.clock.set(due);
            self.executor.settle();
        }
        self.clock.set(to);
        self.executor.settle();
    }

    /// The clock is set back.
    pub fn go_back(&self, to: Timestamp) {
        *lock(&self.clock.now) = to;
    }

    pub fn found(&self, found: Result<Vec<&str>, &str>) {
        *lock(&self.machine.found) = match found {
            Ok(found) => Ok(found.into_iter().map(str::to_owned).collect()),
            Err(text) => Err(text.to_owned()),
        };
    }

    pub fn views_say(&self, says: &[Say]) {
        lock(&self.script.views).extend(says);
    }

    pub fn validates_say(&self, says: &[Say]) {
        lock(&self.script.validates).extend(says);
    }

    /// The events since the last call.
    pub fn news(&self) -> Vec<SessionEvent> {
        std::mem::take(&mut *lock(&self.events))
    }

    pub fn alive(&self) -> usize {
        self.script.alive.load(Ordering::SeqCst)
    }

    pub fn looks(&self) -> usize {
        self.machine.looks.load(Ordering::SeqCst)
    }
}
