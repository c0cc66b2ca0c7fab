//! `doctor`: everything that an unattended host stands on, each line with what to type when it is not well.
//!
//! It makes no login, stops nothing, and mends with `--fix` only permissions and missing folders.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::Path;

use broker::session::Totp;
use model::Clock as _;
use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::clock::SystemClock;
use crate::config::{BrokerKind, Config, KotakNeoConfig};
#[cfg(unix)]
use crate::credentials::CredentialsError;
use crate::credentials::{self, Places};
use crate::exit::{Exit, Failure};
use crate::live;
use crate::lock::{AccountLock, LockError, ensure_dir};
use crate::lookout::{Lookout, Powers};
use crate::output::{self, Align, Table, Tone};
use crate::places;
#[cfg(unix)]
use unix::{LOOK, SET_TIME, disk, time, unit};
#[cfg(windows)]
use windows::{LOOK, SET_TIME, disk, time, unit};

/// The most by which the broker's clock and this one's may differ, in seconds: its `Date` has whole ones.
const SKEW_SECONDS: i64 = 5;

/// How a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Well,
    /// Worth knowing; nothing has to be done.
    Note,
    Ill,
}

/// One line.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    seen: String,
    /// What to type.
    fix: Option<String>,
}

fn well(name: &'static str, seen: impl Into<String>) -> Check {
    Check { name, state: State::Well, seen: seen.into(), fix: None }
}

fn note(name: &'static str, seen: impl Into<String>) -> Check {
    Check { name, state: State::Note, seen: seen.into(), fix: None }
}

fn ill(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Check {
    Check { name, state: State::Ill, seen: seen.into(), fix: Some(fix.into()) }
}

/// Looks. Exit 1 when something is not well.
pub fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let config = Config::load(args.read.config.path().as_deref())?;
    let kotak = match &config.account.broker {
        BrokerKind::KotakNeo(kotak) => Some(kotak),
        _ => None,
    };
    let mut mended = Vec::new();
    if args.fix {
        mended = mend(&config, kotak);
    }
    let mut checks = vec![time(), lock(&config), conflicts(&config)?];
    if let Some(kotak) = kotak {
        checks.extend(credentials(&config, kotak));
        checks.extend(super::block_on(broker(&kotak.base_url))?);
    } else {
        checks.push(note(
            "broker",
            format!("`{}`: no credentials and no network", config.account.broker.as_str()),
        ));
    }
    checks.extend([calendar(&config)?, journal(&config), disk(&config), plugins(&config), unit()]);
    let is_well = checks.iter().all(|check| check.state != State::Ill);
    if args.read.json {
        output::json_versioned(serde_json::json!({ "well": is_well, "mended": mended, "checks": checks }))?;
    } else {
        mended.iter().for_each(|what| output::line(&format!("mended: {what}")));
        show(&checks);
    }
    Ok(if is_well { Exit::Ok } else { Exit::General })
}

fn show(checks: &[Check]) {
    let mut table = Table::new(&[("", Align::Left), ("check", Align::Left), ("seen", Align::Left)]);
    for check in checks {
        let (word, tone) = match check.state {
            State::Well => ("well", Tone::Good),
            State::Note => ("note", Tone::Dim),
            State::Ill => ("ILL", Tone::Bad),
        };
        table.row([
            (word.to_owned(), tone),
            (check.name.to_owned(), Tone::Plain),
            (output::plain(&check.seen), Tone::Plain),
        ]);
    }
    table.print();
    for check in checks {
        if let Some(fix) = &check.fix {
            output::line(&format!("{}: {fix}", check.name));
        }
    }
}

/// Permissions of the credentials, and folders that are missing.
fn mend(config: &Config, kotak: Option<&KotakNeoConfig>) -> Vec<String> {
    let mut mended = Vec::new();
    for dir in [&config.state_dir, &config.lock_dir] {
        if !dir.exists() && ensure_dir(dir).is_ok() {
            mended.push(format!("made {}", dir.display()));
        }
    }
    #[cfg(unix)]
    if let Some(kotak) = kotak
        && let Err(CredentialsError::Open { path, mode }) =
            credentials::read(&credential_places(config, kotak))
    {
        use std::os::unix::fs::PermissionsExt as _;
        if std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).is_ok() {
            mended.push(format!("chmod 600 {} (it was {mode:04o})", path.display()));
        }
    }
    #[cfg(not(unix))]
    let _ = kotak;
    mended
}

fn credential_places(config: &Config, kotak: &KotakNeoConfig) -> Places {
    Places::of_this_process(kotak.env_file.as_deref(), config.path.as_deref())
}

