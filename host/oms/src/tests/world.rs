//! Clock, view, journal and desk of a test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{
    AlertRow, Durability, Entry, Journal, JournalError, MemoryJournal, Recorded, RunRow, TradingState,
};
use model::risk::Limits;
use model::{
    Account, BoxFuture, Clock, Date, Instrument, IntentId, LedgerEntry, LedgerKind, ModifyRequest, Money,
    OrderError, OrderId, OrderTerms, OrderView, Origin, PlaceRequest, Placed, Price, Product, Quantity,
    RunId, Side, Status, StrategyName, Symbol, Timestamp,
};

use super::exchange::{Exchange, State};
use crate::desk::lock;
use crate::{Blocking, Desk, DeskConfig, MarketView};

pub fn day() -> Date {
    Date::from_ymd_opt(2025, 3, 4).expect("a date")
}

type Hook = Box<dyn FnOnce() + Send>;
type CommitHook = Box<dyn Fn(Durability) + Send>;

/// Time stands still until told, or until someone waits: then it is at once where they wait for.
pub struct TestClock {
    now: Mutex<Timestamp>,
    on_sleep: Mutex<Option<Hook>>,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(Timestamp::at_ist(day(), 10, 0)), on_sleep: Mutex::new(None) })
    }
    pub fn pass(&self, seconds: i64) {
        let mut now = lock(&self.now);
        *now = now.plus_seconds(seconds);
    }
    pub fn on_sleep(&self, hook: impl FnOnce() + Send + 'static) {
        *lock(&self.on_sleep) = Some(Box::new(hook));
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *lock(&self.now)
    }
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let hook = lock(&self.on_sleep).take();
            if let Some(hook) = hook {
                hook();
            }
            let mut now = lock(&self.now);
            *now = (*now).max(at);
        })
    }
}

/// Every symbol is at 100 rupees; the market is open unless closed.
#[derive(Default)]
pub struct TestView {
    pub closed: Mutex<bool>,
    pub last: Mutex<Option<Price>>,
}

impl MarketView for TestView {
    fn last_price(&self, _: &Symbol) -> Option<Price> {
        Some(lock(&self.last).unwrap_or(Price::from_rupees(100)))
    }
    fn instrument(&self, _: &Symbol) -> Option<Instrument> {
        None
    }
    fn settlement_date(&self, trade: Date) -> Date {
        trade.succ_opt().expect("not the last day")
    }
    fn session_for(&self, _: bool, now: Timestamp) -> Result<Date, (String, String)> {
        if *lock(&self.closed) {
            return Err(("closed".to_owned(), "the market is closed".to_owned()));
        }
        Ok(now.ist_date())
    }
}

/// A journal that outlives its desk, can fail, and remembers every commit.
#[derive(Clone)]
pub struct Shared {
    pub journal: Arc<Mutex<MemoryJournal>>,
    pub fails: Arc<Mutex<bool>>,
    pub after_commit: Arc<Mutex<Option<CommitHook>>>,
}

impl Shared {
    pub fn new(journal: MemoryJournal) -> Self {
        Self {
            journal: Arc::new(Mutex::new(journal)),
            fails: Arc::default(),
            after_commit: Arc::new(Mutex::new(None)),
        }
    }
}

macro_rules! delegate {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => { $(
        fn $name(&self, $($arg: $ty),*) -> Result<$out, JournalError> {
            lock(&self.journal).$name($($arg),*)
        }
    )* };
}

impl Journal for Shared {
    fn commit(&mut self, entries: &[Entry], durability: Durability) -> Result<(), JournalError> {
        if *lock(&self.fails) {
            return Err(JournalError::CannotWrite("disk full".to_owned()));
        }
        lock(&self.journal).commit(entries, durability)?;
        if let Some(hook) = lock(&self.after_commit).as_ref() {
            hook(durability);
        }
        Ok(())
    }
    delegate! {
        replay(account: &Account, since: Date) -> Vec<Recorded>;
        trading_state() -> TradingState;
        runs(day: Date) -> Vec<RunRow>;
        last_runs(limit: u32) -> Vec<RunRow>;
        open_runs() -> Vec<RunRow>;
        run(id: &RunId) -> Option<RunRow>;
        state_get(strategy: &StrategyName, key: &str) -> Option<Vec<u8>>;
        state_keys(strategy: &StrategyName, prefix: &str) -> Vec<String>;
        state_size(strategy: &StrategyName) -> u64;
        has_alert(key: &str) -> bool;
        undelivered(channel: &str, limit: u32) -> Vec<AlertRow>;
        last_alerts(limit: u32) -> Vec<AlertRow>;
        quarantine() -> Vec<(StrategyName, u32, String)>;
        entries(from_seq: u64, limit: u32) -> Vec<Recorded>;
        trail(order: IntentId) -> Vec<Recorded>;
    }
}

pub struct World {
    pub clock: Arc<TestClock>,
    pub exchange: Arc<Exchange>,
    pub view: Arc<TestView>,
    pub journal: Shared,
    pub config: DeskConfig,
    pub desk: Desk,
}

pub fn config(blocking: Blocking) -> DeskConfig {
    let mut config = DeskConfig::new("acc".into());
    config.blocking = blocking;
    config.limits = Limits { max_order_value: None, ..Limits::default() };
    config.listing_lag = Duration::from_secs(60);
    config.park_after = 6;
    config
}

