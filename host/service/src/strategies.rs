//! The strategies of the config, loaded: bytes, grants, limits, parameters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{ContentHash, StrategyName};
use runtime::tape::TapeSink;
use runtime::{Grants, Limits, LoadError, Loaded, Runtime, StrategyHandle};

use crate::config::{Component, Config, StrategyConfig};
use crate::exit::Failure;
use crate::hotswap::{Slot, Surroundings};
use crate::recording::recorded;
use crate::signing::{Promoted, Signed, SigningError};

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

/// A strategy in a running host: its versions, and the task that owns its instance.
pub struct LiveStrategy {
    /// Which version is live, and which waits.
    pub slot: Arc<Slot>,
    /// Its actor.
    pub handle: StrategyHandle,
}

/// The largest component that is read: a Python one takes some 20 MB.
const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// The bytes of a component's file, at most 64 MiB.
pub fn read_component(path: &Path) -> std::io::Result<Vec<u8>> {
    component_from(crate::whole_file::open(path)?)
}

/// The bytes of a component that comes from `source`, at most 64 MiB.
pub fn component_from(source: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    source.take(COMPONENT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
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
            Ok((name.clone(), load_one(runtime, name, config, &bytes)?))
        })
        .collect()
}

/// Loads one strategy of the config from these bytes.
///
/// # Errors
/// Why the runtime refuses them.
pub fn load_one(
    runtime: &Runtime,
    name: &StrategyName,
    config: &StrategyConfig,
    bytes: &[u8],
) -> Result<Strategy, StrategyError> {
    let loaded = runtime
        .load(bytes, grants(config), limits(config))
        .map_err(|source| StrategyError::Refused { name: name.clone(), source })?;
    Ok(Strategy {
        name: name.clone(),
        hash: loaded.hash().clone(),
        params: Arc::new(config.params.clone()),
        loaded,
    })
}

/// Whether a strategy whose component has this hash may trade on a real account; what comes with the program may.
///
/// # Errors
/// Why it may not, and what to type.
pub fn vouched(
    config: &Config,
    name: &StrategyName,
    settings: &StrategyConfig,
    hash: &ContentHash,
) -> Result<(), Failure> {
    let Component::File(path) = &settings.component else { return Ok(()) };
    may_trade(config, settings, path, hash).map_err(|why| {
        let file = path.display();
        let failure = Failure::config(anyhow::anyhow!(
            "strategy `{name}` ({file}) may not trade where somebody has to vouch for it: {why}"
        ));
        match why {
            NotVouched::Stranger(_) => failure.hint(format!(
                "a component from a file is signed by a key of [plugins] trusted_keys, or promoted: \
                 `{}tradeagent plugin promote {file}`",
                crate::places::SUDO
            )),
            NotVouched::Wider(_) => failure.hint(format!(
                "set `grants = {{ … }}` of [strategy.{name}] to what its author asks for, or less"
            )),
        }
    })
}

/// Why a component may not trade on a real account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotVouched {
    /// Nobody who is trusted has signed it for what it is to do, and the operator has not promoted it.
    #[error("{0}")]
    Stranger(String),
    /// It is signed, and the configuration lets it do more than its author asks for.
    #[error("its grants are wider than what it asks for: {0}")]
    Wider(String),
}

/// Whether the component at `path` may trade on a real account: signed by a trusted author who asked for at least
/// what it is granted, or promoted by the operator.
///
/// # Errors
/// Why it may not, in words.
pub fn may_trade(
    config: &Config,
    settings: &StrategyConfig,
    path: &Path,
    hash: &ContentHash,
) -> Result<(), NotVouched> {
    let stranger = |error: SigningError| NotVouched::Stranger(error.to_string());
    if Promoted::load(&config.state_dir).map_err(stranger)?.holds(hash) {
        return Ok(());
    }
    let signed = Signed::of(&Signed::beside(path), hash).map_err(stranger)?;
    if !config.trusted_keys.contains(&signed.key) {
        let why = format!("it is signed by {}, which is not trusted here", signed.key);
        return Err(NotVouched::Stranger(why));
    }
    if signed.statement.world != settings.role {
        let asked = signed.statement.world;
        let why = format!("it is signed for the world {asked}, and its role is {}", settings.role);
        return Err(NotVouched::Stranger(why));
    }
    signed.statement.grants.covers(&settings.grants).map_err(NotVouched::Wider)
}

