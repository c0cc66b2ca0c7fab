//! The order feed on a websocket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::feed::{FeedId, FeedOut};
use crate::reply::Reply;
use crate::sim::Sim;

use super::http::Body;
use super::wait;

/// The longest frame that a client may send.
const FRAME_BYTES_MAX: usize = 64 << 10;
/// How often the exchange is looked at while nobody calls.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Whether the request asks for a websocket.
pub(super) fn is_wanted(request: &Request<Incoming>) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Switches protocols and serves the feed from then on.
pub(super) fn upgrade(sim: &Arc<Sim>, mut request: Request<Incoming>) -> io::Result<Response<Body>> {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let Some(accept) = key.filter(|_| request.uri().path().trim_end_matches('/') == "/realtime") else {
        return plain(StatusCode::NOT_FOUND);
    };
    let id = match sim.feed_open() {
        Ok(id) => id,
        Err(Reply::Answer { status, .. }) => {
            return plain(StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE));
        }
        Err(_) => return Err(io::Error::other("the connection is dropped")),
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let connection = Connection { sim: Arc::clone(sim), id };
    tokio::spawn(connection.serve(upgraded));
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(Empty::new().boxed_unsync())
        .map_err(io::Error::other)
}

fn plain(status: StatusCode) -> io::Result<Response<Body>> {
    Response::builder().status(status).body(Empty::new().boxed_unsync()).map_err(io::Error::other)
}

struct Connection {
    sim: Arc<Sim>,
    id: FeedId,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.sim.feed_close(self.id);
    }
}

impl Connection {
    async fn serve(self, upgraded: OnUpgrade) {
        let Ok(upgraded) = upgraded.await else { return };
        let mut limits = WebSocketConfig::default();
        limits.max_message_size = Some(FRAME_BYTES_MAX);
        limits.max_frame_size = Some(FRAME_BYTES_MAX);
        let io = TokioIo::new(upgraded);
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
        // How a client went away is its own business.
        let _ = self.converse(&mut socket).await;
    }

    async fn converse(&self, socket: &mut WebSocketStream<TokioIo<Upgraded>>) -> Result<(), Error> {
        let mut changed = self.sim.changes();
        loop {
            changed.borrow_and_update();
            for out in self.sim.feed_poll(self.id) {
                match out {
                    FeedOut::Text(text) => socket.send(Message::text(text)).await?,
                    FeedOut::Closed(_) => return socket.close(None).await,
                }
            }
            tokio::select! {
                biased;
                message = socket.next() => match message {
                    // Pings are answered by the library.
                    Some(Ok(Message::Text(text))) => self.sim.feed_text(self.id, text.as_str()),
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                },
                _ = changed.changed() => {}
                () = wait(LOOK_AGAIN) => {}
            }
        }
    }
}
