//! The client of a paper exchange in another process.
//!
//! One connection for each call. Once a byte of an order call may have left, only an answer is proof; a
//! connection that never came about, or a greeting that never came, is proof that nothing was sent.

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
use model::{BoxFuture, Clock, Funds, Holding, Timestamp};

use crate::books::FullBook;
use crate::wire::{
    ANSWER_BYTES_MAX, Answer, Failure, FaultSetting, HELLO, Hello, LINE_BYTES_MAX, Op, Reply, Request,
    WIRE_VERSION, read_line, write_line,
};

/// How long connecting, and each read and write, may take: real time, on a real socket.
const DEADLINE: Duration = Duration::from_secs(10);

/// A broker whose exchange is another process.
///
/// Calls block a thread of tokio's blocking pool, so a simulated clock stands still while one is under way.
#[derive(Clone)]
pub struct RemotePaper {
    address: SocketAddr,
    clock: Arc<dyn Clock>,
}

/// How far a call got.
enum Trouble {
    /// Provably nothing was sent.
    NotSent(String),
    /// Something may have been.
    NoAnswer(String),
    /// The server's word.
    Said(Failure),
}

impl RemotePaper {
    /// The exchange at `address`; `clock` tells the instant that each call carries.
    pub fn new(address: SocketAddr, clock: Arc<dyn Clock>) -> Self {
        Self { address, clock }
    }

    /// The exchange's present instant; none: it has not begun. Blocks.
    pub fn time(&self) -> Result<Option<Timestamp>, CallError> {
        match ask(self.address, self.request(Op::Time)) {
            Ok(Reply::Time(now)) => Ok(now),
            other => Err(unreadable(other)),
        }
    }

    /// Everything that ever happened there, for audits. Blocks.
    pub fn book(&self) -> Result<FullBook, CallError> {
        match ask(self.address, self.request(Op::Book)) {
            Ok(Reply::Book(book)) => Ok(*book),
            other => Err(unreadable(other)),
        }
    }

    /// Sets what it does wrong on purpose. Blocks.
    pub fn set_fault(&self, setting: FaultSetting) -> Result<FaultSetting, CallError> {
        match ask(self.address, self.request(Op::Fault(setting))) {
            Ok(Reply::Fault(setting)) => Ok(setting),
            other => Err(unreadable(other)),
        }
    }

    fn request(&self, op: Op) -> Request {
        Request { now: self.clock.now(), op }
    }

    async fn ask(&self, op: Op) -> Result<Reply, Trouble> {
        let (address, request) = (self.address, self.request(op));
        tokio::task::spawn_blocking(move || ask(address, request))
            .await
            .unwrap_or_else(|error| Err(Trouble::NoAnswer(format!("the call's thread ended: {error}"))))
    }

    async fn order(&self, op: Op) -> Result<Ack, SendError> {
        match self.ask(op).await {
            Ok(Reply::Ack(ack)) => Ok(ack),
            Ok(other) => Err(SendError::Unclear(format!("an order call was answered with {other:?}"))),
            Err(Trouble::NotSent(reason)) => {
                Err(SendError::Refused { code: "NOT_CONNECTED".to_owned(), reason })
            }
            Err(Trouble::NoAnswer(why)) => Err(SendError::Unclear(why)),
            Err(Trouble::Said(failure)) => Err(failure.into()),
        }
    }

    async fn read<T>(&self, op: Op, pick: impl FnOnce(Reply) -> Result<T, Reply>) -> Result<T, CallError> {
        match self.ask(op).await {
            Ok(reply) => pick(reply).map_err(|other| unreadable(Ok(other))),
            Err(trouble) => Err(unreadable(Err(trouble))),
        }
    }
}

fn unreadable(answer: Result<Reply, Trouble>) -> CallError {
    CallError::Unavailable(match answer {
        Ok(other) => format!("a read was answered with {other:?}"),
        Err(Trouble::NotSent(why) | Trouble::NoAnswer(why)) => why,
        Err(Trouble::Said(failure)) => format!("the paper exchange said {failure:?}"),
    })
}

fn ask(address: SocketAddr, request: Request) -> Result<Reply, Trouble> {
    let not_sent = |error: io::Error| {
        Trouble::NotSent(format!(
            "no paper exchange answers at {address} ({error}): start it with `tradeagent paper-exchange`"
        ))
    };
    let socket = TcpStream::connect_timeout(&address, DEADLINE).map_err(not_sent)?;
    socket.set_read_timeout(Some(DEADLINE)).map_err(not_sent)?;
    socket.set_write_timeout(Some(DEADLINE)).map_err(not_sent)?;
    socket.set_nodelay(true).map_err(not_sent)?;
    let mut reader = BufReader::new(&socket);
    // The server speaks first: until its greeting was read nothing of ours has left.
    greet(&mut reader).map_err(not_sent)?;
    exchange_lines(&socket, &mut reader, &request)
        .map_err(|error| {
            Trouble::NoAnswer(format!("the paper exchange at {address} did not answer: {error}"))
        })
        .and_then(|answer| match answer {
            Answer::Ok(reply) => Ok(reply),
            Answer::Error(failure) => Err(Trouble::Said(failure)),
        })
}

fn greet(reader: &mut impl io::BufRead) -> io::Result<()> {
    let line = read_line(reader, LINE_BYTES_MAX)?
        .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection at once"))?;
    let hello: Hello = serde_json::from_slice(&line)?;
    if hello.hello != HELLO || hello.version != WIRE_VERSION {
        let text = format!(
            "it speaks {} version {}, not {HELLO} version {WIRE_VERSION}",
            hello.hello, hello.version
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(())
}

fn exchange_lines(
    mut socket: &TcpStream,
    reader: &mut impl io::BufRead,
    request: &Request,
) -> io::Result<Answer> {
    write_line(&mut socket, request)?;
    let line = read_line(reader, ANSWER_BYTES_MAX)?.ok_or_else(|| {
        io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection without an answer")
    })?;
    Ok(serde_json::from_slice(&line)?)
}

macro_rules! pick {
    ($variant:ident) => {
        |reply| match reply {
            Reply::$variant(value) => Ok(value),
            other => Err(other),
        }
    };
}

impl Broker for RemotePaper {
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(self.order(Op::Place { call }))
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(self.order(Op::Modify { call }))
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(self.order(Op::Cancel { call }))
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        Box::pin(self.read(Op::Orders, pick!(Orders)))
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        Box::pin(self.read(Op::Trades, pick!(Trades)))
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        Box::pin(self.read(Op::Positions, pick!(Positions)))
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        Box::pin(self.read(Op::Holdings, pick!(Holdings)))
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        Box::pin(self.read(Op::Funds, pick!(Funds)))
    }
}
