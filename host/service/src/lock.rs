//! One owner: a lock per broker account in a machine-wide folder, held for the process's life.
//!
//! The lock is the operating system's (`File::try_lock`): it vanishes with the process, `kill -9`
//! included, and no decision is made by process number. The lock file itself is never deleted (that
//! would let two processes lock two files of one name). Who holds it stands in a second file, for
//! people, because a mandatory lock would keep them from reading the first.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use model::{Account, Timestamp};
use serde::{Deserialize, Serialize};

use crate::places;

/// Who holds the lock, as far as the second file tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// Which start of the machine that number belongs to; empty where the system does not tell.
    pub boot_id: String,
    /// When it took the lock.
    pub since: Timestamp,
    /// Its version.
    pub version: String,
    /// What it is doing: `run`, `kill-switch`, …
    pub what: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, since, version, what, .. } = self;
        write!(f, "`tradeagent {what}` {version}, process {pid}, since {since}")
    }
}

/// Why the account is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("account `{account}` is held by {}", holder.as_deref().map_or_else(|| "another process".to_owned(), ToString::to_string))]
    Held {
        /// Which account.
        account: Account,
        /// Who, when it could be read.
        holder: Option<Box<Holder>>,
        /// The lock file.
        path: PathBuf,
    },
    /// It cannot be told. That counts as held.
    #[error("whether another host holds account `{account}` cannot be told: {reason}")]
    Unknown {
        /// Which account.
        account: Account,
        /// What stands in the way.
        reason: String,
        /// The folder.
        dir: PathBuf,
    },
}

impl LockError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Held { path, .. } => format!(
                "stop that one first, or talk to it: `tradeagent status`; the lock is {} and goes with its process",
                path.display()
            ),
            // Of the service: another folder would be another lock.
            Self::Unknown { dir, .. } if places::is_of_the_service(dir) => {
                format!("the lock is the service's: ask as an administrator (`{}tradeagent …`)", places::SUDO)
            }
            Self::Unknown { dir, .. } => format!(
                "make {} a folder that this user may write to, or name another in [lock] dir (the same for every host of the account)",
                dir.display()
            ),
        }
    }
}

/// The lock of one account, held until it is dropped.
#[derive(Debug)]
pub struct AccountLock {
    /// Held for its lock.
    #[cfg_attr(not(unix), expect(dead_code, reason = "the lock goes with it"))]
    file: File,
    path: PathBuf,
}

impl AccountLock {
    /// Takes the lock of `account` in `dir`, which is made when it is not there. `what` and `now` are for
    /// the note about the holder.
    pub fn acquire(dir: &Path, account: &Account, what: &str, now: Timestamp) -> Result<Self, LockError> {
        let unknown =
            |reason: String| LockError::Unknown { account: account.clone(), reason, dir: dir.to_owned() };
        ensure_dir(dir).map_err(unknown)?;
        let path = dir.join(format!("{account}.lock"));
        let info = dir.join(format!("{account}.info"));
        let file = open(&path).map_err(|error| unknown(format!("{}: {error}", path.display())))?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&info).map(Box::new);
                return Err(LockError::Held { account: account.clone(), holder, path });
            }
            Err(TryLockError::Error(error)) => return Err(unknown(format!("{}: {error}", path.display()))),
        }
        let holder = Holder {
            pid: std::process::id(),
            boot_id: boot_id(),
            since: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            what: what.to_owned(),
        };
        // The lock holds without the note; who reads it is told "another process".
        if let Err(error) = write_holder(&info, &holder) {
            tracing::warn!(%error, path = %info.display(), "the note about the lock's holder cannot be written");
        }
        Ok(Self { file, path })
    }

    /// Who holds the lock of `account`, if anybody does; an error when it cannot be told.
    pub fn holder(dir: &Path, account: &Account) -> Result<Option<Holder>, LockError> {
        let path = dir.join(format!("{account}.lock"));
        let unknown =
            |reason: String| LockError::Unknown { account: account.clone(), reason, dir: dir.to_owned() };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unknown(format!("{}: {error}", path.display()))),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                Ok(Some(read_holder(&dir.join(format!("{account}.info"))).unwrap_or(Holder {
                    pid: 0,
                    boot_id: String::new(),
                    since: Timestamp::default(),
                    version: String::new(),
                    what: "unknown".to_owned(),
                })))
            }
            Err(TryLockError::Error(error)) => Err(unknown(format!("{}: {error}", path.display()))),
        }
    }

    /// Keeps the lock across `exec`: the program that takes this one's place holds it until it ends.
    #[cfg(unix)]
    pub fn outlive_this_program(&self) -> std::io::Result<()> {
        Ok(rustix::io::fcntl_setfd(&self.file, rustix::io::FdFlags::empty())?)
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The lock file, made when it is not there. Not by one call that may make it: in a shared folder the kernel
/// refuses that for another user's file (`fs.protected_regular`).
fn open(path: &Path) -> std::io::Result<File> {
    match File::options().write(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match File::options().write(true).create_new(true).open(path) {
        Ok(file) => {
            leave_to_owner(&file, path)?;
            Ok(file)
        }
        // Somebody was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            File::options().write(true).open(path)
        }
        Err(error) => Err(error),
    }
}

/// What root makes in another user's folder belongs to that user, who has to use it afterwards.
#[cfg(unix)]
pub fn leave_to_owner(file: &File, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if !is_root() {
        return Ok(());
    }
    let owner = std::fs::metadata(crate::whole_file::folder_of(path))?;
    if owner.uid() == 0 {
        Ok(())
    } else {
        std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
    }
}

/// Files have no owner that would matter here.
#[cfg(not(unix))]
pub fn leave_to_owner(_file: &File, _path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A look at who holds the lock ([`AccountLock::holder`]) takes it for a moment: one that is still
/// held after a few of these is held.
#[expect(clippy::disallowed_methods, reason = "waits for another process, which no clock of ours moves")]
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(10)),
            decided => return decided,
        }
    }
    file.try_lock()
}

