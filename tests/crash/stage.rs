//! One exchange in its own process, and a host that is killed and started again.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use broker::Broker as _;
use journal::{Entry, Journal as _, JournalError, Recorded, SqliteJournal};
use market::demo::{DAY0, DAY1, SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL};
use model::{
    Action, IntentId, OrderTerms, OrderType, Price, Product, Quantity, Side, Status, Symbol, Timestamp,
    Validity,
};
use paper::{FaultSetting, RemotePaper};

use crate::support::{text, tradeagent};

/// Real time between two looks at the exchange.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// How long an answer is held back: a kill comes long before.
const HELD_MS: u32 = 5_000;
/// Looks without anything happening after which the host is taken to hang (a minute).
const LOOKS_MAX: u32 = 60_000;
/// Looks at the journal for each look at the exchange.
const LOOKS_AT_JOURNAL: u32 = 50;

/// Shares that the account opens with, settled: enough to sell.
pub const OPENING: [(&str, u32, i64); 4] = [
    (SEEDED_SYMBOL, SEEDED_QUANTITY.get(), SEEDED_ENTRY_PRICE.units() / 10_000),
    ("DEMODELTA", 40, 200),
    ("DEMOEPSILON", 30, 200),
    ("DEMOZETA", 60, 200),
];
pub const CASH_RUPEES: i64 = 1_000_000;

/// When a host is to be killed.
#[derive(Debug, Clone, Copy)]
pub enum Aim {
    /// So many looks after its start.
    Start { looks: u64 },
    /// So many looks after its first word, which it says before it reads the broker's books.
    Greeted { looks: u64 },
    /// As soon as the exchange's time is this.
    Moment(Timestamp),
    /// As soon as the journal has the intent: mostly before the exchange has heard of it.
    Commit { until: Timestamp },
    /// After the exchange took an order or a change, before its answer leaves.
    Answer { until: Timestamp },
    /// The answer never comes; the host lives on for `later_seconds` of the exchange's time.
    Lost { until: Timestamp, later_seconds: i64 },
}

/// Where a kill hit, by the word of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landed {
    /// Before the host had written that it starts.
    Starting,
    /// It had started and read the books, and no run had begun since.
    Reconciling,
    /// The exchange had taken this; the host had not written down the answer.
    BeforeAnswer(&'static str),
    /// Written down, and not (yet) taken by the exchange.
    BeforeAccept(&'static str),
    /// Inside a run of this task.
    InRun(String),
    /// Between runs.
    Between,
}

impl fmt::Display for Landed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("before the host had said that it starts"),
            Self::Reconciling => f.write_str("between its start and its first run"),
            Self::BeforeAnswer(what) => write!(f, "between the exchange's accept and the answer to a {what}"),
            Self::BeforeAccept(what) => write!(f, "between the commit and the exchange's accept of a {what}"),
            Self::InRun(task) => write!(f, "inside a run of {task}"),
            Self::Between => f.write_str("between two runs"),
        }
    }
}

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What order calls have done to the exchange's book, without what trading did.
type Acts = BTreeMap<String, (Price, Quantity, bool)>;

pub struct Stage {
    pub name: String,
    pub exchange: RemotePaper,
    address: SocketAddr,
    folder: tempfile::TempDir,
    _exchange_process: Process,
}

impl Stage {
    /// Starts an exchange at 15:55 of day 0 and writes the host's configuration.
    pub fn set(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let opening: String = OPENING
            .iter()
            .map(|(symbol, quantity, price)| {
                format!("[[account.main.positions]]\nsymbol = \"{symbol}\"\nquantity = {quantity}\nprice = \"{price}\"\n")
            })
            .collect();
        let account = |broker: &str| format!("[account.main]\n{broker}\ncash = \"{CASH_RUPEES}\"\n{opening}");
        let config = folder.path().join("exchange.toml");
        std::fs::write(&config, account("broker = \"paper\"")).expect("written");
        let from = format!("{DAY0}T15:55");
        let mut process = tradeagent()
            .args(["paper-exchange", "--listen", "127.0.0.1:0", "--from", &from, "--config", text(&config)])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the exchange starts");
        let mut line = String::new();
        let stdout = process.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address: SocketAddr = line
            .trim()
            .strip_prefix("listening on ")
            .and_then(|it| it.parse().ok())
            .unwrap_or_else(|| panic!("{line}"));
        let host = format!(
            "state_dir = \"state\"\n[lock]\ndir = \"lock\"\n[control]\nsocket = \"control.sock\"\n\
             [rehearsal]\nfrom = \"{from}\"\nuntil = \"{DAY1}T18:05\"\n{}",
            account(&format!("broker = \"paper-remote\"\naddress = \"{address}\""))
        );
        std::fs::write(folder.path().join("host.toml"), host).expect("written");
        Self {
            name: name.to_owned(),
            exchange: RemotePaper::new(address, tradeagent::clock::system()),
            address,
            folder,
            _exchange_process: Process(process),
        }
    }