fn lock(config: &Config) -> Check {
    match AccountLock::holder(&config.lock_dir, &config.account.name) {
        Ok(Some(holder)) => well("lock", format!("held by {holder}")),
        Ok(None) if config.lock_dir.exists() => well("lock", "free"),
        Ok(None) => ill(
            "lock",
            format!("{} is not there", config.lock_dir.display()),
            "`tradeagent doctor --fix` makes it",
        ),
        Err(error @ (LockError::Unknown { .. } | LockError::Held { .. })) => {
            ill("lock", error.to_string(), error.hint())
        }
    }
}

fn conflicts(config: &Config) -> Result<Check, Failure> {
    let (lookout, _news) = Lookout::new(config, Powers::LOOKS);
    Ok(match super::block_on(lookout.look())? {
        Ok((_, found)) => {
            let names: Vec<String> = found.iter().map(conflicts::Conflict::name).collect();
            if names.is_empty() {
                well("conflicts", "no other program uses the account on this machine")
            } else {
                ill(
                    "conflicts",
                    names.join(", "),
                    format!(
                        "`{}tradeagent migrate` retires them; `tradeagent services` tells more",
                        places::SUDO
                    ),
                )
            }
        }
        Err(why) => ill("conflicts", why, LOOK),
    })
}

fn credentials(config: &Config, kotak: &KotakNeoConfig) -> Vec<Check> {
    match credentials::read(&credential_places(config, kotak)) {
        Err(error) => vec![ill("credentials", error.to_string(), error.hint())],
        Ok(found) => {
            let totp = match Totp::from_base32(&found.totp_secret) {
                Ok(_) => well("one-time codes", "the secret is one"),
                Err(error) => ill(
                    "one-time codes",
                    error.to_string(),
                    "write the secret that was shown when TOTP was registered into KOTAK_TOTP_SECRET",
                ),
            };
            let seen = if cfg!(unix) {
                "all five are there, and nobody else can read them"
            } else {
                "all five are there; who can read them is not looked at here (`icacls` shows it)"
            };
            vec![well("credentials", seen), totp]
        }
    }
}

/// Reaches the broker without a login: its answer tells this machine's address and its own time.
async fn broker(base_url: &str) -> Vec<Check> {
    let asked = SystemClock.now();
    match live::greet(base_url).await {
        Err(why) => vec![ill("broker", format!("{base_url}: {why}"), "check the network and base_url")],
        Ok(greeting) => {
            let mut checks = vec![well("broker", format!("{base_url} answers with {}", greeting.status))];
            checks.push(match greeting.address {
                Some(address) => well(
                    "address",
                    format!("{address}: orders are taken only from the one registered under Trade API"),
                ),
                None => note(
                    "address",
                    "the broker does not tell it without a login; `tradeagent login --check` shows it",
                ),
            });
            if let Some(theirs) = greeting.time {
                let skew = theirs.nanos_since(asked) / model::time::SECOND;
                checks.push(if skew.abs() <= SKEW_SECONDS {
                    well("clock skew", format!("{skew} s to the broker"))
                } else {
                    ill(
                        "clock skew",
                        format!("{skew} s to the broker: one-time codes will be refused"),
                        SET_TIME,
                    )
                });
            }
            checks
        }
    }
}

fn calendar(config: &Config) -> Result<Check, Failure> {
    let calendar = config.calendar()?;
    let warnings = calendar.warnings(SystemClock.now().ist_date());
    let known = format!("known until {}", calendar.known_until());
    Ok(if warnings.is_empty() {
        well("calendar", known)
    } else {
        note("calendar", warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })
}

fn journal(config: &Config) -> Check {
    let path = config.journal_path();
    if !path.exists() {
        return note("journal", format!("{} is made at the first start", path.display()));
    }
    match journal::SqliteJournal::open_read_only(&path).and_then(|journal| journal.verify()) {
        Ok(()) => well("journal", format!("{} is whole", path.display())),
        Err(error) => ill(
            "journal",
            error.to_string(),
            format!(
                "stop the host, keep {} aside, and put a backup in its place (deploy/README.md, Back up)",
                path.display()
            ),
        ),
    }
}

/// The nearest folder that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or_else(|| Path::new("/"))
}

fn plugins(config: &Config) -> Check {
    let cache = config.plugin_cache();
    match std::fs::read_dir(&cache) {
        Ok(files) => {
            well("plugin cache", format!("{} compiled components in {}", files.count(), cache.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            note("plugin cache", "is made at the first start")
        }
        Err(error) => ill(
            "plugin cache",
            format!("{}: {error}", cache.display()),
            format!("`sudo rm -r {}`: it is made anew", cache.display()),
        ),
    }
}
