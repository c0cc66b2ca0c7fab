//! What a strategy may do: its role decides what is linked, finer grants decide what is denied.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use model::{Money, OrderError, Symbol};
use serde::{Deserialize, Serialize};

use crate::contract;

/// The part that the operator's config gives a strategy. A component does not carry its world's name,
/// so its imports are checked against this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sells what the system owns.
    Sell,
    /// Buys.
    Buy,
    /// Watches and alerts.
    Monitor,
    /// Closes the day; may cancel stale orders of others.
    Eod,
    /// Buys and sells.
    Trader,
}

/// A role that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role; there are sell, buy, monitor, eod and trader")]
pub struct NoSuchRole(String);

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[Self::Sell, Self::Buy, Self::Monitor, Self::Eod, Self::Trader];

    /// The role's name, which is its world's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sell => "sell",
            Self::Buy => "buy",
            Self::Monitor => "monitor",
            Self::Eod => "eod",
            Self::Trader => "trader",
        }
    }

    /// Whether a component in this role may import `interface` (named without package and version).
    pub fn allows(self, interface: &str) -> bool {
        contract::interface(interface).is_some_and(|known| known.roles.contains(&self))
    }

    /// Whether it may cancel stale orders of others.
    pub const fn cancels_stale_orders(self) -> bool {
        matches!(self, Self::Eod)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = NoSuchRole;
    fn from_str(text: &str) -> Result<Self, NoSuchRole> {
        Self::ALL
            .iter()
            .copied()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| NoSuchRole(text.to_owned()))
    }
}

/// What one strategy may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Its part.
    pub role: Role,
    /// The only symbols it may trade; none: all.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// The largest value of one order; none: the desk's own limit alone.
    pub max_order_value: Option<Money>,
    /// Orders a day. The desk counts them; this is where the number is kept.
    pub max_orders_per_day: Option<u32>,
}

impl Grants {
    /// Everything that `role` allows.
    pub const fn of(role: Role) -> Self {
        Self { role, symbols: None, max_order_value: None, max_orders_per_day: None }
    }

    /// Denies a symbol that is not granted.
    pub(crate) fn check_symbol(&self, symbol: &Symbol) -> Result<(), OrderError> {
        match &self.symbols {
            Some(granted) if !granted.contains(symbol) => Err(OrderError::Denied {
                rule: "granted-symbols",
                reason: format!(
                    "{symbol} is not among the {} symbols granted to this strategy",
                    granted.len()
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Denies an order value above the grant.
    pub(crate) fn check_value(&self, value: Money) -> Result<(), OrderError> {
        match self.max_order_value {
            Some(limit) if value > limit => Err(OrderError::Denied {
                rule: "granted-order-value",
                reason: format!(
                    "the order is worth {value}, and this strategy may place orders of at most {limit}"
                ),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_can_neither_buy_nor_sell_nor_cancel() {
        for interface in ["buying", "selling", "cancelling"] {
            assert!(!Role::Monitor.allows(interface), "{interface}");
            assert!(Role::Trader.allows(interface), "{interface}");
        }
        assert!(Role::Monitor.allows("market"));
        assert!(!Role::Sell.allows("buying"));
        assert!(!Role::Trader.allows("no-such"));
    }

    #[test]
    fn finer_grants_deny_by_name_of_the_rule() {
        let grants = Grants {
            symbols: Some(BTreeSet::from(["TCS".into()])),
            max_order_value: Some(Money::from_rupees(1_000)),
            ..Grants::of(Role::Trader)
        };
        assert!(grants.check_symbol(&"TCS".into()).is_ok());
        assert!(matches!(
            grants.check_symbol(&"INFY".into()),
            Err(OrderError::Denied { rule: "granted-symbols", .. })
        ));
        assert!(grants.check_value(Money::from_rupees(1_000)).is_ok());
        assert_eq!(
            grants.check_value(Money::from_paise(100_001)).expect_err("too much").to_string(),
            "denied by granted-order-value: the order is worth 1000.01, and this strategy may place orders of at most 1000.00"
        );
    }

    #[test]
    fn a_role_that_does_not_exist_names_those_that_do() {
        assert_eq!("eod".parse(), Ok(Role::Eod));
        assert_eq!(
            "seller".parse::<Role>().expect_err("no role").to_string(),
            "`seller` is no role; there are sell, buy, monitor, eod and trader"
        );
    }
}
