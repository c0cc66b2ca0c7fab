//! A Unix socket: the file's permissions let in, and the kernel's word on the peer is checked once more.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream as Blocking;
use std::path::Path;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

use super::{Who, peer};
use crate::control::client::ClientError;
use crate::control::server::ServeError;

/// The host's end.
pub struct Door(UnixListener);

impl Door {
    /// Opens the socket at `path`; a file that nobody answers on is replaced. Inside a runtime.
    pub fn bind(path: &Path) -> Result<Self, ServeError> {
        let cannot = |reason: String| ServeError::Cannot { path: path.to_owned(), reason };
        if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            crate::lock::ensure_dir(folder).map_err(cannot)?;
        }
        if path.exists() {
            if Blocking::connect(path).is_ok() {
                return Err(ServeError::Taken(path.to_owned()));
            }
            // Left by a host that was killed; only a socket is taken away.
            let kind =
                std::fs::symlink_metadata(path).map_err(|error| cannot(error.to_string()))?.file_type();
            if !kind.is_socket() {
                return Err(cannot("there is a file of that name which is no socket".to_owned()));
            }
            std::fs::remove_file(path).map_err(|error| cannot(error.to_string()))?;
        }
        let listener = UnixListener::bind(path).map_err(|error| cannot(error.to_string()))?;
        peer::restrict(path).map_err(|error| cannot(error.to_string()))?;
        Ok(Self(listener))
    }

    /// The next client.
    pub async fn accept(&mut self) -> io::Result<UnixStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }

    /// Takes the socket's file away.
    pub fn close(path: &Path) {
        let _ = std::fs::remove_file(path);
    }
}

/// Who is at the other end.
pub fn who(stream: &UnixStream) -> io::Result<Who> {
    let peer = stream.peer_cred()?;
    let name = peer::user_name(peer.uid());
    let ours = rustix::process::geteuid().as_raw();
    if peer::may_speak(peer.uid(), peer.gid(), ours) {
        return Ok(Ok(name));
    }
    Ok(Err(format!(
        "{name} may not operate this service: join the group {}, or ask as the user that runs it",
        peer::GROUP
    )))
}

/// The command line's end.
#[derive(Debug)]
pub struct Way(Blocking);

impl Way {
    /// Connects; no call takes longer than `patience`.
    pub fn open(path: &Path, patience: Duration) -> Result<Self, ClientError> {
        let stream = Blocking::connect(path).map_err(|error| match error.kind() {
            // The last: a path that is too long for a socket, so none can be there.
            ErrorKind::NotFound
            | ErrorKind::ConnectionRefused
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidInput => ClientError::NobodyThere(path.to_owned()),
            ErrorKind::PermissionDenied => ClientError::Forbidden(format!(
                "this user may not use the control socket {}: join the group tradeagent, or ask as the user that runs the host",
                path.display()
            )),
            _ => ClientError::silent(path, &error),
        })?;
        let silent = |error: io::Error| ClientError::silent(path, &error);
        stream.set_read_timeout(Some(patience)).map_err(silent)?;
        stream.set_write_timeout(Some(patience)).map_err(silent)?;
        Ok(Self(stream))
    }
}

impl Read for Way {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Way {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
