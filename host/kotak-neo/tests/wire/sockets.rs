//! Websockets over real connections.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use kotak_neo::feed::{FeedEvent, FeedOptions, Handshake, OrderFeed};
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::secrecy::SecretString;
use kotak_neo::transport::{FeedFrame, Transport, TransportError};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{SID, TOKEN, session};

fn transport() -> HttpTransport {
    HttpTransport::new(HttpOptions::default()).expect("a transport")
}

#[tokio::test]
async fn a_socket_sends_pings_reads_and_notices_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}/realtime", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("a handshake");
        let first = socket.next().await.expect("a frame").expect("readable");
        socket.send(Message::Ping(vec![1].into())).await.expect("sent");
        socket.send(Message::Binary(vec![1].into())).await.expect("sent");
        socket.send(Message::text("back")).await.expect("sent");
        // Reads our ping, which tungstenite answers, and our answer to its ping.
        let mut later = Vec::new();
        for _ in 0..2 {
            later.push(socket.next().await.expect("a frame").expect("readable"));
        }
        // Its answer to our ping leaves before the text.
        socket.flush().await.expect("flushed");
        socket.send(Message::text("last")).await.expect("sent");
        socket.close(None).await.expect("closed");
        (first, later)
    });
    let mut socket = transport().connect(&url).await.expect("connected");
    socket.send_text(SecretString::from("hello")).await.expect("sent");
    let patience = Duration::from_secs(20);
    assert_eq!(socket.next(patience).await, FeedFrame::Text("back".to_owned()));
    assert_eq!(socket.next(Duration::from_millis(50)).await, FeedFrame::Quiet);
    socket.ping().await.expect("sent");
    assert_eq!(socket.next(patience).await, FeedFrame::Pong);
    assert_eq!(socket.next(patience).await, FeedFrame::Text("last".to_owned()));
    assert!(matches!(socket.next(patience).await, FeedFrame::Closed(_)));
    let (first, later) = server.await.expect("the server");
    assert_eq!(first, Message::text("hello"));
    assert!(later.iter().any(Message::is_pong) && later.iter().any(Message::is_ping), "{later:?}");
}

#[tokio::test]
async fn a_feed_runs_over_a_real_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("a handshake");
        let first = socket.next().await.expect("a frame").expect("readable");
        socket.send(Message::text(r#"{"ak":"ok","type":"cn","msg":"connected"}"#)).await.expect("sent");
        socket
            .send(Message::text(r#"{"ak":"nk","type":"cn","msg":"Authentication Failed"}"#))
            .await
            .expect("sent");
        first
    });
    let mut session = session();
    session.base_url = base;
    let mut feed = OrderFeed::new(Arc::new(transport()), session, FeedOptions::default());
    assert_eq!(feed.next().await, Some(FeedEvent::Connected { handshake: Handshake::Raw }));
    assert!(matches!(feed.next().await, Some(FeedEvent::Refused { .. })));
    let first = server.await.expect("the server");
    assert_eq!(first, Message::text(format!("{{type:cn,Authorization:{TOKEN},Sid:{SID},src:WEB}}")));
}

#[tokio::test]
async fn a_socket_that_cannot_be_opened_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = listener.local_addr().expect("an address");
    drop(listener);
    for url in [format!("ws://{nobody}/realtime"), format!("wss://{nobody}/realtime"), "not a url".to_owned()]
    {
        let error = transport().connect(&url).await.err().expect("no connection");
        assert!(matches!(error, TransportError::NotSent(_)), "{url}: {error}");
    }
}
