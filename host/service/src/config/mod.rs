//! The operator's configuration: TOML in which an unknown key is an error that shows its line.
//!
//! Without a file, [`Config::default`] holds: a paper account on the embedded data with the four built-in
//! strategies. Relative paths in a file are relative to the file's folder.

mod check;
mod defaults;
mod error;
mod params;
mod raw;
mod scalar;
#[cfg(test)]
mod tests;
mod universe;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use calendar::{AmoWindow, Calendar};
use chrono::{NaiveDateTime, NaiveTime};
use market::demo;
use model::charges::Tariff;
use model::risk::Limits;
use model::{Account, Date, Exchange, Money, Price, Quantity, StrategyName, Symbol};
use runtime::Role;
use serde::Deserialize;

pub(crate) use check::NAME_MAX;
pub use error::{ConfigError, Fault};
pub use params::parse_param;
pub use scalar::Component;

use crate::schedule::Task;

/// Largest configuration that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Everything that the operator decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file it came from; none: the defaults.
    pub path: Option<PathBuf>,
    /// Journal, plugin cache.
    pub state_dir: PathBuf,
    /// The account.
    pub account: AccountConfig,
    /// Market data.
    pub data: DataConfig,
    /// The trading calendar.
    pub calendar: CalendarConfig,
    /// When the broker takes after-market orders.
    pub amo: AmoWindow,
    /// The operator's limits.
    pub limits: Limits,
    /// The machine-wide folder of account locks.
    pub lock_dir: PathBuf,
    /// Other programs on the account.
    pub conflicts: ConflictsConfig,
    /// Where CLI and service meet.
    pub control_socket: PathBuf,
    /// Where alerts go.
    pub notify: NotifyConfig,
    /// The strategies, by name.
    pub strategies: BTreeMap<StrategyName, StrategyConfig>,
    /// Authors whose components may trade on a real account.
    pub trusted_keys: Vec<crate::signing::PublicKey>,
    /// Whether components from files need somebody who vouches for them on paper and in a rehearsal as well.
    pub vouch_everywhere: bool,
    /// Where a new version of a strategy is dropped, as `NAME.wasm`.
    pub plugin_dir: PathBuf,
    /// The schedule.
    pub tasks: Vec<Task>,
    /// What is kept of each run, to have it again.
    pub recording: RecordingConfig,
    /// Run on simulated, event-driven time instead of the machine's.
    pub rehearsal: Option<Rehearsal>,
}

/// Which broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerKind {
    /// The paper exchange inside this process.
    Paper,
    /// `tradeagent paper-exchange`, over TCP.
    PaperRemote {
        /// Where it listens.
        address: SocketAddr,
    },
    /// A real account at Kotak Neo, or `kotak-neo-sim`.
    KotakNeo(KotakNeoConfig),
}

/// What `broker = "kotak-neo"` needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KotakNeoConfig {
    /// Where logins go; the broker's answer names the rest.
    pub base_url: String,
    /// The file with the credentials; none: the service manager's credentials, or `kotak_neo.env` beside
    /// the configuration.
    pub env_file: Option<PathBuf>,
    /// The hour in Mumbai before which no login is made without a task that is due.
    pub login_at: NaiveTime,
    /// Logins a day at most, renewals included.
    pub logins_per_day: u32,
    /// How long a contested account is left alone before a probe login, in minutes.
    pub cool_down_minutes: u32,
    /// How old a quote may be while the market trades, in seconds.
    pub quote_seconds_max: u32,
    /// Daily bars that `data update` keeps of each symbol.
    pub history_bars: u32,
}

impl BrokerKind {
    /// As the file writes it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::PaperRemote { .. } => "paper-remote",
            Self::KotakNeo(_) => "kotak-neo",
        }
    }
}

/// `[account.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountConfig {
    /// Its name: every journal row, lock and tag carries it.
    pub name: Account,
    /// Which broker.
    pub broker: BrokerKind,
    /// Cash of the paper account at its start.
    pub cash: Money,
    /// The share of a minute's volume that the paper exchange fills, in percent.
    pub volume_share_percent: u32,
    /// What the broker takes.
    pub tariff: Tariff,
    /// Settled positions of the paper account at its start; they are adopted.
    pub positions: Vec<PositionConfig>,
}

/// A position that the account opens with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionConfig {
    /// What.
    pub symbol: Symbol,
    /// Shares.
    pub quantity: Quantity,
    /// Price paid for each.
    pub price: Price,
}

impl PositionConfig {
    /// What the account of the made-up market begins with.
    pub fn seeded() -> Self {
        Self {
            symbol: Symbol::from(demo::SEEDED_SYMBOL),
            quantity: demo::SEEDED_QUANTITY,
            price: demo::SEEDED_ENTRY_PRICE,
        }
    }
}

/// `[data]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataConfig {
    /// A folder made by `data import`; none: the embedded demo data.
    pub dir: Option<PathBuf>,
    /// Symbols that strategies see, one a line; none: all.
    pub universe: Option<PathBuf>,
}

/// `[calendar]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CalendarConfig {
    /// A calendar file in place of the embedded one.
    pub file: Option<PathBuf>,
    /// Days that the operator knows to be closed.
    pub closures: Vec<Closure>,
}

