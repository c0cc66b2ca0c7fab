//! Two systemd units: the host, hardened, and the helper that sees and stops for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow};

use super::{Installed, allowed, put};
use crate::exit::{Exit, Failure};
use crate::{output, places};

/// The host's unit: the name that the runbooks know.
pub const NAME: &str = "tradeagent-unified.service";
const HELPER: &str = "tradeagent-helper.service";
const UNITS: [(&str, &str); 2] = [
    (NAME, include_str!("../../../../../deploy/systemd/tradeagent-unified.service")),
    (HELPER, include_str!("../../../../../deploy/systemd/tradeagent-helper.service")),
];
const TMPFILES: &str = include_str!("../../../../../deploy/tmpfiles.d/tradeagent.conf");
const CONFIG: &str = include_str!("../../../../../deploy/service.toml");
/// Where the package puts units, and where an operator does.
const PACKAGED: &str = "/lib/systemd/system";
const LOCAL: &str = "/etc/systemd/system";

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

/// Installs units, lock folder and, where there is none, a configuration. Safe to repeat.
pub fn install(no_enable: bool) -> Result<Installed, Failure> {
    allowed()?;
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
    put(&places::config_file(), CONFIG, false, &mut done)?;
    tool("systemd-tmpfiles", &["--create", "tradeagent.conf"])?;
    tool("systemctl", &["daemon-reload"])?;
    if !no_enable {
        tool("systemctl", &["enable", "--quiet", HELPER, NAME])?;
        done.enabled = true;
    }
    Ok(done)
}

/// Stops, disables and removes what `install` wrote. Configuration, credentials and journal stay.
pub fn uninstall() -> Result<(), Failure> {
    allowed()?;
    disable()?;
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

/// Stops and disables both units, where they are known. One of our name that runs something else is the Python
/// agent's, and left alone.
pub fn disable() -> Result<(), Failure> {
    for (name, program) in [(NAME, "tradeagent"), (HELPER, "tradeagent-helper")] {
        let told = tool("systemctl", &["show", name, "-p", "ExecStart", "--value"])?;
        let path = told.split_once("path=").and_then(|(_, rest)| rest.split_once(" ;")).map(|(path, _)| path);
        if path.is_some_and(|path| Path::new(path).ends_with(program)) {
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
    paths.push(places::config_file());
    paths.retain(|path| !path.exists());
    paths
}

/// Enables both units and starts ours.
pub fn enable_and_start() -> Result<(), Failure> {
    tool("systemctl", &["enable", "--quiet", HELPER, NAME])?;
    start()
}

/// Starts it, and waits until it is ready.
pub fn start() -> Result<(), Failure> {
    allowed()?;
    tool("systemctl", &["start", HELPER, NAME]).map_err(|failure| {
        failure.hint(format!("`journalctl -u {NAME} -n 50` tells why; `tradeagent doctor` looks into it"))
    })?;
    Ok(())
}

/// Stops it, and waits for its end.
pub fn stop() -> Result<(), Failure> {
    allowed()?;
    tool("systemctl", &["stop", NAME]).map(drop)
}

/// Tells how it stands. Exit 69 when it does not run.
pub fn status(json: bool) -> Result<Exit, Failure> {
    let keys =
        "LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,StatusText,ActiveEnterTimestamp";
    let mut all = std::collections::BTreeMap::new();
    for name in [NAME, HELPER] {
        let told = tool("systemctl", &["show", name, "-p", keys])?;
        let pairs = told.lines().filter_map(|line| line.split_once('='));
        let unit: std::collections::BTreeMap<String, String> =
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        all.insert(name, unit);
    }
    let is_active = all[NAME].get("ActiveState").is_some_and(|state| state == "active");
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
