//! A real socket, a real desk, a real journal file.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use journal::{Durability, Entry, Journal, MemoryJournal, SqliteJournal, TradingState};
use model::clock::SharedClock;
use model::{Account, Action, Exchange, Intent, IntentId, OrderTerms, Price, Quantity, Side, Timestamp};
use oms::{Desk, DeskConfig};

use super::offline::{CalendarOnly, NoBroker};
use super::views::{
    NextTask, OrdersQuery, OrdersView, RunsQuery, RunsView, StatusView, TradingView, TrailView,
};
use super::wire::{Request, VerdictWord};
use super::{Access, Client, ClientError, ControlServer, LiveHost, ServeError, reach};
use crate::clock::ManualClock;
use crate::config::Config;
use crate::exit::Exit;
use crate::lock::AccountLock;
use crate::services::Sessions;

fn at() -> Timestamp {
    Timestamp::at_ist("2026-01-14".parse().expect("a date"), 10, 0)
}

fn clock() -> SharedClock {
    ManualClock::at(at())
}

/// An order that was sent and never answered, and ten shares to have.
fn unanswered() -> (IntentId, Vec<Entry>) {
    let day = at().ist_date();
    let account = Account::from("main");
    let id = IntentId::derive(&account, &"buy".into(), day, "TCS");
    let terms = OrderTerms::limit("TCS", Side::Buy, Quantity::new(10), Price::from_rupees(3_500));
    let intent = Intent {
        id,
        account,
        strategy: "buy".into(),
        component: "c0ffee".into(),
        run: "buy@2026-01-14T10:00:00".into(),
        day,
        key: "TCS".into(),
        at: at(),
        send_by: None,
        reason: "RSI 25".into(),
        action: Action::Place { terms, for_session: day },
    };
    (id, vec![Entry::Intent(intent), Entry::Attempt { intent: id, number: 1, at: at() }])
}

fn sessions() -> Sessions {
    Sessions { calendar: calendar::Calendar::bundled(), exchange: Exchange::Nse, amo: Default::default() }
}

fn live(journal: Box<dyn Journal>) -> Arc<LiveHost> {
    let rules = DeskConfig::new(Account::from("main"));
    let view = Arc::new(CalendarOnly(sessions()));
    let desk = Desk::open(rules, journal, Arc::new(NoBroker), clock(), view).expect("a desk");
    Arc::new(LiveHost {
        session: None,
        account: Account::from("main"),
        broker: "paper",
        desk,
        sessions: sessions(),
        clock: clock(),
        rehearsal: false,
        since: at(),
        next_due: Arc::new(|now| Some(NextTask { task: "sell".into(), at: now.plus_minutes(1) })),
        versions: Arc::new(|_| Vec::new()),
        channels: vec!["command"],
    })
}

fn with_an_unanswered_order() -> (IntentId, Arc<LiveHost>) {
    let (id, entries) = unanswered();
    let mut journal = MemoryJournal::default();
    journal.commit(&entries, Durability::Synced).expect("kept");
    (id, live(Box::new(journal)))
}

#[test]
fn a_host_tells_and_obeys_over_its_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/main.sock");
    let (id, host) = with_an_unanswered_order();
    let server = ControlServer::start(&path, host).expect("opens");
    let mut client = Client::connect(&path).expect("connects");

    let status: StatusView = client.ask(&Request::Status).expect("told");
    assert_eq!(status.host.as_ref().map(|host| host.pid), Some(std::process::id()));
    assert_eq!((status.unresolved.len(), status.phase.as_deref()), (1, Some("continuous")));
    assert_eq!(status.next_task.as_ref().map(|next| next.task.as_str()), Some("sell"));
    assert_eq!(status.not_trading, None);
    assert_eq!(status.alerts_waiting, status.last_alerts.len(), "none of them has left");

    let orders: OrdersView = client.ask(&Request::Orders(OrdersQuery::default())).expect("told");
    assert_eq!((orders.orders[0].id.as_str(), orders.orders[0].status.as_str()), (id.as_str(), "unknown"));
    let trail: TrailView = client.ask(&Request::Order { id: id.to_string() }).expect("told");
    assert_eq!(trail.trail[0].kind, "intent");
    assert!(
        trail.trail[0].text.contains("buy 10 TCS at 3500.00 for 2026-01-14: RSI 25"),
        "{:?}",
        trail.trail
    );
    let runs: RunsView = client.ask(&Request::Runs(RunsQuery { day: None, limit: 5 })).expect("told");
    assert!(runs.runs.is_empty() && !runs.more);

    let set = Request::SetTrading { state: TradingState::CancelsOnly, note: None };
    let trading: TradingView = client.ask(&set).expect("set");
    assert_eq!(trading.trading, TradingState::CancelsOnly);
    let status: StatusView = client.ask(&Request::Status).expect("told");
    assert!(status.not_trading.expect("not").starts_with("the kill switch is on"));

    let resolve =
        Request::Resolve { order: id, verdict: VerdictWord::NotPlaced, note: Some("phoned".into()) };
    let order: super::views::OrderLine = client.ask(&resolve).expect("resolved");
    assert_eq!((order.status.as_str(), order.unresolved), ("not-placed", false));
    let again = client.ask::<super::views::OrderLine>(&resolve).expect_err("nothing to resolve");
    assert!(matches!(again, ClientError::Denied(_)), "{again}");
    let unknown = client.ask::<TrailView>(&Request::Order { id: "NOSUCH".into() }).expect_err("none");
    assert!(matches!(unknown, ClientError::NotFound(_)), "{unknown}");
    let free =
        client.ask::<()>(&Request::Release { strategy: "buy".into(), note: None }).expect_err("no strikes");
    assert_eq!(free.to_string(), "strategy `buy` has no strikes");

    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    drop(server);
    assert!(!path.exists(), "the socket goes with its server");
}

