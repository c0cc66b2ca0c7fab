//! A component that nobody vouches for is compiled by a process of its own.
//!
//! Compiling is the one thing that a host does with a stranger's bytes outside the sandbox, and a component can be
//! made so that it takes minutes and gigabytes. The process has bounds on both, takes one processor, and is the first to
//! go when memory runs out. What it leaves is an entry of the cache of compiled code, which the host reads as it reads
//! its own.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use runtime::{Profile, Runtime, RuntimeOptions};

use crate::strategies::component_from;

/// Seconds of computing. A component in Python takes nine.
const CPU_SECONDS: u64 = 120;
/// Memory. A component in Python takes 400 MiB.
const MEMORY_BYTES: u64 = 2 << 30;
/// What is read of its last words.
const WORDS_MAX: u64 = 64 << 10;

/// Compiles `bytes` into the cache in `folder`, in another process.
///
/// # Errors
/// When it could not be compiled within the bounds, in words.
pub fn compile(folder: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the process that compiles it cannot be started: {error}");
    let mut command = Command::new(myself().map_err(failed)?);
    // Nothing of what this process was told goes along. One thread: the others are for ticks.
    command.env_clear().env("RAYON_NUM_THREADS", "1");
    #[cfg(windows)]
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    let mut child = command
        .args(["plugin", "compile", "--cache"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // One that ends before it has read everything says why.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(bytes));
    let mut words = String::new();
    if let Some(stderr) = child.stderr.take() {
        let _ = stderr.take(WORDS_MAX).read_to_string(&mut words);
    }
    let ended = child.wait().map_err(failed)?;
    if ended.success() {
        return Ok(());
    }
    Err(match ended.code() {
        Some(_) => words.trim().trim_start_matches("error: ").to_owned(),
        None => format!(
            "the component cannot be compiled within {CPU_SECONDS} s and {} MiB ({ended}): it may be made to stop the \
             host; build it again, or ask its author",
            MEMORY_BYTES >> 20
        ),
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
/// When it is no component, in words.
pub fn compile_here(folder: &Path) -> Result<(), String> {
    bound();
    let bytes = component_from(std::io::stdin().lock())
        .map_err(|error| format!("standard input cannot be read: {error}"))?;
    let options = RuntimeOptions { cache_dir: Some(folder.to_owned()), ..RuntimeOptions::new(Profile::Live) };
    Runtime::new(options)
        .map_err(|error| error.to_string())?
        .compile(&bytes)
        .map_err(|error| error.to_string())
}

/// What cannot be bounded is left unbounded. No priority: the service's system call filter ends who asks for one.
#[cfg(unix)]
fn bound() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let at_most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    let _ = setrlimit(Resource::Cpu, at_most(CPU_SECONDS));
    let _ = setrlimit(Resource::Data, at_most(MEMORY_BYTES));
    // A crash is an answer, and no file is to come of it.
    let _ = setrlimit(Resource::Core, at_most(0));
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Windows has no such bounds for a process that sets them itself.
#[cfg(not(unix))]
fn bound() {}
