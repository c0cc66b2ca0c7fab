//! The socket: bounds, faults, and what counts as proof.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use broker::{Broker as _, CancelCall, PlaceCall, SendError};
use calendar::Calendar;
use model::Timestamp;

use super::market_table::*;
use crate::{Exchange, FaultSetting, LINE_BYTES_MAX, RemotePaper, Server, serve};

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

fn served(real: bool) -> (Server, RemotePaper, Arc<HandClock>) {
    let exchange = Arc::new(Mutex::new(Exchange::new(Arc::new(table()), Calendar::bundled(), config())));
    let clock = Arc::new(HandClock::default());
    clock.set(at(10, 0));
    let own = real.then(|| Arc::clone(&clock) as Arc<dyn model::Clock>);
    let server = serve(loopback(), exchange, own).expect("a free port");
    let remote = RemotePaper::new(server.address(), clock.clone());
    (server, remote, clock)
}

fn call(key: &str) -> PlaceCall {
    PlaceCall { tag: tag(key), terms: buy(1, "90") }
}

/// One raw conversation: the greeting and the answers to `lines`.
fn talk(server: &Server, lines: &str) -> Vec<String> {
    let mut socket = TcpStream::connect(server.address()).expect("it listens");
    socket.write_all(lines.as_bytes()).expect("it reads");
    socket.shutdown(std::net::Shutdown::Write).expect("done");
    BufReader::new(socket).lines().map_while(Result::ok).collect()
}

