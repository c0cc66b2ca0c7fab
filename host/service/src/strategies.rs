//! The strategies of the config, loaded: bytes, grants, limits, parameters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{ContentHash, StrategyName};
use runtime::{Grants, Limits, LoadError, Loaded, Runtime, Services, StrategyHandle};

use crate::config::{Component, StrategyConfig};

/// A strategy that could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum StrategyError {
    /// Its file cannot be read.
    #[error("strategy `{name}`: the component {path} cannot be read: {source}")]
    Unreadable {
        /// The strategy.
        name: StrategyName,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No component of that name is shipped.
    #[error("strategy `{name}`: there is no built-in component `{builtin}`; there are {known}")]
    NoBuiltin {
        /// The strategy.
        name: StrategyName,
        /// What it asks for.
        builtin: String,
        /// What there is.
        known: String,
    },
    /// The runtime refuses it.
    #[error("strategy `{name}`: {source}")]
    Refused {
        /// The strategy.
        name: StrategyName,
        /// Why.
        source: LoadError,
    },
}

/// A loaded strategy.
#[derive(Clone)]
pub struct Strategy {
    /// Its name in the config.
    pub name: StrategyName,
    /// Its component, by content.
    pub hash: ContentHash,
    /// Its parameters.
    pub params: Arc<BTreeMap<String, String>>,
    /// The component, checked against its grants.
    pub loaded: Loaded,
}

/// A loaded strategy with the task that owns its instance.
pub struct LiveStrategy {
    /// The strategy.
    pub strategy: Strategy,
    /// Its actor.
    pub handle: StrategyHandle,
}

/// The largest component that is read: a Python one takes some 20 MB.
const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// The bytes of a component's file, at most 64 MiB.
pub fn read_component(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(COMPONENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > COMPONENT_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than 64 MiB, which no component is"));
    }
    Ok(bytes)
}

/// The bytes of a component: shipped or from a file.
pub fn component_bytes(name: &StrategyName, component: &Component) -> Result<Vec<u8>, StrategyError> {
    match component {
        Component::Builtin(builtin) => bundle::find(builtin)
            .map(|shipped| shipped.bytes.to_vec())
            .ok_or_else(|| StrategyError::NoBuiltin {
                name: name.clone(),
                builtin: builtin.clone(),
                known: bundle::all().iter().map(|shipped| shipped.name).collect::<Vec<_>>().join(", "),
            }),
        Component::File(path) => read(name, path),
    }
}

fn read(name: &StrategyName, path: &Path) -> Result<Vec<u8>, StrategyError> {
    read_component(path).map_err(|source| StrategyError::Unreadable {
        name: name.clone(),
        path: path.to_owned(),
        source,
    })
}

fn limits(config: &StrategyConfig) -> Limits {
    let mut limits = Limits::default();
    let asked = &config.limits;
    if let Some(mib) = asked.memory_mib {
        limits.memory_bytes = mib as usize * (1 << 20);
    }
    if let Some(seconds) = asked.run_seconds {
        limits.run_time = Duration::from_secs(u64::from(seconds));
    }
    if let Some(bytes) = asked.log_bytes {
        limits.log_bytes = bytes as usize;
    }
    if let Some(calls) = asked.host_calls {
        limits.host_calls = u64::from(calls);
    }
    limits
}

fn grants(config: &StrategyConfig) -> Grants {
    let mut grants = Grants::of(config.role);
    grants.symbols = config.grants.symbols.clone();
    grants.max_order_value = config.grants.max_order_value;
    grants.max_orders_per_day = config.grants.max_orders_per_day;
    grants
}

/// Loads every strategy of the config.
pub fn load(
    runtime: &Runtime,
    configs: &BTreeMap<StrategyName, StrategyConfig>,
) -> Result<BTreeMap<StrategyName, Strategy>, StrategyError> {
    configs
        .iter()
        .map(|(name, config)| {
            let bytes = component_bytes(name, &config.component)?;
            let loaded = runtime
                .load(&bytes, grants(config), limits(config))
                .map_err(|source| StrategyError::Refused { name: name.clone(), source })?;
            let strategy = Strategy {
                name: name.clone(),
                hash: loaded.hash().clone(),
                params: Arc::new(config.params.clone()),
                loaded,
            };
            Ok((name.clone(), strategy))
        })
        .collect()
}

/// Gives every strategy its actor. Must be called inside the host's async runtime.
pub fn start(
    strategies: BTreeMap<StrategyName, Strategy>,
    services: &Arc<dyn Services>,
) -> BTreeMap<StrategyName, LiveStrategy> {
    strategies
        .into_iter()
        .map(|(name, strategy)| {
            let handle = StrategyHandle::spawn(strategy.loaded.clone(), Arc::clone(services));
            (name, LiveStrategy { strategy, handle })
        })
        .collect()
}
