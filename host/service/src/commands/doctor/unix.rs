//! What systemd and the file systems of Unix tell.

use super::{Check, existing, ill, note, well};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::free_space;
use model::Clock as _;

/// The exposure that the shipped unit stays below (systemd-analyze security).
const EXPOSURE_MAX: f64 = 1.5;
/// Sets the machine's clock right.
pub const SET_TIME: &str = "`sudo timedatectl set-ntp true`";
/// Has somebody look who may.
pub const LOOK: &str = "`sudo systemctl start tradeagent-helper.service`, or run this as root";

/// The clock is compared with the broker's elsewhere; here, whether something keeps it.
pub fn time() -> Check {
    let now = SystemClock.now();
    let kept =
        std::process::Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output();
    match kept.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).as_deref() {
        Ok("yes") => well(
            "time",
            format!("{now}, kept by the network's; all times are Mumbai's, whatever this machine's zone"),
        ),
        Ok("no") => ill("time", format!("{now}, and nothing keeps it right"), SET_TIME),
        _ => note("time", format!("{now}; whether something keeps it right cannot be told")),
    }
}

pub fn disk(config: &Config) -> Check {
    let dir = existing(&config.state_dir);
    let Some(free) = free_space::of(dir) else {
        return note("disk", format!("{} cannot be looked at", dir.display()));
    };
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
    if free < free_space::JOURNAL_MIN {
        ill("disk", seen, "make room: the journal stops trading when it cannot be written")
    } else {
        well("disk", seen)
    }
}

/// Whether the unit that runs is as tight as the one that was shipped.
pub fn unit() -> Check {
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