/// A day on which an exchange does not trade, by the operator's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// Which exchange.
    pub exchange: Exchange,
    /// The day.
    pub date: Date,
    /// Why.
    pub reason: String,
}

/// `[conflicts]`: other programs that log in to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictsConfig {
    /// `run` stops, disables and masks what it finds; otherwise it names it and ends.
    pub auto_stop: bool,
    /// More systemd units to look for.
    pub units: Vec<String>,
    /// More Python scripts to look for.
    pub scripts: Vec<String>,
}

impl Default for ConflictsConfig {
    fn default() -> Self {
        Self { auto_stop: true, units: Vec::new(), scripts: Vec::new() }
    }
}

/// `[notify]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyConfig {
    /// A program and its arguments: gets each alert as JSON on its standard input.
    pub command: Option<Vec<String>>,
    /// A URL: gets each alert by POST, as JSON.
    pub webhook: Option<String>,
    /// How long one delivery may take, in seconds.
    pub timeout_seconds: u32,
}

/// `[recording]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingConfig {
    /// Whether `run` records.
    pub enabled: bool,
    /// Trading days that are kept.
    pub keep_days: u32,
    /// How much is kept, in MiB; the oldest days go first.
    pub max_mib: u32,
}

impl Default for RecordingConfig {
    fn default() -> Self {
        Self { enabled: true, keep_days: 30, max_mib: 1024 }
    }
}

/// `[strategy.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyConfig {
    /// What it may do.
    pub role: Role,
    /// Its code.
    pub component: Component,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
    /// What narrows its role.
    pub grants: GrantsConfig,
    /// What it may use.
    pub limits: StrategyLimits,
}

/// `grants` of a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GrantsConfig {
    /// The only symbols it may trade; none: all.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// The largest value of one order.
    pub max_order_value: Option<Money>,
    /// Orders a day.
    pub max_orders_per_day: Option<u32>,
}

/// `limits` of a strategy; none: the runtime's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StrategyLimits {
    /// Linear memory, in MiB.
    pub memory_mib: Option<u32>,
    /// Time of one run, in seconds.
    pub run_seconds: Option<u32>,
    /// Log text of one run, in bytes.
    pub log_bytes: Option<u32>,
    /// Host calls of one run.
    pub host_calls: Option<u32>,
}

/// `[rehearsal]`: the service on another time. On paper it is simulated and begins at `from`; beside a
/// `kotak-neo-sim` it is the simulator's, at real pace, from wherever that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rehearsal {
    /// It begins at this time in Mumbai.
    pub from: NaiveDateTime,
    /// It ends by itself at this time in Mumbai.
    pub until: NaiveDateTime,
}

impl Config {
    /// The configuration of `path`, or the defaults without one.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        match path {
            None => Ok(Self::default()),
            Some(path) => Self::parse(path, &read(path)?),
        }
    }

    /// The configuration that `source` says; `path` is for messages and relative paths.
    pub fn parse(path: &Path, source: &str) -> Result<Self, ConfigError> {
        let file: raw::File =
            toml::from_str(source).map_err(|error| error::from_toml(path, source, &error))?;
        check::Checker::new(path, source).config(file)
    }

    /// What holds for `broker = "kotak-neo"` where the file is silent.
    pub fn kotak_neo_defaults() -> KotakNeoConfig {
        defaults::kotak_neo()
    }

    /// The account.
    pub const fn account(&self) -> &AccountConfig {
        &self.account
    }

    /// The account, to change it.
    pub const fn account_mut(&mut self) -> &mut AccountConfig {
        &mut self.account
    }

    /// The schedule.
    pub fn tasks(&self) -> Vec<Task> {
        self.tasks.clone()
    }

    /// Sets parameters of strategies, each `STRATEGY.KEY=VALUE`.
    pub fn apply_params(&mut self, params: &[String]) -> Result<(), ConfigError> {
        params::apply_params(self, params)
    }

    /// The trading calendar: the embedded one or the operator's file, with the operator's closures.
    pub fn calendar(&self) -> Result<Calendar, ConfigError> {
        let calendar = match &self.calendar.file {
            None => Calendar::bundled(),
            Some(path) => Calendar::parse(&read(path)?)
                .map_err(|error| ConfigError::Calendar { path: path.clone(), reason: error.to_string() })?,
        };
        Ok(self.calendar.closures.iter().fold(calendar, |calendar, closure| {
            calendar.with_closure(closure.exchange, closure.date, &closure.reason)
        }))
    }

    /// The journal's file.
    pub fn journal_path(&self) -> PathBuf {
        self.state_dir.join(format!("{}.journal.sqlite", self.account.name))
    }

    /// The folder of compiled components of this state folder.
    pub fn plugin_cache(&self) -> PathBuf {
        self.state_dir.join("plugins")
    }
}

/// The folder of compiled components for commands that have no state folder of their own. None when it
/// cannot be made: they compile afresh then.
pub fn cache_dir() -> Option<PathBuf> {
    let folder = defaults::state_dir().join("plugins");
    std::fs::create_dir_all(&folder).is_ok().then_some(folder)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    use std::io::Read as _;
    let unreadable = |reason: String| ConfigError::Unreadable { path: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut source = String::new();
    let read = file
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut source)
        .map_err(|error| unreadable(error.to_string()))?;
    if read as u64 > FILE_BYTES_MAX {
        return Err(unreadable(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok(source)
}
