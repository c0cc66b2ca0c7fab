//! `service`: the operating system's service, two systemd units. There is none for Windows yet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow};
use serde::Serialize;

use crate::cli::{ServiceArgs, ServiceCommand};
use crate::exit::{Exit, Failure};
use crate::output;

const UNIT: &str = "tradeagent-unified.service";
const HELPER: &str = "tradeagent-helper.service";
const UNITS: [(&str, &str); 2] = [
    (UNIT, include_str!("../../../../deploy/systemd/tradeagent-unified.service")),
    (HELPER, include_str!("../../../../deploy/systemd/tradeagent-helper.service")),
];
const TMPFILES: &str = include_str!("../../../../deploy/tmpfiles.d/tradeagent.conf");
const CONFIG: &str = include_str!("../../../../deploy/service.toml");
/// Where the package puts units, and where an operator does.
const PACKAGED: &str = "/lib/systemd/system";
const LOCAL: &str = "/etc/systemd/system";
const CONFIG_FILE: &str = "/etc/tradeagent/tradeagent.toml";

/// Does it.
pub fn run(args: &ServiceArgs) -> Result<Exit, Failure> {
    match &args.command {
        ServiceCommand::Install(how) => {
            for line in install(how.no_enable)?.lines() {
                output::line(&line);
            }
            Ok(Exit::Ok)
        }
        ServiceCommand::Uninstall => uninstall().map(|()| Exit::Ok),
        ServiceCommand::Start => start().map(|()| Exit::Ok),
        ServiceCommand::Stop => stop().map(|()| Exit::Ok),
        ServiceCommand::Status { json } => status(*json),
    }
}

/// What an installation did.
#[derive(Debug, Default, Serialize)]
pub struct Installed {
    /// Files written.
    pub written: Vec<PathBuf>,
    /// Files that were there and are the same, or the operator's own.
    pub kept: Vec<PathBuf>,
    /// Whether the unit is enabled now.
    pub enabled: bool,
}

impl Installed {
    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.written.iter().map(|path| format!("wrote {}", path.display())).collect();
        lines.extend(self.kept.iter().map(|path| format!("kept {}", path.display())));
        if self.enabled {
            lines.push(format!("enabled {UNIT}: `tradeagent service start` starts it now"));
        }
        lines
    }
}

/// Runs `systemctl` and its like; the error is what it said.
fn tool(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("`{program}` cannot be started: is systemd here?"));
    let output = output.map_err(Failure::unavailable)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::general(anyhow!("`{program} {}`: {said}", arguments.join(" "))))
}

fn as_root() -> Result<(), Failure> {
    if crate::lock::is_root() {
        return Ok(());
    }
    Err(Failure::new(Exit::Permission, anyhow!("the service is the system's: only root may change it"))
        .hint("put sudo before it"))
}

/// Installs units, lock folder and, where there is none, a configuration. Safe to repeat.
pub fn install(no_enable: bool) -> Result<Installed, Failure> {
    as_root()?;
    let mut done = Installed::default();
    let program = std::env::current_exe().context("where this program is cannot be told")?;
    let helper = program.with_file_name("tradeagent-helper");
    if !helper.exists() {
        return Err(Failure::unavailable(anyhow!("{} is not there", helper.display()))
            .hint("the helper comes with the package; from the sources, `cargo build --release --workspace` makes both"));
    }
    for (name, text) in UNITS {
        let packaged = Path::new(PACKAGED).join(name);
        if packaged.exists() {
            done.kept.push(packaged);
            continue;
        }
        let text = text
            .replace("/usr/bin/tradeagent-helper", &helper.to_string_lossy())
            .replace("/usr/bin/tradeagent run", &format!("{} run", program.display()));
        put(&Path::new(LOCAL).join(name), &text, true, &mut done)?;
    }
    if !Path::new("/usr/lib/tmpfiles.d/tradeagent.conf").exists() {
        put(Path::new("/etc/tmpfiles.d/tradeagent.conf"), TMPFILES, true, &mut done)?;
    }
    put(Path::new(CONFIG_FILE), CONFIG, false, &mut done)?;
    tool("systemd-tmpfiles", &["--create", "tradeagent.conf"])?;
    tool("systemctl", &["daemon-reload"])?;
    if !no_enable {
        tool("systemctl", &["enable", "--quiet", HELPER, UNIT])?;
        done.enabled = true;
    }
    Ok(done)
}

