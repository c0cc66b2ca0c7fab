//! What Windows tells.

use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use model::Clock as _;
use windows_sys::Win32::Storage::FileSystem::GetDriveTypeW;

use super::{Check, existing, ill, note, well};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::exit::Exit;
use crate::free_space;

/// Sets the machine's clock right.
pub const SET_TIME: &str = "`w32tm /resync`, as administrator";
/// Has somebody look who may.
pub const LOOK: &str = "run this in a prompt that was opened \"as administrator\"";
/// `DRIVE_REMOTE`.
const REMOTE: u32 = 4;

/// The clock is compared with the broker's elsewhere; here, whether something keeps it.
pub fn time() -> Check {
    let now = SystemClock.now();
    let kept = Command::new("sc").args(["query", "w32time"]).output();
    // The state's number: its word is in the system's language.
    match kept.map(|output| String::from_utf8_lossy(&output.stdout).contains(": 4 ")) {
        Ok(true) => well(
            "time",
            format!("{now}, kept by the time service; all times are Mumbai's, whatever this machine's zone"),
        ),
        _ => note("time", format!("{now}; whether something keeps it right cannot be told")),
    }
}

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// Whether the journal has room, on a disk of this machine.
pub fn disk(config: &Config) -> Check {
    let dir = existing(&config.state_dir);
    let Some(free) = free_space::of(dir) else {
        return note("disk", format!("{} cannot be looked at", dir.display()));
    };
    let root = wide(dir.ancestors().last().unwrap_or(dir));
    // SAFETY: the name ends with a zero and lives until the call has returned.
    if unsafe { GetDriveTypeW(root.as_ptr()) } == REMOTE {
        let seen = format!("{} is on a network drive", dir.display());
        return ill("disk", seen, "set state_dir to a local disk: locks do not hold there");
    }
    let seen = format!("{} MiB free under {}", free >> 20, dir.display());
    if free < free_space::JOURNAL_MIN {
        ill("disk", seen, "make room: the journal stops trading when it cannot be written")
    } else {
        well("disk", seen)
    }
}

/// Whether the service is installed and runs.
pub fn unit() -> Check {
    use crate::commands::service;
    match service::is_running() {
        None => note("service", "not installed here: `tradeagent service install`, as administrator"),
        Some(true) => well("service", format!("{} runs", service::NAME)),
        Some(false) => ill(
            "service",
            format!("{} does not run", service::NAME),
            format!(
                "`tradeagent service start`, as administrator (exit {} without)",
                Exit::Permission.code()
            ),
        ),
    }
}
