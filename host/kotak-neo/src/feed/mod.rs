//! The order feed (facts 4.1): what happens to orders and positions, pushed over a websocket.
//!
//! What goes wrong with it, and who notices. The server may drop the handshake, refuse it, or keep the socket
//! open and stay silent: the ack watchdog notices, and the next attempt uses the other spelling of the
//! handshake. The connection may die without a word: pings that nothing answers are noticed. The token may die:
//! the server says "Authentication Failed", and the feed ends, since only a new login helps. After a reconnect
//! the server pushes the state again by itself, so nothing is asked for. Frames that came in between are lost all
//! the same: the feed is the fast path, the order book is the truth.

mod frame;
mod handshake;
mod order;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::address;
use crate::secrets::Secrets;
use crate::session::Session;
use crate::transport::{FeedFrame, FeedSocket, Transport, TransportError};
use frame::Frame;

pub use crate::rows::PositionRow;
pub use handshake::Handshake;
pub use order::FeedOrder;

/// How patient a feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedOptions {
    /// The longest that an ack may take.
    pub ack: Duration,
    /// A ping goes out after this much quiet.
    pub ping_every: Duration,
    /// The longest quiet, pongs included, after which the connection counts as dead.
    pub quiet_max: Duration,
    /// The wait before the first attempt to reconnect; it doubles.
    pub reconnect_min: Duration,
    /// The longest wait between two attempts.
    pub reconnect_max: Duration,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self {
            ack: Duration::from_secs(10),
            ping_every: Duration::from_secs(20),
            quiet_max: Duration::from_secs(45),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
        }
    }
}

/// What a feed tells. No text in it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEvent {
    /// The server has accepted the handshake; it pushes the state once more.
    Connected {
        /// By which spelling.
        handshake: Handshake,
    },
    /// An order changed.
    Order(Box<FeedOrder>),
    /// A position changed.
    Position(Box<PositionRow>),
    /// A frame that is none of these, or cannot be read; its text, bounded.
    Other(String),
    /// The session is not accepted. The feed has ended: log in and make a new one.
    Refused {
        /// In the server's words.
        text: String,
    },
    /// Not connected any more, or not yet. The feed goes on trying.
    Lost {
        /// Why.
        why: String,
    },
}

/// An order feed of one session.
pub struct OrderFeed {
    transport: Arc<dyn Transport>,
    session: Session,
    options: FeedOptions,
    url: String,
    secrets: Secrets,
    handshake: Handshake,
    wait: Duration,
    state: State,
    ready: VecDeque<FeedEvent>,
}

enum State {
    /// The first attempt, or the next one after a wait.
    Down { wait: Duration },
    /// The handshake is sent.
    Waiting { socket: Box<dyn FeedSocket>, frames: usize },
    /// The ack was had. How long nothing came, and how many frames came since the last ping.
    Open { socket: Box<dyn FeedSocket>, quiet: Duration, frames: usize },
    /// Refused.
    Ended,
}

/// A busy feed is pinged after so many frames, since quiet is what otherwise brings a ping about.
const FRAMES_PER_PING: usize = 32;
/// So many frames without an ack are as good as none.
const FRAMES_BEFORE_ACK_MAX: usize = 4;

impl OrderFeed {
    /// For a session, over a transport; nothing is sent yet. The address is the session's `rt_url`, else
    /// `/realtime` at its base.
    pub fn new(transport: Arc<dyn Transport>, session: Session, options: FeedOptions) -> Self {
        let secrets = Secrets::of([&session.token, &session.sid]).and_in_texts(session.ucc.as_ref());
        Self {
            url: url(&session),
            transport,
            session,
            options,
            secrets,
            handshake: Handshake::Raw,
            wait: options.reconnect_min,
            state: State::Down { wait: Duration::ZERO },
            ready: VecDeque::new(),
        }
    }

