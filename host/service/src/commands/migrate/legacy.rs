//! What the Python agent left: its folder, credentials, open trades (legacy-agent.md 1.7).

use std::fmt;
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use broker::Broker as _;
use broker::session::Generation;
use conflicts::Survey;
use journal::{Durability, Entry, Journal as _, SqliteJournal};
use model::{Clock as _, Holding, LedgerEntry, LedgerKind, Money, Price, Product, Quantity, Side, Symbol};
use serde::Deserialize;

use super::manifest::Manifest;
use crate::clock::SystemClock;
use crate::config::{Config, KotakNeoConfig};
use crate::exit::Failure;
use crate::live;
use crate::lock::AccountLock;
use crate::lookout::Powers;
use crate::{places, whole_file};

/// The names that a login needs.
const NAMES: [&str; 5] =
    ["KOTAK_CONSUMER_KEY", "KOTAK_MOBILE_NUMBER", "KOTAK_UCC", "KOTAK_TOTP_SECRET", "KOTAK_MPIN"];
/// Where the agent's credentials may be, below its folder.
const ENV_PLACES: [&str; 2] = ["modules/kotak_neo_auto_trader/kotak_neo.env", "kotak_neo.env"];
/// Its state, below its folder.
const STATE: [&str; 3] =
    ["data/trades_history.json", "data/pending_orders.json", "data/system_recommended_symbols.json"];
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The agent as it was found.
pub struct Legacy {
    folder: Option<PathBuf>,
    /// Its open trades.
    pub trades: Vec<Trade>,
    /// What the operator should know, in sentences.
    pub remarks: Vec<String>,
}

/// An open trade of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// What.
    pub symbol: Symbol,
    /// How many shares.
    pub quantity: Quantity,
    /// Paid for each.
    pub price: Price,
    /// When, in its words.
    pub entered: String,
}

impl fmt::Display for Trade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} at {} (entered {})", self.quantity, self.symbol, self.price, self.entered)
    }
}

impl Trade {
    /// By which it is known again.
    fn basis(&self) -> String {
        format!("the Python agent's open trade of {}", self.entered)
    }
}

/// Its credentials.
pub enum Env {
    /// Ours are there already.
    There,
    /// They are all there.
    Complete {
        /// Where.
        from: PathBuf,
        /// What goes into our file.
        text: String,
    },
    /// Some are missing.
    Incomplete {
        /// Where.
        from: PathBuf,
        /// Which.
        missing: Vec<String>,
    },
    /// There are none.
    Nowhere,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    trades: Vec<RawTrade>,
}

#[derive(Deserialize)]
struct RawTrade {
    symbol: Option<String>,
    placed_symbol: Option<String>,
    ticker: Option<String>,
    status: Option<String>,
    qty: Option<serde_json::Number>,
    entry_price: Option<serde_json::Number>,
    entry_time: Option<String>,
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    use std::io::Read as _;
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Failure::from(
                anyhow::Error::from(error).context(format!("{} cannot be read", path.display())),
            ));
        }
    };
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(Some(text))
}

impl Legacy {
    /// In `from`, or where the units say that it works.
    pub fn find(from: Option<&Path>, survey: &Survey) -> Result<Self, Failure> {
        let folder = match from {
            Some(folder) if !folder.is_dir() => {
                return Err(Failure::usage(anyhow!("{} is not a folder", folder.display())));
            }
            Some(folder) => Some(folder.to_owned()),
            None => survey.units.iter().find_map(folder_of),
        };
        let mut found = Self { folder, trades: Vec::new(), remarks: Vec::new() };
        let Some(folder) = found.folder.clone() else { return Ok(found) };
        let path = folder.join(STATE[0]);
        if let Some(text) = read(&path)? {
            let history: History = serde_json::from_str(&text)
                .with_context(|| format!("{} is not what the agent writes", path.display()))
                .map_err(|error| {
                    Failure::config(error)
                        .hint("mend or move the file: open trades must not be lost silently")
                })?;
            for raw in history.trades.into_iter().filter(|raw| raw.status.as_deref() == Some("open")) {
                match trade(&raw) {
                    Ok(trade) => found.trades.push(trade),
                    Err(why) => found
                        .remarks
                        .push(format!("not adopted: an open trade of {} ({why})", path.display())),
                }
            }
        }
        if let Some(text) = read(&folder.join(STATE[1]))? {
            let pending: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let count =
                pending.as_array().map_or_else(|| pending["orders"].as_array().map_or(0, Vec::len), Vec::len);
            if count > 0 {
                found.remarks.push(format!(
                    "{count} entries of data/pending_orders.json are not carried over: what still stands at the broker \
                     shows in `tradeagent orders` as not placed by this host"
                ));
            }
        }
        Ok(found)
    }

