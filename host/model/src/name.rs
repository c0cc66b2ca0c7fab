//! Names: what identifies an account, a strategy, a symbol, a run.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl<T: AsRef<str>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(Arc::from(text.as_ref()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// A broker account, as the config names it (`[account.NAME]`).
    Account
}
name! {
    /// A strategy, as the config names it. Keys and state belong to the name, not to the component.
    StrategyName
}
name! {
    /// A tradable symbol without its series: `RELIANCE` on NSE; on BSE with its exchange, `BSE:RELIANCE`.
    Symbol
}
name! {
    /// One run of one task: `task@scheduled-instant`.
    RunId
}
name! {
    /// The broker's number for an order.
    BrokerOrderId
}
name! {
    /// The blake3 hash of a component, in hex.
    ContentHash
}
