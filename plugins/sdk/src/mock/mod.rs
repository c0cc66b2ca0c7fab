//! A host for tests, so that `cargo test` drives a whole strategy natively: feature `mock`, for
//! `[dev-dependencies]`. Compiled to WebAssembly a strategy always calls the real host.
//!
//! ```
//! use tradeagent_sdk::mock::{self, Host};
//! use tradeagent_sdk::monitor::*;
//! use tradeagent_sdk::price::Price;
//!
//! #[derive(Default)]
//! struct Watch;
//!
//! impl Strategy for Watch {
//!     fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
//!         if market::get_quote("TCS")?.last < 30_000_000 {
//!             notify::alert("low", notify::Severity::Warning, "TCS is below 3000");
//!         }
//!         Ok(None)
//!     }
//! }
//!
//! let host = Host::new();
//! assert!(matches!(Watch.run(host.tick()), Err(TaskError::Data(_))), "there is no quote yet");
//! host.quote("TCS", Price::rupees(2_990));
//! Watch.run(host.tick()).unwrap();
//! assert_eq!(host.alerts()[0].text, "TCS is below 3000");
//! ```
//!
//! What it knows: what the test has told it, that orders are kept by their keys, and that nothing is sold that is
//! not free. What it does not know: risk limits, price bands, funds, holidays, matching (see [`Host::fill`]), the
//! run's limits, and that a trap takes back what was written to `state`. `tradeagent plugin check` tries all of that.

mod data;
mod given;
pub(crate) mod host;
mod orders;

use std::cell::RefCell;
use std::rc::Rc;

pub use data::{bars, instrument};

use crate::bindings::tradeagent::strategy::{log, notify, order_book, types};
use crate::{Cause, Tick};
use data::World;

thread_local!(static INSTALLED: RefCell<Option<Rc<RefCell<World>>>> = const { RefCell::new(None) });

/// Hands the world of this thread's host to `f`.
///
/// # Panics
/// When the test has made none: a call of the host has nobody to answer it.
fn with<T>(f: impl FnOnce(&mut World) -> T) -> T {
    let world = INSTALLED.with_borrow(Clone::clone);
    let world = world.expect("a call of the host in a test: begin it with `let host = mock::Host::new();`");
    f(&mut world.borrow_mut())
}

/// Whether this thread has a host.
pub(crate) fn is_there() -> bool {
    INSTALLED.with_borrow(Option::is_some)
}

/// An alert that the strategy has sent.
///
/// ```
/// use tradeagent_sdk::monitor::notify::{self, Severity};
/// let host = tradeagent_sdk::mock::Host::new();
/// notify::alert("low", Severity::Info, "it is low");
/// notify::alert("low", Severity::Info, "the same key goes out once a day");
/// assert_eq!(host.alerts().len(), 1);
/// assert_eq!((host.alerts()[0].key.as_str(), host.alerts()[0].severity), ("low", Severity::Info));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it was sent under.
    pub key: String,
    /// How much it matters.
    pub severity: notify::Severity,
    /// What it says.
    pub text: String,
}

/// The host of one test. It answers the strategy's calls on the thread that made it until it is dropped; then
/// the one before answers again.
///
/// ```
/// use tradeagent_sdk::mock::Host;
/// use tradeagent_sdk::monitor::*;
/// let host = Host::new();
/// assert_eq!(market::get_session().unwrap().phase, market::Phase::Continuous, "a Monday, 10:00");
/// assert!(portfolio::get_positions().unwrap().is_empty());
/// ```
pub struct Host {
    world: Rc<RefCell<World>>,
    before: Option<Rc<RefCell<World>>>,
}

impl Host {
    /// A quiet exchange at 10:00 on Monday 2026-01-05, with nothing owned and no instrument.
    ///
    /// ```
    /// let host = tradeagent_sdk::mock::Host::new();
    /// assert_eq!(tradeagent_sdk::day::text(host.tick().about().trading_day), "2026-01-05");
    /// ```
    #[expect(clippy::new_without_default, reason = "it changes who answers on this thread")]
    pub fn new() -> Self {
        crate::log::install();
        let world = Rc::new(RefCell::new(World::new()));
        let before = INSTALLED.replace(Some(Rc::clone(&world)));
        Self { world, before }
    }

    /// A tick of the schedule, now.
    ///
    /// ```
    /// use tradeagent_sdk::Cause;
    /// let host = tradeagent_sdk::mock::Host::new();
    /// assert_eq!(host.tick().cause, Cause::Scheduled);
    /// ```
    pub fn tick(&self) -> Tick {
        self.tick_for(Cause::Scheduled)
    }

    /// A tick for another reason, now.
    ///
    /// ```
    /// use tradeagent_sdk::Cause;
    /// let host = tradeagent_sdk::mock::Host::new();
    /// assert_eq!(host.tick_for(Cause::Manual).cause, Cause::Manual);
    /// ```
    pub fn tick_for(&self, cause: Cause) -> Tick {
        Tick { now: self.world.borrow().now, cause }
    }

    /// What the strategy has ordered, in that order, as it stands; orders of others first (see [`Host::order`]).
    ///
    /// ```
    /// use tradeagent_sdk::buy::{buying, types::{OrderRequest, Status}};
    /// let host = tradeagent_sdk::mock::Host::new();
    /// host.listed(tradeagent_sdk::mock::instrument("TCS", 3_000));
    /// buying::place(&OrderRequest::limit("dip:TCS", "TCS", 10, 29_900_000)).unwrap();
    /// assert_eq!((host.orders()[0].quantity, &host.orders()[0].status), (10, &Status::New));
    /// ```
    pub fn orders(&self) -> Vec<types::Order> {
        self.world.borrow().orders.clone()
    }

    /// The alerts that went out.
    ///
    /// ```
    /// let host = tradeagent_sdk::mock::Host::new();
    /// assert!(host.alerts().is_empty());
    /// ```
    pub fn alerts(&self) -> Vec<Alert> {
        self.world.borrow().alerts.clone()
    }

    /// The log.
    ///
    /// ```
    /// use tradeagent_sdk::monitor::log;
    /// let host = tradeagent_sdk::mock::Host::new();
    /// log::warn!("no quote of {}", "TCS");
    /// assert_eq!(host.logs(), [(log::Level::Warn, "no quote of TCS".to_owned())]);
    /// ```
    pub fn logs(&self) -> Vec<(log::Level, String)> {
        self.world.borrow().logs.clone()
    }

    /// What `state` holds under `key`, as text.
    ///
    /// ```
    /// let host = tradeagent_sdk::mock::Host::new();
    /// tradeagent_sdk::store::set_number("count", 3);
    /// assert_eq!(host.state("count").as_deref(), Some("3"));
    /// ```
    pub fn state(&self, key: &str) -> Option<String> {
        let world = self.world.borrow();
        world.state.get(key).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// The order under `key`.
    fn find(&self, key: &str) -> order_book::OrderId {
        let world = self.world.borrow();
        let order = world.orders.iter().find(|order| order.strategy.is_some() && order.key == key);
        order.unwrap_or_else(|| panic!("the strategy has placed no order under the key {key}")).id.clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        INSTALLED.set(self.before.take());
    }
}