    /// The credentials for `target`, with `ucc` where they lack it.
    pub fn env_text(&self, target: &Path, ucc: Option<&str>) -> Result<Env, Failure> {
        if target.exists() {
            return Ok(Env::There);
        }
        let Some(folder) = &self.folder else { return Ok(Env::Nowhere) };
        for place in ENV_PLACES {
            let from = folder.join(place);
            let Some(mut text) = read(&from)? else { continue };
            let has = |text: &str, name: &str| {
                dotenvy::from_read_iter(text.as_bytes())
                    .filter_map(Result::ok)
                    .any(|(known, value)| known == name && !value.trim().is_empty())
            };
            if let Some(ucc) = ucc.filter(|_| !has(&text, "KOTAK_UCC")) {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&format!("KOTAK_UCC={ucc}\n"));
            }
            let missing: Vec<String> =
                NAMES.iter().filter(|name| !has(&text, name)).map(|name| (*name).to_owned()).collect();
            return Ok(if missing.is_empty() {
                Env::Complete { from, text }
            } else {
                Env::Incomplete { from, missing }
            });
        }
        Ok(Env::Nowhere)
    }

    /// Copies what is going to be used or changed.
    pub fn back_up(&self, manifest: &mut Manifest) -> Result<(), Failure> {
        let Some(folder) = &self.folder else { return Ok(()) };
        manifest.found(folder)?;
        let to = places::backups().join("agent");
        for place in ENV_PLACES.iter().chain(&STATE) {
            let from = folder.join(place);
            let copy = to.join(place);
            // The first copy is of how it was.
            if !from.is_file() || copy.exists() {
                continue;
            }
            let parent = copy.parent().context("a file in a folder")?;
            fs::create_dir_all(parent)
                .and_then(|()| fs::copy(&from, &copy).map(drop))
                .with_context(|| format!("{} cannot be backed up to {}", from.display(), copy.display()))?;
            only_ours(&copy)?;
        }
        Ok(())
    }

    /// Writes the credentials, and closes the old file to others.
    pub fn write_env(&self, env: &Env, target: &Path, manifest: &mut Manifest) -> Result<(), Failure> {
        let Env::Complete { from, text } = env else { return Ok(()) };
        manifest.created(vec![target.to_owned()])?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(from).map_or(0o600, |meta| meta.permissions().mode() & 0o7777);
            if mode & 0o077 != 0 {
                manifest.changes_mode(from, mode)?;
                fs::set_permissions(from, fs::Permissions::from_mode(mode & 0o700))
                    .with_context(|| format!("{} stays open to others", from.display()))?;
            }
        }
        #[cfg(not(unix))]
        let _ = from;
        whole_file::replace(target, text.as_bytes())
            .with_context(|| format!("{} cannot be written", target.display()))?;
        #[cfg(windows)]
        super::service::for_administrators(target)?;
        Ok(())
    }
}

#[cfg(unix)]
fn only_ours(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .with_context(|| format!("{} stays open to others", path.display()))?;
    Ok(())
}

#[cfg(windows)]
fn only_ours(path: &Path) -> Result<(), Failure> {
    super::service::for_administrators(path)
}

/// Where NSSM, which runs the agent's services on Windows, has them work.
#[cfg(windows)]
fn folder_of(unit: &conflicts::Unit) -> Option<PathBuf> {
    if unit.is_ours() {
        return None;
    }
    let key = format!(r"HKLM\SYSTEM\CurrentControlSet\Services\{}\Parameters", unit.name);
    let told = std::process::Command::new("reg").args(["query", &key, "/v", "AppDirectory"]).output().ok()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = told.lines().find(|line| line.trim_start().starts_with("AppDirectory"))?;
    let folder = line.split_once("_SZ")?.1.trim();
    Some(PathBuf::from(folder)).filter(|folder| folder.is_dir())
}

/// Where a unit's file says that it works, or the folder two above its script.
#[cfg(not(windows))]
fn folder_of(unit: &conflicts::Unit) -> Option<PathBuf> {
    if unit.is_ours() {
        return None;
    }
    let text = fs::read_to_string(&unit.fragment).unwrap_or_default();
    let works = text.lines().find_map(|line| line.trim().strip_prefix("WorkingDirectory="));
    let of_script = || {
        let script = unit.command.iter().find(|word| word.ends_with(".py") && word.starts_with('/'))?;
        let folder = Path::new(script).parent()?;
        Some(
            folder
                .ancestors()
                .nth(if folder.ends_with("modules/kotak_neo_auto_trader") { 2 } else { 0 })?
                .to_owned(),
        )
    };
    works.map(PathBuf::from).or_else(of_script).filter(|folder| folder.is_dir())
}

