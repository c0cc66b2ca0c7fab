//! A paper exchange as its own process: the line protocol of `wire.rs` on a socket.
//!
//! Threads and blocking sockets: a handful of local clients, nothing to gain from more.

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use model::Clock;

use crate::durable::{self, BookLog, OrderCall};
use crate::exchange::Exchange;
use crate::local::lock;
use crate::wire::{
    Answer, Failure, FaultSetting, HELLO, Hello, LINE_BYTES_MAX, Op, Reply, Request, WIRE_VERSION, read_line,
    write_line,
};

/// Clients at the same time; another one is turned away at once.
pub const CONNECTIONS_MAX: usize = 64;
/// A client that says nothing for this long is let go.
const IDLE_MAX: Duration = Duration::from_secs(60);
const DELAY_MS_MAX: u32 = 60_000;

/// A paper exchange that is being served; it ends when this is dropped or [`Server::stop`]ped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    exchange: Arc<Mutex<Exchange>>,
    /// Where the account outlives the process.
    log: Option<Mutex<BookLog>>,
    /// Real time; none: the clients tell the time.
    clock: Option<Arc<dyn Clock>>,
    stopping: AtomicBool,
    connections: AtomicUsize,
    delay_ms: AtomicU32,
    /// Order calls until one is not answered, that one included; 0: off.
    drop_in: AtomicU32,
    /// Open sockets, to be shut when the server stops.
    sockets: Mutex<Vec<(u64, TcpStream)>>,
}

/// Listens on `listen` (port 0: any free one, see [`Server::address`]) and serves `exchange` until stopped.
/// With a `clock` the exchange runs on real time and ignores what clients say about it. The socket has no
/// authentication: listen on the loopback address.
pub fn serve(
    listen: SocketAddr,
    exchange: Arc<Mutex<Exchange>>,
    clock: Option<Arc<dyn Clock>>,
) -> io::Result<Server> {
    serve_kept(listen, exchange, clock, None)
}

/// [`serve`], and every order call goes by way of `log`, which was opened on this `exchange`. Without a clock
/// a server that starts anew stands at the last instant that the log knows, until a client tells a later one.
pub fn serve_kept(
    listen: SocketAddr,
    exchange: Arc<Mutex<Exchange>>,
    clock: Option<Arc<dyn Clock>>,
    log: Option<BookLog>,
) -> io::Result<Server> {
    let listener = TcpListener::bind(listen)?;
    let address = listener.local_addr()?;
    let shared = Arc::new(Shared {
        exchange,
        log: log.map(Mutex::new),
        clock,
        stopping: AtomicBool::new(false),
        connections: AtomicUsize::new(0),
        delay_ms: AtomicU32::new(0),
        drop_in: AtomicU32::new(0),
        sockets: Mutex::new(Vec::new()),
    });
    let acceptor = {
        let shared = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("paper-accept".to_owned())
            .spawn(move || accept(&listener, &shared))?
    };
    Ok(Server { address, shared, acceptor: Some(acceptor) })
}