/// Writes a file unless it is the same; what is the operator's is not `ours` to change.
fn put(path: &Path, text: &str, ours: bool, done: &mut Installed) -> Result<(), Failure> {
    let there = fs::read_to_string(path).ok();
    if there.as_deref() == Some(text) || there.is_some() && !ours {
        done.kept.push(path.to_owned());
        return Ok(());
    }
    let folder = path.parent().context("a file in a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    done.written.push(path.to_owned());
    Ok(())
}

/// Stops, disables and removes what `install` wrote. Configuration, credentials and journal stay.
pub fn uninstall() -> Result<(), Failure> {
    as_root()?;
    tool("systemctl", &["disable", "--now", "--quiet", UNIT, HELPER])?;
    for (name, _) in UNITS {
        let path = Path::new(LOCAL).join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
            output::line(&format!("removed {}", path.display()));
        }
    }
    tool("systemctl", &["daemon-reload"])?;
    output::line("Configuration, credentials and journal are left.");
    Ok(())
}

/// Stops and disables both units, where they are known.
pub fn disable() -> Result<(), Failure> {
    for name in [UNIT, HELPER] {
        let known = tool("systemctl", &["show", name, "-p", "LoadState", "--value"])?;
        if known.trim() != "not-found" {
            tool("systemctl", &["disable", "--now", "--quiet", name])?;
        }
    }
    Ok(())
}

/// Files that an installation makes and that are not there yet.
pub fn would_write() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = UNITS
        .iter()
        .filter(|(name, _)| !Path::new(PACKAGED).join(name).exists())
        .map(|(name, _)| Path::new(LOCAL).join(name))
        .collect();
    if !Path::new("/usr/lib/tmpfiles.d/tradeagent.conf").exists() {
        paths.push(PathBuf::from("/etc/tmpfiles.d/tradeagent.conf"));
    }
    paths.push(PathBuf::from(CONFIG_FILE));
    paths.retain(|path| !path.exists());
    paths
}

/// Enables both units and starts ours.
pub fn enable_and_start() -> Result<(), Failure> {
    tool("systemctl", &["enable", "--quiet", HELPER, UNIT])?;
    start()
}

/// Starts it, and waits until it is ready.
pub fn start() -> Result<(), Failure> {
    as_root()?;
    tool("systemctl", &["start", HELPER, UNIT]).map_err(|failure| {
        failure.hint(format!("`journalctl -u {UNIT} -n 50` tells why; `tradeagent doctor` looks into it"))
    })?;
    Ok(())
}

/// Stops it, and waits for its end.
pub fn stop() -> Result<(), Failure> {
    as_root()?;
    tool("systemctl", &["stop", UNIT]).map(drop)
}

/// Tells how it stands. Exit 69 when it does not run.
pub fn status(json: bool) -> Result<Exit, Failure> {
    let keys =
        "LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,StatusText,ActiveEnterTimestamp";
    let mut all = std::collections::BTreeMap::new();
    for name in [UNIT, HELPER] {
        let told = tool("systemctl", &["show", name, "-p", keys])?;
        let pairs = told.lines().filter_map(|line| line.split_once('='));
        let unit: std::collections::BTreeMap<String, String> =
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        all.insert(name, unit);
    }
    let is_active = all[UNIT].get("ActiveState").is_some_and(|state| state == "active");
    if json {
        output::json_versioned(&all)?;
    } else {
        for (name, unit) in &all {
            let of = |key: &str| unit.get(key).map_or("", String::as_str);
            output::line(&format!(
                "{name}: {} ({}), {}, process {}, {} restarts; {}",
                of("ActiveState"),
                of("SubState"),
                of("UnitFileState"),
                of("MainPID"),
                of("NRestarts"),
                of("StatusText")
            ));
        }
    }
    Ok(if is_active { Exit::Ok } else { Exit::Unavailable })
}
