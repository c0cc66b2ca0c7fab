//! `service`: the operating system's service. Two systemd units, or a service of Windows.

#[cfg(windows)]
mod scm;
#[cfg(not(windows))]
mod systemd;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::Serialize;

use crate::cli::{ServiceArgs, ServiceCommand};
use crate::exit::{Exit, Failure};
use crate::{output, places};

#[cfg(windows)]
pub use scm::{
    NAME, disable, enable_and_start, for_administrators, install, is_running, prepare, start, status, stop,
    uninstall, would_write,
};
#[cfg(not(windows))]
pub use systemd::{NAME, disable, enable_and_start, install, start, status, stop, uninstall, would_write};

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
    /// Whether it comes up with the machine now.
    pub enabled: bool,
}

impl Installed {
    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.written.iter().map(|path| format!("wrote {}", path.display())).collect();
        lines.extend(self.kept.iter().map(|path| format!("kept {}", path.display())));
        if self.enabled {
            lines.push(format!("enabled {NAME}: `tradeagent service start` starts it now"));
        }
        lines
    }
}

/// The machine's services are an administrator's to change.
fn allowed() -> Result<(), Failure> {
    if places::may_change_services() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Permission,
        anyhow!("the service is the system's: only an administrator may change it"),
    )
    .hint(places::NOT_ALLOWED))
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
