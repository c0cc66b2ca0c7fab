//! An account that outlives its process: what a kill leaves, and what must not be taken up again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use broker::conformance::suite;
use broker::{Ack, Broker as _, CancelCall, ModifyCall, PlaceCall, SendError};
use calendar::Calendar;
use model::clock::Rng;
use model::{Money, OrderTerms, Quantity, Side, Status, Timestamp};

use super::market_table::*;
use crate::books::FullBook;
use crate::durable::{OrderCall, take};
use crate::{
    BOOK_BYTES_MAX, BookLog, DurableError, Exchange, FaultSetting, PaperBroker, PaperConfig, RemotePaper,
    serve_kept,
};

const MARKET: &str = "made-up 1";

fn evening() -> Timestamp {
    Timestamp::at_ist(day(2025, 6, 2), 18, 0)
}

fn fresh() -> Exchange {
    // Read once: some tests make thousands of exchanges.
    static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::bundled);
    Exchange::new(Arc::new(table()), CALENDAR.clone(), config())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn book(&self) -> PathBuf {
        self.0.path().join("paper-book.jsonl")
    }

    /// The file with `bytes` in it.
    fn with(&self, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.book(), bytes).expect("writable");
        self.book()
    }
}

fn open(path: &Path, exchange: &mut Exchange) -> Result<BookLog, DurableError> {
    BookLog::open(path, MARKET, evening(), exchange)
}

/// What opening the file as it stands says, with these rules and prices; the file must stay as it was.
fn refusal(path: &Path, mut exchange: Exchange, market: &str) -> String {
    let before = std::fs::read(path).expect("readable");
    let error = BookLog::open(path, market, evening(), &mut exchange).err().expect("refused").to_string();
    assert_eq!(std::fs::read(path).expect("readable"), before, "a refused file is left alone: {error}");
    assert!(error.contains(&path.display().to_string()), "it names the file: {error}");
    error
}

/// An order call and its instant.
type Step = (Timestamp, OrderCall);

fn place(key: &str, terms: OrderTerms) -> OrderCall {
    OrderCall::Place(PlaceCall { tag: tag(key), terms })
}

fn cancel(number: &str) -> OrderCall {
    OrderCall::Cancel(CancelCall { broker_id: number.into(), amo: false, symbol: None })
}

fn modify(number: &str, rupees: &str, total: u32, terms: OrderTerms) -> OrderCall {
    let (price, total_quantity) = (price(rupees), Quantity::new(total));
    OrderCall::Modify(ModifyCall { broker_id: number.into(), price, total_quantity, terms })
}

/// Two days: a queue over night, fills, a change, an end, a refusal, a late cancellation.
fn steps() -> Vec<Step> {
    vec![
        (evening(), place("queued", amo(buy(5, "101")))),
        (evening().plus_minutes(5), place("queued too", amo(sell(4, "99")))),
        (at(9, 30), place("large", buy(300, "100"))),
        (at(9, 31), place("far", buy(10, "90"))),
        (at(9, 40), modify("250603000002", "91", 12, buy(10, "90"))),
        (at(9, 41), place("off the tick", buy(1, "90.01"))),
        (at(10, 0), cancel("250603000002")),
        (at(10, 1), cancel("250603000002")),
        (at(15, 0), place("last", buy(7, "100.05"))),
    ]
}

fn end() -> Timestamp {
    at(20, 0)
}

/// The account after `steps` without any file, seen at `end`.
fn never_killed(steps: &[Step]) -> FullBook {
    let mut exchange = fresh();
    exchange.advance(evening());
    for (at, order) in steps {
        exchange.advance(*at);
        let _ = order.apply(&mut exchange);
    }
    exchange.advance(end());
    exchange.full_book()
}

