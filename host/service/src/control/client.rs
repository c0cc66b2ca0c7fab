//! The command line's end of the socket: blocking, one question at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::door::Way;
use super::wire::{ANSWER_MAX, Answer, PROTOCOL, Question, Request};

/// How long the host may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there: no host runs.
    #[error("no host answers on {}", .0.display())]
    NobodyThere(PathBuf),
    /// This user may not ask.
    #[error("{0}")]
    Forbidden(String),
    /// The host is there and does not answer.
    #[error("the host on {} does not answer: {reason}", .path.display())]
    Silent {
        /// Where.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// The host is of another version, or what it says makes no sense.
    #[error("{0}")]
    Protocol(String),
    /// No such order, or the like.
    #[error("{0}")]
    NotFound(String),
    /// The host says no.
    #[error("{0}")]
    Denied(String),
    /// The host could not do it.
    #[error("{0}")]
    Failed(String),
}

impl ClientError {
    /// Something is there, and this went wrong.
    pub(super) fn silent(path: &Path, error: &std::io::Error) -> Self {
        Self::Silent { path: path.to_owned(), reason: error.to_string() }
    }
}

/// A connection to the host.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    stream: BufReader<Way>,
}

impl Client {
    /// Connects to the socket at `path`.
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        Ok(Self { path: path.to_owned(), stream: BufReader::new(Way::open(path, PATIENCE)?) })
    }

    /// Asks, and waits for the answer.
    pub fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T, ClientError> {
        let silent = |reason: String| ClientError::Silent { path: self.path.clone(), reason };
        let question = Question { v: PROTOCOL, request };
        let mut text =
            serde_json::to_vec(&question).map_err(|error| ClientError::Protocol(error.to_string()))?;
        text.push(b'\n');
        self.stream.get_mut().write_all(&text).map_err(|error| silent(error.to_string()))?;
        let mut line = String::new();
        let read = (&mut self.stream)
            .take(ANSWER_MAX as u64 + 1)
            .read_line(&mut line)
            .map_err(|error| silent(error.to_string()))?;
        if read == 0 {
            return Err(silent("it closed the connection".to_owned()));
        }
        if read > ANSWER_MAX {
            return Err(ClientError::Protocol(format!("the answer is longer than {ANSWER_MAX} bytes")));
        }
        let answer: Answer = serde_json::from_str(&line)
            .map_err(|error| ClientError::Protocol(format!("the host's answer makes no sense: {error}")))?;
        if let Some(word) = answer.error {
            return Err(match word.code.as_str() {
                "forbidden" => ClientError::Forbidden(word.message),
                "not-found" => ClientError::NotFound(word.message),
                "denied" => ClientError::Denied(word.message),
                "failed" => ClientError::Failed(word.message),
                _ => ClientError::Protocol(word.message),
            });
        }
        if answer.v != PROTOCOL {
            return Err(ClientError::Protocol(format!(
                "the host speaks version {} and this program {PROTOCOL}: use the tradeagent that runs the host",
                answer.v
            )));
        }
        let ok = answer.ok.ok_or_else(|| ClientError::Protocol("the host's answer is empty".to_owned()))?;
        serde_json::from_str(ok.get())
            .map_err(|error| ClientError::Protocol(format!("the host's answer makes no sense: {error}")))
    }
}
