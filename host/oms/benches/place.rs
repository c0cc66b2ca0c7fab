//! What an order costs through the whole desk: check, commit, wire, acknowledgement. Figures and how to
//! read them: `../../runtime/BENCHMARKS.md`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::hint::black_box;
use std::io::{Seek as _, Write as _};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use journal::{Journal, MemoryJournal, SqliteJournal};
use oms::Blocking;
use support::Setup;

/// Orders of one day: about what a strategy that crosses places on minute bars.
const ORDERS_PER_DAY: u64 = 16;
/// Orders of one desk: about what a backtest of a million minute bars places.
const ORDERS_PER_DESK: u64 = 45_000;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("an inline desk waits for nothing"),
    }
}

/// A desk that stays as large as one in use: orders end, days pass, and after so many it is another.
struct Desks<'a> {
    open: &'a dyn Fn() -> Setup,
    setup: Setup,
    placed: u64,
}

impl<'a> Desks<'a> {
    fn new(open: &'a dyn Fn() -> Setup) -> Self {
        Self { open, setup: open(), placed: 0 }
    }

    fn place(&mut self) {
        let request = self.setup.next();
        black_box(now(self.setup.place(request)).expect("taken"));
        self.placed += 1;
    }

    fn fill(&mut self) {
        assert_eq!(self.setup.fill(), 1, "the order was taken, and its trade is news");
    }

    /// What is nobody's cost here.
    fn between(&mut self) {
        if self.placed.is_multiple_of(ORDERS_PER_DAY) {
            self.setup.new_day();
            // As the service does between orders.
            self.setup.desk.with_journal(journal::Journal::maintain).expect("house-keeping");
        }
        if self.placed.is_multiple_of(ORDERS_PER_DESK) {
            self.setup = (self.open)();
        }
    }

    /// Measures `work` alone, `after` it comes what it leaves to be done.
    fn measure(&mut self, bencher: &mut Bencher<'_>, work: fn(&mut Self), after: fn(&mut Self)) {
        bencher.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
                let begun = std::time::Instant::now();
                work(self);
                spent += begun.elapsed();
                after(self);
                self.between();
            }
            spent
        });
    }
}

fn inline(journal: impl Journal) -> Setup {
    Setup::new(Box::new(journal), Blocking::Inline)
}

fn memory(criterion: &mut Criterion) {
    let open = || inline(MemoryJournal::bounded());
    let mut desks = Desks::new(&open);
    criterion.bench_function("place_memory", |bencher| desks.measure(bencher, Desks::place, Desks::fill));
    let both = |desks: &mut Desks<'_>| {
        desks.place();
        desks.fill();
    };
    criterion.bench_function("place_memory/and_fill", |bencher| desks.measure(bencher, both, |_| ()));
}

fn durable(criterion: &mut Criterion) {
    // Beside the build's own files: `/tmp` may be memory, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let files = std::cell::Cell::new(0);
    let open = || {
        files.set(files.get() + 1);
        let path = folder.path().join(format!("journal-{}", files.get()));
        inline(SqliteJournal::open(path).expect("the journal opens"))
    };
    let mut desks = Desks::new(&open);
    criterion.bench_function("place_durable", |bencher| desks.measure(bencher, Desks::place, Desks::fill));
    // What the disk alone takes: a write of one page and its sync, where the file is large enough.
    let mut file = File::create(folder.path().join("bare")).expect("a file");
    let page = [7_u8; 4096];
    for _ in 0..1_000 {
        file.write_all(&page).expect("written");
    }
    file.sync_all().expect("synced");
    criterion.bench_function("place_durable/bare_fsync", |bencher| {
        bencher.iter(|| {
            file.rewind().expect("rewound");
            file.write_all(&page).expect("written");
            file.sync_data().expect("synced");
        });
    });
}

criterion_group!(benches, memory, durable);
criterion_main!(benches);