fn trade(raw: &RawTrade) -> Result<Trade, String> {
    let name = raw
        .symbol
        .as_ref()
        .or(raw.placed_symbol.as_ref())
        .or(raw.ticker.as_ref())
        .ok_or("it has no symbol")?;
    // `RELIANCE-EQ` at the broker, `RELIANCE.NS` at the data source.
    let symbol = name.split(['-', '.']).next().unwrap_or(name).to_ascii_uppercase();
    let quantity =
        raw.qty.as_ref().and_then(serde_json::Number::as_u64).and_then(|count| u32::try_from(count).ok());
    let quantity =
        quantity.filter(|count| *count > 0).ok_or_else(|| format!("{symbol} has no whole quantity"))?;
    let text = raw.entry_price.as_ref().ok_or_else(|| format!("{symbol} has no price"))?.to_string();
    // To the paisa: an average may have any number of digits.
    let (rupees, paise) = text.split_once('.').unwrap_or((&text, ""));
    let paise: String = paise.chars().chain("00".chars()).take(2).collect();
    let price: Price =
        format!("{rupees}.{paise}").parse().map_err(|_| format!("{symbol} has the price {text}"))?;
    if !price.is_positive() {
        return Err(format!("{symbol} has the price {text}"));
    }
    Ok(Trade {
        symbol: Symbol::from(symbol.as_str()),
        quantity: Quantity::new(quantity),
        price,
        entered: raw.entry_time.clone().unwrap_or_else(|| "an unknown day".to_owned()),
    })
}

/// The client code, from whoever sits there, when it is the only thing that is missing.
pub fn ask_for_ucc(env: &Env) -> Option<String> {
    let Env::Incomplete { missing, .. } = env else { return None };
    if missing.as_slice() != ["KOTAK_UCC"] || !std::io::stdin().is_terminal() {
        return None;
    }
    crate::output::talk("KOTAK_UCC, the client code (Neo app > Profile > Account details):");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).ok()?;
    Some(line.trim().to_owned()).filter(|ucc| !ucc.is_empty())
}

fn journal(config: &Config) -> Result<SqliteJournal, Failure> {
    fs::create_dir_all(&config.state_dir)
        .with_context(|| format!("{} cannot be made", config.state_dir.display()))?;
    Ok(SqliteJournal::open(config.journal_path())?)
}

/// Open trades that no earlier migration adopted.
pub fn not_yet_adopted(legacy: &Legacy, config: &Config) -> Result<Vec<Trade>, Failure> {
    // Only read: a host may have it open.
    if !config.journal_path().exists() {
        return Ok(legacy.trades.clone());
    }
    let journal = SqliteJournal::open_read_only(config.journal_path())?;
    let known = journal.replay(&config.account.name, SystemClock.now().ist_date())?;
    let is_known = |trade: &Trade| {
        known.iter().any(|recorded| match &recorded.entry {
            Entry::Ledger(LedgerEntry { symbol, why: LedgerKind::Adopted { basis }, .. }) => {
                *symbol == trade.symbol && *basis == trade.basis()
            }
            _ => false,
        })
    };
    Ok(legacy.trades.iter().filter(|trade| !is_known(trade)).cloned().collect())
}

/// What the account holds, by one login of its own.
pub async fn holdings(config: &Config, kotak: &KotakNeoConfig) -> Result<Vec<Holding>, Failure> {
    let _lock = AccountLock::acquire(&config.lock_dir, &config.account.name, "migrate", SystemClock.now())?;
    let connection = live::connect(config, kotak, live::clock_of(config, kotak).await?, Powers::LOOKS)?;
    let due = connection.keeper.due();
    super::super::login::say_when(&connection);
    let held = match connection.keeper.renew(Generation::NONE).await {
        Ok(_) => {
            let listed = kotak_neo_broker::load_scrips(&connection.broker).await;
            listed
                .map_err(|error| Failure::unavailable(anyhow!("the broker's list of shares: {error}")))
                .map(|_| ())
        }
        Err(error) => Err(super::super::login::no_session(error)),
    };
    let held = match held {
        Ok(()) => connection
            .broker
            .holdings()
            .await
            .map_err(|error| Failure::unavailable(anyhow!("the holdings cannot be read: {error}"))),
        Err(failure) => Err(failure),
    };
    drop(due);
    connection.keeper.end().await;
    held
}

