//! The order feed (facts 4.1): connections, handshakes, frames. Synchronous: whoever carries it polls.

use std::collections::{BTreeMap, VecDeque};

use model::Timestamp;
use serde_json::Value;

use crate::core::Core;
use crate::endpoint::Endpoint;
use crate::faults::{Kind, instead};
use crate::orders;
use crate::reply::Reply;
use crate::session::Access;
use crate::wire;

/// The number of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedId(u64);

/// What comes out of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedOut {
    /// A text frame.
    Text(String),
    /// It is closed, with the reason; nothing follows.
    Closed(String),
}

/// Frames that a connection may be behind before it is closed.
const FRAMES_MAX: usize = 20_000;
/// Connections at a time.
const FEEDS_MAX: usize = 100;

#[derive(Default)]
struct Connection {
    out: VecDeque<String>,
    /// None before the handshake.
    session: Option<u64>,
    silent_at: Option<Timestamp>,
    cut_at: Option<Timestamp>,
    refuses: bool,
    ignores_raw: bool,
    closing: Option<String>,
}

/// The open connections.
#[derive(Default)]
pub(crate) struct Feeds {
    open: BTreeMap<FeedId, Connection>,
    next: u64,
    /// Grows with everything that a connection could want to see.
    pub version: u64,
}

impl Feeds {
    /// A frame for everybody who has shaken hands.
    pub fn publish(&mut self, frame: String) {
        for connection in self.open.values_mut().filter(|connection| connection.session.is_some()) {
            connection.push(frame.clone());
        }
        self.version += 1;
    }

    /// Closes every connection.
    pub fn cut(&mut self) {
        for connection in self.open.values_mut() {
            connection.closing = Some("cut by the simulator".to_owned());
        }
        self.version += 1;
    }

    pub fn close(&mut self, id: FeedId) {
        self.open.remove(&id);
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.open.len()
    }
}

impl Connection {
    fn push(&mut self, frame: String) {
        if self.out.len() >= FRAMES_MAX {
            self.closing = Some("too slow".to_owned());
        } else {
            self.out.push_back(frame);
        }
    }
}

/// A new connection, or the answer that refuses it.
pub(crate) fn open(core: &mut Core<'_>) -> Result<FeedId, Reply> {
    *core.state.calls.entry(Endpoint::Feed).or_default() += 1;
    let met = core.meet(Endpoint::Feed);
    if core.state.feeds.len() >= FEEDS_MAX {
        return Err(Reply::bytes(503, "text/plain", b"too many feeds".to_vec()));
    }
    let mut connection = Connection::default();
    for kind in met {
        let after = |seconds: u32| Some(core.now.plus_seconds(i64::from(seconds)));
        match kind {
            Kind::FeedSilent { after_s } => connection.silent_at = after(after_s),
            Kind::FeedCut { after_s } => connection.cut_at = after(after_s),
            Kind::FeedRefused => connection.refuses = true,
            Kind::FeedRawIgnored => connection.ignores_raw = true,
            other => {
                if let Some((reply, _)) = instead(&other) {
                    return Err(reply);
                }
            }
        }
    }
    let feeds = &mut core.state.feeds;
    feeds.next += 1;
    let id = FeedId(feeds.next);
    feeds.open.insert(id, connection);
    Ok(id)
}

/// A text of the client: the handshake, raw or JSON, or a heartbeat.
pub(crate) fn text(core: &mut Core<'_>, id: FeedId, text: &str) {
    let (fields, is_json) = read(text);
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    match field("type") {
        "hb" => {}
        "cn" => handshake(core, id, field("authorization"), field("sid"), is_json),
        _ => {
            if let Some(connection) = core.state.feeds.open.get_mut(&id) {
                connection.push(wire::feed::not_understood());
            }
        }
    }
    core.state.feeds.version += 1;
}

fn handshake(core: &mut Core<'_>, id: FeedId, token: &str, sid: &str, is_json: bool) {
    let access = core.state.sessions.access(token, sid);
    let Some(connection) = core.state.feeds.open.get_mut(&id) else { return };
    if connection.ignores_raw && !is_json {
        return;
    }
    let Access::Trade(number) = access else { return connection.refuse() };
    if connection.refuses {
        return connection.refuse();
    }
    connection.session = Some(number);
    connection.push(wire::feed::connected());
    for frame in standing(core) {
        if let Some(connection) = core.state.feeds.open.get_mut(&id) {
            connection.push(frame);
        }
    }
}

impl Connection {
    fn refuse(&mut self) {
        self.push(wire::feed::refused());
        self.closing = Some("authentication failed".to_owned());
    }
}

/// The state that is pushed again after every connection.
fn standing(core: &mut Core<'_>) -> Vec<String> {
    let rows = orders::of_today(core);
    let mut frames: Vec<String> = rows.iter().map(|(id, shown)| wire::feed::order(core, id, shown)).collect();
    frames.extend(wire::feed::positions(core));
    frames
}

/// What came since the last poll.
pub(crate) fn poll(core: &mut Core<'_>, id: FeedId) -> Vec<FeedOut> {
    let ends = core.config.feed_ends_with_session;
    let gone = || vec![FeedOut::Closed("no such connection".to_owned())];
    let Some(connection) = core.state.feeds.open.get_mut(&id) else { return gone() };
    if connection.cut_at.is_some_and(|at| at <= core.now) {
        connection.closing = Some("cut by the simulator".to_owned());
    }
    if ends && connection.session.is_some_and(|number| !core.state.sessions.lives(number)) {
        connection.closing = Some("the session has ended".to_owned());
    }
    if connection.silent_at.is_some_and(|at| at <= core.now) {
        connection.out.clear();
    }
    let mut out: Vec<FeedOut> = connection.out.drain(..).map(FeedOut::Text).collect();
    if let Some(why) = connection.closing.take() {
        out.push(FeedOut::Closed(why));
        core.state.feeds.close(id);
    }
    out
}

/// Fields of a frame by name in lower case, and whether it was JSON. The raw form looks like JSON without
/// quotes: `{type:cn,Authorization:…,Sid:…,src:WEB}`.
fn read(text: &str) -> (BTreeMap<String, String>, bool) {
    if let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(text) {
        let texts = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())));
        return (texts.collect(), true);
    }
    let inner = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let pairs = inner.split(',').filter_map(|pair| pair.split_once(':'));
    (pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_frame_are_read() {
        for (text, is_json) in [
            ("{type:cn,Authorization:a.b.c,Sid:s-1,src:WEB}", false),
            (r#"{"type":"cn","Authorization":"a.b.c","Sid":"s-1","src":"WEB"}"#, true),
        ] {
            let (fields, json) = read(text);
            assert_eq!(json, is_json);
            assert_eq!((fields["authorization"].as_str(), fields["sid"].as_str()), ("a.b.c", "s-1"));
        }
        assert_eq!(read("{type:hb}").0["type"], "hb");
        assert!(read("hello").0.is_empty());
    }
}
