//! The order feed on a real websocket.

mod support;

use futures_util::{SinkExt as _, StreamExt as _};
use kotak_neo_sim::{Endpoint, Fault, Kind};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use support::{Session, World, market, resting};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(world: &World, target: &str) -> Result<Socket, Error> {
    let url = format!("ws://{}{target}", world.server.address());
    tokio_tungstenite::connect_async(url).await.map(|(socket, _)| socket)
}

async fn hello(socket: &mut Socket, Session { token, sid }: &Session) {
    let text = format!("{{type:cn,Authorization:{token},Sid:{sid},src:WEB}}");
    socket.send(Message::text(text)).await.expect("sent");
}

#[expect(clippy::disallowed_methods, reason = "a real socket has real deadlines")]
async fn in_time<T>(what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(support::PATIENCE, what).await.ok()
}

async fn next(socket: &mut Socket) -> Message {
    in_time(socket.next()).await.expect("in time").expect("open").expect("a frame")
}

/// The next text frame.
async fn frame(socket: &mut Socket) -> Value {
    let message = next(socket).await;
    serde_json::from_str(message.to_text().expect("text")).expect("JSON")
}

/// Whether it ends, after whatever was still on its way.
async fn ends(socket: &mut Socket) -> bool {
    let end = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                return;
            }
        }
    };
    in_time(end).await.is_some()
}

/// A feed whose handshake was taken.
async fn open(world: &World, session: &Session) -> Socket {
    let mut socket = connect(world, "/realtime").await.expect("upgraded");
    hello(&mut socket, session).await;
    assert_eq!(frame(&mut socket).await, json!({"ak": "ok", "type": "cn", "task": "cn", "msg": "connected"}));
    socket
}

#[tokio::test]
async fn an_order_is_told_step_by_step() {
    let world = World::new();
    let session = world.log_in();
    let mut socket = open(&world, &session).await;
    let number = world.place(&session, &market("told"));
    for status in ["put order req received", "validation pending", "open pending", "open"] {
        let told = frame(&mut socket).await;
        assert_eq!((told["type"].as_str(), told["data"]["ordSt"].as_str()), (Some("order"), Some(status)));
        assert_eq!(told["data"]["nOrdNo"], number.as_str());
        assert_eq!(told["data"]["prcTp"], "LMT", "the feed's own word");
    }
    // Time passes, and nobody calls.
    world.pass(300);
    let filled = frame(&mut socket).await;
    assert_eq!(
        (filled["data"]["ordSt"].as_str(), filled["data"]["fldQty"].as_i64()),
        (Some("complete"), Some(10))
    );
    let position = frame(&mut socket).await;
    assert_eq!(
        (position["type"].as_str(), position["data"]["flBuyQty"].as_str()),
        (Some("position"), Some("10"))
    );
    // Whoever comes later is told how things stand.
    let mut again = open(&world, &session).await;
    assert_eq!(frame(&mut again).await["data"]["ordSt"], "complete");
    assert_eq!(frame(&mut again).await["type"], "position");
}

#[tokio::test]
async fn both_forms_of_the_handshake_are_taken_and_pings_answered() {
    let world = World::new();
    let session = world.log_in();
    let mut socket = connect(&world, "/realtime?sId=server1").await.expect("upgraded");
    socket.send(Message::text("{type:hb}")).await.expect("sent");
    socket.send(Message::Ping(b"are you there".to_vec().into())).await.expect("sent");
    assert_eq!(
        next(&mut socket).await,
        Message::Pong(b"are you there".to_vec().into()),
        "a heartbeat says nothing, a ping is answered"
    );
    let text =
        json!({"type": "cn", "Authorization": session.token, "Sid": session.sid, "src": "WEB"}).to_string();
    socket.send(Message::text(text)).await.expect("sent");
    assert_eq!(frame(&mut socket).await["msg"], "connected");
    socket.send(Message::text("hello")).await.expect("sent");
    assert_eq!(frame(&mut socket).await["msg"], "invalid request format");
    assert_eq!(world.sim.audit().feeds, 1);
    socket.close(None).await.expect("closed");
    assert!(ends(&mut socket).await);
}

#[tokio::test]
async fn a_session_that_is_not_valid_is_refused_and_one_that_ends_is_closed() {
    let world = World::new();
    let session = world.log_in();
    let mut stranger = connect(&world, "/realtime").await.expect("upgraded");
    hello(&mut stranger, &Session { token: "no".to_owned(), ..session.clone() }).await;
    assert_eq!(frame(&mut stranger).await, json!({"ak": "nk", "type": "cn", "msg": "Authentication Failed"}));
    assert!(ends(&mut stranger).await);
    let mut mine = open(&world, &session).await;
    world.sim.foreign_login();
    assert!(ends(&mut mine).await);
}

#[tokio::test]
async fn a_feed_is_refused_silent_or_cut() {
    let world = World::new();
    let session = world.log_in();

    world.fault(Fault::new(Kind::FeedRefused).times(1));
    let mut refused = connect(&world, "/realtime").await.expect("upgraded");
    hello(&mut refused, &session).await;
    assert_eq!(frame(&mut refused).await["ak"], "nk");

    world.fault(
        Fault::new(Kind::ServerError { status: 503, html: true, after: false }).on([Endpoint::Feed]).times(1),
    );
    let Err(Error::Http(answer)) = connect(&world, "/realtime").await else {
        panic!("the upgrade is refused")
    };
    assert_eq!(answer.status(), 503);
    world.fault(Fault::new(Kind::Dropped { after: false }).on([Endpoint::Feed]).times(1));
    assert!(connect(&world, "/realtime").await.is_err());

    world.fault(Fault::new(Kind::FeedRawIgnored).times(1));
    let mut picky = connect(&world, "/realtime").await.expect("upgraded");
    hello(&mut picky, &session).await;
    let text = json!({"type": "cn", "Authorization": session.token, "Sid": session.sid}).to_string();
    picky.send(Message::text(text)).await.expect("sent");
    assert_eq!(frame(&mut picky).await["msg"], "connected", "to the second, not the first");

    world.fault(Fault::new(Kind::FeedSilent { after_s: 0 }).times(1));
    let mut silent = connect(&world, "/realtime").await.expect("upgraded");
    hello(&mut silent, &session).await;
    world.place(&session, &resting("unheard"));
    silent.send(Message::Ping(Vec::new().into())).await.expect("sent");
    let only = next(&mut silent).await;
    assert!(only.is_pong(), "open, and silent: {only:?}");

    world.fault(Fault::new(Kind::FeedCut { after_s: 60 }).times(1));
    let mut cut = open(&world, &session).await;
    assert_eq!(frame(&mut cut).await["data"]["GuiOrdId"], "unheard");
    world.pass(60);
    assert!(ends(&mut cut).await);
    let mut last = open(&world, &session).await;
    world.command("cut-feeds", &json!({}));
    assert!(ends(&mut last).await);
}

#[tokio::test]
async fn there_is_one_websocket() {
    let world = World::new();
    let Err(Error::Http(answer)) = connect(&world, "/elsewhere").await else { panic!("no websocket there") };
    assert_eq!(answer.status(), 404);
    assert_eq!(world.call("GET", "/realtime", &[], "").status, 404, "without an upgrade");
}