impl World {
    pub fn new(blocking: Blocking) -> Self {
        Self::with(config(blocking))
    }

    pub fn with(config: DeskConfig) -> Self {
        Self::on(config, MemoryJournal::new(), State::default(), TestClock::new())
    }

    pub fn on(config: DeskConfig, journal: MemoryJournal, state: State, clock: Arc<TestClock>) -> Self {
        let exchange = Exchange::new(Arc::clone(&clock), state);
        let view = Arc::new(TestView::default());
        let journal = Shared::new(journal);
        let desk = open(&config, &journal, &exchange, &clock, &view);
        Self { clock, exchange, view, journal, config, desk }
    }

    /// The process dies; another stands up on what is on the disk.
    pub fn restart(&mut self) {
        self.desk = open(&self.config, &self.journal, &self.exchange, &self.clock, &self.view);
    }

    pub fn origin(&self, strategy: &str) -> Origin {
        Origin {
            account: "acc".into(),
            strategy: strategy.into(),
            component: "hash".into(),
            run: "run".into(),
            day: self.clock.now().ist_date(),
        }
    }

    pub fn id(&self, strategy: &str, key: &str) -> OrderId {
        IntentId::derive(&"acc".into(), &strategy.into(), self.clock.now().ist_date(), key)
    }

    pub async fn place(&self, key: &str, terms: OrderTerms) -> Result<Placed, OrderError> {
        self.desk.place(&self.origin("s"), request(key, terms)).await
    }

    pub async fn modify(
        &self,
        order: OrderId,
        key: &str,
        quantity: u32,
        rupees: i64,
    ) -> Result<Placed, OrderError> {
        let request = ModifyRequest {
            order,
            key: key.to_owned(),
            side: self.view_of(order).terms.side,
            price: Price::from_rupees(rupees),
            total_quantity: Quantity::new(quantity),
        };
        self.desk.modify(&self.origin("s"), request).await
    }

    pub async fn cancel(&self, order: OrderId) -> Result<Placed, OrderError> {
        self.desk.cancel(&self.origin("s"), order, false, "test".to_owned()).await
    }

    pub fn view_of(&self, order: OrderId) -> OrderView {
        self.desk.order(order.as_str()).expect("a known order")
    }

    pub fn status(&self, order: OrderId) -> Status {
        self.view_of(order).status
    }

    /// Owned shares of ACME.
    pub fn owned(&self) -> u32 {
        let positions = self.desk.positions(day());
        positions.iter().map(|view| view.position.quantity.get()).sum()
    }

    /// Settled shares that came with no order.
    pub fn adopt(&self, symbol: &str, quantity: u32) {
        let entry = LedgerEntry {
            account: "acc".into(),
            symbol: symbol.into(),
            side: Side::Buy,
            product: Product::Delivery,
            quantity: Quantity::new(quantity),
            price: Price::from_rupees(100),
            charges: Money::ZERO,
            at: self.clock.now(),
            session: day(),
            settles: day(),
            why: LedgerKind::Adopted { basis: "test".to_owned() },
        };
        self.desk.adopt(entry).expect("a healthy journal");
        self.exchange.with(|state| state.holdings.insert(symbol.into(), Quantity::new(quantity)));
    }

    /// Reads the books again and again, with time between.
    pub async fn settle(&self) {
        for _ in 0..10 {
            self.clock.pass(30);
            self.desk.reconcile().await.expect("a healthy broker");
        }
    }

    pub fn alerts(&self) -> Vec<String> {
        let rows = lock(&self.journal.journal).last_alerts(100).expect("memory");
        rows.into_iter().map(|row| row.alert.key).collect()
    }

    pub fn broker_row(&self, order: OrderId) -> broker::BrokerOrder {
        let number = self.view_of(order).broker_id.expect("known at the broker");
        self.exchange.with(|state| state.rows[&number].clone())
    }
}

fn open(
    config: &DeskConfig,
    journal: &Shared,
    exchange: &Arc<Exchange>,
    clock: &Arc<TestClock>,
    view: &Arc<TestView>,
) -> Desk {
    let (exchange, clock, view) = (Arc::clone(exchange), Arc::clone(clock), Arc::clone(view));
    Desk::open(config.clone(), Box::new(journal.clone()), exchange, clock, view).expect("a desk")
}

pub fn request(key: &str, terms: OrderTerms) -> PlaceRequest {
    PlaceRequest { key: key.to_owned(), terms, send_by: None, reason: "test".to_owned() }
}

pub fn buy(quantity: u32) -> OrderTerms {
    OrderTerms::limit("ACME", Side::Buy, Quantity::new(quantity), Price::from_rupees(100))
}

pub fn sell(quantity: u32) -> OrderTerms {
    OrderTerms::limit("ACME", Side::Sell, Quantity::new(quantity), Price::from_rupees(100))
}

pub fn rule<T: std::fmt::Debug>(outcome: Result<T, OrderError>) -> &'static str {
    match outcome {
        Err(OrderError::Denied { rule, .. }) => rule,
        other => panic!("not denied: {other:?}"),
    }
}