    /// Starts a host, kills it as aimed, tells where that hit; none: it ended the day before.
    pub fn kill(&self, aim: &Aim) -> Option<Landed> {
        let before = self.acts();
        let starts = self.count_starts();
        let (held_ms, lost) = match aim {
            Aim::Answer { .. } => (HELD_MS, 0),
            Aim::Lost { .. } => (0, 1),
            _ => (0, 0),
        };
        self.set_fault(held_ms, lost);
        let said = self.log_bytes();
        let mut host = self.start();
        let alive = match *aim {
            Aim::Start { looks } => {
                let mut left = 0..looks;
                self.wait(&mut host, |_| left.next().is_none())
            }
            Aim::Greeted { looks } => {
                let mut left = 0..looks;
                self.wait(&mut host, |stage| stage.log_bytes() > said)
                    && self.wait(&mut host, |_| left.next().is_none())
            }
            Aim::Commit { until } => self.wait_for_intent(&mut host, until),
            Aim::Moment(at) => self.wait(&mut host, |stage| stage.time() >= at),
            Aim::Answer { until } => {
                self.wait(&mut host, |stage| stage.acts() != before || stage.time() >= until)
            }
            Aim::Lost { until, later_seconds } => {
                self.wait(&mut host, |stage| stage.acts() != before || stage.time() >= until) && {
                    let then = self.time().plus_seconds(later_seconds);
                    self.wait(&mut host, |stage| stage.time() >= then)
                }
            }
        };
        if alive {
            host.0.kill().expect("killed");
            host.0.wait().expect("it is gone");
        }
        drop(host);
        self.set_fault(0, 0);
        alive.then(|| self.landed(starts))
    }

    /// Starts a host and lets it finish the day.
    pub fn finish(&self) {
        let mut host = self.start();
        let ended = !self.wait(&mut host, |_| false);
        assert!(ended, "it ended by itself");
    }

    fn start(&self) -> Process {
        let log = std::fs::File::options().append(true).create(true).open(self.folder.path().join("log"));
        let host = tradeagent()
            .args(["run", "--config", text(&self.folder.path().join("host.toml"))])
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn()
            .expect("the host starts");
        Process(host)
    }

    /// Looks until `is_time`; false: the host has ended by itself, well.
    #[expect(clippy::disallowed_methods, reason = "looks at another process, which no clock of ours moves")]
    fn wait(&self, host: &mut Process, mut is_time: impl FnMut(&Self) -> bool) -> bool {
        for _ in 0..LOOKS_MAX {
            if is_time(self) {
                return true;
            }
            if let Some(status) = host.0.try_wait().expect("it is ours") {
                assert!(status.success(), "{}: the host ended with {status}:\n{}", self.name, self.log());
                return false;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        panic!("{}: nothing happens any more:\n{}", self.name, self.log());
    }

    /// The same for a new intent in the journal, looking as fast as it can.
    fn wait_for_intent(&self, host: &mut Process, until: Timestamp) -> bool {
        let Ok(journal) = SqliteJournal::open_read_only(self.journal_path()) else {
            return self.wait(host, |stage| stage.time() >= until);
        };
        let mut next = self.entries().map_or(0, |all| all.last().map_or(0, |last| last.seq + 1));
        let mut is_new_intent = move || {
            let Ok(news) = journal.entries(next, 1_000) else { return false };
            next = news.last().map_or(next, |last| last.seq + 1);
            news.iter().any(|it| matches!(it.entry, Entry::Intent(_)))
        };
        self.wait(host, |stage| (0..LOOKS_AT_JOURNAL).any(|_| is_new_intent()) || stage.time() >= until)
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("log")).map_or(0, |log| log.len())
    }

    /// The tags of the book.
    pub fn tags(&self) -> Vec<String> {
        let book = self.exchange.book().expect("the exchange lives");
        book.orders.into_iter().filter_map(|row| row.tag).collect()
    }

    /// An after-market order that no host has sent.
    pub fn send_behind_the_hosts_back(&self, tag: &str) {
        let exchange = RemotePaper::new(self.address, tradeagent::clock::ManualClock::at(self.time()));
        let terms = OrderTerms {
            symbol: Symbol::from("DEMODELTA"),
            side: Side::Buy,
            order_type: OrderType::Market,
            product: Product::Delivery,
            validity: Validity::Day,
            quantity: Quantity::new(1),
            price: Price::ZERO,
            trigger: None,
            amo: true,
        };
        let call = broker::PlaceCall { tag: IntentId::parse(tag).expect("a tag"), terms };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(exchange.place(call)).expect("taken");
    }

    /// The end of what the hosts said.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    fn time(&self) -> Timestamp {
        self.exchange.time().expect("the exchange lives").expect("it has begun")
    }

