//! A named pipe of Windows. The system lets in whoever may write to it: by the default of named pipes that is
//! the user who made it, administrators and the system itself; everybody else may only read, which opens
//! nothing here (Microsoft, Named Pipe Security and Access Rights). Other machines are not let in.

use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};
use tokio::runtime::{Builder, Runtime};

use super::Who;
use crate::control::client::ClientError;
use crate::control::server::ServeError;

/// `ERROR_PIPE_BUSY`: every instance has a client, and the next is being made.
const BUSY: i32 = 231;
/// How long to wait until an instance may be free.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The host's end.
pub struct Door {
    path: std::ffi::OsString,
    next: NamedPipeServer,
}

impl Door {
    /// Opens the pipe `path`, which begins with `\\.\pipe\`. Inside a runtime.
    pub fn bind(path: &Path) -> Result<Self, ServeError> {
        let cannot = |reason: String| ServeError::Cannot { path: path.to_owned(), reason };
        let next = ServerOptions::new().first_pipe_instance(true).create(path).map_err(|error| {
            if error.kind() == ErrorKind::PermissionDenied {
                ServeError::Taken(path.to_owned())
            } else {
                cannot(format!("{error} (a name of the form \\\\.\\pipe\\NAME is needed)"))
            }
        })?;
        Ok(Self { path: path.as_os_str().to_owned(), next })
    }

    /// The next client.
    pub async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        // Before this one is given away: at no time is there no instance.
        let next = ServerOptions::new().create(&self.path)?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// A pipe goes with its last handle.
    pub fn close(_path: &Path) {}
}

/// Who is at the other end.
pub fn who(stream: &NamedPipeServer) -> io::Result<Who> {
    let mut pid = 0;
    // SAFETY: the handle is open as long as `stream` is, and `pid` is written to before the call returns.
    let known = unsafe {
        windows_sys::Win32::System::Pipes::GetNamedPipeClientProcessId(stream.as_raw_handle(), &mut pid)
    };
    if known == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Ok(format!("process {pid}")))
}

/// The command line's end.
#[derive(Debug)]
pub struct Way {
    runtime: Runtime,
    pipe: NamedPipeClient,
    patience: Duration,
}

impl Way {
    /// Connects; no call takes longer than `patience`.
    pub fn open(path: &Path, patience: Duration) -> Result<Self, ClientError> {
        let silent = |error: io::Error| ClientError::silent(path, &error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(silent)?;
        let opened = runtime.block_on(patiently(patience, async {
            loop {
                match ClientOptions::new().open(path) {
                    Err(error) if error.raw_os_error() == Some(BUSY) => pause(LOOK_AGAIN).await,
                    opened => return opened,
                }
            }
        }));
        let pipe = opened.map_err(|error| match error.kind() {
            ErrorKind::NotFound => ClientError::NobodyThere(path.to_owned()),
            ErrorKind::PermissionDenied => ClientError::Forbidden(format!(
                "this user may not use the control pipe {}: ask as an administrator, or as the user that runs the host",
                path.display()
            )),
            _ => silent(error),
        })?;
        Ok(Self { runtime, pipe, patience })
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for another process, which no clock of ours moves")]
async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

#[expect(clippy::disallowed_methods, reason = "the patience with a real host, in real time")]
async fn patiently<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(patience, work)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(ErrorKind::TimedOut, "it took too long")))
}

impl Read for Way {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.runtime.block_on(patiently(self.patience, self.pipe.read(buffer)));
        match read {
            // So does the end of the other process look.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
            read => read,
        }
    }
}

impl Write for Way {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.runtime.block_on(patiently(self.patience, self.pipe.write(bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.runtime.block_on(patiently(self.patience, self.pipe.flush()))
    }
}
