//! Loading: from bytes to something that can be run, with everything that can go wrong going wrong here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::ContentHash;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, TypedFunc};
use wasmtime::{Engine, Store};

use crate::bindings::tradeagent::strategy::types;
use crate::cache::Cache;
use crate::check::{Inspection, Refusal, inspect};
use crate::contract::{self, RUN};
use crate::engine::{self, Profile};
use crate::grants::Grants;
use crate::host::Host;
use crate::limits::Limits;
use crate::link;
use crate::outcome::one_line;
use crate::pulse::Pulse;
use crate::run::RunInfo;
use crate::services::Services;

/// `task.run` of one instance, for calling with and without a fiber.
pub(crate) type Run = TypedFunc<(i64, types::Cause), (Result<Option<types::Report>, types::TaskError>,)>;

/// How components are run and where compiled code is kept.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// How computing is bounded.
    pub profile: Profile,
    /// A folder for compiled code, the service's own; none: compile at every start.
    pub cache_dir: Option<PathBuf>,
    /// Who computes while a live strategy does.
    pub turns: Turns,
}

impl RuntimeOptions {
    /// Without a cache, and in turns.
    pub const fn new(profile: Profile) -> Self {
        Self { profile, cache_dir: None, turns: Turns::Slices }
    }
}

/// How live strategies on one thread share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// Each computes for an epoch of real time, then its siblings get a turn.
    Slices,
    /// Each computes until it waits or ends: on simulated time, where nobody is late and real time must not
    /// decide whose turn is next.
    Whole,
}

/// The host's WebAssembly is not available at all.
#[derive(Debug, thiserror::Error)]
#[error("the WebAssembly runtime cannot start: {0}")]
pub struct RuntimeError(String);

/// Why a component does not load; its text is one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is invalid, or asks for something that the engine does not do.
    #[error("the component cannot be compiled: {0}")]
    Compile(String),
    /// Nothing is wrong with it: there is no place for what it was compiled to.
    #[error("the component's compiled code cannot be kept: {0}")]
    NotKept(String),
}

/// Loads components. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    profile: Profile,
    turns: Turns,
    cache: Cache,
    // Before the engine: its thread stops first.
    pulse: Option<Pulse>,
    engine: Engine,
}

impl Runtime {
    /// Starts a runtime; a live one has a thread for its epochs, which ends with it.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        let engine = engine::engine(options.profile).map_err(|error| RuntimeError(one_line(&error)))?;
        let pulse = match options.profile {
            Profile::Live => Some(Pulse::start(&engine).map_err(|error| RuntimeError(error.to_string()))?),
            Profile::Deterministic => None,
        };
        let cache = Cache::new(&engine, options.cache_dir.as_deref());
        Ok(Self {
            inner: Arc::new(Inner { profile: options.profile, turns: options.turns, cache, pulse, engine }),
        })
    }

    /// Compiles a component into the cache, so that [`load`](Self::load) need not.
    ///
    /// # Errors
    /// When it is none, cannot be compiled, or cannot be kept.
    pub fn compile(&self, bytes: &[u8]) -> Result<(), LoadError> {
        inspect(bytes)?;
        self.inner.cache.keep(&self.inner.engine, bytes)
    }

    /// Checks, compiles and links a component. Compiling takes tens of milliseconds: call it where
    /// blocking is allowed.
    pub fn load(&self, bytes: &[u8], grants: Grants, limits: Limits) -> Result<Loaded, LoadError> {
        let inspection = inspect(bytes)?;
        inspection.check(grants.role)?;
        let engine = &self.inner.engine;
        let compile = |error: wasmtime::Error| LoadError::Compile(one_line(&error));
        let component = self.inner.cache.component(engine, bytes).map_err(compile)?;
        check_functions(engine, &component)?;
        let wasi = inspection.imports.iter().any(|import| link::is_wasi(import));
        let linker = link::linker(engine, self.inner.profile, grants.role, wasi).map_err(compile)?;
        let shape = |error: wasmtime::Error| Refusal::OtherShape { why: one_line(&error) };
        let pre = linker.instantiate_pre(&component).map_err(shape)?;
        let run = run_export(&component, &inspection)?;
        let parts = Parts {
            runtime: Arc::clone(&self.inner),
            pre,
            run,
            inspection,
            wasi,
            grants: Arc::new(grants),
            limits,
            bytes: Arc::from(bytes),
        };
        Ok(Loaded { parts: Arc::new(parts) })
    }
}