#[test]
fn a_socket_left_behind_is_replaced_and_a_living_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("main.sock");
    // What a killed host leaves: the file, and nobody behind it.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
    assert!(path.exists());
    let (_, host) = with_an_unanswered_order();
    let server = ControlServer::start(&path, host.clone()).expect("replaces it");
    let second = ControlServer::start(&path, host.clone()).expect_err("taken");
    assert!(matches!(second, ServeError::Taken(_)), "{second}");
    drop(server);
    std::fs::write(&path, "mine").expect("written");
    let error = ControlServer::start(&path, host).expect_err("no socket");
    assert!(error.to_string().contains("which is no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), "mine");
}

fn raw(path: &Path, text: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).expect("connects");
    stream.write_all(text).expect("asked");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).expect("answered");
    answer
}

#[test]
fn what_is_no_question_is_answered_and_nothing_else_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("main.sock");
    let (_, host) = with_an_unanswered_order();
    let _server = ControlServer::start(&path, host).expect("opens");
    for (question, code, words) in [
        (&b"hello\n"[..], "malformed", "no question"),
        (b"{\"v\":1,\"op\":\"buy\"}\n", "malformed", "version 1 has no such question"),
        (b"{\"v\":2,\"op\":\"status\"}\n", "version", "of version 2 and this host speaks 1"),
        (b"\xff\xfe\n", "malformed", "utf-8"),
    ] {
        let answer = raw(&path, question);
        assert!(answer.contains(&format!("\"code\":\"{code}\"")) && answer.contains(words), "{answer}");
    }
    let long = raw(&path, &[b'x'; super::wire::QUESTION_MAX + 1]);
    assert!(long.contains("at most"), "{long}");
    let two = b"{\"v\":1,\"op\":\"trading\"}\n{\"v\":1,\"op\":\"trading\"}\n";
    let answer = raw(&path, two);
    assert_eq!(
        answer,
        "{\"v\":1,\"ok\":{\"version\":1,\"source\":\"host\",\"account\":\"main\",\"trading\":\"on\"}}\n"
    );
}

fn config(folder: &Path) -> Config {
    let source = "state_dir = \"state\"\n[lock]\ndir = \"lock\"\n[control]\nsocket = \"main.sock\"\n";
    Config::parse(&folder.join("t.toml"), source).expect("good")
}

#[test]
fn with_the_host_down_the_journal_answers_and_the_operator_is_obeyed() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path());
    let mut nothing = reach(&config, &clock()).expect("reached");
    let failure = nothing.status(&config).expect_err("nothing there");
    assert_eq!(failure.exit, Exit::Unavailable);
    // The switch comes before the first start.
    let set =
        reach(&config, &clock()).expect("reached").set_trading(&config, clock(), TradingState::ExitsOnly);
    assert_eq!(set.expect("set").trading, TradingState::ExitsOnly);

    let (id, entries) = unanswered();
    let mut journal = SqliteJournal::open(config.journal_path()).expect("opens");
    journal.commit(&entries, Durability::Synced).expect("kept");
    drop(journal);

    let mut access = reach(&config, &clock()).expect("reached");
    assert!(matches!(access, Access::Journal(_)), "{access:?}");
    let status = access.status(&config).expect("told");
    assert_eq!((status.trading, status.unresolved.len(), status.host), (TradingState::ExitsOnly, 1, None));
    let orders = access.orders(&config, OrdersQuery::default()).expect("told");
    assert_eq!(orders.orders[0].status, "unknown");
    assert_eq!(access.trail(&config, id.as_str()).expect("told").trail.len(), 2);

    let verdict = VerdictWord::Filled { quantity: Quantity::new(10), price: Price::from_rupees(3_490) };
    let order =
        access.resolve(&config, clock(), id, verdict, Some("contract note".into())).expect("resolved");
    assert_eq!((order.status.as_str(), order.unresolved), ("filled", false));
    let mut access = reach(&config, &clock()).expect("reached");
    assert!(access.status(&config).expect("told").unresolved.is_empty());
    let positions = access.positions(&config).expect("told");
    let position = &positions.positions[0];
    assert_eq!(
        (position.symbol.as_str(), position.quantity, position.settled.get()),
        ("TCS", Quantity::new(10), 0)
    );
    let trail = access.trail(&config, id.as_str()).expect("told").trail;
    assert!(
        trail.iter().any(|line| line.kind == "operator" && line.text.contains("contract note")),
        "{trail:?}"
    );
}

#[test]
fn nothing_is_written_behind_a_host_that_does_not_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path());
    let _host = AccountLock::acquire(&config.lock_dir, &config.account.name, "run", at()).expect("free");
    let failure = reach(&config, &clock())
        .expect("reached")
        .set_trading(&config, clock(), TradingState::CancelsOnly)
        .expect_err("held");
    assert_eq!(failure.exit, Exit::LockHeld);
    assert!(failure.text().contains("does not answer"), "{}", failure.text());
    assert!(!config.journal_path().exists());
}
