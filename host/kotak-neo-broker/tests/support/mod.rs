//! A desk on the adapter on a sim, in this process on simulated time or over loopback HTTP.

#![allow(dead_code, reason = "each test target uses a part of it")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use broker::session::{Conflicts, Keeper, KeeperConfig, Memory, SessionEvent, Spawn, Surroundings, Totp};
use calendar::{AmoWindow, Calendar};
use journal::{Entry, Journal, MemoryJournal, Recorded};
use kotak_neo::transport::Transport;
use kotak_neo_broker::{KotakBroker, KotakLogin, Limits, MakeTransport, Rates, TradingDays};
use kotak_neo_sim::{Sim, SimConfig};
use market::{Dataset, Market, ReplayMarket, ReplayOptions};
use model::clock::SharedClock;
use model::{
    BoxFuture, Clock, Date, Exchange, Fact, Instrument, InstrumentClass, IntentId, LedgerEntry, LedgerKind,
    Money, OrderId, OrderTerms, OrderView, Origin, PlaceRequest, Price, Product, Quantity, Side, Status,
    Symbol, Timestamp,
};
use oms::{Blocking, Desk, DeskConfig, MarketView};
use secrecy::SecretString;

#[allow(unused_imports, reason = "each test target uses a part of it")]
pub use market::demo::{DAY1, SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL};

pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Simulated time: tokio's paused instant.
pub struct Paused {
    base: Timestamp,
    start: tokio::time::Instant,
}

impl Paused {
    #[expect(clippy::disallowed_methods, reason = "tokio's paused instant, not the machine's")]
    pub fn starting_at(base: Timestamp) -> Arc<Self> {
        Arc::new(Self { base, start: tokio::time::Instant::now() })
    }
}

impl Clock for Paused {
    #[expect(clippy::disallowed_methods, reason = "tokio's paused instant, not the machine's")]
    fn now(&self) -> Timestamp {
        let elapsed = tokio::time::Instant::now() - self.start;
        self.base.plus_nanos(i64::try_from(elapsed.as_nanos()).expect("within centuries"))
    }
    #[expect(clippy::disallowed_methods, reason = "tokio's paused timer, not the machine's")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let offset = at.nanos_since(self.base).max(0).unsigned_abs();
        Box::pin(tokio::time::sleep_until(self.start + Duration::from_nanos(offset)))
    }
}

/// A runtime on which [`Paused`] time jumps.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime")
}

/// Nobody else is logged in, as far as this machine can tell.
pub struct Nobody;