/// Gives every strategy its slot and its actor. Must be called inside the host's async runtime.
pub fn start(
    strategies: BTreeMap<StrategyName, Strategy>,
    around: &Surroundings,
    tapes: Option<&Arc<dyn TapeSink>>,
) -> BTreeMap<StrategyName, LiveStrategy> {
    strategies
        .into_iter()
        .map(|(name, strategy)| {
            let handle = StrategyHandle::spawn(recorded(&around.services, tapes));
            (name, LiveStrategy { slot: Arc::new(Slot::new(strategy, around.clone())), handle })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{Asked, AuthorKey, Statement};
    use runtime::{Profile, Role, RuntimeOptions};

    struct Stage {
        folder: tempfile::TempDir,
        config: Config,
        key: AuthorKey,
    }

    /// The shipped monitor as a stranger's file.
    fn stage() -> Stage {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine.wasm");
        std::fs::write(&path, bundle::find("monitor").expect("shipped").bytes).expect("written");
        let mut config = Config { state_dir: folder.path().join("state"), ..Config::default() };
        let mut mine = config.strategies["monitor"].clone();
        mine.component = Component::File(path);
        config.strategies = BTreeMap::from([(StrategyName::from("mine"), mine)]);
        let key = AuthorKey::make(&folder.path().join("author.key")).expect("a key");
        Stage { folder, config, key }
    }

    impl Stage {
        fn loaded(&self) -> BTreeMap<StrategyName, Strategy> {
            let runtime = Runtime::new(RuntimeOptions::new(Profile::Deterministic)).expect("a runtime");
            load(&runtime, &self.config.strategies).expect("it loads")
        }

        fn sign(&self, world: Role, grants: Asked) {
            let hash = self.loaded().values().next().expect("one").hash.clone();
            let signed = self.key.sign(Statement { hash, world, contract: None, grants });
            signed.write(&self.folder.path().join("mine.wasm.sig")).expect("kept");
        }

        fn vouched(&self) -> Result<(), Failure> {
            let name = StrategyName::from("mine");
            vouched(&self.config, &name, &self.config.strategies[&name], &self.loaded()[&name].hash)
        }

        fn refused(&self) -> String {
            self.vouched().expect_err("it may not").text()
        }
    }

    #[test]
    fn a_file_trades_when_a_trusted_author_asks_for_what_it_is_granted() {
        let mut stage = stage();
        let unsigned = stage.refused();
        assert!(unsigned.contains("strategy `mine`") && unsigned.contains("plugin promote"), "{unsigned}");
        stage.sign(Role::Monitor, Asked::default());
        let untrusted = stage.refused();
        assert!(untrusted.contains(&format!("{}, which is not trusted", stage.key.public())), "{untrusted}");
        stage.config.trusted_keys.push(stage.key.public());
        stage.vouched().expect("it may");
        stage.sign(Role::Eod, Asked::default());
        assert!(stage.refused().contains("signed for the world eod, and its role is monitor"));
        stage.sign(Role::Monitor, Asked { max_orders_per_day: Some(1), ..Asked::default() });
        assert!(stage.refused().contains("the author asks for at most 1"), "{}", stage.refused());
    }

    #[test]
    fn what_the_operator_has_promoted_trades_until_its_bytes_change() {
        let mut stage = stage();
        // Both components load as a trader.
        stage.config.strategies.values_mut().for_each(|mine| mine.role = Role::Trader);
        let hash = stage.loaded().values().next().expect("one").hash.clone();
        let at = model::Timestamp::at_ist("2026-05-13".parse().expect("a date"), 10, 0);
        let promoted = Promoted::load(&stage.config.state_dir).expect("none yet");
        promoted.add(&stage.config.state_dir, hash, at, "me".to_owned()).expect("kept");
        stage.vouched().expect("it may");
        let other = bundle::find("eod").expect("shipped").bytes;
        std::fs::write(stage.folder.path().join("mine.wasm"), other).expect("written");
        assert!(stage.refused().contains("cannot be read"), "no signature: {}", stage.refused());
    }
}