/// Takes `steps` with the file at `path`, in a new process each time `dies` says so.
fn with_file(path: &Path, steps: &[Step], mut dies: impl FnMut() -> bool) -> Vec<Result<Ack, SendError>> {
    let mut exchange = fresh();
    let mut log = Mutex::new(open(path, &mut exchange).expect("opens"));
    let mut answers = Vec::new();
    for (at, order) in steps {
        if dies() {
            drop(log);
            exchange = fresh();
            log = Mutex::new(open(path, &mut exchange).expect("opens again"));
        }
        crate::durable::advance(&mut exchange, Some(&log), *at);
        answers.push(take(&mut exchange, Some(&log), order));
    }
    crate::durable::advance(&mut exchange, Some(&log), end());
    answers
}

/// The account as a new process finds it, at `end`.
fn found(path: &Path) -> FullBook {
    let mut exchange = fresh();
    open(path, &mut exchange).expect("opens");
    exchange.advance(end());
    exchange.full_book()
}

#[test]
fn a_restart_finds_the_same_account_to_the_last_number() {
    let folder = Folder::new();
    let once = with_file(&folder.book(), &steps(), || false);
    let book = found(&folder.book());
    assert_eq!(book, never_killed(&steps()));
    assert!(book.trades.len() > 3 && book.account.cash < Money::from_rupees(100_000), "something happened");
    let often = Folder::new();
    assert_eq!(
        with_file(&often.book(), &steps(), || true),
        once,
        "a restart before every call: same answers"
    );
    assert_eq!(found(&often.book()), book);
}

