//! The order feed.

use serde_json::{Value, json};

use super::stage::{Answer, Held, Stage, buy};
use crate::{Endpoint, Fault, FeedId, FeedOut, Kind, Reply};

fn raw(session: &Held) -> String {
    format!("{{type:cn,Authorization:{},Sid:{},src:WEB}}", session.token, session.sid)
}

fn connected(stage: &Stage, session: &Held) -> FeedId {
    let id = stage.sim.feed_open().expect("a connection");
    stage.sim.feed_text(id, &raw(session));
    assert_eq!(frames(stage, id)[0], json!({"ak": "ok", "type": "cn", "task": "cn", "msg": "connected"}));
    id
}

fn frames(stage: &Stage, id: FeedId) -> Vec<Value> {
    let out = stage.sim.feed_poll(id).into_iter();
    out.filter_map(|out| match out {
        FeedOut::Text(text) => Some(serde_json::from_str(&text).expect("JSON")),
        FeedOut::Closed(_) => None,
    })
    .collect()
}

fn is_closed(stage: &Stage, id: FeedId) -> bool {
    matches!(stage.sim.feed_poll(id).last(), Some(FeedOut::Closed(_)))
}

fn statuses(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .filter(|frame| frame["type"] == "order")
        .map(|frame| frame["data"]["ordSt"].as_str().unwrap())
        .collect()
}

#[test]
fn every_status_of_an_order_is_pushed() {
    let stage = Stage::new();
    let session = stage.login();
    let id = connected(&stage, &session);
    let before = *stage.sim.changes().borrow();
    let number = Answer::of(stage.place(&session, &buy("f", "101"))).number();
    assert!(*stage.sim.changes().borrow() > before, "whoever waits is told");
    let pushed = frames(&stage, id);
    assert_eq!(statuses(&pushed), ["put order req received", "validation pending", "open pending", "open"]);
    assert_eq!(
        (pushed[3]["data"]["nOrdNo"].as_str(), pushed[3]["data"]["prcTp"].as_str()),
        (Some(number.as_str()), Some("LMT"))
    );
    stage.pass(60);
    let pushed = frames(&stage, id);
    assert_eq!(statuses(&pushed), ["complete"]);
    let position = pushed.iter().find(|frame| frame["type"] == "position").expect("a position");
    assert_eq!(position["data"]["flBuyQty"], "4");
    // A connection that comes later is told how things stand.
    let later = connected(&stage, &session);
    assert!(frames(&stage, later).is_empty(), "all of it came with the handshake");
}

#[test]
fn the_state_is_pushed_again_after_a_new_connection() {
    let stage = Stage::new();
    let session = stage.login();
    Answer::of(stage.place(&session, &buy("f", "101"))).number();
    stage.pass(60);
    let id = stage.sim.feed_open().expect("a connection");
    stage.sim.feed_text(
        id,
        &json!({"type": "cn", "Authorization": session.token, "Sid": session.sid, "src": "WEB"}).to_string(),
    );
    let pushed = frames(&stage, id);
    assert_eq!(
        pushed.iter().map(|frame| frame["type"].as_str().unwrap()).collect::<Vec<_>>(),
        ["cn", "order", "position"]
    );
    assert_eq!(statuses(&pushed), ["complete"]);
    stage.sim.feed_text(id, "{type:hb}");
    assert!(frames(&stage, id).is_empty(), "a heartbeat is tolerated");
    stage.sim.feed_text(id, "hello");
    assert_eq!(frames(&stage, id)[0]["msg"], "invalid request format");
}

#[test]
fn a_wrong_session_is_refused() {
    let stage = Stage::new();
    let view = stage.view();
    let id = stage.sim.feed_open().expect("a connection");
    stage.sim.feed_text(id, &raw(&view));
    let out = stage.sim.feed_poll(id);
    assert_eq!(
        out[0],
        FeedOut::Text(json!({"ak": "nk", "type": "cn", "msg": "Authentication Failed"}).to_string())
    );
    assert!(matches!(out[1], FeedOut::Closed(_)));
    assert_eq!(stage.audit().feeds, 0);
}

#[test]
fn the_feed_ends_with_its_session() {
    for ends in [true, false] {
        let stage = Stage::tuned(|config| config.feed_ends_with_session = ends);
        let session = stage.login();
        let id = connected(&stage, &session);
        stage.sim.foreign_login();
        assert_eq!(is_closed(&stage, id), ends);
    }
}

#[test]
fn feeds_are_silent_cut_or_refused() {
    let stage = Stage::new();
    let session = stage.login();
    stage.fault_once(Endpoint::Feed, Kind::FeedSilent { after_s: 0 });
    let mute = stage.sim.feed_open().expect("a connection");
    stage.sim.feed_text(mute, &raw(&session));
    assert!(stage.sim.feed_poll(mute).is_empty(), "not even the handshake is answered");

    stage.sim.faults().clear();
    stage.fault(Kind::FeedSilent { after_s: 30 });
    let id = connected(&stage, &session);
    stage.pass(30);
    Answer::of(stage.place(&session, &buy("silent", "101"))).number();
    assert!(stage.sim.feed_poll(id).is_empty());

    stage.sim.faults().clear();
    stage.fault(Kind::FeedCut { after_s: 10 });
    let id = connected(&stage, &session);
    assert!(!is_closed(&stage, id));
    stage.pass(10);
    assert!(is_closed(&stage, id));

    stage.sim.faults().clear();
    stage.fault(Kind::FeedRefused);
    let id = stage.sim.feed_open().expect("a connection");
    stage.sim.feed_text(id, &raw(&session));
    assert!(is_closed(&stage, id));

    stage.sim.faults().clear();
    let id = connected(&stage, &session);
    stage.sim.cut_feeds();
    assert!(is_closed(&stage, id));
    assert!(is_closed(&stage, id), "it stays closed");
}

#[test]
fn the_raw_handshake_can_be_ignored() {
    let stage = Stage::new();
    let session = stage.login();
    stage.fault(Kind::FeedRawIgnored);
    let id = stage.sim.feed_open().expect("a connection");
    stage.sim.feed_text(id, &raw(&session));
    assert!(frames(&stage, id).is_empty());
    stage.sim.feed_text(
        id,
        &json!({"type": "cn", "Authorization": session.token, "Sid": session.sid}).to_string(),
    );
    assert_eq!(frames(&stage, id)[0]["ak"], "ok");
}

#[test]
fn an_upgrade_meets_the_faults_of_calls() {
    let stage = Stage::new();
    stage.sim.faults().add(Fault::new(Kind::Refused).on([Endpoint::Feed]).nth(1));
    assert_eq!(stage.sim.feed_open(), Err(Reply::Refuse));
    assert!(stage.sim.feed_open().is_ok());
    assert_eq!(stage.audit().calls[&Endpoint::Feed], 2);
}

#[test]
fn a_doubled_fill_is_pushed_twice() {
    let stage = Stage::new();
    let session = stage.login();
    let id = connected(&stage, &session);
    stage.fault(Kind::DuplicateFills);
    Answer::of(stage.place(&session, &buy("twice", "101"))).number();
    frames(&stage, id);
    stage.pass(60);
    assert_eq!(statuses(&frames(&stage, id)), ["complete", "complete"]);
}
