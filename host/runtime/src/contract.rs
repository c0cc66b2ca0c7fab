//! The host's own table of the contract: which interfaces there are, their functions, and which roles
//! get them. A test compares it with `wit/`.

use std::fmt;

use crate::grants::Role;

/// The package that strategies are built against.
pub const PACKAGE: &str = "tradeagent:strategy";
/// The version that this host speaks.
pub const VERSION: Version = Version { major: 0, minor: 1, patch: 0 };
/// The interface that a component exports.
pub const TASK: &str = "task";
/// Its only function.
pub const RUN: &str = "run";

/// A version of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// A change here breaks components.
    pub major: u64,
    /// With major 0, a change here breaks components too.
    pub minor: u64,
    /// A change here adds functions.
    pub patch: u64,
}

impl Version {
    /// From `0.1.0`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse::<u64>);
        let version =
            Self { major: parts.next()?.ok()?, minor: parts.next()?.ok()?, patch: parts.next()?.ok()? };
        parts.next().is_none().then_some(version)
    }

    /// Whether a component built against `self` can be linked to a host of `host`: as in cargo.
    pub const fn fits(self, host: Self) -> bool {
        if self.major != host.major {
            return false;
        }
        if self.major > 0 {
            return true;
        }
        self.minor == host.minor && (self.minor > 0 || self.patch == host.patch)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// One interface of the contract.
#[derive(Debug)]
pub struct Interface {
    /// Its name without package and version.
    pub name: &'static str,
    /// Its functions.
    pub functions: &'static [&'static str],
    /// The roles that may import it.
    pub roles: &'static [Role],
}

/// Every interface that a component may import.
pub const INTERFACES: &[Interface] = &[
    Interface { name: "types", functions: &[], roles: Role::ALL },
    Interface { name: "run", functions: &["about"], roles: Role::ALL },
    Interface { name: "log", functions: &["write", "panicked"], roles: Role::ALL },
    Interface {
        name: "market",
        functions: &["get-instruments", "get-instrument", "get-quote", "get-candles", "get-session"],
        roles: Role::ALL,
    },
    Interface {
        name: "portfolio",
        functions: &["get-positions", "get-holdings", "get-funds", "reconcile", "get-day-account"],
        roles: Role::ALL,
    },
    Interface {
        name: "order-book",
        functions: &["get-order", "get-own-orders", "get-account-orders"],
        roles: Role::ALL,
    },
    Interface { name: "state", functions: &["get", "set", "delete", "keys"], roles: Role::ALL },
    Interface { name: "config", functions: &["get", "all"], roles: Role::ALL },
    Interface { name: "notify", functions: &["alert"], roles: Role::ALL },
    Interface { name: "buying", functions: &["place", "modify"], roles: &[Role::Buy, Role::Trader] },
    Interface { name: "selling", functions: &["place", "modify"], roles: &[Role::Sell, Role::Trader] },
    Interface {
        name: "cancelling",
        functions: &["cancel"],
        roles: &[Role::Sell, Role::Buy, Role::Eod, Role::Trader],
    },
];

/// The interface `name` (without package and version).
pub fn interface(name: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.name == name)
}

/// The full name of an interface as this host links it.
pub fn full_name(interface: &str) -> String {
    format!("{PACKAGE}/{interface}@{VERSION}")
}

/// Splits `tradeagent:strategy/market@0.1.0` into interface and version; `None` when it is not ours.
pub fn ours(name: &str) -> Option<(&str, Option<&str>)> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    Some(match rest.split_once('@') {
        Some((interface, version)) => (interface, Some(version)),
        None => (rest, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use wit_parser::abi::AbiVariant;
    use wit_parser::{PackageId, Resolve, WorldItem};

    fn contract() -> (Resolve, PackageId) {
        let mut resolve = Resolve::default();
        let (package, _) =
            resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).expect("wit/ parses");
        (resolve, package)
    }

    #[test]
    fn the_table_is_the_contract() {
        let (resolve, package) = contract();
        let package = &resolve.packages[package];
        assert_eq!(package.name.to_string(), format!("{PACKAGE}@{VERSION}"));
        let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, id) in &package.interfaces {
            if name != TASK {
                seen.insert(name, resolve.interfaces[*id].functions.keys().map(String::as_str).collect());
            }
        }
        let table: BTreeMap<&str, BTreeSet<&str>> =
            INTERFACES.iter().map(|i| (i.name, i.functions.iter().copied().collect())).collect();
        assert_eq!(table, seen);
    }

    #[test]
    fn each_role_gets_what_its_world_imports() {
        let (resolve, package) = contract();
        for role in Role::ALL {
            let world = resolve.packages[package].worlds[role.as_str()];
            let imports: BTreeSet<&str> = resolve.worlds[world]
                .imports
                .values()
                .filter_map(|item| match item {
                    WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.as_deref(),
                    WorldItem::Function(_) | WorldItem::Type { .. } => None,
                })
                .collect();
            let allowed: BTreeSet<&str> = INTERFACES
                .iter()
                .filter(|interface| interface.roles.contains(role))
                .map(|i| i.name)
                .collect();
            assert_eq!(allowed, imports, "{role}");
        }
    }

    #[test]
    fn a_tick_crosses_without_touching_memory() {
        let (resolve, package) = contract();
        let task = resolve.packages[package].interfaces[TASK];
        let run = &resolve.interfaces[task].functions[RUN];
        assert!(!resolve.wasm_signature(AbiVariant::GuestExport, run).indirect_params);
    }

    #[test]
    fn versions_fit_as_in_cargo() {
        let version = |text| Version::parse(text).expect("a version");
        assert!(version("0.1.7").fits(VERSION));
        assert!(!version("0.2.0").fits(VERSION));
        assert!(!version("1.0.0").fits(VERSION));
        assert!(version("1.2.0").fits(version("1.9.3")));
        assert!(!version("0.0.1").fits(version("0.0.2")));
        assert_eq!(Version::parse("0.1"), None);
        assert_eq!(Version::parse("0.1.0.0"), None);
    }
}
