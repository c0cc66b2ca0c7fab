//! A component that nobody vouches for is compiled by a process of its own.
//!
//! Compiling is the one thing that a host does with a stranger's bytes outside the sandbox, and a component can be
//! made so that it takes minutes and gigabytes. The process has bounds on both, takes one processor, and is the first to
//! go when memory runs out. What it leaves is an entry of the cache of compiled code, which the host reads as it reads
//! its own.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use runtime::{LoadError, Profile, Runtime, RuntimeOptions};

use crate::exit::{Exit, Failure};
use crate::strategies::component_from;

/// Seconds of computing. A component in Python takes nine.
const CPU_SECONDS: u64 = 120;
/// Memory. A component in Python takes 400 MiB.
const MEMORY_BYTES: u64 = 2 << 30;
/// How long it is waited for. Computing ends long before, on a machine that lets it compute.
const PATIENCE: Duration = Duration::from_secs(600);
/// What is read of its last words.
const WORDS_MAX: u64 = 64 << 10;

/// Why there is nothing compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The component is the reason: the same bytes will not do better.
    #[error("{0}")]
    Component(String),
    /// The machine is, for now.
    #[error("{0}")]
    Machine(String),
}

/// Compiles `bytes` into the cache in `folder`, in another process.
///
/// # Errors
/// When it could not be compiled within the bounds, in words.
pub fn compile(folder: &Path, bytes: &[u8]) -> Result<(), CompileError> {
    let failed = |error: std::io::Error| {
        CompileError::Machine(format!("the process that compiles it cannot be started: {error}"))
    };
    let mut command = Command::new(myself().map_err(failed)?);
    // Nothing of what this process was told goes along. One thread: the others are for ticks.
    command.env_clear().env("RAYON_NUM_THREADS", "1");
    #[cfg(windows)]
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    let child = command
        .args(["plugin", "compile", "--cache"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (ended, words) = end_of(child, bytes, PATIENCE).map_err(failed)?.ok_or_else(|| {
        let minutes = PATIENCE.as_secs() / 60;
        CompileError::Machine(format!(
            "it was not compiled in {minutes} minutes: the machine has no time for it"
        ))
    })?;
    judge(ended, &words)
}

fn judge(ended: ExitStatus, words: &str) -> Result<(), CompileError> {
    if ended.success() {
        return Ok(());
    }
    let words = words.trim().trim_start_matches("error: ");
    if ended.code() == Some(i32::from(Exit::Unavailable.code())) {
        return Err(CompileError::Machine(words.to_owned()));
    }
    // As the first to go when memory runs out: its own bound on computing ends it otherwise.
    #[cfg(unix)]
    if std::os::unix::process::ExitStatusExt::signal(&ended) == Some(rustix::process::Signal::KILL.as_raw()) {
        return Err(CompileError::Machine(format!("the process that compiles it was ended ({ended})")));
    }
    // Who met its bounds says nothing.
    Err(CompileError::Component(if ended.code().is_some() && !words.is_empty() {
        words.to_owned()
    } else {
        format!(
            "the component cannot be compiled within {CPU_SECONDS} s and {} MiB ({ended}): it may be made to stop the \
             host; build it again, or ask its author",
            MEMORY_BYTES >> 20
        )
    }))
}

/// Gives `bytes` to a process, and tells how it ended and what it said; none when it did not end in time, and was ended.
fn end_of(
    mut child: Child,
    bytes: &[u8],
    patience: Duration,
) -> std::io::Result<Option<(ExitStatus, String)>> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let (tell, told) = sync_channel(1);
    let talk = move || {
        // One that ends before it has read everything says why.
        let _ = stdin.map(|mut stdin| stdin.write_all(bytes));
        let mut words = String::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(WORDS_MAX).read_to_string(&mut words);
        }
        let _ = tell.send(words);
    };
    std::thread::scope(|scope| {
        let talks = std::thread::Builder::new().spawn_scoped(scope, talk);
        let words = talks.map(|_| told.recv_timeout(patience).ok());
        if !matches!(words, Ok(Some(_))) {
            // With it goes whoever talks to it.
            child.kill()?;
        }
        let ended = child.wait()?;
        Ok(words?.map(|words| (ended, words)))
    })
}

