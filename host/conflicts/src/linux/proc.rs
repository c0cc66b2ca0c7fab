//! `/proc`, and signals that hit the process that was meant.

use std::fs;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::port::{ProbeError, StopError};
use crate::seen::Process;

/// How long the end after a KILL may take: the kernel's part.
const KILLED_WITHIN: Duration = Duration::from_secs(5);

/// When a process started, in clock ticks since the machine did (proc(5), field 22 of `stat`): with its
/// number, who it is.
pub fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets: the fields begin after the last one.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// The system unit in whose group a process is; none for what a person started in a session.
pub fn unit_of(pid: u32) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = groups.lines().find_map(|line| {
        line.strip_prefix("0::").or_else(|| line.split_once("name=systemd:").map(|(_, path)| path))
    })?;
    // In a session it was started by a person; in a container it is another manager's.
    let elsewhere = ["/user.slice/", "/machine.slice/", "/payload/", "docker", "libpod", "kubepods"];
    if elsewhere.iter().any(|part| path.contains(part)) {
        return None;
    }
    let unit = path.rsplit('/').find(|part| part.ends_with(".service"))?;
    // A job of cron is not the service's own program.
    (!["cron.service", "crond.service", "atd.service"].contains(&unit)).then(|| unit.to_owned())
}

/// Whether other users' processes are shown to this one.
pub fn process_is_visible_to_us() -> bool {
    // The first process is always there; where it is not shown, others are not either.
    fs::metadata("/proc/1/stat").is_ok()
}

/// An error where not all processes are shown.
pub(crate) fn all_are_visible() -> Result<(), ProbeError> {
    if process_is_visible_to_us() {
        return Ok(());
    }
    Err(ProbeError(
        "other users' processes are not shown to this one (hidepid, ProtectProc): the helper has to look, \
         `sudo systemctl start tradeagent-helper.service`"
            .to_owned(),
    ))
}

/// Ends a process: its identity is read again when it can no longer become another, then TERM, and after
/// `patience` KILL.
pub(crate) fn end(process: &Process, patience: Duration) -> Result<(), StopError> {
    let failed = |error: rustix::io::Errno| match error {
        rustix::io::Errno::PERM | rustix::io::Errno::ACCESS => {
            StopError::NotAllowed(format!("process {} is another user's", process.pid))
        }
        other => StopError::Failed(format!("process {}: {other}", process.pid)),
    };
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| StopError::Failed(format!("{} is no process number", process.pid)))?;
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    // The handle is of whoever has the number now: it must be the one that was seen.
    match identity(process.pid) {
        Some((started, command)) if started == process.started && command == process.command => {}
        _ => return Ok(()),
    }
    for (signal, wait) in [(Signal::TERM, patience), (Signal::KILL, KILLED_WITHIN)] {
        match pidfd_send_signal(&handle, signal) {
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            sent => sent.map_err(failed)?,
        }
        let mut ends = [PollFd::new(&handle, PollFlags::IN)];
        let wait = Timespec {
            tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        if poll(&mut ends, Some(&wait)).map_err(failed)? > 0 {
            return Ok(());
        }
    }
    Err(StopError::Failed(format!("process {} does not end, not even killed", process.pid)))
}

fn identity(pid: u32) -> Option<(u64, Vec<String>)> {
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = command.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    Some((started(pid)?, words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::seen::Role;

    fn sleeper(script: &str) -> (std::process::Child, Process) {
        let child = Command::new("sh").args(["-c", script]).stdout(Stdio::null()).spawn().expect("it starts");
        let pid = child.id();
        let (started, command) = loop {
            // Until it has become what it was told to.
            if let Some((started, command)) =
                identity(pid).filter(|(_, words)| words.first().is_some_and(|it| it == "sh"))
            {
                break (started, command);
            }
        };
        let role = Role::Script("x".to_owned());
        (child, Process { pid, started, user: None, command, role, unit: None })
    }

    #[test]
    fn who_ends_when_asked_is_asked() {
        let (mut child, process) = sleeper("trap 'exit 3' TERM; while :; do sleep 0.01; done");
        // The trap is set once it runs: a process that has no trap yet ends by the signal, which is as good.
        end(&process, Duration::from_secs(20)).expect("ended");
        assert!(!child.wait().expect("gone").success());
    }

    #[test]
    fn who_does_not_end_is_killed_and_another_is_not_touched() {
        let (mut child, process) = sleeper("trap '' TERM; while :; do sleep 0.01; done");
        let other = Process { started: process.started + 1, ..process.clone() };
        end(&other, Duration::ZERO).expect("that one is gone");
        let other = Process { command: vec!["python3".to_owned()], ..process.clone() };
        end(&other, Duration::ZERO).expect("that one is gone");
        assert!(child.try_wait().expect("asked").is_none(), "it still runs");
        end(&process, Duration::from_millis(200)).expect("ended");
        assert!(!child.wait().expect("gone").success());
    }
}
