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

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("an inline desk waits for nothing"),
    }
}

/// Fills the last order and now and then begins a day, so that the book stays as large as it is in use.
fn end_order(setup: &mut Setup, round: u64) {
    assert_eq!(setup.fill(), 1, "the order was taken, and its trade is news");
    if round.is_multiple_of(ORDERS_PER_DAY) {
        setup.new_day();
        // As the service does between orders.
        setup.desk.with_journal(journal::Journal::maintain).expect("house-keeping");
    }
}

/// The orders alone; what ends them is not counted.
fn places(bencher: &mut Bencher<'_>, setup: &mut Setup) {
    bencher.iter_custom(|rounds| {
        let mut spent = Duration::ZERO;
        for round in 0..rounds {
            let request = setup.next();
            #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
            let begun = std::time::Instant::now();
            black_box(now(setup.place(request)).expect("taken"));
            spent += begun.elapsed();
            end_order(setup, round);
        }
        spent
    });
}

fn inline(journal: impl Journal) -> Setup {
    Setup::new(Box::new(journal), Blocking::Inline)
}

fn memory(criterion: &mut Criterion) {
    let mut setup = inline(MemoryJournal::bounded());
    criterion.bench_function("place_memory", |bencher| places(bencher, &mut setup));
    let mut setup = inline(MemoryJournal::bounded());
    let mut round = 0;
    criterion.bench_function("place_memory/and_fill", |bencher| {
        bencher.iter(|| {
            let request = setup.next();
            black_box(now(setup.place(request)).expect("taken"));
            end_order(&mut setup, round);
            round += 1;
        });
    });
}

fn durable(criterion: &mut Criterion) {
    // Beside the build's own files: `/tmp` may be memory, where a sync costs nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let journal = SqliteJournal::open(folder.path().join("journal.db")).expect("the journal opens");
    let mut setup = inline(journal);
    criterion.bench_function("place_durable", |bencher| places(bencher, &mut setup));
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