impl Conflicts for Nobody {
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// The calendar as the adapter and the desk see it.
pub struct Days {
    pub calendar: Calendar,
    pub market: Arc<ReplayMarket>,
    pub clock: SharedClock,
}

impl TradingDays for Days {
    fn session_of(&self, at: Timestamp, amo: bool) -> Date {
        let waiting = amo.then(|| self.calendar.amo_session(Exchange::Nse, at, AmoWindow::default()));
        waiting.and_then(Result::ok).unwrap_or_else(|| at.ist_date())
    }
    fn takes_amo(&self, at: Timestamp) -> bool {
        self.calendar.amo_session(Exchange::Nse, at, AmoWindow::default()).is_ok()
    }
    fn end_of(&self, session: Date) -> Timestamp {
        let session = self.calendar.session(Exchange::Nse, session).ok().flatten();
        session.map_or(Timestamp::from_nanos(i64::MAX), |it| it.close(InstrumentClass::WithoutDerivatives))
    }
}

impl MarketView for Days {
    fn last_price(&self, symbol: &Symbol) -> Option<Price> {
        self.market.quote(symbol, self.clock.now()).ok().map(|quote| quote.last)
    }
    fn instrument(&self, symbol: &Symbol) -> Option<Instrument> {
        self.market.instrument(symbol, self.clock.now()).ok()
    }
    fn settlement_date(&self, trade: Date) -> Date {
        self.calendar.settlement_date(Exchange::Nse, trade).unwrap_or(Date::MAX)
    }
    fn session_for(&self, amo: bool, now: Timestamp) -> Result<Date, (String, String)> {
        if amo {
            let waiting = self.calendar.amo_session(Exchange::Nse, now, AmoWindow::default());
            return waiting.map_err(|not_now| (not_now.phase.to_string(), not_now.reason));
        }
        Ok(now.ist_date())
    }
}

/// A journal that outlives its desk.
#[derive(Clone, Default)]
pub struct Shared(pub Arc<Mutex<MemoryJournal>>);

/// What a journal reads, as another one behind it reads it.
macro_rules! journal_reads {
    ($me:ident => $inner:expr) => {
        journal_reads! { @each $me => $inner;
            replay(account: &model::Account, since: model::Date) -> Vec<journal::Recorded>;
            trading_state() -> journal::TradingState;
            runs(day: model::Date) -> Vec<journal::RunRow>;
            last_runs(limit: u32) -> Vec<journal::RunRow>;
            open_runs() -> Vec<journal::RunRow>;
            run(id: &model::RunId) -> Option<journal::RunRow>;
            state_get(strategy: &model::StrategyName, key: &str) -> Option<Vec<u8>>;
            state_keys(strategy: &model::StrategyName, prefix: &str) -> Vec<String>;
            state_size(strategy: &model::StrategyName) -> u64;
            has_alert(key: &str) -> bool;
            undelivered(channel: &str, limit: u32) -> Vec<journal::AlertRow>;
            last_alerts(limit: u32) -> Vec<journal::AlertRow>;
            quarantine() -> Vec<(model::StrategyName, u32, String)>;
            entries(from_seq: u64, limit: u32) -> Vec<journal::Recorded>;
            trail(order: model::IntentId) -> Vec<journal::Recorded>;
        }
    };
    (@each $me:ident => $inner:expr;
        $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => { $(
        fn $name(&$me, $($arg: $ty),*) -> Result<$out, journal::JournalError> {
            $inner.$name($($arg),*)
        }
    )* };
}
#[allow(unused_imports, reason = "each test target uses a part of it")]
pub(crate) use journal_reads;

impl Journal for Shared {
    fn commit(
        &mut self,
        entries: &[Entry],
        durability: journal::Durability,
    ) -> Result<(), journal::JournalError> {
        lock(&self.0).commit(entries, durability)
    }
    journal_reads!(self => lock(&self.0));
}

/// The market, the exchange and the sim on it.
pub struct Stage {
    pub clock: SharedClock,
    pub market: Arc<ReplayMarket>,
    pub calendar: Calendar,
    pub exchange: Arc<Mutex<paper::Exchange>>,
    pub sim: Arc<Sim>,
}

pub fn symbols(data: &Dataset) -> Vec<Symbol> {
    data.histories().iter().map(|history| history.symbol.clone()).collect()
}

impl Stage {
    pub fn new(clock: SharedClock, tune: impl FnOnce(&mut SimConfig)) -> Self {
        let data = Dataset::demo();
        let calendar = Calendar::bundled();
        let market =
            Arc::new(ReplayMarket::new(Arc::clone(&data), calendar.clone(), ReplayOptions::default()));
        let mut rules = paper::PaperConfig::new(Money::from_rupees(1_000_000));
        rules.opening = vec![paper::Opening {
            symbol: SEEDED_SYMBOL.into(),
            quantity: SEEDED_QUANTITY,
            price: SEEDED_ENTRY_PRICE,
            settles: calendar.known_from(),
        }];
        let source: Arc<dyn market::PriceSource> = Arc::clone(&market) as _;
        let exchange = Arc::new(Mutex::new(paper::Exchange::new(source, calendar.clone(), rules)));
        let mut config = SimConfig { calendar: calendar.clone(), ..SimConfig::new(symbols(&data)) };
        tune(&mut config);
        let sim = Sim::new(config, Arc::clone(&exchange), Arc::clone(&market), Arc::clone(&clock));
        Self { clock, market, calendar, exchange, sim }
    }

    /// A transport within this process.
    pub fn in_process(&self) -> MakeTransport {
        let sim = Arc::clone(&self.sim);
        Arc::new(move || Ok(Arc::new(sim.transport()) as Arc<dyn Transport>))
    }
}

pub fn credentials() -> (kotak_neo::credentials::Credentials, SecretString) {
    let known = kotak_neo_sim::Credentials::default();
    let secret = |text: &str| SecretString::from(text);
    let login = kotak_neo::credentials::Credentials {
        consumer_key: secret(&known.consumer_key),
        mobile_number: secret(&known.mobile),
        ucc: secret(&known.ucc),
        mpin: secret(&known.mpin),
    };
    (login, secret(&known.totp_secret))
}

/// The account on a stage, by way of the adapter.
#[derive(Clone)]
pub struct Account1 {
    pub keeper: Arc<Keeper<KotakLogin>>,
    pub broker: KotakBroker,
    pub events: Arc<Mutex<Vec<SessionEvent>>>,
}

impl Account1 {
    pub fn open(stage: &Stage, base_url: &str, transport: MakeTransport, config: KeeperConfig) -> Self {
        Self::with_rates(stage, base_url, transport, config, Rates::default())
    }

    pub fn with_rates(
        stage: &Stage,
        base_url: &str,
        transport: MakeTransport,
        config: KeeperConfig,
        rates: Rates,
    ) -> Self {
        let (login, totp) = credentials();
        let events: Arc<Mutex<Vec<SessionEvent>>> = Arc::default();
        let told = Arc::clone(&events);
        let handle = tokio::runtime::Handle::current();
        let spawn: Spawn = Arc::new(move |task| drop(handle.spawn(task)));
        let keeper = Keeper::new(
            config,
            Arc::new(KotakLogin::new(transport, base_url.to_owned(), login)),
            Totp::from_base32(&totp).expect("base32"),
            Surroundings {
                conflicts: Arc::new(Nobody),
                clock: Arc::clone(&stage.clock),
                spawn,
                events: Arc::new(move |event| lock(&told).push(event)),
                memory: Memory::none(),
            },
        );
        let limits = Limits::new(rates, Arc::clone(&stage.clock));
        let broker = KotakBroker::new(Arc::clone(&keeper), limits, Arc::clone(&stage.clock), days(stage));
        Self { keeper, broker, events }
    }
}

pub fn days(stage: &Stage) -> Arc<Days> {
    Arc::new(Days {
        calendar: stage.calendar.clone(),
        market: Arc::clone(&stage.market),
        clock: Arc::clone(&stage.clock),
    })
}

/// The base URL that the in-process transport answers to.
pub const IN_PROCESS: &str = "http://sim.invalid";

pub fn desk_config(blocking: Blocking) -> DeskConfig {
    let mut config = DeskConfig::new("acc".into());
    config.blocking = blocking;
    config.charges = None;
    config
}

pub fn desk(stage: &Stage, account: &Account1, journal: Box<dyn Journal>, config: DeskConfig) -> Desk {
    Desk::open(config, journal, Arc::new(account.broker.clone()), Arc::clone(&stage.clock), days(stage))
        .expect("a desk")
}

pub fn origin(day: Date) -> Origin {
    Origin { account: "acc".into(), strategy: "s".into(), component: "hash".into(), run: "run".into(), day }
}

pub fn id(day: Date, key: &str) -> OrderId {
    IntentId::derive(&"acc".into(), &"s".into(), day, key)
}

pub fn request(key: &str, terms: OrderTerms) -> PlaceRequest {
    PlaceRequest { key: key.to_owned(), terms, send_by: None, reason: "test".to_owned() }
}

/// The shares that the account holds at the start, for the ledger.
pub fn opening(calendar: &Calendar, at: Timestamp) -> LedgerEntry {
    LedgerEntry {
        account: "acc".into(),
        symbol: SEEDED_SYMBOL.into(),
        side: Side::Buy,
        product: Product::Delivery,
        quantity: SEEDED_QUANTITY,
        price: SEEDED_ENTRY_PRICE,
        charges: Money::ZERO,
        at,
        session: calendar.known_from(),
        settles: calendar.known_from(),
        why: LedgerKind::Adopted { basis: "test".to_owned() },
    }
}

/// A limit order `bps` away from the last price, on a tick of five paise.
pub fn limit(stage: &Stage, symbol: &str, side: Side, quantity: u32, bps: i64) -> OrderTerms {
    let tick = model::Tick::new(Price::from_paise(5)).expect("positive");
    let last = stage.market.quote(&symbol.into(), stage.clock.now()).expect("a price").last;
    OrderTerms::limit(symbol, side, Quantity::new(quantity), tick.round_nearest(last.plus_bps(bps)))
}

/// Orders at the exchange by the tag they were sent with.
pub fn by_tag(audit: &kotak_neo_sim::Audit) -> Vec<(String, usize)> {
    let tagged = audit.accepted.iter().filter(|(tag, _)| !tag.is_empty());
    tagged.map(|(tag, ids)| (tag.clone(), ids.len())).collect()
}

/// Nothing is final without a piece of evidence that says so.
pub fn check_evidence(views: impl IntoIterator<Item = OrderView>, entries: &[Recorded], whose: &str) {
    for view in views.into_iter().filter(|view| view.status.is_final()) {
        let proven = entries.iter().any(|recorded| match &recorded.entry {
            Entry::Evidence(evidence) if evidence.order.as_str() == view.id => match &evidence.fact {
                Fact::Seen { status, .. } => status.is_final(),
                Fact::Refused { .. } | Fact::NotPlaced { .. } => true,
                Fact::Filled(_) => view.status == Status::Filled,
                _ => false,
            },
            _ => false,
        });
        assert!(proven, "{whose}{} is {} without evidence", view.id, view.status);
    }
}
