//! The functions of the contract, answered by this thread's [`Host`](super::Host). Types are the contract's own; each
//! function hides the generated one of its name.

#![allow(missing_docs, reason = "each hides the function of its name in the contract, where it is described")]

use super::given::read;
use super::{Alert, with};
use crate::bindings::tradeagent::strategy as contract;
use contract::types::ReadError;

pub use contract::types;

pub mod market {
    use super::{missing, read};
    pub use crate::bindings::tradeagent::strategy::market::*;

    pub fn get_instruments(filter: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        let wanted = |list: &[String], it: &String| list.is_empty() || list.contains(it);
        read("market.get-instruments", |world| {
            let all = world.instruments.values();
            let some =
                all.filter(|it| wanted(&filter.series, &it.series) && wanted(&filter.symbols, &it.symbol));
            Ok(some.cloned().collect())
        })
    }

    pub fn get_instrument(symbol: &str) -> Result<Instrument, ReadError> {
        read("market.get-instrument", |world| {
            world.instruments.get(symbol).cloned().ok_or_else(|| missing("instrument", symbol))
        })
    }

    pub fn get_quote(symbol: &str) -> Result<Quote, ReadError> {
        read("market.get-quote", |world| {
            world.quotes.get(symbol).cloned().ok_or_else(|| missing("quote", symbol))
        })
    }

    pub fn get_candles(symbols: &[String], interval: Interval, n: u32) -> Result<Vec<Candles>, ReadError> {
        read("market.get-candles", |world| {
            Ok(symbols.iter().map(|symbol| world.bars(symbol, interval, n)).collect())
        })
    }

    pub fn get_session() -> Result<Session, ReadError> {
        read("market.get-session", |world| Ok(world.session()))
    }
}

fn missing(what: &str, of: &str) -> ReadError {
    ReadError::NotFound(format!("there is no {what} {of}"))
}

pub mod portfolio {
    use super::read;
    pub use crate::bindings::tradeagent::strategy::portfolio::*;

    pub fn get_positions() -> Result<Vec<Position>, ReadError> {
        read("portfolio.get-positions", |world| Ok(world.positions.values().cloned().collect()))
    }

    pub fn get_holdings() -> Result<Vec<Holding>, ReadError> {
        read("portfolio.get-holdings", |world| Ok(world.holdings.clone()))
    }

    pub fn get_funds() -> Result<Funds, ReadError> {
        read("portfolio.get-funds", |world| Ok(world.funds.clone()))
    }

    pub fn reconcile() -> Result<Vec<Difference>, ReadError> {
        read("portfolio.reconcile", |world| Ok(world.differences.clone()))
    }

    pub fn get_day_account() -> Result<DayAccount, ReadError> {
        read("portfolio.get-day-account", |world| Ok(world.day_account()))
    }
}

pub mod order_book {
    use super::{missing, read};
    pub use crate::bindings::tradeagent::strategy::order_book::*;

    pub fn get_order(id: &str) -> Result<Order, ReadError> {
        read("order-book.get-order", |world| {
            world.orders.iter().find(|it| it.id == id).cloned().ok_or_else(|| missing("order", id))
        })
    }

    pub fn get_own_orders() -> Result<Vec<Order>, ReadError> {
        read("order-book.get-own-orders", |world| {
            let own = |it: &&Order| it.strategy.as_deref() == Some(crate::mock::data::STRATEGY);
            Ok(world.orders.iter().filter(own).cloned().collect())
        })
    }

    pub fn get_account_orders() -> Result<Vec<Order>, ReadError> {
        read("order-book.get-account-orders", |world| Ok(world.orders.clone()))
    }
}

macro_rules! side {
    ($name:ident, $side:ident) => {
        pub mod $name {
            use super::with;
            use crate::bindings::tradeagent::strategy::types::Side;
            pub use crate::bindings::tradeagent::strategy::$name::*;

            pub fn place(request: &OrderRequest) -> Result<Placed, OrderError> {
                with(|world| world.place(Side::$side, request))
            }

            pub fn modify(id: &str, key: &str, price: i64, total: u32) -> Result<Placed, OrderError> {
                with(|world| world.modify(Side::$side, id, key, price, total))
            }
        }
    };
}

side!(buying, Buy);
side!(selling, Sell);

pub mod cancelling {
    use super::with;
    pub use crate::bindings::tradeagent::strategy::cancelling::*;

    pub fn cancel(id: &str, _reason: &str) -> Result<Placed, OrderError> {
        with(|world| world.cancel(id))
    }
}

pub mod run {
    use super::with;
    pub use crate::bindings::tradeagent::strategy::run::*;

    pub fn about() -> RunInfo {
        with(|world| world.run_info())
    }
}

pub mod state {
    use super::with;

    pub fn get(key: &str) -> Option<Vec<u8>> {
        with(|world| world.state.get(key).cloned())
    }

    pub fn set(key: &str, value: &[u8]) -> bool {
        // The contract's own limits.
        let fits = key.len() <= 128 && value.len() <= 64 << 10;
        if fits {
            with(|world| world.state.insert(key.to_owned(), value.to_owned()));
        }
        fits
    }

    pub fn delete(key: &str) -> bool {
        with(|world| world.state.remove(key).is_some())
    }

    pub fn keys(prefix: &str) -> Vec<String> {
        with(|world| world.state.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }
}

pub mod config {
    use super::with;

    pub fn get(name: &str) -> Option<String> {
        with(|world| world.params.get(name).cloned())
    }

    pub fn all() -> Vec<(String, String)> {
        with(|world| world.params.clone().into_iter().collect())
    }
}

pub mod notify {
    use super::{Alert, with};
    pub use crate::bindings::tradeagent::strategy::notify::*;

    pub fn alert(key: &str, severity: Severity, text: &str) -> bool {
        with(|world| {
            let is_new = world.alerts.iter().all(|alert| alert.key != key);
            if is_new {
                world.alerts.push(Alert { key: key.to_owned(), severity, text: text.to_owned() });
            }
            is_new
        })
    }
}

pub mod log {
    use super::with;
    pub use crate::bindings::tradeagent::strategy::log::*;

    /// Without a host there is nobody to read it: the facade also serves threads of other tests.
    pub fn write(level: Level, message: &str) {
        if crate::mock::is_there() {
            with(|world| world.logs.push((level, message.to_owned())));
        }
    }

    pub fn panicked(message: &str, location: &str) {
        write(Level::Error, &format!("panicked at {location}: {message}"));
    }
}