    /// The next event, connecting and reconnecting as needed; `None` once the feed has ended.
    ///
    /// A caller that drops this future loses no event, but the waits in it begin anew: give the feed a task of
    /// its own.
    pub async fn next(&mut self) -> Option<FeedEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            match &self.state {
                State::Down { .. } => self.connect().await,
                State::Waiting { .. } => self.await_ack().await,
                State::Open { .. } => self.read().await,
                State::Ended => return None,
            }
        }
    }

    /// Hands every event to `sink` until the feed ends.
    pub async fn run(&mut self, sink: &(dyn Fn(FeedEvent) + Sync)) {
        while let Some(event) = self.next().await {
            sink(event);
        }
    }

    async fn connect(&mut self) {
        if let State::Down { wait } = self.state
            && !wait.is_zero()
        {
            self.transport.pause(wait).await;
            self.state = State::Down { wait: Duration::ZERO };
        }
        let opened = async {
            let mut socket = self.transport.connect(&self.url).await?;
            socket.send_text(self.handshake.frame(&self.session)).await?;
            Ok::<_, TransportError>(socket)
        };
        match opened.await {
            Ok(socket) => self.state = State::Waiting { socket, frames: 0 },
            Err(error) => self.lost(&format!("no connection: {error}")),
        }
    }

    async fn await_ack(&mut self) {
        let State::Waiting { socket, frames } = &mut self.state else { return };
        let frame = socket.next(self.options.ack).await;
        *frames += 1;
        let too_many = *frames > FRAMES_BEFORE_ACK_MAX;
        match frame {
            FeedFrame::Text(text) => match Frame::read(&text, &self.secrets) {
                Frame::Acked => self.open(None),
                Frame::Refused(text) => self.refused(text),
                Frame::NotUnderstood(text) => {
                    self.not_acked(&format!("the {} handshake was not understood: {text}", self.handshake));
                }
                // Data proves that the session was accepted, whatever became of the ack.
                Frame::Event(event @ (FeedEvent::Order(_) | FeedEvent::Position(_))) => {
                    self.open(Some(event))
                }
                Frame::Event(event) => self.ready.push_back(event),
            },
            FeedFrame::Closed(why) => {
                let why = self.secrets.clean(&why);
                self.not_acked(&format!("closed before the {} handshake was acked: {why}", self.handshake));
            }
            FeedFrame::Quiet => {
                self.not_acked(&format!(
                    "no ack of the {} handshake within {:?}",
                    self.handshake, self.options.ack
                ));
            }
            FeedFrame::Pong => {}
        }
        if too_many && matches!(self.state, State::Waiting { .. }) {
            self.not_acked(&format!("no ack of the {} handshake among the frames that came", self.handshake));
        }
    }

    async fn read(&mut self) {
        let State::Open { socket, quiet, frames } = &mut self.state else { return };
        let frame = socket.next(self.options.ping_every).await;
        let ping_due = match &frame {
            FeedFrame::Quiet => {
                *quiet = quiet.saturating_add(self.options.ping_every);
                true
            }
            FeedFrame::Text(_) | FeedFrame::Pong | FeedFrame::Closed(_) => {
                *quiet = Duration::ZERO;
                *frames += 1;
                *frames >= FRAMES_PER_PING
            }
        };
        match frame {
            FeedFrame::Text(text) => match Frame::read(&text, &self.secrets) {
                Frame::Event(event) => self.ready.push_back(event),
                Frame::Acked => {}
                Frame::Refused(text) => return self.refused(text),
                Frame::NotUnderstood(text) => return self.lost(&format!("refused after the ack: {text}")),
            },
            FeedFrame::Closed(why) => return self.lost(&format!("closed: {why}")),
            FeedFrame::Quiet if self.is_dead() => {
                return self.lost(&format!(
                    "nothing came for {:?}, not even an answer to a ping",
                    self.options.quiet_max
                ));
            }
            FeedFrame::Quiet | FeedFrame::Pong => {}
        }
        if ping_due {
            self.ping().await;
        }
    }

    fn is_dead(&self) -> bool {
        matches!(&self.state, State::Open { quiet, .. } if *quiet >= self.options.quiet_max)
    }

    async fn ping(&mut self) {
        let State::Open { socket, frames, .. } = &mut self.state else { return };
        *frames = 0;
        if let Err(error) = socket.ping().await {
            self.lost(&format!("a ping could not be sent: {error}"));
        }
    }

    fn open(&mut self, first: Option<FeedEvent>) {
        let state = std::mem::replace(&mut self.state, State::Ended);
        if let State::Waiting { socket, .. } = state {
            self.state = State::Open { socket, quiet: Duration::ZERO, frames: 0 };
        }
        self.wait = self.options.reconnect_min;
        self.ready.push_back(FeedEvent::Connected { handshake: self.handshake });
        self.ready.extend(first);
    }

    fn refused(&mut self, text: String) {
        self.state = State::Ended;
        self.ready.push_back(FeedEvent::Refused { text });
    }

    /// The other spelling is tried next.
    fn not_acked(&mut self, why: &str) {
        self.handshake = self.handshake.other();
        self.lost(why);
    }

    fn lost(&mut self, why: &str) {
        self.state = State::Down { wait: self.wait };
        self.wait = self.wait.saturating_mul(2).min(self.options.reconnect_max);
        self.ready.push_back(FeedEvent::Lost { why: self.secrets.clean(why) });
    }
}

fn url(session: &Session) -> String {
    match &session.rt_url {
        Some(url) if address::has_no_path(url) => format!("{}/realtime", url.trim_end_matches('/')),
        Some(url) => url.clone(),
        None => format!("{}/realtime", address::websocket(&session.base_url)),
    }
}

impl fmt::Debug for OrderFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderFeed")
            .field("url", &self.url)
            .field("handshake", &self.handshake)
            .finish_non_exhaustive()
    }
}
