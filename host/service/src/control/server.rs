//! The host's end of the socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::sync::{Semaphore, oneshot};

use super::door::{Door, Who};
use super::wire::{Answer, ErrorWord, PROTOCOL, QUESTION_MAX, Request, read_question};
use super::{ControlError, ControlHost, door};

/// Connections at a time; one more waits.
const CONNECTIONS: usize = 16;
/// Questions of one connection.
const QUESTIONS: usize = 1_000;
/// How long a client may take to ask, or to take its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process answers there.
    #[error("another process answers on the control socket {}: stop it, or name another [control] socket", .0.display())]
    Taken(PathBuf),
    /// It cannot be made.
    #[error("the control socket {} cannot be made: {reason}; name another in [control] socket", .path.display())]
    Cannot {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The socket, open until this is dropped.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ControlServer {
    /// Opens the socket at `path` and answers from `host` in a thread of its own. Call it while holding
    /// the account lock: a socket file that nobody answers on is replaced.
    pub fn start(path: &Path, host: Arc<dyn ControlHost>) -> Result<Self, ServeError> {
        let cannot = |reason: String| ServeError::Cannot { path: path.to_owned(), reason };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| cannot(error.to_string()))?;
        let door = {
            let _inside = runtime.enter();
            Door::bind(path)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || runtime.block_on(serve(door, host, stopped)))
            .map_err(|error| cannot(error.to_string()))?;
        Ok(Self { path: path.to_owned(), stop: Some(stop), thread: Some(thread) })
    }

    /// The socket file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        // Whichever side went first, the thread ends.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        Door::close(&self.path);
    }
}

async fn serve(mut door: Door, host: Arc<dyn ControlHost>, mut stopped: oneshot::Receiver<()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = tokio::select! {
            biased;
            _ = &mut stopped => return,
            accepted = door.accept() => match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a control connection was not taken");
                    // Out of file descriptors: let those that are open end first.
                    tokio::task::yield_now().await;
                    continue;
                }
            },
        };
        let host = Arc::clone(&host);
        tokio::spawn(async move {
            let talk = async { connection(door::who(&stream)?, stream, host).await };
            if let Err(error) = talk.await {
                tracing::debug!(%error, "a control connection ended");
            }
            drop(place);
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "a real client's patience, on this thread's own real clock")]
async fn patiently<T>(work: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "the client took too long")),
    }
}

async fn connection(
    who: Who,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: Arc<dyn ControlHost>,
) -> std::io::Result<()> {
    let by = match who {
        Ok(by) => by,
        Err(message) => {
            let refusal = refused(ErrorWord { code: "forbidden".to_owned(), message });
            return patiently(stream.write_all(&refusal)).await;
        }
    };
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    for _ in 0..QUESTIONS {
        line.clear();
        let read =
            patiently((&mut reader).take(QUESTION_MAX as u64 + 1).read_until(b'\n', &mut line)).await?;
        if read == 0 {
            return Ok(());
        }
        if read > QUESTION_MAX {
            let message = format!("a question has at most {QUESTION_MAX} bytes");
            let answer = refused(ErrorWord { code: "malformed".to_owned(), message });
            return patiently(writer.write_all(&answer)).await;
        }
        let answer = match std::str::from_utf8(&line) {
            Ok(text) => match read_question(text.trim()) {
                Ok(request) => answer(host.as_ref(), &request, &by),
                Err(word) => refused(word),
            },
            Err(error) => refused(ErrorWord { code: "malformed".to_owned(), message: error.to_string() }),
        };
        patiently(writer.write_all(&answer)).await?;
    }
    Ok(())
}

fn answer(host: &dyn ControlHost, request: &Request, by: &str) -> Vec<u8> {
    let noted = |note: &Option<String>| match note.as_deref().map(str::trim) {
        Some(note) if !note.is_empty() => format!("{by}: {note}"),
        _ => by.to_owned(),
    };
    match request {
        Request::Status => told(host.status()),
        Request::Orders(query) => told(host.orders(query)),
        Request::Order { id } => told(host.trail(id)),
        Request::Positions => told(host.positions()),
        Request::Runs(query) => told(host.runs(query)),
        Request::Trading => told(host.trading()),
        Request::SetTrading { state, note } => told(host.set_trading(*state, &noted(note))),
        Request::Release { strategy, note } => told(host.release(strategy, &noted(note))),
        Request::Resolve { order, verdict, note } => {
            told(host.resolve(*order, (*verdict).into(), &noted(note)))
        }
    }
}

fn told<T: Serialize>(answer: Result<T, ControlError>) -> Vec<u8> {
    match answer {
        Err(error) => refused(error.into()),
        Ok(answer) => match serde_json::value::to_raw_value(&answer) {
            Ok(raw) => line(&Answer { v: PROTOCOL, ok: Some(raw), error: None }),
            Err(error) => refused(ControlError::Failed(error.to_string()).into()),
        },
    }
}

fn refused(word: ErrorWord) -> Vec<u8> {
    line(&Answer { v: PROTOCOL, ok: None, error: Some(word) })
}

fn line(answer: &Answer) -> Vec<u8> {
    let mut text = serde_json::to_vec(answer).expect("texts and raw JSON have a form");
    text.push(b'\n');
    text
}
