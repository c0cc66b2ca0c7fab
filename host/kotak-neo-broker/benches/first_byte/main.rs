//! From `place` in the guest to the first byte on the socket, against a bare POST of the same body: the cost
//! of everything between a strategy and the broker. Figures and how to read them: `../../BENCHMARKS.md`.
//!
//! No figure fails this program: it prints, and says whether the bound holds.

mod account;
mod bare;
mod clock;
#[path = "../../../runtime/tests/support/mod.rs"]
mod components;
mod disk;
mod figures;
mod host;
mod marks;
mod server;
mod services;

use std::path::PathBuf;

use journal::{Journal, MemoryJournal, SqliteJournal};
use oms::Blocking;

use bare::Bare;
use disk::Syncs;
use figures::{Figures, micros, nanos};
use host::{Host, Way};

/// What the desk may add to a bare POST, in nanoseconds.
const BOUND: u64 = 100_000;
/// Orders before any is measured.
const WARM_UP: u32 = 300;
/// Orders whose syncs are counted.
const COUNTED: u32 = 50;

/// How many orders are measured.
struct Rounds {
    memory: u32,
    durable: u32,
}

/// Under `cargo bench`, and where it is only to be seen that it runs.
const FULL: Rounds = Rounds { memory: 4_000, durable: 400 };
const SHORT: Rounds = Rounds { memory: 50, durable: 10 };

fn main() {
    // As the service does.
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("tokio");
    if let Some(folder) = std::env::var_os(disk::COUNT).map(PathBuf::from) {
        return run(&tokio, count(folder));
    }
    let rounds = if std::env::args().any(|argument| argument == "--bench") { FULL } else { SHORT };
    // Beside the build's own files: `/tmp` may be memory, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    run(&tokio, memory(rounds.memory));
    run(&tokio, durable(rounds.durable, folder.path().to_owned()));
    disk::count_in_another_process(folder.path());
}

/// In a task, as the guest's and the desk's are: a bare POST from outside the runtime would be slower.
fn run(tokio: &tokio::runtime::Runtime, work: impl Future<Output = ()> + Send + 'static) {
    tokio.block_on(async { tokio::spawn(work).await }).expect("the bench runs to its end");
}

/// What an order passes, one after another.
#[derive(Default)]
struct Steps {
    asked: Figures,
    crossing: Figures,
    check: Figures,
    commit: Figures,
    adapter: Figures,
    wire: Figures,
    /// From `place` in the guest to the first byte: all of them but the first.
    whole: Figures,
}

impl Steps {
    fn add(&mut self, way: &Way) {
        let passed = &way.passed;
        let guest = passed.guest.expect("the guest says that it is about to place");
        let desk = passed.desk.expect("the desk was called");
        let ready = passed.ready.expect("the broker was asked");
        let broker = passed.broker.expect("the broker was called");
        let transport = passed.transport.expect("the transport was called");
        self.asked.add(nanos(way.asked, guest));
        self.crossing.add(nanos(guest, desk));
        self.check.add(nanos(desk, ready));
        self.commit.add(nanos(ready, broker));
        self.adapter.add(nanos(broker, transport));
        self.wire.add(nanos(transport, way.arrived.first_byte));
        self.whole.add(nanos(guest, way.arrived.first_byte));
    }

    fn print(&self, bare: &Figures) {
        println!("  {:<44} {:>12} {:>12}", "", "median", "p99");
        bare.print("bare POST -> first byte");
        self.whole.print("`place` in the guest -> first byte");
        self.crossing.print("  guest -> the desk's door");
        self.check.print("  -> first check done, broker asked");
        self.commit.print("  -> second check done, in the journal");
        self.adapter.print("  -> request built");
        self.wire.print("  -> first byte");
        self.asked.print("(before it: run asked for -> `place`)");
    }
}

/// Orders and bare POSTs in turn.
async fn measure(
    journal: Box<dyn Journal>,
    blocking: Blocking,
    rounds: u32,
    mut also: impl FnMut() + Send,
) -> (Steps, Figures, Bare) {
    let mut host = Host::start(journal, blocking).await;
    let bare_post = Bare::like(&host.place().await.arrived, &host.server);
    let (mut steps, mut bare) = (Steps::default(), Figures::default());
    for round in 0..WARM_UP.min(rounds) + rounds {
        host.between().await;
        let way = host.place().await;
        let posted = bare_post.post(&host.server).await;
        also();
        if round >= WARM_UP.min(rounds) {
            steps.add(&way);
            bare.add(posted);
        }
    }
    (steps, bare, bare_post)
}

/// As the service runs; and with the commit in the order's own task, which tells what the way to the blocking
/// pool and back takes.
async fn memory(rounds: u32) {
    for (blocking, how) in [
        (Blocking::Threaded, "commits on the blocking pool, as the service"),
        (Blocking::Local, "commits in the order's task"),
    ] {
        let (steps, bare, post) = measure(Box::new(MemoryJournal::bounded()), blocking, rounds, || {}).await;
        let bytes = post.body.len();
        println!("In-memory journal, {how}:");
        println!("  {rounds} orders and {rounds} bare POSTs of the same {bytes} bytes, in turn");
        steps.print(&bare);
        let added = steps.whole.median().saturating_sub(bare.median());
        let verdict = if added <= BOUND { "within" } else { "ABOVE" };
        let (added, bound) = (micros(added), micros(BOUND));
        println!("  the desk adds {added} us at the median: {verdict} the bound of {bound} us");
    }
}

async fn durable(rounds: u32, folder: PathBuf) {
    let journal = Box::new(SqliteJournal::open(folder.join("journal")).expect("the journal opens"));
    let mut file = disk::Bare::new(&folder);
    let mut syncs = Figures::default();
    let (steps, bare, _) = measure(journal, Blocking::Threaded, rounds, || syncs.add(file.sync())).await;
    println!("Durable journal: {rounds} orders, bare POSTs and bare syncs of a page, in turn");
    steps.print(&bare);
    syncs.print("bare write and fdatasync of 4 KiB");
    let added = steps.whole.median().saturating_sub(bare.median());
    println!(
        "  the desk adds {} us at the median, {} us of it beyond one sync",
        micros(added),
        micros(added.saturating_sub(syncs.median()))
    );
}

/// Counts the syncs of orders that are accepted; in a process of its own, see [`disk`].
async fn count(folder: PathBuf) {
    let syncs = Syncs::new(&folder);
    let journal = SqliteJournal::open(folder.join("counted")).expect("the journal opens");
    assert!(syncs.so_far() > 0, "the counter counts");
    let mut host = Host::start(Box::new(journal), Blocking::Threaded).await;
    let (mut least, mut most) = (u64::MAX, 0);
    for _ in 0..COUNTED {
        host.between().await;
        let before = syncs.so_far();
        host.place().await;
        let cost = syncs.so_far() - before;
        (least, most) = (least.min(cost), most.max(cost));
    }
    println!("  syncs of an accepted place, counted over {COUNTED} orders: at least {least}, at most {most}");
}