/// This program, also after an update has put another in its place.
fn myself() -> std::io::Result<std::path::PathBuf> {
    let link = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() { Ok(link.to_owned()) } else { std::env::current_exe() }
}

/// What that process does: standard input into the cache in `folder`.
///
/// # Errors
/// When it is no component, and with [`Exit::Unavailable`] when the reason is not in it.
pub fn compile_here(folder: &Path) -> Result<(), Failure> {
    bound();
    let bytes = component_from(std::io::stdin().lock())
        .map_err(|error| Failure::general(anyhow::anyhow!("standard input cannot be read: {error}")))?;
    let options = RuntimeOptions { cache_dir: Some(folder.to_owned()), ..RuntimeOptions::new(Profile::Live) };
    let runtime = Runtime::new(options).map_err(|error| Failure::unavailable(error.into()))?;
    runtime.compile(&bytes).map_err(|error| match error {
        LoadError::NotKept(_) => Failure::unavailable(error.into()),
        _ => Failure::general(error.into()),
    })
}

/// What cannot be bounded is left unbounded. No priority: the service's system call filter ends who asks for one.
#[cfg(unix)]
fn bound() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let at_most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    // Told by a signal of its own first: killed without one, it was by somebody else.
    let computing = Rlimit { current: Some(CPU_SECONDS), maximum: Some(CPU_SECONDS + 5) };
    let _ = setrlimit(Resource::Cpu, computing);
    let _ = setrlimit(Resource::Data, at_most(MEMORY_BYTES));
    // A crash is an answer, and no file is to come of it.
    let _ = setrlimit(Resource::Core, at_most(0));
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// As a job of its own, which ends with it.
#[cfg(windows)]
fn bound() {
    use windows_sys::Win32::System::JobObjects::{
        AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_PROCESS_MEMORY,
        JOB_OBJECT_LIMIT_PROCESS_TIME, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
        JobObjectExtendedLimitInformation, SetInformationJobObject,
    };
    use windows_sys::Win32::System::Threading::GetCurrentProcess;

    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_PROCESS_TIME | JOB_OBJECT_LIMIT_PROCESS_MEMORY;
    // In steps of 100 ns.
    limits.BasicLimitInformation.PerProcessUserTimeLimit = (CPU_SECONDS * 10_000_000) as i64;
    limits.ProcessMemoryLimit = MEMORY_BYTES as usize;
    let size = size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32;
    // SAFETY: no name and no attributes; `limits` is what this class of information is, and `size` is its size. The
    // handle is left to the process.
    unsafe {
        let job = CreateJobObjectW(std::ptr::null(), std::ptr::null());
        let limits = std::ptr::from_ref(&limits).cast();
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, limits, size);
        AssignProcessToJobObject(job, GetCurrentProcess());
    }
}

#[cfg(not(any(unix, windows)))]
fn bound() {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn told(script: &str, patience: Duration) -> Option<(ExitStatus, String)> {
        let child = Command::new("/bin/sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        // More than a pipe holds.
        end_of(child, &[0; 1 << 20], patience).expect("it ends")
    }

    #[test]
    fn what_a_component_does_is_held_against_it_and_what_the_machine_does_is_not() {
        let judged = |script: &str| {
            let (ended, words) = told(script, PATIENCE).expect("in time");
            judge(ended, &words)
        };
        assert!(judged("cat > /dev/null").is_ok());
        let Err(CompileError::Component(why)) = judged("echo 'error: no component' >&2; exit 1") else {
            panic!("its own words")
        };
        assert_eq!(why, "no component");
        let Err(CompileError::Machine(why)) = judged("echo 'error: the disk is full' >&2; exit 69") else {
            panic!("not its fault")
        };
        assert_eq!(why, "the disk is full");
        let Err(CompileError::Component(why)) = judged("kill -XCPU $$") else { panic!("a bound") };
        assert!(why.contains("cannot be compiled within 120 s and 2048 MiB (signal: 24"), "{why}");
        let Err(CompileError::Machine(why)) = judged("kill -KILL $$") else { panic!("memory ran out") };
        assert!(why.contains("was ended (signal: 9"), "{why}");
    }

    #[test]
    fn what_does_not_end_is_ended() {
        // It reads nothing, and says nothing.
        assert!(told("exec sleep 1000", Duration::from_millis(50)).is_none());
    }
}