#[test]
fn queued_orders_and_cash_of_a_broker_survive() {
    let folder = Folder::new();
    let clock = Arc::new(HandClock::default());
    clock.set(evening());
    let broker = || {
        let exchange = Arc::new(Mutex::new(fresh()));
        PaperBroker::durable(exchange, clock.clone(), &folder.book(), MARKET).expect("opens")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let first = broker();
    let call = PlaceCall { tag: tag("queued"), terms: amo(buy(5, "101")) };
    let ack = runtime.block_on(first.place(call.clone())).expect("queued");
    let funds = runtime.block_on(first.funds()).expect("funds");
    drop(first);

    clock.set(evening().plus_minutes(60));
    let second = broker();
    assert_eq!(second.exchange().now(), Some(clock_now(&clock)), "the clock moves it on");
    assert_eq!(second.exchange().status(&ack.broker_id), Status::QueuedAmo);
    assert_eq!(runtime.block_on(second.funds()), Ok(funds), "its cash is still blocked");
    let next = runtime.block_on(second.place(call)).expect("queued");
    assert_eq!(next.broker_id.as_str(), "250602000002", "numbers go on");
    clock.set(at(9, 20));
    let trades = runtime.block_on(second.trades()).expect("trades");
    drop(second);

    let third = broker();
    assert_eq!(third.exchange().status(&ack.broker_id), Status::Filled);
    assert_eq!(runtime.block_on(third.trades()), Ok(trades), "the same trades under the same numbers");
}

fn clock_now(clock: &HandClock) -> Timestamp {
    model::Clock::now(clock)
}

#[test]
fn wherever_a_write_was_cut_off_a_call_is_taken_whole_or_not_at_all() {
    let folder = Folder::new();
    with_file(&folder.book(), &steps(), || false);
    let whole = std::fs::read(folder.book()).expect("readable");
    let accounts: Vec<FullBook> = (0..=steps().len()).map(|taken| never_killed(&steps()[..taken])).collect();
    for cut in 0..whole.len() {
        let kept = &whole[..cut];
        let lines = kept.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let taken = lines.filter(|line| line.starts_with(b"{\"call\"")).count();
        let path = folder.with(kept);
        assert_eq!(found(&path), accounts[taken], "cut at byte {cut}: {taken} calls");
        let left = std::fs::read(&path).expect("readable");
        assert!(left.ends_with(b"\n") && (cut == 0 || left.starts_with(&kept[..1])), "cut at byte {cut}");
    }
}

#[test]
fn after_a_cut_the_account_goes_on() {
    let folder = Folder::new();
    with_file(&folder.book(), &steps()[..3], || false);
    let mut bytes = std::fs::read(folder.book()).expect("readable");
    bytes.extend_from_slice(b"{\"call\":{\"at\":17");
    let path = folder.with(&bytes);
    let mut exchange = fresh();
    let log = Mutex::new(open(&path, &mut exchange).expect("opens"));
    exchange.advance(end());
    // Closed market, but a call like any other.
    assert_eq!(code(take(&mut exchange, Some(&log), &place("late", buy(1, "100")))), "PHASE");
    drop(log);
    let mut steps = steps()[..3].to_vec();
    steps.push((end(), place("late", buy(1, "100"))));
    assert_eq!(found(&path), never_killed(&steps));
}

#[test]
fn other_settings_data_or_calendar_are_named() {
    let folder = Folder::new();
    with_file(&folder.book(), &steps(), || false);
    let path = folder.book();
    let with_rules = |change: fn(&mut PaperConfig)| {
        let mut rules = config();
        change(&mut rules);
        refusal(&path, Exchange::new(Arc::new(table()), Calendar::bundled(), rules), MARKET)
    };
    let advice = "; name another state_dir or remove the file";
    for (error, words) in [
        (
            with_rules(|rules| rules.cash = Money::from_rupees(5)),
            "made with other data or settings: changed since in its settings: cash;",
        ),
        (
            with_rules(|rules| {
                rules.seed = 9;
                rules.opening.clear();
            }),
            "settings: opening positions, seed;",
        ),
        (refusal(&path, fresh(), "made-up 2"), "its market is `made-up 1`, the present one `made-up 2`;"),
    ] {
        assert!(error.contains(words) && error.ends_with(advice), "{error}");
    }

    let mut thin = table();
    thin.standing.insert("ACME".into(), flat("100", 20));
    let error = refusal(&path, Exchange::new(Arc::new(thin), Calendar::bundled(), config()), MARKET);
    assert!(error.contains("line ") && error.contains(", now there are "), "other volumes: {error}");
    let mut gone = table();
    gone.instruments.remove("HELD");
    let error = refusal(&path, Exchange::new(Arc::new(gone), Calendar::bundled(), config()), MARKET);
    assert!(error.contains("answered with number 250602000002, now with refusal SYMBOL"), "{error}");

    let mut roomier = config();
    roomier.orders_max += 1;
    let mut exchange = Exchange::new(Arc::new(table()), Calendar::bundled(), roomier);
    assert!(open(&path, &mut exchange).is_ok(), "a limit that only guards this program may be raised");
}

#[test]
fn a_change_of_prices_shows_without_a_later_call() {
    let folder = Folder::new();
    // The fill comes with time alone, and somebody saw it.
    with_file(&folder.book(), &steps()[..1], || false);
    let mut cheaper = table();
    cheaper.standing.insert("ACME".into(), flat("99", 1_000));
    let exchange = Exchange::new(Arc::new(cheaper), Calendar::bundled(), config());
    let error = refusal(&folder.book(), exchange, MARKET);
    assert!(error.contains("rupees of cash"), "{error}");
}

#[test]
fn files_that_are_not_ours_or_damaged_are_refused_and_left_alone() {
    let folder = Folder::new();
    with_file(&folder.book(), &steps(), || false);
    let whole = std::fs::read_to_string(folder.book()).expect("text");
    for bytes in [b"hello".as_slice(), b"hello\n", b"\n", b"{}\n", &[0xff, 0, 1, b'\n'], b"{\"paper-bond\""] {
        let error = refusal(&folder.with(bytes), fresh(), MARKET);
        assert!(error.contains("not the file of a paper account"), "{error}");
    }
    let second = whole.lines().nth(1).expect("a call");
    let answer = whole.lines().nth(2).expect("its answer");
    let last = whole.lines().rfind(|line| line.contains("\"at\"")).expect("a late line");
    let header = whole.lines().next().expect("a header");
    for (text, words) in [
        (whole.replacen("\"place\"", "\"plaice\"", 1), "line 2 of the paper account"),
        (format!("{header}\n\n{second}\n"), "line 2 "),
        (format!("{header}\n{answer}\n"), "an answer to no call"),
        (format!("{header}\n{second}\n{answer}\n{answer}\n"), "line 4 "),
        (format!("{header}\n{last}\n{second}\n"), ""),
        (format!("{header}\n{header}\n"), "line 2 "),
        (header.replacen(":1", ":2", 1) + "\n", "format 2, this program knows 1"),
        ("{\"paper-book\":1}\n".to_owned(), "line 1 "),
    ] {
        let error = refusal(&folder.with(text.as_bytes()), fresh(), MARKET);
        assert!(error.contains(words), "`{words}` in: {error}");
    }
    let backwards = format!("{header}\n{second}\n{}\n", second.replacen("\"at\":17", "\"at\":16", 1));
    let error = refusal(&folder.with(backwards.as_bytes()), fresh(), MARKET);
    assert!(error.contains("line 3") && error.contains("before that of the line before"), "{error}");
}

#[test]
fn a_file_has_a_bound() {
    let folder = Folder::new();
    let path = folder.book();
    let mut exchange = fresh();
    let log = BookLog::open_bounded(&path, MARKET, evening(), &mut exchange, 2_000).expect("opens");
    let log = Mutex::new(log);
    let mut taken = 0;
    let refused = loop {
        match take(&mut exchange, Some(&log), &place("one more", amo(buy(1, "100")))) {
            Ok(_) => taken += 1,
            Err(refused) => break refused,
        }
    };
    let text = refused.to_string();
    assert!(text.contains("PAPER_BOOK") && text.contains("full (2000 bytes"), "{text}");
    assert!(taken > 1 && exchange.orders().len() == taken, "what is refused is not taken");
    drop(log);
    assert_eq!(found(&path).orders.len(), taken, "as a restart sees it");

    std::fs::File::options()
        .write(true)
        .open(&path)
        .expect("there")
        .set_len(BOOK_BYTES_MAX + 1)
        .expect("sparse");
    let error = open(&path, &mut fresh()).err().expect("too large").to_string();
    assert!(error.contains("134217729 bytes, more than the 134217728"), "{error}");
}

#[test]
fn one_file_serves_one_exchange() {
    let folder = Folder::new();
    let first = open(&folder.book(), &mut fresh()).expect("opens");
    let second = open(&folder.book(), &mut fresh());
    assert!(matches!(second.err(), Some(DurableError::Busy { .. })));
    drop(first);
    assert!(open(&folder.book(), &mut fresh()).is_ok());
    let mut begun = fresh();
    begun.advance(evening());
    assert!(matches!(open(&folder.book(), &mut begun).err(), Some(DurableError::Begun)));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    std::fs::write(folder.0.path().join("file"), "x").expect("writable");
    let sealed = folder.0.path().join("sealed");
    std::fs::create_dir(&sealed).expect("writable");
    let mut rights = std::fs::metadata(&sealed).expect("there").permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&sealed, rights).expect("ours");
    let mut places = vec![folder.0.path().join("no such folder/book"), folder.0.path().join("file/book")];
    // To root no folder is read-only.
    if std::fs::write(sealed.join("probe"), "").is_err() {
        places.push(sealed.join("book"));
    }
    for path in places {
        let error = open(&path, &mut fresh()).err().expect("not possible").to_string();
        assert!(
            error.contains("cannot be opened (") && error.contains(&path.display().to_string()),
            "{error}"
        );
    }
    let error = open(folder.0.path(), &mut fresh()).err().expect("a folder").to_string();
    assert!(error.contains("not the file of a paper account"), "{error}");
}