#[test]
fn the_protocol_is_lines_of_json_after_a_greeting() {
    let (server, _, _) = served(false);
    let now = at(10, 0).nanos();
    let asked = format!("{{\"now\":{now},\"op\":\"funds\"}}\n{{\"now\":0,\"op\":\"time\"}}\n");
    assert_eq!(
        talk(&server, &asked),
        [
            r#"{"hello":"tradeagent-paper","version":1}"#.to_owned(),
            r#"{"ok":{"funds":{"available":"100000.00","blocked":"0.00"}}}"#.to_owned(),
            format!(r#"{{"ok":{{"time":{now}}}}}"#),
        ]
    );
}

#[test]
fn what_cannot_be_read_is_said_and_ends_the_conversation() {
    let (server, _, _) = served(false);
    for (bad, words) in [
        ("{\"now\":0}\n", "op"),
        ("hello\n", "expected value"),
        ("{\"now\":0,\"op\":\"sell-everything\"}\n", "unknown variant"),
        (&format!("{}\n", "x".repeat(LINE_BYTES_MAX + 1)), "longer than"),
    ] {
        let answers = talk(&server, bad);
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert!(answers[1].contains("bad-request") && answers[1].contains(words), "{answers:?}");
    }
    assert!(talk(&server, "{\"now\":0,\"op\":\"time\"}").len() == 1, "half a line is no request");
}

#[tokio::test]
async fn the_latest_instant_seen_is_the_exchange_s() {
    let (_server, remote, clock) = served(false);
    assert_eq!(remote.time(), Ok(None), "asking for the time is no instant");
    remote.place(call("a")).await.expect("taken");
    clock.set(at(9, 30));
    remote.funds().await.expect("readable");
    assert_eq!(remote.time(), Ok(Some(at(10, 0))));
}

#[tokio::test]
async fn on_real_time_the_server_s_clock_decides() {
    let (server, _, clock) = served(true);
    let wrong = Arc::new(HandClock::default());
    wrong.set(Timestamp::at_ist(session(), 23, 0));
    let remote = RemotePaper::new(server.address(), wrong);
    remote.place(call("a")).await.expect("ten o'clock by the server's clock");
    clock.set(at(11, 0));
    assert_eq!(remote.time(), Ok(Some(at(11, 0))));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unclear_and_the_order_stands() {
    let (_server, remote, _) = served(false);
    let setting = remote.set_fault(FaultSetting { drop_answer: Some(2), ..Default::default() }).expect("set");
    assert_eq!((setting.drop_answer, setting.after_accept_delay_ms), (Some(2), Some(0)));
    remote.place(call("first")).await.expect("answered");
    let lost = remote.place(call("second")).await;
    assert!(matches!(lost, Err(SendError::Unclear(_))), "{lost:?}");
    remote.place(call("third")).await.expect("answered again");
    let book = remote.book().expect("readable");
    let tags: Vec<_> = book.orders.iter().map(|order| order.tag.clone().expect("echoed")).collect();
    assert_eq!(tags, ["first", "second", "third"].map(|key| tag(key).to_string()), "the second was accepted");
}

#[tokio::test]
async fn a_held_back_answer_comes_after_the_accept() {
    let (_server, remote, _) = served(false);
    remote.set_fault(FaultSetting { after_accept_delay_ms: Some(300), ..Default::default() }).expect("set");
    let there = remote.clone();
    let watcher = tokio::task::spawn_blocking(move || {
        // The order is in the book before its answer is out: reads are not held back.
        while there.book().expect("readable").orders.is_empty() {
            std::thread::yield_now();
        }
    });
    let (placed, seen) = tokio::join!(remote.place(call("slow")), watcher);
    seen.expect("seen in the book");
    placed.expect("answered at last");
}

#[tokio::test]
async fn only_what_was_provably_not_sent_is_refused() {
    let clock = Arc::new(HandClock::default());
    clock.set(at(10, 0));
    // A port that nobody listens on.
    let nobody = TcpListener::bind(loopback()).expect("a port").local_addr().expect("an address");
    assert_eq!(code(RemotePaper::new(nobody, clock.clone()).place(call("a")).await), "NOT_CONNECTED");

    // Others that listen: one hangs up at once, one is something else, one greets and hangs up.
    let hello = "{\"hello\":\"tradeagent-paper\",\"version\":1}\n";
    for (greeting, refused) in [
        ("", true),
        ("220 mail ready\n", true),
        ("{\"hello\":\"tradeagent-paper\",\"version\":2}\n", true),
        (hello, false),
    ] {
        let listener = TcpListener::bind(loopback()).expect("a port");
        let address = listener.local_addr().expect("an address");
        let other = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client");
            socket.write_all(greeting.as_bytes()).expect("written");
            if !greeting.is_empty() {
                // Takes the request, if one comes, and is gone.
                let _ = socket.read(&mut [0; 1024]);
            }
        });
        let answer = RemotePaper::new(address, clock.clone()).place(call("a")).await;
        other.join().expect("it ended");
        match refused {
            true => assert_eq!(code(answer), "NOT_CONNECTED", "{greeting}"),
            false => assert!(matches!(answer, Err(SendError::Unclear(_))), "{answer:?}"),
        }
    }
}

#[tokio::test]
async fn a_stopped_server_refuses_and_reads_are_unavailable() {
    let (server, remote, _) = served(false);
    remote.place(call("a")).await.expect("taken");
    server.stop();
    let cancel = CancelCall { broker_id: "250603000001".into(), amo: false, symbol: None };
    assert_eq!(code(remote.cancel(cancel).await), "NOT_CONNECTED");
    let error = remote.orders().await.expect_err("gone").to_string();
    assert!(error.contains("paper-exchange"), "{error}");
}

#[tokio::test]
async fn more_clients_than_places_are_turned_away_unharmed() {
    let (server, remote, _) = served(false);
    let crowd: Vec<TcpStream> = (0..crate::CONNECTIONS_MAX)
        .map(|_| {
            let socket = TcpStream::connect(server.address()).expect("it listens");
            let mut greeting = String::new();
            BufReader::new(&socket).read_line(&mut greeting).expect("greeted");
            socket
        })
        .collect();
    assert_eq!(code(remote.place(call("one too many")).await), "NOT_CONNECTED");
    drop(crowd);
    // Places come free as their threads notice.
    while remote.place(call("room again")).await.is_err() {
        std::thread::yield_now();
    }
}
