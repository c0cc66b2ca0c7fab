//! `guard`: a program that must not run beside the host runs under the account's lock.
//!
//! On Unix it takes this process's place and the lock with it, so the lock goes when the program does, however
//! it ends. On Windows it runs in a job with this process, and ends with it.

use std::process::Command;

use anyhow::Context as _;
use model::Clock as _;

use crate::cli::GuardArgs;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::lock::{AccountLock, LockError};

/// Runs it. The answer is the command's exit code; one that a signal ended counts as 128 and the signal.
pub fn run(args: &GuardArgs) -> Result<u8, Failure> {
    // Without a configuration the one of the service: a lock of this user's own would guard nothing.
    let config = Config::load(args.config.path().as_deref())?;
    let what = format!("guard -- {}", args.command.join(" "));
    let lock = AccountLock::acquire(&config.lock_dir, &config.account.name, &what, SystemClock.now());
    let lock = lock.map_err(|error| {
        let held = matches!(error, LockError::Held { .. });
        let failure = Failure::from(error);
        if held {
            failure.hint(
                "the host does this program's work already: disable what started it (`tradeagent services` names it); \
                 to run it in the host's place, `tradeagent service stop` first",
            )
        } else {
            failure
        }
    })?;
    let (program, arguments) =
        args.command.split_first().context("there is no command").map_err(Failure::usage)?;
    let mut command = Command::new(program);
    command.args(arguments);
    let ended = take_place(command, lock);
    ended.map_err(|error| {
        let exit =
            if error.kind() == std::io::ErrorKind::PermissionDenied { Exit::Permission } else { Exit::Usage };
        Failure::new(exit, anyhow::anyhow!("`{program}` cannot be started: {error}"))
    })
}

/// Comes back only with an error.
#[cfg(unix)]
fn take_place(mut command: Command, lock: AccountLock) -> std::io::Result<u8> {
    use std::os::unix::process::CommandExt as _;
    lock.outlive_this_program()?;
    let error = command.exec();
    drop(lock);
    Err(error)
}

/// Waits for its end. The job ends it should this program be ended first: it must not go on without the lock.
#[cfg(not(unix))]
fn take_place(mut command: Command, lock: AccountLock) -> std::io::Result<u8> {
    let mut limits = win32job::ExtendedLimitInfo::new();
    limits.limit_kill_on_job_close();
    let job = win32job::Job::create_with_limit_info(&limits).map_err(std::io::Error::other)?;
    // What this process starts from now on is in it too.
    job.assign_current_process().map_err(std::io::Error::other)?;
    // Until this process ends: closing it sooner would end this process too.
    let _ = job.into_handle();
    let status = command.status()?;
    drop(lock);
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
