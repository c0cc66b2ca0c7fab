//! The file as it is written. Every table refuses keys that it does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use model::{Date, Exchange, Money, Price, Quantity, Symbol};
use runtime::Role;
use serde::Deserialize;
use toml::Spanned;

use super::scalar::{ClockTime, Component, Moment, Scalar, TariffConfig, VolumeShare};
use crate::schedule::{CatchUp, Every, Sessions, When};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub state_dir: Option<PathBuf>,
    pub account: BTreeMap<String, Spanned<Account>>,
    pub data: Data,
    pub calendar: Calendar,
    pub amo: Option<Spanned<Amo>>,
    pub limits: model::risk::Limits,
    pub lock: Lock,
    pub conflicts: Conflicts,
    pub control: Control,
    pub notify: Notify,
    pub plugins: Plugins,
    pub recording: super::RecordingConfig,
    pub strategy: BTreeMap<String, Spanned<Strategy>>,
    pub task: BTreeMap<String, Spanned<Task>>,
    pub rehearsal: Option<Spanned<Rehearsal>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Plugins {
    pub trusted_keys: Vec<crate::signing::PublicKey>,
    pub vouch_everywhere: bool,
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Account {
    pub broker: Broker,
    pub cash: Option<Money>,
    pub address: Option<SocketAddr>,
    pub base_url: Option<Spanned<String>>,
    pub env_file: Option<PathBuf>,
    pub login_at: Option<ClockTime>,
    pub logins_per_day: Option<Spanned<u32>>,
    pub cool_down_minutes: Option<Spanned<u32>>,
    pub quote_seconds_max: Option<Spanned<u32>>,
    pub history_bars: Option<Spanned<u32>>,
    pub volume_share: Option<VolumeShare>,
    pub tariff: TariffConfig,
    pub positions: Vec<Position>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Broker {
    #[default]
    Paper,
    PaperRemote,
    KotakNeo,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    pub symbol: Symbol,
    pub quantity: Quantity,
    pub price: Price,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Data {
    pub dir: Option<PathBuf>,
    pub universe: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Calendar {
    pub file: Option<PathBuf>,
    pub closures: Vec<Closure>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closure {
    pub exchange: Exchange,
    pub date: Date,
    pub reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Amo {
    pub from: Option<ClockTime>,
    pub until: Option<ClockTime>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Lock {
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Conflicts {
    pub auto_stop: Option<bool>,
    pub units: Vec<String>,
    pub scripts: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Control {
    pub socket: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Notify {
    pub command: Option<Spanned<Vec<String>>>,
    pub webhook: Option<Spanned<String>>,
    pub timeout_seconds: Option<Spanned<u32>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Strategy {
    pub role: Option<Role>,
    pub component: Option<Component>,
    pub params: BTreeMap<String, Scalar>,
    pub grants: Grants,
    pub limits: super::StrategyLimits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Grants {
    pub symbols: Option<BTreeSet<Symbol>>,
    pub max_order_value: Option<Money>,
    pub max_orders_per_day: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Task {
    pub strategy: Option<Spanned<String>>,
    pub at: Option<When>,
    pub every: Option<Every>,
    pub until: Option<When>,
    pub sessions: Option<Sessions>,
    pub deadline: Option<Every>,
    pub catch_up: Option<CatchUp>,
    pub resume: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rehearsal {
    pub from: Moment,
    pub until: Moment,
}
