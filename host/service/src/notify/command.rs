//! `[notify] command`: a program that gets the alert on its standard input.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// Of what the program says on standard error, so much is kept.
const WORDS_MAX: usize = 2_000;
/// What the program gets of this process's environment.
const ENVIRONMENT: [&str; 6] = ["PATH", "HOME", "USER", "LANG", "TZ", "SYSTEMROOT"];

/// Runs the program with `message`; an error says what went wrong. A program that takes longer than
/// `timeout` is killed with everything it started.
pub(super) async fn deliver(command: &[String], message: &[u8], timeout: Duration) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else {
        return Err("the command is empty".to_owned());
    };
    let mut child = Command::new(program);
    child
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    child.env_clear().envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    #[cfg(unix)]
    child.process_group(0);
    let mut child = child.spawn().map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    // Also when this future is dropped at the host's stop.
    let group = Group(child.id());
    let mut stdin = child.stdin.take();
    let mut stderr = child.stderr.take();
    let mut words = Vec::new();
    let work = async {
        let feed = async {
            if let Some(mut stdin) = stdin.take() {
                // A program that does not care for its input may close it: its exit code counts.
                let _ = stdin.write_all(message).await;
                let _ = stdin.shutdown().await;
            }
        };
        let listen = async {
            if let Some(stderr) = stderr.as_mut() {
                let _ = stderr.take(WORDS_MAX as u64).read_to_end(&mut words).await;
                let _ = tokio::io::copy(stderr, &mut tokio::io::sink()).await;
            }
        };
        // What it left running in the background may hold its standard error open: it has ended, that is
        // enough.
        tokio::select! {
            biased;
            status = async { tokio::join!(feed, child.wait()).1 } => status,
            () = async { listen.await; std::future::pending().await } => unreachable!("pending"),
        }
    };
    let ended = within(timeout, work).await;
    if ended.is_none() {
        drop(group);
        // Takes the killed process off the system's table.
        let _ = child.wait().await;
        return Err(format!("`{program}` took longer than {} s and was ended", timeout.as_secs()));
    }
    group.spare();
    match ended {
        Some(Ok(status)) if status.success() => Ok(()),
        Some(Ok(status)) => {
            let words = String::from_utf8_lossy(&words);
            Err(format!("`{program}` ended with {status}: {}", words.trim())
                .trim_end_matches(": ")
                .to_owned())
        }
        Some(Err(error)) => Err(format!("`{program}` was lost: {error}")),
        None => Err(format!("`{program}` took too long")),
    }
}

#[expect(clippy::disallowed_methods, reason = "a real program's time, on this thread's own real clock")]
async fn within<T>(timeout: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(timeout, work).await.ok()
}

/// The program with everything it started: ended when this is dropped, unless it was spared.
struct Group(Option<u32>);

impl Group {
    /// It has ended by itself; what it left in the background is its own affair.
    fn spare(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) =
            self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            // It may have ended this instant.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}
