//! The sim as a client in any language meets it: bytes on a socket.

mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use kotak_neo_sim::{CONNECTIONS_MAX, Endpoint, Fault, Kind};
use serde_json::json;

use support::{Session, World, at_place, read, resting};

#[test]
fn two_steps_an_order_and_the_book() {
    let world = World::new();
    world.pass(30);
    let view = world.view();
    assert_eq!(view.json["data"]["kType"], "View");
    let trade = world.validate(&view);
    let address = format!("http://{}", world.server.address());
    assert_eq!(trade.json["data"]["baseUrl"], address.as_str(), "where the login was called");
    let session = support::session(&trade);
    let number = world.place(&session, &resting("http-1"));
    let book = world.get(&session, "/quick/user/orders");
    assert_eq!((book.json["stat"].as_str(), book.code()), (Some("Ok"), 200));
    assert_eq!(book.json["data"][0]["nOrdNo"], number.as_str());
    assert_eq!(book.json["data"][0]["GuiOrdId"], "http-1");
}

#[test]
fn the_base_url_is_the_one_the_client_knows() {
    let world = World::new();
    world.pass(30);
    let view = support::session(&world.view());
    let known = world.sim.config().credentials.clone();
    let body = json!({"mpin": known.mpin}).to_string();
    let answer = world.talk(&format!(
        "POST /login/1.0/tradeApiValidate HTTP/1.1\r\nHost: sim.example:8787\r\nAuthorization: {}\r\nAuth: {}\r\n\
         sid: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        known.consumer_key, view.token, view.sid, body.len()
    ));
    assert_eq!(read(&answer).json["data"]["baseUrl"], "http://sim.example:8787");
}

#[test]
fn the_date_is_the_sims() {
    let world = World::tuned(|config| config.skew_ms = -90_000);
    for target in ["/quick/user/orders", "/_sim/state", "/nowhere"] {
        let answer = world.call("GET", target, &[], "");
        let dates = answer.head.lines().filter(|line| line.to_ascii_lowercase().starts_with("date:")).count();
        assert_eq!(dates, 1, "{answer:?}");
        assert_eq!(
            answer.header("date"),
            Some("Wed, 13 May 2026 04:28:30 GMT"),
            "10:00 in Mumbai less the skew"
        );
    }
}

#[test]
fn every_way_to_write_a_path_and_a_header_is_read() {
    let world = World::new();
    let session = world.log_in();
    let master = world.data("/script-details/1.0/masterscrip/file-paths");
    let paths = master.json["data"]["filesPaths"].as_array().expect("paths").clone();
    let path =
        paths.iter().filter_map(|path| path.as_str()).find(|path| path.contains("nse_cm")).expect("NSE's");
    let file = path.strip_prefix(&format!("http://{}", world.server.address())).expect("served by the sim");
    let csv = world.call("GET", file, &[], "").text;
    let line = csv.lines().find(|line| line.contains("DEMOALFA-EQ")).expect("the share is listed");
    let token = line.split(',').next().expect("the first column");
    for target in [
        format!("/script-details/1.0/quotes/neosymbol/nse_cm|{token}/ltp"),
        format!("/script-details/1.0/quotes/neosymbol/nse_cm%7C{token}%2Cnse_cm%7C{token}/all"),
        format!("//script-details/1.0/quotes/neosymbol/nse_cm|{token},nse_cm|{token}"),
    ] {
        let quotes = world.data(&target);
        assert_eq!(quotes.json[0]["display_symbol"], "DEMOALFA-EQ", "{target}: {quotes:?}");
    }
    let Session { token, sid } = &session;
    for headers in [[("Auth", token.as_str()), ("Sid", sid)], [("AUTH", token.as_str()), ("sid", sid)]] {
        for target in ["/quick/user/orders", "/quick/user/orders?sId=server3", "/quick/user/orders?sId=None"]
        {
            assert_eq!(world.call("GET", target, &headers, "").code(), 5203, "{target}");
        }
    }
    for target in ["/quick/user/positions", "/portfolio/v2/positions"] {
        assert_eq!(world.get(&session, target).code(), 5203, "{target}");
    }
    assert_eq!(world.get(&session, "/apim/quick/user/orders").code(), 200_032, "a wrong base URL");
}