/// Adopts what is held; says what of each.
pub fn adopt(todo: &[Trade], holdings: &[Holding], config: &Config) -> Result<Vec<String>, Failure> {
    let mut journal = journal(config)?;
    let now = SystemClock.now();
    let mut told = Vec::new();
    let mut free: std::collections::BTreeMap<Symbol, u32> = std::collections::BTreeMap::new();
    for holding in holdings {
        *free.entry(holding.symbol.clone()).or_default() += holding.quantity.get();
    }
    let mut entries = Vec::new();
    for trade in todo {
        let held = free.entry(trade.symbol.clone()).or_default();
        if *held < trade.quantity.get() {
            told.push(format!(
                "not adopted: {trade}: the account holds {held}; check it, then sell or adopt by hand"
            ));
            continue;
        }
        *held -= trade.quantity.get();
        entries.push(Entry::Ledger(LedgerEntry {
            account: config.account.name.clone(),
            symbol: trade.symbol.clone(),
            side: Side::Buy,
            product: Product::Delivery,
            quantity: trade.quantity,
            price: trade.price,
            charges: Money::ZERO,
            at: now,
            session: now.ist_date(),
            settles: now.ist_date(),
            why: LedgerKind::Adopted { basis: trade.basis() },
        }));
        told.push(format!("adopted {trade}"));
    }
    journal.commit(&entries, Durability::Synced)?;
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> RawTrade {
        serde_json::from_str(json).expect("json")
    }

    #[test]
    fn an_open_trade_is_read_as_it_was_written() {
        let read = trade(&raw(
            r#"{"symbol":"RELIANCE-EQ","qty":12,"entry_price":1250.456,"entry_time":"2025-11-03T16:05:00","status":"open"}"#,
        ));
        let read = read.expect("a trade");
        assert_eq!((read.symbol.as_str(), read.quantity.get()), ("RELIANCE", 12));
        assert_eq!(read.price, Price::from_paise(125_045));
        let read = trade(&raw(r#"{"ticker":"tcs.ns","qty":1,"entry_price":3000}"#)).expect("a trade");
        assert_eq!((read.symbol.as_str(), read.price), ("TCS", Price::from_rupees(3000)));
        for bad in [
            r#"{"qty":1,"entry_price":1}"#,
            r#"{"symbol":"A","qty":0,"entry_price":1}"#,
            r#"{"symbol":"A","qty":1.5,"entry_price":1}"#,
            r#"{"symbol":"A","qty":1}"#,
            r#"{"symbol":"A","qty":1,"entry_price":-2}"#,
        ] {
            trade(&raw(bad)).expect_err(bad);
        }
    }

    #[test]
    fn only_what_is_held_is_adopted_and_only_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let agent = folder.path().join("agent");
        fs::create_dir_all(agent.join("data")).expect("made");
        fs::write(
            agent.join("data/trades_history.json"),
            r#"{"trades":[
                {"symbol":"A","qty":10,"entry_price":100.5,"entry_time":"t1","status":"open"},
                {"symbol":"A","qty":5,"entry_price":90,"entry_time":"t2","status":"open"},
                {"symbol":"B","qty":7,"entry_price":10,"entry_time":"t3","status":"open"},
                {"symbol":"C","qty":7,"entry_price":10,"entry_time":"t4","status":"closed"}]}"#,
        )
        .expect("written");
        let legacy = Legacy::find(Some(&agent), &Survey::default()).expect("found");
        assert_eq!(legacy.trades.len(), 3, "closed ones are history");
        let config = Config { state_dir: folder.path().join("state"), ..Config::default() };
        let held = |symbol: &str, quantity| Holding {
            symbol: symbol.into(),
            quantity: Quantity::new(quantity),
            average: Price::ZERO,
        };
        let todo = not_yet_adopted(&legacy, &config).expect("read");
        assert_eq!(todo.len(), 3);
        // Twelve A cover the first trade, and not the second besides.
        let told = adopt(&todo, &[held("A", 12), held("B", 7)], &config).expect("kept");
        assert_eq!(told.iter().filter(|line| line.starts_with("adopted")).count(), 2, "{told:?}");
        let left = not_yet_adopted(&legacy, &config).expect("read");
        assert_eq!(left.iter().map(|trade| trade.entered.as_str()).collect::<Vec<_>>(), ["t2"]);
    }

    #[test]
    fn the_client_code_is_added_and_what_is_missing_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(
            folder.path().join("kotak_neo.env"),
            "KOTAK_CONSUMER_KEY=a\nKOTAK_MOBILE_NUMBER=b\nKOTAK_TOTP_SECRET=c\nKOTAK_MPIN=d",
        )
        .expect("written");
        let legacy = Legacy::find(Some(folder.path()), &Survey::default()).expect("found");
        let target = folder.path().join("none");
        let Ok(Env::Incomplete { missing, .. }) = legacy.env_text(&target, None) else {
            panic!("incomplete")
        };
        assert_eq!(missing, ["KOTAK_UCC"]);
        let Ok(Env::Complete { text, .. }) = legacy.env_text(&target, Some("ABC12")) else {
            panic!("complete")
        };
        assert!(text.ends_with("KOTAK_MPIN=d\nKOTAK_UCC=ABC12\n"), "{text}");
    }
}