/// A function that a later version of the contract added is named before wasmtime calls it "missing".
fn check_functions(engine: &Engine, component: &Component) -> Result<(), Refusal> {
    for (name, item) in component.component_type().imports(engine) {
        let Some((interface, built)) = contract::ours(name) else { continue };
        let (Some(known), ComponentItem::ComponentInstance(instance)) =
            (contract::interface(interface), item.ty)
        else {
            continue;
        };
        for (function, item) in instance.exports(engine) {
            if matches!(item.ty, ComponentItem::ComponentFunc(_)) && !known.functions.contains(&function) {
                return Err(Refusal::UnknownFunction {
                    interface: interface.to_owned(),
                    function: function.to_owned(),
                    built: built.unwrap_or_default().to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn run_export(component: &Component, inspection: &Inspection) -> Result<ComponentExportIndex, Refusal> {
    let missing = || Refusal::NoTask { exports: inspection.exports.clone() };
    let task =
        component.get_export_index(None, inspection.task().ok_or_else(missing)?).ok_or_else(missing)?;
    component.get_export_index(Some(&task), RUN).ok_or_else(missing)
}

/// A component that may run. Cheap to clone.
#[derive(Clone)]
pub struct Loaded {
    parts: Arc<Parts>,
}

#[derive(Clone)]
struct Parts {
    runtime: Arc<Inner>,
    pre: InstancePre<Host>,
    run: ComponentExportIndex,
    inspection: Inspection,
    wasi: bool,
    grants: Arc<Grants>,
    limits: Limits,
    bytes: Arc<[u8]>,
}

impl Loaded {
    /// The component itself, for who keeps what was run.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.parts.bytes
    }

    /// Blake3 of its bytes.
    pub fn hash(&self) -> &ContentHash {
        &self.parts.inspection.hash
    }

    /// Whether it is the same loading of the same component.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parts, &other.parts)
    }

    /// The same component, whose live runs end after `run_time` if its own limit does not end them before.
    #[must_use]
    pub fn within(&self, run_time: Duration) -> Self {
        let mut parts = Parts::clone(&self.parts);
        parts.limits.run_time = parts.limits.run_time.min(run_time);
        Self { parts: Arc::new(parts) }
    }

    /// What it says about itself.
    pub fn inspection(&self) -> &Inspection {
        &self.parts.inspection
    }

    /// What it may do.
    pub fn grants(&self) -> &Grants {
        &self.parts.grants
    }

    /// What it may use.
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// Whether it imports WASI, whose host functions are asynchronous in both profiles.
    pub(crate) fn wasi(&self) -> bool {
        self.parts.wasi
    }

    pub(crate) fn profile(&self) -> Profile {
        self.parts.runtime.profile
    }

    /// How it shares the thread with its siblings.
    pub(crate) fn turns(&self) -> Turns {
        self.parts.runtime.turns
    }

    /// The thread behind live runs.
    pub(crate) fn pulse(&self) -> &Pulse {
        self.parts.runtime.pulse.as_ref().expect("only a live instance asks, and a live runtime has one")
    }

    /// A store with its limits on.
    pub(crate) fn store(&self, services: &Arc<dyn Services>, info: &Arc<RunInfo>) -> Store<Host> {
        services.instance_made();
        let limits = self.parts.limits;
        let host = Host::new(Arc::clone(services), Arc::clone(&self.parts.grants), limits, Arc::clone(info));
        #[cfg(feature = "wasi")]
        let host = if self.parts.wasi { host.with_wasi() } else { host };
        let mut store = Store::new(&self.parts.runtime.engine, host);
        store.limiter(|host| &mut host.meter);
        store.set_hostcall_fuel(limits.call_bytes);
        store
    }

    pub(crate) fn pre(&self) -> &InstancePre<Host> {
        &self.parts.pre
    }

    pub(crate) fn run_index(&self) -> &ComponentExportIndex {
        &self.parts.run
    }
}
