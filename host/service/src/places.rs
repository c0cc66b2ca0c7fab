//! Where the installation of this machine keeps its files, and who may change it.

use std::path::{Path, PathBuf};

/// The folder of configuration and credentials.
#[cfg(not(windows))]
fn etc() -> PathBuf {
    PathBuf::from("/etc/tradeagent")
}

/// The folder of everything: Windows has one for the data of programs.
#[cfg(windows)]
pub fn etc() -> PathBuf {
    std::env::var_os("ProgramData")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| PathBuf::from("C:\\ProgramData"))
        .join("tradeagent")
}

/// The folder of a user's own hosts.
#[cfg(windows)]
pub fn of_user() -> PathBuf {
    std::env::var_os("LOCALAPPDATA")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .unwrap_or_else(std::env::temp_dir)
        .join("tradeagent")
}

/// Whether a folder is the service's.
#[cfg(not(windows))]
pub fn is_of_the_service(dir: &Path) -> bool {
    dir.starts_with("/run/lock/tradeagent")
}

/// Whether a folder is the service's.
#[cfg(windows)]
pub fn is_of_the_service(dir: &Path) -> bool {
    dir.starts_with(etc())
}

/// The service's configuration.
pub fn config_file() -> PathBuf {
    etc().join("tradeagent.toml")
}

/// The service's credentials.
pub fn env_file() -> PathBuf {
    etc().join("kotak_neo.env")
}

/// Backups of a migration.
#[cfg(not(windows))]
pub fn backups() -> PathBuf {
    PathBuf::from("/var/backups/tradeagent")
}

/// Backups of a migration.
#[cfg(windows)]
pub fn backups() -> PathBuf {
    etc().join("backups")
}

/// What an operator puts before a command that changes the machine.
#[cfg(not(windows))]
pub const SUDO: &str = "sudo ";

/// What an operator puts before a command that changes the machine: nothing, an administrator's prompt is it.
#[cfg(windows)]
pub const SUDO: &str = "";

/// Whether this process may change the machine's services.
#[cfg(not(windows))]
pub fn may_change_services() -> bool {
    crate::lock::is_root()
}

/// Whether this process may change the machine's services.
#[cfg(windows)]
pub fn may_change_services() -> bool {
    conflicts::may_change_services()
}

/// What to do when it may not.
#[cfg(not(windows))]
pub const NOT_ALLOWED: &str = "put sudo before it";

/// What to do when it may not.
#[cfg(windows)]
pub const NOT_ALLOWED: &str = "run it in a prompt that was opened \"as administrator\"";