    fn set_fault(&self, delay_ms: u32, drop: u32) {
        let setting = FaultSetting { after_accept_delay_ms: Some(delay_ms), drop_answer: Some(drop) };
        self.exchange.set_fault(setting).expect("the exchange lives");
    }

    fn acts(&self) -> Acts {
        let book = self.exchange.book().expect("the exchange lives");
        let act = |row: broker::BrokerOrder| {
            (row.broker_id.to_string(), (row.terms.price, row.terms.quantity, row.status == Status::Canceled))
        };
        book.orders.into_iter().map(act).collect()
    }

    fn journal_path(&self) -> PathBuf {
        self.folder.path().join("state/main.journal.sqlite")
    }

    /// Everything in the journal; an error where a kill came before there was one.
    pub fn entries(&self) -> Result<Vec<Recorded>, JournalError> {
        let journal = SqliteJournal::open_read_only(self.journal_path())?;
        let mut all: Vec<Recorded> = Vec::new();
        loop {
            let more = journal.entries(all.last().map_or(0, |last| last.seq + 1), 1_000)?;
            if more.is_empty() {
                return Ok(all);
            }
            all.extend(more);
        }
    }

    fn count_starts(&self) -> usize {
        let entries = self.entries().unwrap_or_default();
        entries.iter().filter(|it| is_start(&it.entry)).count()
    }

    fn landed(&self, starts_before: usize) -> Landed {
        let entries = self.entries().unwrap_or_default();
        let starts = entries.iter().filter(|it| is_start(&it.entry)).count();
        if starts == starts_before {
            return Landed::Starting;
        }
        if let Some((intent, action)) = unanswered(&entries) {
            let book = self.exchange.book().expect("the exchange lives");
            let row = |id: IntentId| book.orders.iter().find(|row| row.tag.as_deref() == Some(id.as_str()));
            let (what, taken) = match action {
                Action::Place { .. } => ("place", row(intent).is_some()),
                Action::Modify { order, price, total_quantity } => (
                    "modify",
                    row(order)
                        .is_some_and(|row| row.terms.price == price && row.terms.quantity == total_quantity),
                ),
                Action::Cancel { order } => {
                    ("cancel", row(order).is_some_and(|row| row.status == Status::Canceled))
                }
            };
            return if taken { Landed::BeforeAnswer(what) } else { Landed::BeforeAccept(what) };
        }
        let mut open = None;
        for recorded in entries.iter().rev() {
            match &recorded.entry {
                Entry::RunEnd(_) => return Landed::Between,
                Entry::RunStart(run) => {
                    open = Some(Landed::InRun(run.task.clone()));
                    break;
                }
                Entry::Note { kind, .. } if kind == "host-start" => return Landed::Reconciling,
                _ => {}
            }
        }
        open.unwrap_or(Landed::Reconciling)
    }
}

fn is_start(entry: &Entry) -> bool {
    matches!(entry, Entry::Note { kind, .. } if kind == "host-start")
}

/// The last attempt, if nothing was learnt about it.
fn unanswered(entries: &[Recorded]) -> Option<(IntentId, Action)> {
    let mut last: Option<(IntentId, Action)> = None;
    for recorded in entries {
        match &recorded.entry {
            Entry::Intent(intent) => last = Some((intent.id, intent.action.clone())),
            Entry::Evidence(evidence) if last.as_ref().is_some_and(|(id, _)| evidence.intent == *id) => {
                last = None
            }
            _ => {}
        }
    }
    last
}
