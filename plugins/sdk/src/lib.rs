//! What a strategy is written with.
//!
//! A strategy is a value that implements [`Strategy`], exported from the module of its role:
//!
//! ```
//! use tradeagent_sdk::monitor::{self, *};
//!
//! #[derive(Default)]
//! struct Greeter;
//!
//! impl Strategy for Greeter {
//!     fn run(&mut self, tick: Tick) -> Result<Option<Report>, TaskError> {
//!         let positions = portfolio::get_positions()?;
//!         notify::alert("hello", notify::Severity::Info, &format!("{} positions", positions.len()));
//!         Ok(None)
//!     }
//! }
//!
//! monitor::export!(Greeter);
//! ```
//!
//! A role's module holds what that role may do and nothing else: `monitor` has no `selling`, so a monitor
//! that sells does not compile, and the host would not load it either.
//!
//! With the feature `mock`, for `[dev-dependencies]`, `cargo test` runs the whole of it natively: see the module `mock`.
//!
//! An instance lives for the ticks of one trading day. It may be thrown away between two ticks (a reload, a
//! trap, a restart): what has to survive belongs in `state` (see [`store`]).
//!
//! | for | there is |
//! |---|---|
//! | prices, money, shares, percentages | [`price`] |
//! | orders | `types::OrderRequest` with its makers (`limit`, `market`), [`stage`] |
//! | the log | [`log`], which the macros of the `log` crate lead to |
//! | what has to survive | [`store`] |
//! | parameters | [`params`] |
//! | days and dates | [`day`] |
//! | averages and strength | [`indicators`] |
//! | errors in words | [`describe`] |
//!
//! Nothing here may know how the host does its work. Start reading at [`Strategy`] and [`glue`].

#![deny(missing_docs)]

#[doc(hidden)]
pub mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "trader",
        pub_export_macro: true,
        default_bindings_module: "$crate::bindings",
        additional_derives: [PartialEq, Eq, PartialOrd, Ord, Clone],
        generate_unused_types: true,
    });
}

pub mod day;
pub mod describe;
#[doc(hidden)]
pub mod glue;
pub mod indicators;
pub mod log;
#[cfg(all(feature = "mock", not(target_family = "wasm")))]
pub mod mock;
mod order;
pub mod params;
pub mod price;
mod quantity;
pub mod report;
pub mod stage;
pub mod store;

/// The functions of the host: the component's imports, or a test's stand-in for them.
#[cfg(not(all(feature = "mock", not(target_family = "wasm"))))]
pub(crate) use bindings::tradeagent::strategy as host;
#[cfg(all(feature = "mock", not(target_family = "wasm")))]
pub(crate) use mock::host;

use host::{run, types};
pub use types::{Cause, Report, TaskError};

/// Why and when a run happens.
///
/// ```
/// use tradeagent_sdk::{Cause, Tick};
/// let tick = Tick { now: 1_767_587_400_000_000_000, cause: Cause::Scheduled };
/// assert_eq!(tradeagent_sdk::day::text(tradeagent_sdk::day::date(tradeagent_sdk::day::number_at(tick.now))), "2026-01-05");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Now, in nanoseconds since 1970-01-01T00:00:00Z.
    pub now: types::Instant,
    /// Why it runs.
    pub cause: Cause,
}

impl Tick {
    /// All else there is to know of this run. It asks the host: keep the answer.
    ///
    /// ```
    /// let host = tradeagent_sdk::mock::Host::new();
    /// assert_eq!(host.tick().about().attempt, 1);
    /// ```
    pub fn about(&self) -> run::RunInfo {
        run::about()
    }
}

/// A strategy. One value is made with `default` for the ticks of a day, and thrown away with its instance.
///
/// ```
/// use tradeagent_sdk::monitor::{self, *};
///
/// #[derive(Default)]
/// struct Count;
///
/// impl Strategy for Count {
///     fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
///         Ok(Some(Report::new(format!("{} positions", portfolio::get_positions()?.len()))))
///     }
/// }
///
/// monitor::export!(Count);
///
/// let host = tradeagent_sdk::mock::Host::new();
/// assert_eq!(Count.run(host.tick()).unwrap().unwrap().summary, "0 positions");
/// ```
pub trait Strategy: Default {
    /// Does what there is to do now.
    ///
    /// # Errors
    /// When it could not do its work: the run is journaled as failed with the error's text. Orders that were
    /// placed before stay placed.
    fn run(&mut self, tick: Tick) -> Result<Option<Report>, TaskError>;
}

macro_rules! role {
    ($(#[$doc:meta])* $name:ident: $($act:ident),*) => {
        $(#[$doc])*
        pub mod $name {
            pub use crate::host::{config, market, notify, order_book, portfolio, run, state, types};
            $(pub use crate::host::$act;)*
            pub use crate::log;
            pub use crate::{Cause, Report, Strategy, TaskError, Tick, __export_strategy as export};
        }
    };
}

role!(/// What a strategy in the role `sell` may do.
    sell: selling, cancelling);
role!(/// What a strategy in the role `buy` may do.
    buy: buying, cancelling);
role!(/// What a strategy in the role `monitor` may do.
    monitor:);
role!(/// What a strategy in the role `eod` may do.
    eod: cancelling);
role!(/// What a strategy in the role `trader` may do.
    trader: buying, selling, cancelling);

/// Exports a [`Strategy`] as the component's task. Use it through a role: `sell::export!(MySell)`.
///
/// Outside WebAssembly it only checks the type, so that a strategy's own tests build natively.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_strategy {
    ($ty:ty) => {
        const _: () = {
            struct Component;
            impl $crate::glue::Guest for Component {
                fn run(
                    now: $crate::glue::Instant,
                    cause: $crate::Cause,
                ) -> ::core::result::Result<::core::option::Option<$crate::Report>, $crate::TaskError>
                {
                    ::std::thread_local!(
                        static IT: ::core::cell::RefCell<::core::option::Option<$ty>> =
                            const { ::core::cell::RefCell::new(None) }
                    );
                    IT.with(|it| $crate::glue::run(it, $crate::Tick { now, cause }))
                }
            }
            $crate::__export_component!(Component);
        };
    };
}

#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($component:ident) => {
        $crate::bindings::export!($component with_types_in $crate::bindings);
    };
}

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($component:ident) => {
        const _: fn(
            $crate::glue::Instant,
            $crate::Cause,
        ) -> ::core::result::Result<::core::option::Option<$crate::Report>, $crate::TaskError> =
            <$component as $crate::glue::Guest>::run;
    };
}