#[test]
fn a_connection_is_kept_and_carries_the_next_request() {
    let world = World::new();
    let mut socket = world.socket();
    for _ in 0..3 {
        let request = world.request("GET", "/_sim/state", &[("Connection", "keep-alive")], "");
        socket.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        while !text.ends_with('}') {
            let mut some = [0; 4096];
            let count = socket.read(&mut some).expect("an answer");
            assert!(count > 0, "closed after {text}");
            text.push_str(std::str::from_utf8(&some[..count]).expect("text"));
        }
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let world = World::new();
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(world.call("POST", "/quick/order/cancel", &[], &long).status, 413);
    assert_eq!(world.call("DELETE", "/quick/user/orders", &[], "").status, 405);
    assert_eq!(world.call("GET", "/", &[], "").status, 404);
    let garbage = world.talk("this is not HTTP\r\n\r\n");
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400"), "{garbage}");
    assert_eq!(world.control("state")["logins"], 0, "and goes on");
}

#[test]
fn a_dropped_connection_says_nothing_before_or_after_the_order() {
    let world = World::new();
    let session = world.log_in();
    for (after, orders) in [(false, 0), (true, 1)] {
        world.fault(at_place(Kind::Dropped { after }));
        assert!(world.try_place(&session, &resting("dropped")).is_none(), "not a byte");
        assert_eq!(world.accepted(), orders, "after: {after}");
    }
    world.fault(at_place(Kind::Refused));
    assert!(world.try_place(&session, &resting("refused")).is_none(), "closed");
    assert_eq!(world.accepted(), 1, "and nothing happened");
    assert_eq!(world.get(&session, "/quick/user/orders").json["data"][0]["GuiOrdId"], "dropped");
}

#[test]
fn a_slow_body_comes_in_pieces_and_whole() {
    let world = World::new();
    let session = world.log_in();
    world.fault(Fault::new(Kind::SlowBody { chunk_bytes: 16, every_ms: 1 }).on([Endpoint::Orders]));
    let raw = world.talk(&world.request(
        "GET",
        "/quick/user/orders",
        &[("Auth", &session.token), ("Sid", &session.sid)],
        "",
    ));
    assert!(raw.matches("\r\n10\r\n").count() >= 3, "pieces of sixteen bytes: {raw}");
    assert_eq!(read(&raw).code(), 5203);
}

#[test]
fn a_late_answer_leaves_its_order_behind_at_once() {
    let world = World::new();
    let session = world.log_in();
    world.fault(at_place(Kind::LateAnswer { ms: 3_600_000 }));
    let mut socket = world.socket();
    let body = support::form(&resting("late"));
    let headers = [("Auth", session.token.as_str()), ("Sid", &session.sid)];
    let request = world.request("POST", "/quick/order/rule/ms/place", &headers, &body);
    socket.write_all(request.as_bytes()).expect("sent");
    // Another client sees the order while the first one waits.
    let seen =
        (0..10_000).any(|_| world.get(&session, "/quick/user/orders").json["data"][0]["GuiOrdId"] == "late");
    assert!(seen);
    socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a deadline");
    let nothing = socket.read(&mut [0; 1]).expect_err("no byte yet").kind();
    assert!(matches!(nothing, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{nothing:?}");
}

#[test]
fn one_client_too_many_waits_for_a_place() {
    let world = World::new();
    let mut others: Vec<TcpStream> = (0..CONNECTIONS_MAX).map(|_| world.socket()).collect();
    let request = world.request("GET", "/_sim/state", &[("Connection", "keep-alive")], "");
    for other in &mut others {
        other.write_all(request.as_bytes()).expect("sent");
        assert!(other.read(&mut [0; 4096]).expect("an answer") > 0);
    }
    let mut late = world.socket();
    late.write_all(world.request("GET", "/_sim/state", &[], "").as_bytes()).expect("sent");
    late.set_read_timeout(Some(Duration::from_millis(20))).expect("a deadline");
    assert!(late.read(&mut [0; 1]).is_err(), "no place yet");
    drop(others.pop());
    late.set_read_timeout(Some(support::PATIENCE)).expect("a deadline");
    assert!(late.read(&mut [0; 1]).expect("its turn") > 0);
}

#[test]
fn a_server_that_was_stopped_is_gone() {
    let world = World::new();
    let mut kept: Vec<TcpStream> = (0..CONNECTIONS_MAX).map(|_| world.socket()).collect();
    let request = world.request("GET", "/_sim/state", &[("Connection", "keep-alive")], "");
    for socket in &mut kept {
        socket.write_all(request.as_bytes()).expect("sent");
        assert!(socket.read(&mut [0; 4096]).expect("an answer") > 0);
    }
    let address = world.server.address();
    world.server.stop();
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
    let mut rest = Vec::new();
    // Reset or closed.
    let ended = kept[0].read_to_end(&mut rest);
    assert!(ended.is_err() || rest.len() < 4096, "open connections are closed");
}