#[tokio::test]
async fn the_durable_broker_conforms() {
    let folders = Mutex::new(Vec::new());
    suite(|| {
        let folder = Folder::new();
        let (exchange, clock) = super::brokers::fresh();
        let broker = PaperBroker::durable(exchange, clock.clone(), &folder.book(), MARKET).expect("opens");
        folders.lock().expect("not poisoned").push(folder);
        super::brokers::bench(Arc::new(broker), clock)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_starts_anew_has_its_account_and_its_time() {
    let folder = Folder::new();
    let clock = Arc::new(HandClock::default());
    clock.set(at(10, 0));
    let served = || {
        let exchange = Arc::new(Mutex::new(fresh()));
        let log = open(&folder.book(), &mut exchange.lock().expect("not poisoned")).expect("opens");
        let server = serve_kept("127.0.0.1:0".parse().expect("an address"), exchange, None, Some(log))
            .expect("a port");
        let remote = RemotePaper::new(server.address(), clock.clone());
        (server, remote)
    };
    let (server, remote) = served();
    assert_eq!(remote.time(), Ok(Some(evening())), "a new account begins where it was told to");
    let setting = FaultSetting { drop_answer: Some(1), ..FaultSetting::default() };
    remote.set_fault(setting).expect("set");
    let call = PlaceCall { tag: tag("unanswered"), terms: buy(3, "90") };
    assert!(matches!(remote.place(call).await, Err(SendError::Unclear(_))));
    let book = remote.book().expect("a book");
    end_of(server, &folder.book());

    let (server, remote) = served();
    assert_eq!(remote.time(), Ok(Some(at(10, 0))), "the instant of its last call");
    assert_eq!(remote.book(), Ok(book), "what was taken without an answer is there");
    clock.set(at(10, 5));
    let call = PlaceCall { tag: tag("next"), terms: sell(1, "99") };
    assert_eq!(remote.place(call).await.expect("taken").broker_id.as_str(), "250603000002");
    clock.set(at(15, 45));
    remote.orders().await.expect("time passes");
    let book = remote.book().expect("a book");
    end_of(server, &folder.book());

    let (_server, remote) = served();
    let again = remote.book().expect("a book");
    assert_eq!((again.orders, again.trades), (book.orders, book.trades), "the end of the day as well");
}

/// A server's end, and that of the threads that still hold its file.
fn end_of(server: crate::Server, path: &Path) {
    server.stop();
    while matches!(open(path, &mut fresh()), Err(DurableError::Busy { .. })) {
        std::thread::yield_now();
    }
}

#[test]
fn any_calls_with_any_restarts_come_out_the_same() {
    for seed in 0..12 {
        let mut rng = Rng::new(seed);
        let mut now = evening();
        let mut steps = Vec::new();
        for number in 0..40 {
            now = now.plus_minutes(rng.below(if now < at(9, 15) { 120 } else { 20 }) as i64).min(end());
            let paise = 9_000 + 5 * rng.below(400) as i64;
            let rupees = format!("{}.{:02}", paise / 100, paise % 100);
            let quantity = 1 + rng.below(250) as u32;
            let mut terms = if rng.below(3) == 0 {
                limit(Side::Sell, "HELD", 1 + quantity % 10, &rupees)
            } else {
                buy(quantity, &rupees)
            };
            terms.amo = now < at(9, 0);
            let day = if rng.below(2) == 0 { "250602" } else { "250603" };
            let id = format!("{day}{:06}", 1 + rng.below(20));
            let order = match rng.below(5) {
                0 => cancel(&id),
                1 => modify(&id, &rupees, quantity, terms),
                _ => place(&format!("{number}"), terms),
            };
            steps.push((now, order));
        }
        let folder = Folder::new();
        with_file(&folder.book(), &steps, || rng.below(4) == 0);
        assert_eq!(found(&folder.book()), never_killed(&steps), "seed {seed}");
    }
}
