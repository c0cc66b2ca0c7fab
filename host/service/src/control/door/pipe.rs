//! A named pipe of Windows. Its access list lets in the user who made it, administrators and the system, and
//! nobody else; other machines are not let in. A client speaks only to a pipe that one of these owns: while no
//! host runs, anybody could make one of that name.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};
use tokio::runtime::Builder;

use super::Who;
use crate::control::client::ClientError;
use crate::control::server::ServeError;
use crate::windows_security::{Kind, is_ours, with_pipe_access};

/// `ERROR_PIPE_BUSY`: every instance has a client, and the next is being made.
const BUSY: i32 = 231;
/// How long to wait until an instance may be free.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The host's end.
pub struct Door {
    path: OsString,
    next: NamedPipeServer,
}

impl Door {
    /// Opens the pipe `path`, which begins with `\\.\pipe\`. Inside a runtime.
    pub fn bind(path: &Path) -> Result<Self, ServeError> {
        let cannot = |reason: String| ServeError::Cannot { path: path.to_owned(), reason };
        let next = instance(path.as_os_str(), true).map_err(|error| {
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
        let next = instance(&self.path, false)?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// A pipe goes with its last handle.
    pub fn close(_path: &Path) {}
}

fn instance(path: &OsStr, is_first: bool) -> io::Result<NamedPipeServer> {
    with_pipe_access(|access| {
        let mut options = ServerOptions::new();
        options.first_pipe_instance(is_first);
        // SAFETY: `access` points to the attributes of a security descriptor that live until this returns.
        unsafe { options.create_with_security_attributes_raw(path, access) }
    })
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

/// The command line's end. A thread of its own waits, with patience: the caller may itself be inside a runtime,
/// in which no other can wait.
#[derive(Debug)]
pub struct Way {
    ask: mpsc::Sender<Act>,
    done: mpsc::Receiver<io::Result<Vec<u8>>>,
}

enum Act {
    Read(usize),
    Write(Vec<u8>),
}

impl Way {
    /// Connects; no call takes longer than `patience`.
    pub fn open(path: &Path, patience: Duration) -> Result<Self, ClientError> {
        let silent = |error: io::Error| ClientError::silent(path, &error);
        let (ask, asked) = mpsc::channel();
        let (tell, done) = mpsc::channel();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(silent)?;
        let name = path.as_os_str().to_owned();
        std::thread::Builder::new()
            .name("control-client".to_owned())
            .spawn(move || runtime.block_on(serve(name, patience, &asked, &tell)))
            .map_err(silent)?;
        let way = Self { ask, done };
        way.result().map_err(|error| match error.kind() {
            ErrorKind::NotFound => ClientError::NobodyThere(path.to_owned()),
            ErrorKind::PermissionDenied => ClientError::Forbidden(format!(
                "this user may not use the control pipe {}: ask as an administrator, or as the user that runs the host",
                path.display()
            )),
            _ => silent(error),
        })?;
        Ok(way)
    }

    fn act(&self, what: Act) -> io::Result<Vec<u8>> {
        // A thread that has ended gives no result either.
        let _ = self.ask.send(what);
        self.result()
    }

    fn result(&self) -> io::Result<Vec<u8>> {
        self.done.recv().unwrap_or_else(|_| Err(ErrorKind::BrokenPipe.into()))
    }
}

/// Connects, and acts until nobody asks any more.
async fn serve(
    name: OsString,
    patience: Duration,
    asked: &mpsc::Receiver<Act>,
    tell: &mpsc::Sender<io::Result<Vec<u8>>>,
) {
    let opened = patiently(patience, async {
        loop {
            match ClientOptions::new().open(&name) {
                Err(error) if error.raw_os_error() == Some(BUSY) => pause(LOOK_AGAIN).await,
                Ok(pipe) if !is_ours(&pipe, Kind::Pipe)? => {
                    return Err(io::Error::other("somebody else made this pipe, and nothing is said to it"));
                }
                opened => return opened,
            }
        }
    });
    let (mut pipe, told) = match opened.await {
        Ok(pipe) => (pipe, tell.send(Ok(Vec::new()))),
        Err(error) => return drop(tell.send(Err(error))),
    };
    if told.is_err() {
        return;
    }
    while let Ok(act) = asked.recv() {
        let done = match act {
            Act::Write(bytes) => patiently(patience, pipe.write_all(&bytes)).await.map(|()| Vec::new()),
            Act::Read(length) => {
                let mut bytes = vec![0; length];
                match patiently(patience, pipe.read(&mut bytes)).await {
                    Ok(read) => {
                        bytes.truncate(read);
                        Ok(bytes)
                    }
                    // So does the end of the other process look.
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Vec::new()),
                    Err(error) => Err(error),
                }
            }
        };
        if tell.send(done).is_err() {
            return;
        }
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
        let bytes = self.act(Act::Read(buffer.len()))?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl Write for Way {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.act(Act::Write(bytes.to_vec()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
