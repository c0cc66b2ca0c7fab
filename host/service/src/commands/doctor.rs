//! `doctor`: everything that an unattended host stands on, each line with what to type when it is not well.
//!
//! It makes no login, stops nothing, and mends with `--fix` only permissions and missing folders.

use std::path::Path;

use broker::session::Totp;
use model::Clock as _;
use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::clock::SystemClock;
use crate::config::{BrokerKind, Config, KotakNeoConfig};
use crate::credentials::{self, CredentialsError, Places};
use crate::exit::{Exit, Failure};
use crate::live;
use crate::lock::{AccountLock, LockError, ensure_dir};
use crate::lookout::{Lookout, Powers};
use crate::output::{self, Align, Table, Tone};

/// Free space below which a journal is in danger, in bytes.
const SPACE_MIN: u64 = 512 << 20;
/// The most by which the broker's clock and this one's may differ, in seconds: its `Date` has whole ones.
const SKEW_SECONDS: i64 = 5;
/// The exposure that the shipped unit stays below (systemd-analyze security).
const EXPOSURE_MAX: f64 = 1.5;

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
    let config = Config::load(args.read.config.path.as_deref())?;
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
        && let Err(CredentialsError::Open { path, mode }) = credentials::read(&places(config, kotak))
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

fn places(config: &Config, kotak: &KotakNeoConfig) -> Places {
    Places::of_this_process(kotak.env_file.as_deref(), config.path.as_deref())
}

/// The clock is compared with the broker's elsewhere; here, whether something keeps it.
fn time() -> Check {
    let now = SystemClock.now();
    let kept =
        std::process::Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output();
    match kept.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).as_deref() {
        Ok("yes") => well(
            "time",
            format!("{now}, kept by the network's; all times are Mumbai's, whatever this machine's zone"),
        ),
        Ok("no") => {
            ill("time", format!("{now}, and nothing keeps it right"), "`sudo timedatectl set-ntp true`")
        }
        _ => note("time", format!("{now}; whether something keeps it right cannot be told")),
    }
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
                    "`sudo tradeagent migrate` retires them; `tradeagent services` tells more",
                )
            }
        }
        Err(why) => {
            ill("conflicts", why, "`sudo systemctl start tradeagent-helper.service`, or run this as root")
        }
    })
}

fn credentials(config: &Config, kotak: &KotakNeoConfig) -> Vec<Check> {
    match credentials::read(&places(config, kotak)) {
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
            vec![well("credentials", "all five are there, and nobody else can read them"), totp]
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
                        "`sudo timedatectl set-ntp true`",
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

#[cfg(unix)]
fn disk(config: &Config) -> Check {
    let dir = existing(&config.state_dir);
    let Ok(stat) = rustix::fs::statvfs(dir) else {
        return note("disk", format!("{} cannot be looked at", dir.display()));
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let kind = rustix::fs::statfs(dir).map(|stat| stat.f_type as u64 & 0xffff_ffff).unwrap_or_default();
    // NFS, SMB, CIFS, SMB2, 9p, FUSE: locks and fsync do not hold there (statfs(2)).
    if [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546].contains(&kind) {
        return ill(
            "disk",
            format!("{} is on a network file system", dir.display()),
            "set state_dir to a local disk",
        );
    }
    let seen = format!("{} MiB free under {}", free >> 20, dir.display());
    if free < SPACE_MIN {
        ill("disk", seen, "make room: the journal stops trading when it cannot be written")
    } else {
        well("disk", seen)
    }
}

#[cfg(not(unix))]
fn disk(config: &Config) -> Check {
    note("disk", format!("not looked at under {}", existing(&config.state_dir).display()))
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

/// Whether the unit that runs is as tight as the one that was shipped.
fn unit() -> Check {
    const UNIT: &str = "tradeagent-unified.service";
    let shown =
        std::process::Command::new("systemctl").args(["show", UNIT, "-p", "LoadState", "--value"]).output();
    match shown.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).as_deref() {
        Ok("loaded") => {}
        _ => return note("unit", "not installed as a service here: `sudo tradeagent service install`"),
    }
    let told = std::process::Command::new("systemd-analyze").args(["security", "--no-pager", UNIT]).output();
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let exposure = told.lines().find_map(|line| {
        line.split_once("Overall exposure level for ")?
            .1
            .split_once(": ")?
            .1
            .split(' ')
            .next()?
            .parse::<f64>()
            .ok()
    });
    match exposure {
        Some(exposure) if exposure <= EXPOSURE_MAX => {
            well("unit", format!("exposure {exposure}, at most {EXPOSURE_MAX}"))
        }
        Some(exposure) => ill(
            "unit",
            format!("exposure {exposure}, more than {EXPOSURE_MAX}"),
            format!("`systemctl cat {UNIT}` shows which drop-in loosens it"),
        ),
        None => note("unit", "its exposure cannot be told here"),
    }
}
