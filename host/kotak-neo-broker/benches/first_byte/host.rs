//! A host as the service wires it: guest, desk, adapter, real sockets.

use std::sync::Arc;
use std::time::Instant;

use broker::BrokerOrder;
use journal::Journal;
use model::clock::SharedClock;
use model::{
    BrokerOrderId, Clock as _, Date, Instrument, Origin, Price, Quantity, Status, StrategyName, Symbol,
    Timestamp,
};
use oms::{Blocking, Desk, DeskConfig, MarketView};
use runtime::{
    Cause, Grants, Limits, Loaded, Mode, Profile, Role, RunInfo, RunResult, Runtime, RuntimeOptions,
    StrategyHandle,
};

use crate::account::{self, UNHURRIED};
use crate::clock::Paced;
use crate::components::component;
use crate::marks::{Marks, Passed, instant};
use crate::server::{Arrived, Server};

const ACCOUNT: &str = "bench";
const STRATEGY: &str = "places";
/// Orders of one day, which is one instance of the guest: as many as a busy strategy places.
const ORDERS_PER_DAY: u32 = 16;

/// The host and the broker's server.
pub struct Host {
    /// The other end of the wire.
    pub server: Server,
    desk: Desk,
    guest: StrategyHandle,
    loaded: Loaded,
    // The guest's component runs on it.
    _runtime: Runtime,
    clock: Arc<Paced>,
    marks: Marks,
    placed: u32,
}

/// One order on its way: when its run was asked for, what it passed, and when it arrived.
pub struct Way {
    /// The run was asked for.
    pub asked: Instant,
    /// What it passed.
    pub passed: Passed,
    /// What arrived.
    pub arrived: Arrived,
}

impl Host {
    /// On `journal`, whose commits run as `blocking` says. Limits are the service's defaults; the rates are
    /// so high that no order waits.
    pub async fn start(journal: Box<dyn Journal>, blocking: Blocking) -> Self {
        let server = Server::start();
        let marks = Marks::default();
        let day = Date::from_ymd_opt(2025, 3, 4).expect("a date");
        let clock = Arc::new(Paced::on(day));
        let shared: SharedClock = Arc::clone(&clock) as SharedClock;
        let broker = account::log_in(server.address, Arc::clone(&shared), marks.clone()).await;
        let mut config = DeskConfig::new(ACCOUNT.into());
        config.blocking = blocking;
        config.orders_per_second = UNHURRIED;
        let desk = Desk::open(config, journal, Arc::new(broker), Arc::clone(&shared), Arc::new(Open))
            .expect("a desk");
        let runtime = Runtime::new(RuntimeOptions::new(Profile::Live)).expect("a runtime");
        let bytes = component(include_str!("places.wat"), "buy", &|text| text.to_owned());
        let loaded = runtime.load(&bytes, Grants::of(Role::Buy), Limits::default()).expect("loads");
        let services = crate::services::ToDesk { desk: desk.clone(), clock: shared, marks: marks.clone() };
        let guest = StrategyHandle::spawn(Arc::new(services));
        Self { server, desk, guest, loaded, _runtime: runtime, clock, marks, placed: 0 }
    }

    /// One run of the guest, which places one order.
    pub async fn place(&mut self) -> Way {
        let info = self.info();
        let now = self.clock.now();
        let asked = instant();
        let outcome = self.guest.run(self.loaded.clone(), info, now, Cause::Scheduled).await;
        assert_eq!(outcome.result, RunResult::Done(None), "the order is taken");
        self.placed += 1;
        let way = Way { asked, passed: self.marks.take(), arrived: self.server.arrived() };
        self.end(&way.arrived.number);
        way
    }

    fn info(&self) -> RunInfo {
        let day = self.clock.now().ist_date();
        RunInfo {
            id: "places@1".into(),
            task: "places".to_owned(),
            origin: Origin {
                account: ACCOUNT.into(),
                strategy: STRATEGY.into(),
                component: "none".into(),
                run: "places@1".into(),
                day,
            },
            scheduled: Timestamp::at_ist(day, 9, 15),
            mode: Mode::Live,
            attempt: 1,
            for_session: None,
            feeds: Arc::from([]),
            params: Arc::default(),
        }
    }

    /// The order ends as the broker's book would tell it, so that the desk stays as large as one in use.
    fn end(&self, number: &str) {
        let day = self.clock.now().ist_date();
        let strategy = StrategyName::from(STRATEGY);
        let order = self
            .desk
            .own_orders(&strategy, day)
            .into_iter()
            .find(|order| order.broker_id.as_ref().is_some_and(|known| known.as_str() == number));
        let order = order.expect("the desk has it under the number of the answer");
        let row = BrokerOrder {
            broker_id: BrokerOrderId::from(number),
            tag: Some(order.id),
            terms: order.terms,
            status: Status::Canceled,
            filled: Quantity::ZERO,
            average: Price::ZERO,
            at: self.clock.now(),
            session: order.for_session,
            reason: String::new(),
        };
        assert_eq!(self.desk.absorb(&[row], &[]), 1, "its end is news");
    }

    /// What is nobody's cost here: the next day, when this one has its orders.
    pub async fn between(&self) {
        if !self.placed.is_multiple_of(ORDERS_PER_DAY) {
            return;
        }
        self.clock.pass_a_day();
        self.guest.new_day().await;
        // As the service does between orders.
        self.desk.with_journal(Journal::maintain).expect("house-keeping");
    }
}

/// Every symbol is at 100 rupees and in session.
struct Open;

impl MarketView for Open {
    fn last_price(&self, _: &Symbol) -> Option<Price> {
        Some(Price::from_rupees(100))
    }
    fn instrument(&self, _: &Symbol) -> Option<Instrument> {
        None
    }
    fn settlement_date(&self, trade: Date) -> Date {
        trade
    }
    fn session_for(&self, _: bool, now: Timestamp) -> Result<Date, (String, String)> {
        Ok(now.ist_date())
    }
}
