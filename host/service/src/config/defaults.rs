//! What holds where the file is silent.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use calendar::AmoWindow;
use chrono::NaiveTime;
use model::charges::Tariff;
use model::risk::Limits;
use model::{Account, Money, StrategyName};
use runtime::Role;

use super::{
    AccountConfig, BrokerKind, CalendarConfig, Component, Config, DataConfig, GrantsConfig, KotakNeoConfig,
    NotifyConfig, StrategyConfig, StrategyLimits,
};
use crate::schedule::{CatchUp, Every, Sessions, Task, When};

/// The account's name without a file.
pub(super) const ACCOUNT: &str = "main";
/// Cash of a paper account.
pub(super) const CASH_RUPEES: i64 = 1_000_000;
/// Share of a minute's volume that is filled, in percent.
pub(super) const VOLUME_SHARE_PERCENT: u32 = 10;
/// Seconds that one delivery of an alert may take.
pub(super) const NOTIFY_SECONDS: u32 = 10;
/// How late a task may begin, where nothing is said.
pub(super) const DEADLINE_MINUTES: i64 = 15;

/// Where Kotak Neo takes logins (its API documentation, authentication).
pub(super) const KOTAK_NEO_URL: &str = "https://mis.kotaksecurities.com";
/// Logins a day: one in the morning, and room for renewals.
pub(super) const LOGINS_PER_DAY: u32 = 10;
/// How long a contested account is left alone, in minutes.
pub(super) const COOL_DOWN_MINUTES: u32 = 15;
/// How old a quote may be, in seconds.
pub(super) const QUOTE_SECONDS_MAX: u32 = 10;
/// Daily bars of each symbol.
pub(super) const HISTORY_BARS: u32 = 250;

/// A Kotak Neo account.
pub(super) fn kotak_neo() -> KotakNeoConfig {
    KotakNeoConfig {
        base_url: KOTAK_NEO_URL.to_owned(),
        env_file: None,
        login_at: login_at(),
        logins_per_day: LOGINS_PER_DAY,
        cool_down_minutes: COOL_DOWN_MINUTES,
        quote_seconds_max: QUOTE_SECONDS_MAX,
        history_bars: HISTORY_BARS,
    }
}

/// The hour before which nobody needs a session: after-market orders are taken until 08:57, the pre-open
/// begins at 09:00.
pub(super) fn login_at() -> NaiveTime {
    NaiveTime::from_hms_opt(8, 0, 0).expect("a time of day")
}

/// Where `paper-exchange` listens by default.
pub(super) fn address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 7878))
}

/// The built-in strategies, each in the role of its name.
pub(super) const BUILTIN: [(&str, Role); 4] =
    [("sell", Role::Sell), ("buy", Role::Buy), ("monitor", Role::Monitor), ("eod", Role::Eod)];

/// The built-in strategy `name`.
pub(super) fn builtin(name: &str) -> Option<StrategyConfig> {
    let (_, role) = BUILTIN.iter().find(|(builtin, _)| *builtin == name)?;
    Some(StrategyConfig {
        role: *role,
        component: Component::Builtin(name.to_owned()),
        params: BTreeMap::new(),
        grants: GrantsConfig::default(),
        limits: StrategyLimits::default(),
    })
}

/// All built-in strategies.
pub(super) fn strategies() -> BTreeMap<StrategyName, StrategyConfig> {
    BUILTIN.iter().filter_map(|(name, _)| Some((StrategyName::from(*name), builtin(name)?))).collect()
}

/// The built-in schedule: sell each minute of the session, buy once after the close, monitor hourly, the
/// day's end at 18:00.
pub(super) fn tasks() -> Vec<Task> {
    let time = |text: &str| text.parse::<When>().expect("a constant time");
    let task = |name: &str, at: &str| Task {
        name: name.to_owned(),
        strategy: StrategyName::from(name),
        at: time(at),
        every: None,
        until: None,
        sessions: Sessions::Regular,
        deadline: Every::minutes(1),
        catch_up: CatchUp::Skip,
        resume: false,
    };
    vec![
        Task { every: Some(Every::minutes(1)), until: Some(time("close")), ..task("sell", "open") },
        Task {
            deadline: Every::minutes(60),
            catch_up: CatchUp::Once,
            resume: true,
            ..task("buy", "close+35m")
        },
        Task {
            every: Some(Every::minutes(60)),
            until: Some(time("close")),
            deadline: Every::minutes(15),
            ..task("monitor", "open+15m")
        },
        Task {
            deadline: Every::minutes(5 * 60),
            catch_up: CatchUp::Once,
            resume: true,
            ..task("eod", "18:00")
        },
    ]
}

/// The host's own work on a live account: the bars, once the closing auction is over and before buy decides.
pub(super) fn data_update() -> Task {
    Task {
        name: crate::live::DATA_UPDATE.to_owned(),
        strategy: StrategyName::from(crate::live::DATA_UPDATE),
        at: "close+20m".parse::<When>().expect("a constant time"),
        every: None,
        until: None,
        sessions: Sessions::Regular,
        deadline: Every::minutes(5 * 60),
        catch_up: CatchUp::Once,
        resume: true,
    }
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            name: Account::from(ACCOUNT),
            broker: BrokerKind::Paper,
            cash: Money::from_rupees(CASH_RUPEES),
            volume_share_percent: VOLUME_SHARE_PERCENT,
            tariff: Tariff::default(),
            positions: Vec::new(),
        }
    }
}

impl Default for NotifyConfig {
    fn default() -> Self {
        Self { command: None, webhook: None, timeout_seconds: NOTIFY_SECONDS }
    }
}

impl Default for Config {
    fn default() -> Self {
        let account = AccountConfig::default();
        Self {
            path: None,
            state_dir: state_dir(),
            control_socket: control_socket(&account.name),
            account,
            data: DataConfig::default(),
            calendar: CalendarConfig::default(),
            amo: AmoWindow::default(),
            limits: Limits::default(),
            conflicts: super::ConflictsConfig::default(),
            lock_dir: crate::lock::default_dir(),
            notify: NotifyConfig::default(),
            strategies: strategies(),
            trusted_keys: Vec::new(),
            vouch_everywhere: false,
            plugin_dir: state_dir().join("components"),
            recording: super::RecordingConfig::default(),
            tasks: tasks(),
            rehearsal: None,
        }
    }
}

/// `%LOCALAPPDATA%\tradeagent`.
#[cfg(windows)]
pub(super) fn state_dir() -> PathBuf {
    crate::places::of_user()
}

/// Root: `/var/lib/tradeagent`; others: `$XDG_STATE_HOME/tradeagent`, `~/.local/state/tradeagent`.
#[cfg(not(windows))]
pub(super) fn state_dir() -> PathBuf {
    if crate::lock::is_root() {
        return PathBuf::from("/var/lib/tradeagent");
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(crate::lock::runtime_dir)
        .join("tradeagent")
}

/// A pipe of the account's name.
#[cfg(windows)]
pub(super) fn control_socket(account: &Account) -> PathBuf {
    PathBuf::from(format!(r"\\.\pipe\tradeagent-{account}"))
}

/// Beside the runtime files of the user, or of the machine for root.
#[cfg(not(windows))]
pub(super) fn control_socket(account: &Account) -> PathBuf {
    crate::lock::runtime_dir().join(format!("{account}.sock"))
}
