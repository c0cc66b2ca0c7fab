//! The processes of this machine.

use std::time::Duration;

use model::BoxFuture;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::command::{argument, host, is_host, is_python, script_of};
use crate::names::Names;
use crate::port::{ProbeError, Processes, StopError};
use crate::seen::{Process, Role, base_name};

/// Programs that open a script without running it, whatever is linked into them.
const READERS: [&str; 30] = [
    "vi", "vim", "nvim", "view", "vimdiff", "gvim", "emacs", "nano", "pico", "ed", "joe", "micro", "hx",
    "kate", "gedit", "code", "less", "more", "most", "cat", "bat", "head", "tail", "grep", "rg", "ag", "sed",
    "awk", "git", "diff",
];

/// The real ones.
pub struct RealProcesses;

impl Processes for RealProcesses {
    fn list<'a>(&'a self, names: &'a Names) -> BoxFuture<'a, Result<Vec<Process>, ProbeError>> {
        let names = names.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || list(&names))
                .await
                .map_err(|error| ProbeError(format!("the look at the processes failed: {error}")))?
        })
    }

    fn end<'a>(&'a self, process: &'a Process, patience: Duration) -> BoxFuture<'a, Result<(), StopError>> {
        let process = process.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || end(&process, patience))
                .await
                .map_err(|error| StopError::Failed(error.to_string()))?
        })
    }
}

fn list(names: &Names) -> Result<Vec<Process>, ProbeError> {
    all_are_visible()?;
    let mut system =
        System::new().map_err(|error| ProbeError(format!("the processes cannot be read: {error}")))?;
    let what = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_user(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    if !system.processes().contains_key(&Pid::from_u32(std::process::id())) {
        return Err(ProbeError("the processes cannot be read: not even this one is shown".to_owned()));
    }
    let mut found = Vec::new();
    for (pid, process) in system.processes() {
        // A thread shows the command line of its process.
        if process.thread_kind().is_some() {
            continue;
        }
        let command: Vec<String> =
            process.cmd().iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let name = process.name().to_string_lossy().to_ascii_lowercase();
        // A command line that is not shown is no proof that there is none.
        if cfg!(windows) && command.is_empty() && (is_python(&name) || is_host(&name)) {
            return Err(ProbeError(format!(
                "what process {pid} ({name}) runs is not shown to this user: look as an administrator"
            )));
        }
        let Some(role) = role(process, &command, names) else { continue };
        let pid = pid.as_u32();
        found.push(Process {
            pid,
            started: started(pid).unwrap_or_else(|| process.start_time()),
            user: user_of(process),
            command,
            role,
            unit: unit_of(pid),
        });
    }
    found.sort_by_key(|process| process.pid);
    Ok(found)
}

fn role(process: &sysinfo::Process, command: &[String], names: &Names) -> Option<Role> {
    if let Some(host) = host(command) {
        return Some(host);
    }
    // `python3 trader.py` in the scripts' folder: where it runs is part of the path.
    let command = &located(process, command);
    if let Some(script) = script_of(command, names) {
        return Some(Role::Script(script));
    }
    let program = base_name(command.first()?);
    if READERS.contains(&program) || is_python(program) {
        return None;
    }
    let script = argument(command, names)?;
    is_interpreter(process.exe()?).then_some(Role::Script(script))
}

/// The command line with a relative script in the folder where it runs.
fn located(process: &sysinfo::Process, command: &[String]) -> Vec<String> {
    let Some(folder) = process.cwd() else { return command.to_vec() };
    let locate = |word: &String| {
        if word.ends_with(".py") && !word.starts_with('/') && !word.starts_with('-') {
            folder.join(word).to_string_lossy().into_owned()
        } else {
            word.clone()
        }
    };
    command.iter().take(1).cloned().chain(command.iter().skip(1).map(locate)).collect()
}

/// Whether a program of another name is a Python: its library is in it, or it is a name for one.
fn is_interpreter(exe: &std::path::Path) -> bool {
    use std::io::Read as _;
    const MARK: &[u8] = b"PYTHONHOME";
    const BYTES_MAX: u64 = 64 << 20;
    if exe.file_name().is_some_and(|name| is_python(&name.to_string_lossy())) {
        return true;
    }
    let Ok(file) = std::fs::File::open(exe) else { return false };
    let mut bytes = Vec::new();
    if file.take(BYTES_MAX).read_to_end(&mut bytes).is_err() {
        return false;
    }
    bytes.windows(MARK.len()).any(|window| window == MARK)
        || bytes.windows(11).any(|window| window == b"libpython3.")
}

/// This process and those that started it, nearest first.
pub fn ancestors() -> Vec<u32> {
    let mut pids = vec![std::process::id()];
    let Ok(mut system) = System::new() else { return pids };
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, ProcessRefreshKind::nothing());
    while let Some(parent) =
        pids.last().and_then(|pid| system.process(Pid::from_u32(*pid))).and_then(sysinfo::Process::parent)
    {
        if pids.contains(&parent.as_u32()) {
            break;
        }
        pids.push(parent.as_u32());
    }
    pids
}

#[cfg(target_os = "linux")]
pub use crate::linux::started;
#[cfg(target_os = "linux")]
use crate::linux::{all_are_visible, end, unit_of};

#[cfg(unix)]
fn user_of(process: &sysinfo::Process) -> Option<u32> {
    process.user_id().map(|user| **user)
}

#[cfg(windows)]
fn user_of(_process: &sysinfo::Process) -> Option<u32> {
    None
}

#[cfg(windows)]
pub use crate::windows::started;
#[cfg(windows)]
use crate::windows::{all_are_visible, end, unit_of};
