//! The empty world for components that bring WASI imports along (`cargo component`, `wasm32-wasip2`):
//! the host's clock, a seed per run, what is printed goes to the log; no files, network, environment,
//! arguments or input. Who sleeps in a live run does so within its run time; where nothing waits, a sleep is
//! over at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::clock::Rng;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::engine::Profile;
use crate::host::Host;
use crate::limits::Limits;
use crate::run::RunInfo;
use crate::services::Services;

/// Links it. Asynchronously: synchronous WASI inside tokio turns a guest's panic into the host's.
pub(crate) fn link(linker: &mut Linker<Host>, profile: Profile) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    if profile == Profile::Live {
        return Ok(());
    }
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<_, NoWaiting>(linker, |host| Unwaited(host))?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The clock of a run in which nothing waits: there is no tokio to wake a sleeper, and no reason to sleep.
struct Unwaited<'a>(&'a mut Host);

struct NoWaiting;

impl HasData for NoWaiting {
    type Data<'a> = Unwaited<'a>;
}

impl Unwaited<'_> {
    fn at_once(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let WasiCtxView { table, .. } = self.0.ctx();
        let over = table.push(AtOnce)?;
        subscribe(table, over)
    }
}

impl monotonic_clock::Host for Unwaited<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(HostClock(self.0.services()).nanos())
    }
    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }
    fn subscribe_instant(&mut self, _when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.at_once()
    }
    fn subscribe_duration(&mut self, _nanos: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.at_once()
    }
}

struct AtOnce;

#[wasmtime_wasi::async_trait]
impl Pollable for AtOnce {
    async fn ready(&mut self) {}
}

/// One instance's empty world.
pub(crate) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    random: Shared<Rng>,
    printed: Shared<Printed>,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi =
            self.wasi.as_mut().expect("only a component with WASI imports gets here, and its host has one");
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

impl Wasi {
    pub(crate) fn new(services: &Arc<dyn Services>, limits: &Limits) -> Self {
        let random = Shared::new(Rng::new(0));
        let printed = Shared::new(Printed { bytes: Vec::new(), limit: limits.log_bytes, cut: false });
        let context = WasiCtxBuilder::new()
            .wall_clock(HostClock(Arc::clone(services)))
            .monotonic_clock(HostClock(Arc::clone(services)))
            .secure_random(Seeded(random.clone()))
            .insecure_random(Seeded(random.clone()))
            .insecure_random_seed(0)
            .stdout(Print(printed.clone()))
            .stderr(Print(printed.clone()))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self { context, table: ResourceTable::new(), random, printed }
    }

    /// Chance begins anew with each run, from what the run is.
    pub(crate) fn reseed(&self, info: &RunInfo) {
        let label = format!("{}/{}/{}", info.origin.strategy, info.id, info.attempt);
        *self.random.lock() = Rng::new(0).fork(&label);
    }
}

impl Host {
    /// What the run has printed goes to the log, line by line, within the log's budget.
    pub(crate) fn log_printed(&mut self) {
        let Some(wasi) = &self.wasi else { return };
        let (bytes, cut) = {
            let mut printed = wasi.printed.lock();
            (std::mem::take(&mut printed.bytes), std::mem::take(&mut printed.cut))
        };
        for line in String::from_utf8_lossy(&bytes).lines() {
            self.log_line(tracing::Level::INFO, line);
        }
        if cut {
            self.log_cut();
        }
    }
}

/// Shared between a context and its streams, never across runs that overlap.
struct Shared<T>(Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Shared<T> {
    fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        // Plain values: a panic while locked leaves them valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The injected clock, for both of WASI's.
struct HostClock(Arc<dyn Services>);

impl HostClock {
    fn nanos(&self) -> u64 {
        u64::try_from(self.0.now().nanos()).unwrap_or_default()
    }
}

impl HostWallClock for HostClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos())
    }
}

impl HostMonotonicClock for HostClock {
    fn resolution(&self) -> u64 {
        1
    }
    fn now(&self) -> u64 {
        self.nanos()
    }
}

struct Seeded(Shared<Rng>);

impl rand_core::TryRng for Seeded {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.0.lock().next_u64() >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.lock().next_u64())
    }
    fn try_fill_bytes(&mut self, place: &mut [u8]) -> Result<(), Self::Error> {
        let mut random = self.0.lock();
        for chunk in place.chunks_mut(8) {
            chunk.copy_from_slice(&random.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

struct Printed {
    bytes: Vec<u8>,
    limit: usize,
    /// There was more than the limit.
    cut: bool,
}

/// Standard output and error.
#[derive(Clone)]
struct Print(Shared<Printed>);

impl IsTerminal for Print {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Print {
    /// Only WASI 0.3 asks for this one, and it is not linked.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Print {
    async fn ready(&mut self) {}
}

impl OutputStream for Print {
    /// Always takes everything; what is over the log's budget is dropped, as with `log.write`.
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut printed = self.0.lock();
        let room = printed.limit.saturating_sub(printed.bytes.len());
        printed.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        printed.cut |= bytes.len() > room;
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1 << 16)
    }
}
