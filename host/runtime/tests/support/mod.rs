//! What the runtime's tests and benches share: components from text, and services that answer.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use market::{Candles, InstrumentFilter, Interval, Quote};
use model::{
    BoxFuture, Date, DayAccount, Difference, Funds, Holding, Instrument, ModifyRequest, OrderError, OrderId,
    OrderView, Origin, PlaceRequest, Placed, PositionView, Quantity, ReadError, Status, Symbol, Timestamp,
};
use runtime::{Mode, RunInfo, Services, SessionView, Severity};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

pub const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");

/// `tests/fixtures/NAME.wat` as a component of `world`.
pub fn fixture(name: &str, world: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.wat"));
    component(&std::fs::read_to_string(path).expect("fixture"), world, &|text| text.to_owned())
}

/// A core module as a component of `world`, against the contract with each file passed through `edit`.
pub fn component(text: &str, world: &str, edit: &dyn Fn(&str) -> String) -> Vec<u8> {
    encode(text, world, edit, None)
}

/// The same with `other` packages beside the contract.
pub fn component_with(text: &str, world: &str, edit: &dyn Fn(&str) -> String, other: &str) -> Vec<u8> {
    encode(text, world, edit, Some(other))
}

fn encode(text: &str, world: &str, edit: &dyn Fn(&str) -> String, other: Option<&str>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    if let Some(other) = other {
        resolve.push_str("other.wit", other).expect("the other package parses");
    }
    let folder = tempfile::tempdir().expect("folder");
    for entry in std::fs::read_dir(CONTRACT).expect("wit/") {
        let path = entry.expect("entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(folder.path().join(path.file_name().expect("name")), edit(&text)).expect("copy");
    }
    let (package, _) = resolve.push_dir(folder.path()).expect("the contract parses");
    let world = resolve.packages[package].worlds[world];
    let mut module = wat::parse_str(text).expect("a core module");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata");
    ComponentEncoder::default().validate(true).module(&module).expect("module").encode().expect("component")
}

/// Services that answer from memory, remember what was asked, and never answer `funds`.
pub struct Fake {
    pub now: Timestamp,
    pub bars: usize,
    pub state: BTreeMap<String, Vec<u8>>,
    pub log: Mutex<Vec<String>>,
    pub placed: Mutex<u64>,
    /// Times that the keys of the state were listed.
    pub key_lists: Mutex<u32>,
    /// A change of an order is never answered.
    pub silent: bool,
    /// Called at each line of the log.
    pub on_log: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            now: Timestamp::from_nanos(0),
            bars: 1_000,
            state: BTreeMap::new(),
            log: Mutex::default(),
            placed: Mutex::default(),
            key_lists: Mutex::default(),
            silent: false,
            on_log: None,
        }
    }
}

fn never<T: Send + 'static>() -> BoxFuture<'static, T> {
    Box::pin(std::future::pending())
}

fn placed(id: OrderId) -> Placed {
    Placed { id, status: Status::New, filled: Quantity::ZERO, average: model::Price::ZERO }
}

impl Services for Fake {
    fn now(&self) -> Timestamp {
        self.now
    }
    fn instruments(&self, _: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        Ok(Vec::new())
    }
    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, ReadError> {
        Err(ReadError::NotFound(symbol.to_string()))
    }
    fn quote<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>> {
        Box::pin(std::future::ready(Err(ReadError::NotFound(symbol.to_string()))))
    }
    fn candles(&self, symbols: &[Symbol], _: Interval, n: u32) -> Result<Vec<Candles>, ReadError> {
        let n = self.bars.min(n as usize);
        let prices: Vec<i64> = (0..n as i64).collect();
        let candles = |symbol: &Symbol| Candles {
            symbol: symbol.clone(),
            start: prices.clone(),
            open: prices.clone(),
            high: prices.clone(),
            low: prices.clone(),
            close: prices.clone(),
            volume: vec![1; n],
        };
        Ok(symbols.iter().map(candles).collect())
    }
    fn session(&self, _: &Origin) -> Result<SessionView, ReadError> {
        Err(ReadError::Unavailable("no calendar".to_owned()))
    }
    fn positions(&self, _: &Origin) -> Result<Vec<PositionView>, ReadError> {
        Ok(Vec::new())
    }
    fn holdings<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>> {
        never()
    }
    fn funds<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>> {
        never()
    }
    fn reconcile<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>> {
        never()
    }
    fn day_account<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>> {
        never()
    }
    fn order(&self, _: &Origin, id: &str) -> Result<OrderView, ReadError> {
        Err(ReadError::NotFound(id.to_owned()))
    }
    fn own_orders(&self, _: &Origin) -> Result<Vec<OrderView>, ReadError> {
        Ok(Vec::new())
    }
    fn account_orders<'a>(&'a self, _: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>> {
        never()
    }
    fn place<'a>(
        &'a self,
        origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        *self.placed.lock().expect("lock") += 1;
        let id = OrderId::derive(&origin.account, &origin.strategy, origin.day, &request.key);
        Box::pin(std::future::ready(Ok(placed(id))))
    }
    fn modify<'a>(
        &'a self,
        _: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        *self.placed.lock().expect("lock") += 1;
        if self.silent {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Ok(placed(request.order))))
    }
    fn cancel<'a>(
        &'a self,
        _: &'a Origin,
        order: OrderId,
        _: bool,
        _: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(std::future::ready(Ok(placed(order))))
    }
    fn state_get(&self, _: &Origin, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.state.get(key).cloned())
    }
    fn state_keys(&self, _: &Origin, prefix: &str) -> Result<Vec<String>, ReadError> {
        *self.key_lists.lock().expect("lock") += 1;
        Ok(self.state.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }
    fn alert(&self, _: &Origin, _: &str, _: Severity, _: &str) -> bool {
        true
    }
    fn log(&self, _: &Origin, level: tracing::Level, message: &str) {
        if let Some(on_log) = &self.on_log {
            on_log();
        }
        self.log.lock().expect("lock").push(format!("{level} {message}"));
    }
}

/// A run of no consequence.
pub fn info() -> RunInfo {
    let day = Date::from_ymd_opt(2025, 3, 4).expect("a date");
    RunInfo {
        id: "task@1".into(),
        task: "task".to_owned(),
        origin: Origin {
            account: "paper".into(),
            strategy: "tested".into(),
            component: "none".into(),
            run: "task@1".into(),
            day,
        },
        scheduled: Timestamp::at_ist(day, 9, 15),
        mode: Mode::Simulation,
        attempt: 1,
        for_session: None,
        feeds: Arc::from([]),
        params: Arc::default(),
    }
}
