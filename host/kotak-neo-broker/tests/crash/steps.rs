//! Killed between each two steps of a call, every one of them.
//!
//! A step is what can be told apart from outside the process: each commit of the journal, the request on
//! its way, the answer received. They are counted as the host passes them, so that a step that is added to
//! the code is found here without being listed.

use std::io::BufRead as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use journal::{Durability, Entry, Journal, JournalError, SqliteJournal};
use kotak_neo::transport::{BoxFuture, FeedSocket, Request, Response, Transport, TransportError};
use kotak_neo_sim::{Endpoint, Fault, Kind, PacedClock, Server, Spelling};
use market::Market as _;
use model::clock::SharedClock;
use model::{Clock as _, ModifyRequest, OrderTerms, Price, Quantity, Side, Status, Tick, Timestamp};
use oms::Desk;

use super::host::{start, tell, wait_for};
use super::support::*;

/// Where the process stops and waits to be killed.
pub struct Steps {
    /// Steps until then; 0: it does not stop.
    left: AtomicU64,
}

impl Steps {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(0) })
    }

    fn arm(&self, step: u64) {
        self.left.store(step, Ordering::SeqCst);
    }

    /// True when the step that comes now is the last.
    fn is_last(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 1
    }

    fn pass(&self, name: &str) {
        match self.left.load(Ordering::SeqCst) {
            0 => {}
            1 => {
                tell(&format!("at {name}"));
                wait_forever();
            }
            left => self.left.store(left - 1, Ordering::SeqCst),
        }
    }
}

fn wait_forever() -> ! {
    loop {
        std::thread::park();
    }
}

/// A journal with a step before and after each commit.
pub struct SteppedJournal {
    inner: SqliteJournal,
    steps: Arc<Steps>,
}

impl SteppedJournal {
    pub const fn new(inner: SqliteJournal, steps: Arc<Steps>) -> Self {
        Self { inner, steps }
    }
}

/// What a commit holds, in a word.
fn word(entries: &[Entry]) -> &'static str {
    let has = |is: fn(&Entry) -> bool| entries.iter().any(is);
    if has(|entry| matches!(entry, Entry::Intent(_))) {
        "intent"
    } else if has(|entry| matches!(entry, Entry::Attempt { .. })) {
        "attempt"
    } else if has(|entry| matches!(entry, Entry::Evidence(_))) {
        "evidence"
    } else {
        "note"
    }
}

impl Journal for SteppedJournal {
    fn commit(&mut self, entries: &[Entry], durability: Durability) -> Result<(), JournalError> {
        let word = word(entries);
        self.steps.pass(&format!("before {word}"));
        self.inner.commit(entries, durability)?;
        self.steps.pass(&format!("after {word}"));
        Ok(())
    }
    fn flush(&mut self) -> Result<(), JournalError> {
        self.inner.flush()
    }
    fn maintain(&mut self) -> Result<(), JournalError> {
        self.inner.maintain()
    }
    journal_reads!(self => self.inner);
}

/// A transport with steps on the way of an order call.
pub struct SteppedTransport<T> {
    inner: T,
    steps: Arc<Steps>,
}

impl<T: Transport> SteppedTransport<T> {
    pub const fn new(inner: T, steps: Arc<Steps>) -> Self {
        Self { inner, steps }
    }
}

impl<T: Transport> Transport for SteppedTransport<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let changes = ["/quick/order/rule/ms/place", "/quick/order/vr/modify", "/quick/order/cancel"];
        if !changes.iter().any(|path| request.url.contains(path)) {
            return self.inner.send(request);
        }
        Box::pin(async move {
            self.steps.pass("before wire");
            if self.steps.is_last() {
                // The other side holds its answer back, says so, and looks on until it has the request.
                tell("asks for a late answer");
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line).expect("the test answers");
                let _never = self.inner.send(request).await;
                panic!("the answer was to be late");
            }
            self.steps.pass("on the wire");
            let answer = self.inner.send(request).await;
            self.steps.pass("answered");
            answer
        })
    }
    fn connect(&self, url: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        self.inner.connect(url)
    }
}

/// The order, at a price at which nobody sells: the same whenever it is entered.
fn terms(stage: &Stage) -> OrderTerms {
    let tick = Tick::new(Price::from_paise(5)).expect("positive");
    let at = Timestamp::at_ist(DAY1, 10, 0);
    let last = stage.market.quote(&SYMBOL.into(), at).expect("a price").last;
    OrderTerms::limit(SYMBOL, Side::Buy, Quantity::new(10), tick.round_nearest(last.plus_bps(-900)))
}

const SYMBOL: &str = "DEMOALFA";

/// Makes the call that a way is about; what comes before it is made before `arm`.
async fn call(stage: &Stage, desk: &Desk, way: &str, arm: impl FnOnce()) {
    let terms = terms(stage);
    let order = id(DAY1, "k");
    let origin = origin(DAY1);
    let place = desk.place(&origin, request("k", terms.clone()));
    if way.starts_with("place") {
        arm();
        let _ = place.await;
        return;
    }
    place.await.expect("it stands");
    arm();
    if way == "modify" {
        let change = ModifyRequest {
            order,
            key: "m".to_owned(),
            side: Side::Buy,
            price: terms.price + Price::from_paise(5),
            total_quantity: Quantity::new(11),
        };
        let _ = desk.modify(&origin, change).await;
    } else {
        let _ = desk.cancel(&origin, order, false, "test".to_owned()).await;
    }
}

