//! From the file as written to a configuration that makes sense.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use calendar::AmoWindow;
use model::{Account, Money, StrategyName};
use toml::Spanned;

use super::error::nearest;
use super::{
    AccountConfig, BrokerKind, CalendarConfig, Closure, Component, Config, ConfigError, DataConfig, Fault,
    GrantsConfig, KotakNeoConfig, NotifyConfig, PositionConfig, Rehearsal, StrategyConfig, defaults, raw,
};
use crate::schedule::{CatchUp, Every, Sessions, Task};

/// The most tasks and strategies of one configuration.
const TASKS_MAX: usize = 64;
/// The most characters of a name: it becomes part of file names and run ids.
pub(crate) const NAME_MAX: usize = 32;
/// The longest delivery of an alert.
const NOTIFY_SECONDS_MAX: u32 = 300;

pub(super) struct Checker<'a> {
    path: &'a Path,
    source: &'a str,
}

type Checked<T> = Result<T, ConfigError>;

impl<'a> Checker<'a> {
    pub(super) const fn new(path: &'a Path, source: &'a str) -> Self {
        Self { path, source }
    }

    fn fault<T>(&self, span: Range<usize>, what: impl Into<String>, help: impl Into<String>) -> Checked<T> {
        Err(ConfigError::Fault(Box::new(Fault::at(self.path, self.source, span, what.into(), help.into()))))
    }

    /// Relative to the file's folder; `~/` is the home.
    fn resolve(&self, path: PathBuf) -> PathBuf {
        if let Ok(rest) = path.strip_prefix("~")
            && let Some(home) = std::env::var_os("HOME")
        {
            return PathBuf::from(home).join(rest);
        }
        match self.path.parent() {
            Some(folder) if path.is_relative() && !folder.as_os_str().is_empty() => folder.join(path),
            _ => path,
        }
    }

