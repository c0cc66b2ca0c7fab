//! Orders: what the exchange knows of them, and what only the wire does.
//!
//! The exchange is the truth. Kept here are a client's own words for each order, its tag, the statuses it
//! went through, what faults do to how it is shown, and the rows of orders that were acknowledged and then
//! refused: those never reach the exchange and block nothing.

mod books;
mod change;
mod jdata;
mod place;
mod protect;
mod shown;
mod sync;
mod table;
mod trades;

pub(crate) use books::{history, of_today, one_order, order_book, trade_book};
pub(crate) use change::{cancel, modify};
pub(crate) use jdata::{JData, not_ok};
pub(crate) use place::{Birth, place};
pub(crate) use shown::Shown;
pub(crate) use sync::{discover, sync};
pub(crate) use table::{OrderTable, Step, Tracked};
pub(crate) use trades::{WireTrade, wire_trades};
