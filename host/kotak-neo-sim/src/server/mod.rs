//! The sim on a socket: HTTP/1.1 and the websocket of the order feed.
//!
//! It runs on a runtime and a thread of its own, in real time: a caller who lives in simulated time is not
//! disturbed. A dropped connection is a connection that is closed without a byte.

mod http;
mod websocket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::sim::Sim;

/// Connections at the same time; another one waits until one of them ends.
pub const CONNECTIONS_MAX: usize = 256;

/// How long a connection may be silent before and between requests.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// How long nobody is let in after the system refused to.
const REFUSED: Duration = Duration::from_millis(50);

/// A sim that is being served; it ends when this is dropped or [`Server::stop`]ped.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `listen` (port 0: any free one, see [`Server::address`]) and serves `sim`. The control
    /// routes have no authentication: listen on the loopback address.
    ///
    /// # Errors
    /// What the system says about the address, or about a new thread.
    pub fn start(listen: SocketAddr, sim: Arc<Sim>) -> io::Result<Self> {
        // Bound here and not by the runtime below: the caller may be on a runtime of his own.
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::Builder::new().name("kotak-neo-sim".to_owned()).spawn(move || {
            runtime.block_on(accept(listener, sim, stopped));
        })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it: open connections are closed.
    pub fn stop(mut self) {
        self.end();
    }

    /// Serves until another thread or a signal ends the process.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed by its thread.
            let _ = thread.join();
        }
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

async fn accept(listener: TcpListener, sim: Arc<Sim>, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            _ = stopped.changed() => return,
            next = next => next,
        };
        let Ok(place) = place else { return };
        let Ok((socket, _)) = accepted else {
            // Out of file descriptors, or a client that hung up while it was queued.
            wait(REFUSED).await;
            continue;
        };
        let sim = Arc::clone(&sim);
        tokio::spawn(async move {
            connection(sim, socket).await;
            drop(place);
        });
    }
}

async fn connection(sim: Arc<Sim>, socket: TcpStream) {
    // Best effort: only the speed of small answers depends on it.
    let _ = socket.set_nodelay(true);
    let service = hyper::service::service_fn(|request| http::serve(Arc::clone(&sim), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_MAX)
        // An answer has the sim's date, or none.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(socket), service);
    // How a client went away is its own business; a dropped answer ends here too.
    let _ = connection.with_upgrades().await;
}

#[expect(clippy::disallowed_methods, reason = "real sockets are served in real time")]
async fn wait(length: Duration) {
    tokio::time::sleep(length).await;
}