    fn name(&self, name: &str, span: Range<usize>) -> Checked<()> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
            return self.fault(
                span,
                format!("`{name}` is not a name"),
                format!("use a to z, 0 to 9, `-` and `_`, at most {NAME_MAX} characters"),
            );
        }
        Ok(())
    }

    pub(super) fn config(&self, file: raw::File) -> Checked<Config> {
        let account = self.account(file.account)?;
        let strategies = self.strategies(file.strategy)?;
        let mut written = file.task;
        let own = match account.broker {
            BrokerKind::KotakNeo(_) => Some(self.own_task(&mut written)?),
            _ => None,
        };
        let mut tasks = self.tasks(written, &strategies)?;
        tasks.extend(own);
        let resolve = |path: Option<PathBuf>| path.map(|path| self.resolve(path));
        let state_dir = resolve(file.state_dir).unwrap_or_else(defaults::state_dir);
        let mut config = Config {
            path: Some(self.path.to_owned()),
            plugin_dir: resolve(file.plugins.dir).unwrap_or_else(|| state_dir.join("components")),
            state_dir,
            control_socket: resolve(file.control.socket)
                .unwrap_or_else(|| defaults::control_socket(&account.name)),
            data: DataConfig { dir: resolve(file.data.dir), universe: resolve(file.data.universe) },
            calendar: CalendarConfig {
                file: resolve(file.calendar.file),
                closures: file.calendar.closures.into_iter().map(closure).collect(),
            },
            amo: self.amo(file.amo)?,
            limits: file.limits,
            conflicts: super::ConflictsConfig {
                auto_stop: file.conflicts.auto_stop.unwrap_or(true),
                units: file.conflicts.units,
                scripts: file.conflicts.scripts,
            },
            lock_dir: resolve(file.lock.dir).unwrap_or_else(crate::lock::default_dir),
            notify: self.notify(file.notify)?,
            rehearsal: self.rehearsal(file.rehearsal, &account)?,
            account,
            strategies,
            trusted_keys: file.plugins.trusted_keys,
            vouch_everywhere: file.plugins.vouch_everywhere,
            recording: file.recording,
            tasks,
        };
        config.apply_universe()?;
        Ok(config)
    }

    fn account(&self, accounts: BTreeMap<String, Spanned<raw::Account>>) -> Checked<AccountConfig> {
        let mut accounts = accounts.into_iter();
        let Some((name, written)) = accounts.next() else { return Ok(AccountConfig::default()) };
        if let Some((second, table)) = accounts.next() {
            return self.fault(
                table.span(),
                format!("there are two accounts, `{name}` and `{second}`"),
                "keep exactly one [account.NAME]; a second account is a second tradeagent with its own file",
            );
        }
        let span = written.span();
        self.name(&name, span.clone())?;
        let mut written = written.into_inner();
        if written.cash.is_some_and(|cash| cash < Money::ZERO) {
            return self.fault(
                span,
                "the cash is below zero",
                "write the rupees that the account starts with",
            );
        }
        let broker = self.broker(&mut written, &span)?;
        let mut positions = Vec::new();
        for position in written.positions {
            if position.quantity.is_zero() || !position.price.is_positive() {
                return self.fault(
                    span,
                    format!("the position in {} has no shares or no price", position.symbol),
                    "write quantity and price above zero, or take the position out",
                );
            }
            let raw::Position { symbol, quantity, price } = position;
            positions.push(PositionConfig { symbol, quantity, price });
        }
        Ok(AccountConfig {
            name: Account::from(name),
            broker,
            cash: written.cash.unwrap_or(Money::from_rupees(defaults::CASH_RUPEES)),
            volume_share_percent: written
                .volume_share
                .map_or(defaults::VOLUME_SHARE_PERCENT, |share| share.0),
            tariff: written.tariff.0,
            positions,
        })
    }

    /// The broker, with no key that belongs to another.
    fn broker(&self, written: &mut raw::Account, span: &Range<usize>) -> Checked<BrokerKind> {
        let given = |key: &'static str, is: bool| is.then_some(key);
        let remote = [given("address", written.address.is_some())];
        let kotak = [
            given("base_url", written.base_url.is_some()),
            given("env_file", written.env_file.is_some()),
            given("login_at", written.login_at.is_some()),
            given("logins_per_day", written.logins_per_day.is_some()),
            given("cool_down_minutes", written.cool_down_minutes.is_some()),
            given("quote_seconds_max", written.quote_seconds_max.is_some()),
            given("history_bars", written.history_bars.is_some()),
        ];
        let paper = [
            given("cash", written.cash.is_some()),
            given("volume_share", written.volume_share.is_some()),
            given("positions", !written.positions.is_empty()),
        ];
        let stray = match written.broker {
            raw::Broker::Paper => first(&remote, "paper-remote").or_else(|| first(&kotak, "kotak-neo")),
            raw::Broker::PaperRemote => first(&kotak, "kotak-neo"),
            raw::Broker::KotakNeo => first(&remote, "paper-remote").or_else(|| first(&paper, "paper")),
        };
        if let Some((key, owner)) = stray {
            let what = format!("`{key}` is for broker = \"{owner}\"");
            return self.fault(span.clone(), what, "take it out, or set the broker");
        }
        Ok(match written.broker {
            raw::Broker::Paper => BrokerKind::Paper,
            raw::Broker::PaperRemote => {
                BrokerKind::PaperRemote { address: written.address.unwrap_or_else(defaults::address) }
            }
            raw::Broker::KotakNeo => BrokerKind::KotakNeo(self.kotak_neo(written)?),
        })
    }

    fn kotak_neo(&self, written: &mut raw::Account) -> Checked<KotakNeoConfig> {
        if let Some(url) = &written.base_url
            && !is_safe_url(url.get_ref())
        {
            return self.fault(
                url.span(),
                "secrets would go over this URL in the clear",
                "write a URL that begins with https://; http:// is for kotak-neo-sim on this machine (127.0.0.1)",
            );
        }
        let number = |value: Option<Spanned<u32>>,
                      key: &str,
                      default: u32,
                      range: std::ops::RangeInclusive<u32>| {
            match value {
                Some(value) if !range.contains(value.get_ref()) => self.fault(
                    value.span(),
                    format!("{key} = {} is outside of {} to {}", value.get_ref(), range.start(), range.end()),
                    "write a number between the two, or take it out for the default",
                ),
                Some(value) => Ok(value.into_inner()),
                None => Ok(default),
            }
        };
        Ok(KotakNeoConfig {
            base_url: written
                .base_url
                .take()
                .map_or_else(|| defaults::KOTAK_NEO_URL.to_owned(), Spanned::into_inner)
                .trim_end_matches('/')
                .to_owned(),
            env_file: written.env_file.take().map(|path| self.resolve(path)),
            login_at: written.login_at.take().map_or_else(defaults::login_at, |time| time.0),
            logins_per_day: number(
                written.logins_per_day.take(),
                "logins_per_day",
                defaults::LOGINS_PER_DAY,
                1..=50,
            )?,
            cool_down_minutes: number(
                written.cool_down_minutes.take(),
                "cool_down_minutes",
                defaults::COOL_DOWN_MINUTES,
                1..=240,
            )?,
            quote_seconds_max: number(
                written.quote_seconds_max.take(),
                "quote_seconds_max",
                defaults::QUOTE_SECONDS_MAX,
                1..=300,
            )?,
            history_bars: number(
                written.history_bars.take(),
                "history_bars",
                defaults::HISTORY_BARS,
                1..=5_000,
            )?,
        })
    }

    fn amo(&self, written: Option<Spanned<raw::Amo>>) -> Checked<AmoWindow> {
        let Some(written) = written else { return Ok(AmoWindow::default()) };
        let span = written.span();
        let written = written.into_inner();
        let default = AmoWindow::default();
        let window = AmoWindow {
            from: written.from.map_or(default.from, |time| time.0),
            until: written.until.map_or(default.until, |time| time.0),
        };
        if window.from <= window.until {
            return self.fault(
                span,
                format!(
                    "the after-market window {} to {} does not run across midnight",
                    window.from, window.until
                ),
                "`from` is an evening and `until` the next morning, such as 15:45 and 08:57",
            );
        }
        Ok(window)
    }

    fn notify(&self, written: raw::Notify) -> Checked<NotifyConfig> {
        if let Some(command) = &written.command
            && command.get_ref().first().is_none_or(String::is_empty)
        {
            return self.fault(
                command.span(),
                "the command is empty",
                "write [\"program\", \"argument\", …]",
            );
        }
        if let Some(url) = &written.webhook
            && !(url.get_ref().starts_with("https://") || url.get_ref().starts_with("http://"))
        {
            let help = "write a URL that begins with https:// (or http:// on this machine)";
            return self.fault(url.span(), "the webhook is not a URL", help);
        }
        if let Some(seconds) = &written.timeout_seconds
            && !(1..=NOTIFY_SECONDS_MAX).contains(seconds.get_ref())
        {
            let what = format!("{} seconds is outside of 1 to {NOTIFY_SECONDS_MAX}", seconds.get_ref());
            return self.fault(seconds.span(), what, "a delivery that takes longer is tried again");
        }
        Ok(NotifyConfig {
            command: written.command.map(Spanned::into_inner),
            webhook: written.webhook.map(Spanned::into_inner),
            timeout_seconds: written.timeout_seconds.map_or(defaults::NOTIFY_SECONDS, Spanned::into_inner),
        })
    }

    fn rehearsal(
        &self,
        written: Option<Spanned<raw::Rehearsal>>,
        account: &AccountConfig,
    ) -> Checked<Option<Rehearsal>> {
        let Some(written) = written else { return Ok(None) };
        let span = written.span();
        let (from, until) = (written.get_ref().from.0, written.get_ref().until.0);
        if from >= until {
            return self.fault(span, "the rehearsal ends before it begins", "`until` is later than `from`");
        }
        match &account.broker {
            BrokerKind::Paper | BrokerKind::PaperRemote { .. } => Ok(Some(Rehearsal { from, until })),
            // Only a simulator is on this machine.
            BrokerKind::KotakNeo(kotak) if kotak.base_url.starts_with("http://") => {
                Ok(Some(Rehearsal { from, until }))
            }
            BrokerKind::KotakNeo(_) => self.fault(
                span,
                "a rehearsal has a clock of its own, and this account is at a broker that does not",
                "take [rehearsal] out, set broker = \"paper\", or point base_url at a kotak-neo-sim on this machine",
            ),
        }
    }

    /// A table that names a component defines a strategy; one that does not changes the built-in of its
    /// name. Once one is defined, the file's strategies are all there are.
    fn strategies(
        &self,
        tables: BTreeMap<String, Spanned<raw::Strategy>>,
    ) -> Checked<BTreeMap<StrategyName, StrategyConfig>> {
        let defines = tables.values().any(|table| table.get_ref().component.is_some());
        let mut strategies = if defines { BTreeMap::new() } else { defaults::strategies() };
        if tables.len() > TASKS_MAX {
            let what = format!("there are {} strategies; the most is {TASKS_MAX}", tables.len());
            return self.fault(0..0, what, "take some out");
        }
        for (name, table) in tables {
            let span = table.span();
            self.name(&name, span.clone())?;
            let table = table.into_inner();
            let Some(strategy) = defaults::builtin(&name).or_else(|| blank(&table)) else {
                let (what, help) = match (&table.component, table.role) {
                    (None, _) => (
                        format!("strategy `{name}` has no component"),
                        "add `component = \"FILE.wasm\"` or \"builtin:sell\", …".to_owned(),
                    ),
                    _ => (
                        format!("strategy `{name}` has no role"),
                        "add `role`: sell, buy, monitor, eod or trader; it decides what the strategy may do"
                            .to_owned(),
                    ),
                };
                return self.fault(span, what, help);
            };
            let component = match table.component {
                Some(Component::File(path)) => Component::File(self.resolve(path)),
                Some(builtin) => builtin,
                None => strategy.component,
            };
            if let Component::Builtin(builtin) = &component
                && defaults::builtin(builtin).is_none()
            {
                let known: Vec<&str> = defaults::BUILTIN.iter().map(|(name, _)| *name).collect();
                return self.fault(
                    span,
                    format!("there is no built-in strategy `{builtin}`"),
                    nearest(builtin, &known),
                );
            }
            self.strategy_limits(&table.limits, span)?;
            strategies.insert(
                StrategyName::from(&name),
                StrategyConfig {
                    role: table.role.unwrap_or(strategy.role),
                    component,
                    params: table.params.into_iter().map(|(key, value)| (key, value.0)).collect(),
                    grants: GrantsConfig {
                        symbols: table.grants.symbols,
                        max_order_value: table.grants.max_order_value,
                        max_orders_per_day: table.grants.max_orders_per_day,
                    },
                    limits: table.limits,
                },
            );
        }
        Ok(strategies)
    }

    fn strategy_limits(&self, limits: &super::StrategyLimits, span: Range<usize>) -> Checked<()> {
        let bounds = [
            ("memory_mib", limits.memory_mib, 1, 4096),
            ("run_seconds", limits.run_seconds, 1, 3600),
            ("log_bytes", limits.log_bytes, 0, 64 << 20),
            ("host_calls", limits.host_calls, 1, u32::MAX),
        ];
        for (key, value, least, most) in bounds {
            if let Some(value) = value
                && !(least..=most).contains(&value)
            {
                let what = format!("limits.{key} = {value} is outside of {least} to {most}");
                return self.fault(
                    span,
                    what,
                    "write a number between the two, or take it out for the default",
                );
            }
        }
        Ok(())
    }

    /// A table of a default's name changes it; others add tasks. A strategy that the file schedules under
    /// other names does not get its default besides.
    fn tasks(
        &self,
        mut tables: BTreeMap<String, Spanned<raw::Task>>,
        strategies: &BTreeMap<StrategyName, StrategyConfig>,
    ) -> Checked<Vec<Task>> {
        if tables.len() > TASKS_MAX {
            let what = format!("there are {} tasks; the most is {TASKS_MAX}", tables.len());
            return self.fault(0..0, what, "take some out");
        }
        let mut changed = BTreeMap::new();
        let mut defaults = defaults::tasks();
        defaults.retain(|task| strategies.contains_key(&task.strategy));
        for default in &defaults {
            if let Some(table) = tables.remove(&default.name) {
                changed.insert(
                    default.name.clone(),
                    self.task(&default.name, table, Some(default), strategies)?,
                );
            }
        }
        let mut added = Vec::new();
        for (name, table) in tables {
            added.push(self.task(&name, table, None, strategies)?);
        }
        let mut tasks = Vec::new();
        for default in defaults {
            match changed.remove(&default.name) {
                Some(task) => tasks.push(task),
                None if added.iter().any(|task: &Task| task.strategy == default.strategy) => {}
                None => tasks.push(default),
            }
        }
        tasks.extend(added);
        if let Some(idle) = strategies.keys().find(|name| !tasks.iter().any(|task| task.strategy == **name)) {
            return self.fault(
                self.find_table("strategy", idle.as_str()),
                format!("strategy `{idle}` has no task: it would never run"),
                format!("add [task.{idle}] with strategy = \"{idle}\" and at = \"open\", \"close+35m\" or \"18:00\""),
            );
        }
        Ok(tasks)
    }

    /// The host's own task of a live account, as the file changes it.
    fn own_task(&self, tables: &mut BTreeMap<String, Spanned<raw::Task>>) -> Checked<Task> {
        let default = defaults::data_update();
        let Some(table) = tables.remove(&default.name) else { return Ok(default) };
        if let Some(strategy) = &table.get_ref().strategy {
            let what = format!("task `{}` is the host's own and runs no strategy", default.name);
            return self.fault(strategy.span(), what, "take `strategy` out");
        }
        self.task(&default.name, table, Some(&default), &BTreeMap::new())
    }

    fn find_table(&self, kind: &str, name: &str) -> Range<usize> {
        let header = format!("[{kind}.{name}]");
        self.source.find(&header).map_or(0..0, |at| at..at + header.len())
    }

    fn task(
        &self,
        name: &str,
        table: Spanned<raw::Task>,
        default: Option<&Task>,
        strategies: &BTreeMap<StrategyName, StrategyConfig>,
    ) -> Checked<Task> {
        let span = table.span();
        self.name(name, span.clone())?;
        let table = table.into_inner();
        let strategy = match &table.strategy {
            Some(strategy) if strategies.contains_key(strategy.get_ref().as_str()) => {
                StrategyName::from(strategy.get_ref())
            }
            Some(strategy) => {
                let known: Vec<&str> = strategies.keys().map(StrategyName::as_str).collect();
                let what = format!("there is no strategy `{}`", strategy.get_ref());
                return self.fault(strategy.span(), what, nearest(strategy.get_ref(), &known));
            }
            None => match default {
                Some(default) => default.strategy.clone(),
                None if strategies.contains_key(name) => StrategyName::from(name),
                None => {
                    let what = format!("task `{name}` does not say which strategy runs");
                    return self.fault(span, what, "add `strategy = \"NAME\"`");
                }
            },
        };
        let Some(at) = table.at.or(default.map(|task| task.at)) else {
            let what = format!("task `{name}` does not say when");
            return self.fault(span, what, "add `at = \"open\"`, \"close+35m\" or \"18:00\"");
        };
        let every = table.every.or(default.and_then(|task| task.every));
        let until = table.until.or(default.and_then(|task| task.until));
        if every.is_none() && until.is_some() {
            return self.fault(
                span,
                format!("task `{name}` has `until` without `every`"),
                "add `every = \"1m\"`",
            );
        }
        if every.is_some() && until.is_none() {
            return self.fault(
                span,
                format!("task `{name}` has `every` without `until`"),
                "add `until = \"close\"`",
            );
        }
        let deadline = default.map_or(Every::minutes(defaults::DEADLINE_MINUTES), |task| task.deadline);
        Ok(Task {
            name: name.to_owned(),
            strategy,
            at,
            every,
            until,
            sessions: table.sessions.or(default.map(|task| task.sessions)).unwrap_or(Sessions::Regular),
            deadline: table.deadline.unwrap_or(deadline),
            catch_up: table.catch_up.or(default.map(|task| task.catch_up)).unwrap_or(CatchUp::Skip),
            resume: table.resume.or(default.map(|task| task.resume)).unwrap_or(false),
        })
    }
}

/// The first key that is given.
fn first(given: &[Option<&'static str>], owner: &'static str) -> Option<(&'static str, &'static str)> {
    given.iter().find_map(|key| *key).map(|key| (key, owner))
}

/// Encrypted, or within this machine.
fn is_safe_url(url: &str) -> bool {
    if url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    // `http://localhost:80@elsewhere` is a user's name, and elsewhere.
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[').and_then(|six| six.split_once(']')) {
        Some((six, _)) => six,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a strategy that is no built-in begins with.
fn blank(table: &raw::Strategy) -> Option<StrategyConfig> {
    let component = table.component.clone()?;
    let role = match (&component, table.role) {
        (_, Some(role)) => role,
        (Component::Builtin(name), None) => defaults::builtin(name)?.role,
        (Component::File(_), None) => return None,
    };
    Some(StrategyConfig {
        role,
        component,
        params: BTreeMap::new(),
        grants: GrantsConfig::default(),
        limits: super::StrategyLimits::default(),
    })
}

fn closure(written: raw::Closure) -> Closure {
    let raw::Closure { exchange, date, reason } = written;
    Closure { exchange, date, reason }
}
