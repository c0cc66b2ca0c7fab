//! What an order costs on the disk, counted through the whole desk: one fsync for an order that goes out,
//! none for anything else.
//!
//! The test starts this test program again with a counter in front of libc: `counted` does nothing unless
//! it is told to by the environment.
#![cfg(target_os = "linux")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use broker::SendError;
use journal::SqliteJournal;
use model::{OrderError, Quantity};
use oms::Blocking;
use support::Setup;

const FOLDER: &str = "DESK_FSYNC_FOLDER";
/// Orders of each kind.
const ORDERS: u64 = 40;

#[test]
fn an_order_that_goes_out_is_one_fsync_and_nothing_else_is_any() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("sync_count.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../journal/tests/sync_count.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(source)
        .status();
    assert!(built.expect("this test needs a C compiler named cc").success());
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["counted", "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("LD_PRELOAD", &library)
        .env("SYNC_LOG", folder.path().join("syncs"))
        .output()
        .expect("the helper runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(told.matches("orders counted").count(), 3, "{told}");
}

#[test]
fn counted() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let syncs = Syncs(folder.join("syncs"));
    // As the service runs, as a rehearsal on simulated time runs, as `simulate` runs.
    for blocking in [Blocking::Threaded, Blocking::Local, Blocking::Inline] {
        let journal = SqliteJournal::open(folder.join(format!("{blocking:?}"))).expect("the journal opens");
        assert!(syncs.so_far() > 0, "the counter counts");
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("tokio");
        tokio.block_on(count(&syncs, Setup::new(Box::new(journal), blocking)));
        println!("{blocking:?}: orders counted");
    }
}

struct Syncs(PathBuf);

impl Syncs {
    fn so_far(&self) -> u64 {
        std::fs::metadata(&self.0).map_or(0, |log| log.len())
    }

    #[track_caller]
    fn were(&self, before: u64, expected: u64) {
        assert_eq!(self.so_far() - before, expected, "fsyncs");
    }
}

async fn count(syncs: &Syncs, mut setup: Setup) {
    // Accepted, one after another; then acknowledgement, fill, ledger and end of each.
    let mut last = None;
    for _ in 0..ORDERS {
        let request = setup.next();
        let before = syncs.so_far();
        setup.place(request.clone()).await.expect("taken");
        syncs.were(before, 1);
        let before = syncs.so_far();
        assert_eq!(setup.fill(), 1, "its trade is news; its end follows from that");
        syncs.were(before, 0);
        last = Some(request);
    }
    // Accepted, all at once. An order on its way holds up its own symbol, so each is in another.
    let requests: Vec<_> = (0..ORDERS)
        .map(|number| {
            let mut request = buy(&mut setup);
            request.terms.symbol = format!("S{number}").into();
            request
        })
        .collect();
    let before = syncs.so_far();
    let setup_ref = &setup;
    let placed = join(requests.into_iter().map(|request| setup_ref.place(request))).await;
    assert!(placed.iter().all(Result::is_ok), "{placed:?}");
    syncs.were(before, ORDERS);
    let before = syncs.so_far();
    assert_eq!(setup.fill(), ORDERS as usize);
    setup.desk.refresh().await.expect("the books are read");
    // The same again is told how it stands.
    setup.place(last.clone().expect("one was placed")).await.expect("as it stands");
    // The same key for something else, and what the rules deny.
    let mut other = last.expect("one was placed");
    other.terms.quantity = Quantity::new(11);
    assert!(matches!(setup.place(other).await, Err(OrderError::Denied { rule: "key-reused", .. })));
    let mut empty = setup.next();
    empty.terms.quantity = Quantity::ZERO;
    assert!(matches!(setup.place(empty).await, Err(OrderError::Denied { rule: "bad-quantity", .. })));
    syncs.were(before, 0);
    // Whatever the broker answers, the order went out: one, and none for the answer.
    for answer in [
        SendError::Refused { code: "1".to_owned(), reason: "no".to_owned() },
        SendError::Unclear("the line is dead".to_owned()),
    ] {
        setup.broker.answer(Some(answer));
        let request = buy(&mut setup);
        let before = syncs.so_far();
        setup.place(request).await.expect_err("not taken");
        syncs.were(before, 1);
    }
}

/// The next order that the system need not own shares for.
fn buy(setup: &mut Setup) -> model::PlaceRequest {
    loop {
        let request = setup.next();
        if request.terms.side == model::Side::Buy {
            return request;
        }
    }
}

/// Waits for all of `futures`, which run at the same time.
async fn join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in waiting.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        let done = waiting.iter().all(|(_, output)| output.is_some());
        if done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}
