//! Values and pure decisions: price, instrument, order and its state machine, position ledger,
//! charges, risk rules.
//!
//! Architecture invariant: this crate knows no clock, no runtime, no file, no network. It depends on
//! nothing that could reach one (a test reads `cargo metadata`). Start reading at [`order`], then
//! [`evidence`] and [`state`].

pub mod charges;
pub mod clock;
pub mod desk;
pub mod evidence;
pub mod instrument;
pub mod ledger;
pub mod name;
pub mod order;
pub mod price;
pub mod risk;
pub mod state;
pub mod time;

pub use clock::{BoxFuture, Clock, ready};
pub use desk::{
    DayAccount, Difference, Funds, Holding, ModifyRequest, OrderError, OrderView, Origin, PlaceRequest,
    Placed, PositionView, ReadError, Report, Skip,
};
pub use evidence::{Evidence, Fact, Fill, Source};
pub use instrument::{Exchange, Instrument, InstrumentClass, Series};
pub use ledger::{LedgerEntry, LedgerKind, Position};
pub use name::{Account, BrokerOrderId, ContentHash, RunId, StrategyName, Symbol};
pub use order::{Action, Intent, IntentId, OrderId, OrderTerms, OrderType, Product, Side, Status, Validity};
pub use price::{Money, Price, PriceError, Quantity, Tick};
pub use state::OrderState;
pub use time::{Date, Timestamp};