/// The host that dies at `step`, counted from 1; says so when there are not so many.
pub async fn die(stage: &Stage, desk: &Desk, steps: &Steps, way: &str, step: u64) {
    call(stage, desk, way, || steps.arm(step)).await;
    steps.arm(0);
    tell("survived");
}

/// The run is entered again, under the same keys.
pub async fn again(stage: &Stage, desk: &Desk, way: &str) {
    call(stage, desk, way, || {}).await;
}

/// Says how the order stands.
pub fn say(desk: &Desk) {
    let view = desk.order(id(DAY1, "k").as_str()).expect("it was entered again");
    check_evidence(
        [view.clone()],
        &desk.with_journal(|journal| journal.entries(0, 1_000)).expect("entries"),
        "",
    );
    tell(&format!("stands: {} {} {}", view.status, view.terms.quantity, view.terms.price));
}

/// Kills a host at `step` of `way`, starts another, and compares it with the exchange. The step's name;
/// none when the call has fewer steps.
fn killed_at(way: &str, step: u64) -> Option<String> {
    // Two seconds before the next one-time code: a login that follows the first has not to wait for long.
    let clock = Arc::new(PacedClock::starting_at(Timestamp::at_ist(DAY1, 10, 0).plus_seconds(28)));
    let stage = Stage::new(Arc::clone(&clock) as SharedClock, |_| {});
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&stage.sim)).expect("a free port");
    let url = format!("http://{}", server.address());
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal.sqlite");
    let endpoint = match way {
        "modify" => Endpoint::Modify,
        "cancel" => Endpoint::Cancel,
        _ => Endpoint::Place,
    };
    if way == "place under a dead session" {
        let dies = Kind::Expired { spelling: Spelling::Code100022, kills: true };
        stage.sim.faults().add(Fault::new(dies).on([Endpoint::Place]).nth(1));
    }

    let mut first = start(&url, clock.now(), &journal, &format!("die {} {step}", way.replace(' ', "-")));
    wait_for(&mut first, "ready");
    let name = match first.line() {
        line if line == "survived" => return None,
        line if line == "asks for a late answer" => {
            stage.sim.faults().add(Fault::new(Kind::LateAnswer { ms: 60_000 }).on([endpoint]).times(1));
            let before = stage.sim.audit().calls_of(&[endpoint]);
            first.go();
            while stage.sim.audit().calls_of(&[endpoint]) == before {
                std::thread::yield_now();
            }
            "on the wire".to_owned()
        }
        line => line.strip_prefix("at ").expect("a step").to_owned(),
    };
    first.kill();
    stage.sim.faults().clear();
    let at_death = stage.sim.audit();

    clock.advance(Duration::from_secs(31));
    let mut second = start(&url, clock.now(), &journal, &format!("again {}", way.replace(' ', "-")));
    let stands = wait_for(&mut second, "stands");
    assert!(second.child.wait().expect("it ends").success());

    let what = format!("{way}, killed at step {step} ({name})");
    let audit = stage.sim.audit();
    let ours = id(DAY1, "k");
    let tagged = audit.by_tag();
    assert!(tagged.values().all(|count| *count == 1), "{what}: {tagged:?}");
    let row = audit.book.orders.first();
    match row {
        None => assert!(stands.starts_with("stands: not-placed"), "{what}: {stands}, and nothing is there"),
        Some(row) => {
            let theirs = format!("stands: {} {} {}", row.status, row.terms.quantity, row.terms.price);
            assert_eq!(stands, theirs, "{what}");
        }
    }
    // What never was decided is decided by the run that is entered again; what was, is not done again.
    let undecided = name == "before intent";
    match way {
        "modify" => {
            let quantity = |audit: &kotak_neo_sim::Audit| audit.book.orders[0].terms.quantity;
            let expected = if undecided { Quantity::new(11) } else { quantity(&at_death) };
            assert_eq!(quantity(&audit), expected, "{what}: {ours}");
        }
        "cancel" => assert_eq!(row.map(|row| row.status.clone()), Some(Status::Canceled), "{what}"),
        _ => {
            let expected = if undecided { 1 } else { at_death.book.orders.len() };
            assert_eq!(audit.book.orders.len(), expected, "{what}: {ours}");
        }
    }
    Some(name)
}

fn killed_at_every_step(way: &str) {
    let names: Vec<String> = (1..).map_while(|step| killed_at(way, step)).collect();
    println!("{way}: {}", names.join(", "));
    for step in ["before intent", "after intent", "before wire", "on the wire", "answered", "before evidence"]
    {
        assert!(names.iter().any(|name| name == step), "{way} has no step `{step}`: {names:?}");
    }
}

#[test]
fn a_place_killed_at_every_step_stands_once_or_provably_not() {
    killed_at_every_step("place");
}

#[test]
fn a_place_under_a_dead_session_killed_at_every_step_stands_once_or_provably_not() {
    killed_at_every_step("place under a dead session");
}

#[test]
fn a_modify_killed_at_every_step_is_made_once_or_provably_not() {
    killed_at_every_step("modify");
}

#[test]
fn a_cancel_killed_at_every_step_ends_with_the_order_canceled() {
    killed_at_every_step("cancel");
}