impl Server {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server ends: until another thread or a signal ends the process.
    pub fn wait(mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            // A panic there has been printed by its thread.
            let _ = acceptor.join();
        }
    }

    /// Ends it: no new connection, open ones are shut.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(acceptor) = self.acceptor.take() else { return };
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The acceptor waits in `accept`: a connection of our own wakes it up.
        let mut wake = self.address;
        if wake.ip().is_unspecified() {
            wake.set_ip(match wake {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        if TcpStream::connect_timeout(&wake, Duration::from_secs(1)).is_ok() {
            let _ = acceptor.join();
        }
        for (_, socket) in self.shared.sockets.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Best effort: its thread ends on the error it gets, or on its idle limit.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0_u64.. {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok((socket, _)) = accepted else {
            // Out of file descriptors, or a client that hung up while queued: breathe, go on.
            pause(Duration::from_millis(10));
            continue;
        };
        let Some(place) = Place::take(shared, number) else { continue };
        // Without a thread (or after it) the place is free again, even if the thread panicked.
        let _ = std::thread::Builder::new().name("paper-client".to_owned()).spawn(move || {
            if let Ok(copy) = socket.try_clone() {
                sockets(&place.shared).push((place.number, copy));
            }
            // How a client went away is its own business.
            let _ = converse(&socket, &place.shared);
        });
    }
}

/// One of the places for clients.
struct Place {
    shared: Arc<Shared>,
    number: u64,
}

impl Place {
    fn take(shared: &Arc<Shared>, number: u64) -> Option<Self> {
        let place = Self { shared: Arc::clone(shared), number };
        // Dropped at once where there was none left.
        (shared.connections.fetch_add(1, Ordering::SeqCst) < CONNECTIONS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        sockets(&self.shared).retain(|(other, _)| *other != self.number);
        self.shared.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

fn sockets(shared: &Shared) -> std::sync::MutexGuard<'_, Vec<(u64, TcpStream)>> {
    shared.sockets.lock().unwrap_or_else(PoisonError::into_inner)
}

fn converse(socket: &TcpStream, shared: &Shared) -> io::Result<()> {
    socket.set_read_timeout(Some(IDLE_MAX))?;
    socket.set_write_timeout(Some(IDLE_MAX))?;
    socket.set_nodelay(true)?;
    let mut writer = socket;
    let mut reader = BufReader::new(socket);
    write_line(&mut writer, &Hello { hello: HELLO.to_owned(), version: WIRE_VERSION })?;
    loop {
        let line = match read_line(&mut reader, LINE_BYTES_MAX) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return write_line(&mut writer, &Answer::Error(Failure::BadRequest(error.to_string())));
            }
            Err(error) => return Err(error),
        };
        let request = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => request,
            Err(error) => {
                return write_line(&mut writer, &Answer::Error(Failure::BadRequest(error.to_string())));
            }
        };
        let is_order = matches!(request.op, Op::Place { .. } | Op::Modify { .. } | Op::Cancel { .. });
        let answer = perform(request, shared);
        if is_order && !held_back(shared) {
            return Ok(());
        }
        write_line(&mut writer, &answer)?;
    }
}

/// The faults between accept and answer. False: the answer is to be dropped.
fn held_back(shared: &Shared) -> bool {
    let delay_ms = shared.delay_ms.load(Ordering::SeqCst);
    if delay_ms > 0 {
        pause(Duration::from_millis(u64::from(delay_ms)));
    }
    let counted = shared.drop_in.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    counted != Ok(1)
}

#[expect(clippy::disallowed_methods, reason = "a fault on a real socket lasts real time")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn perform(request: Request, shared: &Shared) -> Answer {
    let mut exchange = lock(&shared.exchange);
    let log = shared.log.as_ref();
    match (&shared.clock, &request.op) {
        (Some(clock), _) => durable::advance(&mut exchange, log, clock.now()),
        // An audit does not make time pass.
        (None, Op::Time | Op::Book | Op::Fault(_)) => {}
        (None, _) => durable::advance(&mut exchange, log, request.now),
    }
    let reply = match request.op {
        Op::Place { call } => durable::take(&mut exchange, log, &OrderCall::Place(call)).map(Reply::Ack),
        Op::Modify { call } => durable::take(&mut exchange, log, &OrderCall::Modify(call)).map(Reply::Ack),
        Op::Cancel { call } => durable::take(&mut exchange, log, &OrderCall::Cancel(call)).map(Reply::Ack),
        Op::Orders => Ok(Reply::Orders(exchange.orders())),
        Op::Trades => Ok(Reply::Trades(exchange.trades())),
        Op::Positions => Ok(Reply::Positions(exchange.positions())),
        Op::Holdings => Ok(Reply::Holdings(exchange.holdings())),
        Op::Funds => Ok(Reply::Funds(exchange.funds())),
        Op::Time => Ok(Reply::Time(exchange.now())),
        Op::Book => Ok(Reply::Book(Box::new(exchange.full_book()))),
        Op::Fault(setting) => Ok(Reply::Fault(set_fault(shared, setting))),
    };
    reply.map_or_else(|error| Answer::Error(error.into()), Answer::Ok)
}

fn set_fault(shared: &Shared, setting: FaultSetting) -> FaultSetting {
    if let Some(delay_ms) = setting.after_accept_delay_ms {
        shared.delay_ms.store(delay_ms.min(DELAY_MS_MAX), Ordering::SeqCst);
    }
    if let Some(calls) = setting.drop_answer {
        shared.drop_in.store(calls, Ordering::SeqCst);
    }
    FaultSetting {
        after_accept_delay_ms: Some(shared.delay_ms.load(Ordering::SeqCst)),
        drop_answer: Some(shared.drop_in.load(Ordering::SeqCst)),
    }
}