/// The most bytes of a holder's note that are read.
const NOTE_BYTES_MAX: u64 = 4096;

fn read_holder(path: &Path) -> Option<Holder> {
    use std::io::Read as _;
    let mut text = String::new();
    File::open(path).ok()?.take(NOTE_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// In one step, so that a reader sees the old note or the new one.
fn write_holder(path: &Path, holder: &Holder) -> std::io::Result<()> {
    let fresh = path.with_extension("info.new");
    let mut file = File::create(&fresh)?;
    leave_to_owner(&file, path)?;
    file.write_all(serde_json::to_string(holder)?.as_bytes())?;
    drop(file);
    std::fs::rename(&fresh, path)
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Makes `dir`, or says why it cannot be used. A folder made here for one user is that user's alone; one
/// that was there must not be somebody else's to write.
pub fn ensure_dir(dir: &Path) -> Result<(), String> {
    if let Err(error) = make_dir(dir) {
        return Err(format!("{} cannot be made: {error}", dir.display()));
    }
    let meta = std::fs::metadata(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    if !meta.is_dir() {
        return Err(format!("{} is not a folder", dir.display()));
    }
    foreign(dir, &meta)
}

#[cfg(unix)]
fn make_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mode = if is_root() { 0o755 } else { 0o700 };
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(dir)
}

#[cfg(not(unix))]
fn make_dir(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)
}

/// In a shared place such as /tmp anybody may have made the folder first.
#[cfg(unix)]
fn foreign(dir: &Path, meta: &std::fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = rustix::process::geteuid().as_raw();
    if meta.uid() != ours && meta.uid() != 0 && ours != 0 {
        return Err(format!(
            "{} belongs to user {}, who could take the lock away",
            dir.display(),
            meta.uid()
        ));
    }
    if meta.mode() & 0o002 != 0 && meta.mode() & 0o1000 == 0 {
        return Err(format!("everybody may write to {}, so anybody could take the lock away", dir.display()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn foreign(_dir: &Path, _meta: &std::fs::Metadata) -> Result<(), String> {
    Ok(())
}

/// Whether this process acts as root.
#[cfg(unix)]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether this process acts as root.
#[cfg(not(unix))]
pub fn is_root() -> bool {
    false
}

/// Where account locks are, for root the machine's folder, else this user's.
#[cfg(unix)]
pub fn default_dir() -> PathBuf {
    if is_root() { PathBuf::from("/run/lock/tradeagent") } else { runtime_dir() }
}

/// Where account locks of this user's hosts are; the service's are in its own folder, by its configuration.
#[cfg(not(unix))]
pub fn default_dir() -> PathBuf {
    places::of_user().join("lock")
}

/// Runtime files: `/run/tradeagent` for root, `$XDG_RUNTIME_DIR/tradeagent`, or `/tmp/tradeagent-UID`.
#[cfg(unix)]
pub fn runtime_dir() -> PathBuf {
    if is_root() {
        return PathBuf::from("/run/tradeagent");
    }
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(dir) => dir.join("tradeagent"),
        None => PathBuf::from(format!("/tmp/tradeagent-{}", rustix::process::geteuid().as_raw())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        Timestamp::at_ist("2026-01-15".parse().expect("a date"), 9, 0)
    }

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("deep/locks");
        let account = Account::from("main");
        let first = AccountLock::acquire(&dir, &account, "run", at()).expect("free");
        let error = AccountLock::acquire(&dir, &account, "run", at()).expect_err("held");
        let said = error.to_string();
        let expected = format!(
            "account `main` is held by `tradeagent run` {}, process {}, since 2026-01-15T09:00:00+05:30",
            env!("CARGO_PKG_VERSION"),
            std::process::id()
        );
        assert_eq!(said, expected);
        assert_eq!(AccountLock::holder(&dir, &account).expect("told").expect("held").what, "run");
        AccountLock::acquire(&dir, &Account::from("other"), "run", at()).expect("another account is free");
        let path = first.path().to_owned();
        drop(first);
        assert!(path.exists(), "the lock file stays");
        assert_eq!(AccountLock::holder(&dir, &account).expect("told"), None);
        AccountLock::acquire(&dir, &account, "run", at()).expect("free again");
    }

    #[test]
    fn a_holder_without_a_note_still_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let account = Account::from("main");
        let _first = AccountLock::acquire(folder.path(), &account, "run", at()).expect("free");
        std::fs::write(folder.path().join("main.info"), "no json").expect("written");
        let error = AccountLock::acquire(folder.path(), &account, "run", at()).expect_err("held");
        assert_eq!(error.to_string(), "account `main` is held by another process");
    }

    #[test]
    fn a_folder_that_is_none_is_unknown_not_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        for dir in [file.clone(), file.join("below")] {
            let error =
                AccountLock::acquire(&dir, &Account::from("main"), "run", at()).expect_err("no folder");
            assert!(matches!(error, LockError::Unknown { .. }), "{error}");
            assert!(error.hint().contains("[lock] dir"), "{}", error.hint());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_everybody_may_write_to_is_unknown() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("changed");
        let error =
            AccountLock::acquire(folder.path(), &Account::from("main"), "run", at()).expect_err("open");
        assert!(error.to_string().contains("everybody may write"), "{error}");
    }
}
