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
//! An instance lives for the ticks of one trading day. It may be thrown away between two ticks (a reload, a
//! trap, a restart): what has to survive belongs in `state` (see [`store`]).
//!
//! Nothing here may know how the host does its work. Start reading at [`Strategy`] and [`glue`].

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
pub mod params;
pub mod price;
pub mod report;
pub mod stage;
pub mod store;

use bindings::tradeagent::strategy::{run, types};
pub use types::{Cause, Report, TaskError};

/// Why and when a run happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Now, in nanoseconds since 1970-01-01T00:00:00Z.
    pub now: types::Instant,
    /// Why it runs.
    pub cause: Cause,
}

impl Tick {
    /// All else there is to know of this run. It asks the host: keep the answer.
    pub fn about(&self) -> run::RunInfo {
        run::about()
    }
}

/// A strategy. One value is made with `default` for the ticks of a day; parameters are read at the first tick.
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
            pub use crate::bindings::tradeagent::strategy::{
                config, log, market, notify, order_book, portfolio, run, state, types,
            };
            $(pub use crate::bindings::tradeagent::strategy::$act;)*
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
