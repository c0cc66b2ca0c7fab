//! The line protocol of a paper exchange in its own process.
//!
//! TCP, newline-delimited JSON in UTF-8, each line at most [`LINE_BYTES_MAX`] bytes from the client and
//! [`ANSWER_BYTES_MAX`] from the server. The server speaks first:
//!
//! ```json
//! {"hello":"tradeagent-paper","version":1}
//! ```
//!
//! Then the client sends requests and reads one answer for each; it may send several on one connection.
//! `now` is the client's present instant (nanoseconds since 1970 UTC); the exchange's time is the latest it
//! has seen. A server on real time uses its own clock and ignores `now`.
//!
//! ```json
//! {"now":1741059900000000000,"op":"place","call":{"tag":"...","terms":{...}}}
//! {"ok":{"ack":{"broker_id":"250304000001"}}}
//! {"now":1741059900000000000,"op":"cancel","call":{"broker_id":"250304000001","amo":false}}
//! {"error":{"already-complete":"order 250304000001 is filled"}}
//! ```
//!
//! | op | with | answer in `ok` |
//! |---|---|---|
//! | `place`, `modify`, `cancel` | `call` | `ack` |
//! | `orders`, `trades`, `positions`, `holdings`, `funds` | | the same word |
//! | `time` | | `time`: the exchange's present instant (the request's `now` is not taken over) |
//! | `book` | | `book`: everything that ever happened, for audits (`now` is not taken over) |
//! | `fault` | `after_accept_delay_ms`, `drop_answer` | `fault`: what is set |
//!
//! Errors are those of the Broker port (`refused`, `already-complete`, `unclear`) or `bad-request`, after
//! which the server closes the connection. A `bad-request` did nothing.
//!
//! `fault` serves tests of hosts that die or are cut off between the exchange's accept and its answer:
//! `after_accept_delay_ms` holds every later order answer back (real milliseconds), `drop_answer: n` closes
//! the connection instead of answering the n-th order call from now on (1: the next). Calls without a field
//! leave its setting as it was; zero switches it off.

use broker::{Ack, BrokerOrder, BrokerTrade, CancelCall, ModifyCall, NetPosition, PlaceCall, SendError};
use model::{Funds, Holding, Timestamp};
use serde::{Deserialize, Serialize};

use crate::books::FullBook;

/// The protocol's name in the greeting.
pub(crate) const HELLO: &str = "tradeagent-paper";
/// The protocol's version.
pub const WIRE_VERSION: u32 = 1;
/// The longest line that a server reads.
pub const LINE_BYTES_MAX: usize = 16 * 1024;
/// The longest answer that a client reads.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The server's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub hello: String,
    pub version: u32,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub now: Timestamp,
    #[serde(flatten)]
    pub op: Op,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub(crate) enum Op {
    Place { call: PlaceCall },
    Modify { call: ModifyCall },
    Cancel { call: CancelCall },
    Orders,
    Trades,
    Positions,
    Holdings,
    Funds,
    Time,
    Book,
    Fault(FaultSetting),
}

/// What a server does wrong on purpose. A missing field leaves the setting as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FaultSetting {
    /// Real milliseconds between the exchange's accept and the answer to an order call; at most 60,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_accept_delay_ms: Option<u32>,
    /// Close the connection instead of answering the n-th order call from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_answer: Option<u32>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    Ok(Reply),
    Error(Failure),
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply {
    Ack(Ack),
    Orders(Vec<BrokerOrder>),
    Trades(Vec<BrokerTrade>),
    Positions(Vec<NetPosition>),
    Holdings(Vec<Holding>),
    Funds(Funds),
    Time(Option<Timestamp>),
    Book(Box<FullBook>),
    Fault(FaultSetting),
}

/// A bad answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failure {
    Refused { code: String, reason: String },
    AlreadyComplete(String),
    Unclear(String),
    BadRequest(String),
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused { code, reason } => Self::Refused { code, reason },
            SendError::AlreadyComplete(text) => Self::AlreadyComplete(text),
            // A paper exchange has no sessions; what another broker would call so is a refusal with proof.
            SendError::Expired(reason) => Self::Refused { code: "SESSION_EXPIRED".to_owned(), reason },
            SendError::Unclear(text) => Self::Unclear(text),
        }
    }
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { code, reason } => Self::Refused { code, reason },
            Failure::AlreadyComplete(text) => Self::AlreadyComplete(text),
            Failure::Unclear(text) => Self::Unclear(text),
            // The server did not understand it, so it did nothing.
            Failure::BadRequest(reason) => Self::Refused { code: "BAD_REQUEST".to_owned(), reason },
        }
    }
}

/// Reads one line of at most `max` bytes, without its end. None: the other side is done.
pub(crate) fn read_line(reader: &mut impl std::io::BufRead, max: usize) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::{Error, ErrorKind, Read as _};
    let mut line = Vec::new();
    // The trait's own call, so that the reader is only borrowed.
    let limit = max as u64 + 1;
    std::io::BufRead::read_until(&mut std::io::Read::by_ref(reader).take(limit), b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Some(line));
    }
    if line.len() > max {
        return Err(Error::new(ErrorKind::InvalidData, format!("a line is longer than {max} bytes")));
    }
    Err(Error::new(ErrorKind::UnexpectedEof, "the connection ended within a line"))
}

/// Writes one line.
pub(crate) fn write_line(writer: &mut impl std::io::Write, value: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value).map_err(std::io::Error::other)?;
    line.push(b'\n');
    writer.write_all(&line)?;
    writer.flush()
}
