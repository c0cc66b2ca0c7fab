//! The control routes: what a test in any language sets and asks.

mod support;

use std::sync::Arc;
use std::time::Duration;

use kotak_neo_sim::{Endpoint, Kind};
use serde_json::json;

use support::{World, market, resting};

#[test]
fn the_state_counts_what_happened() {
    let world = World::new();
    let session = world.log_in();
    let open = world.place(&session, &resting("open"));
    world.place(&session, &market("filled"));
    world.pass(300);
    world.get(&session, "/quick/user/orders");
    let state = world.control("state");
    assert_eq!((&state["logins"], &state["orders"], &state["refused"]), (&json!(1), &json!(2), &json!(0)));
    assert_eq!(state["calls"], json!({"login": 1, "validate": 1, "place": 2, "orders": 1}));
    assert_eq!(state["sessions"][0]["calls"], 3);
    assert_eq!(state["now"], "2026-05-13T10:05:30+05:30");
    assert!(state["trades"].as_u64() > Some(0), "{state}");
    let audit = world.control("audit");
    assert_eq!(audit["accepted"]["open"], json!([open]));
    assert_eq!(audit["book"]["orders"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_fault_is_set_seen_and_taken_away() {
    let world = World::new();
    let session = world.log_in();
    let one = world.command("faults", &json!({"kind": "rate-limited", "on": ["orders"], "times": 2}));
    let id = one.json["ids"][0].clone();
    assert_eq!(world.get(&session, "/quick/user/orders").status, 429);
    let faults = world.control("faults");
    assert_eq!((&faults["faults"][0]["id"], &faults["faults"][0]["fired"]), (&id, &json!(1)));
    assert_eq!(faults["faults"][0]["kind"], "rate-limited");
    assert_eq!(world.command("remove", &json!({"id": id})).json, json!({"removed": true}));
    assert_eq!(world.command("remove", &json!({"id": id})).json, json!({"removed": false}));
    assert_eq!(world.get(&session, "/quick/user/orders").status, 200);

    let many =
        json!({"fault": [{"kind": "dropped", "after": true, "on": ["place"]}, {"kind": "empty-body"}]});
    assert_eq!(world.command("faults", &many).json["ids"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.command("clear", &json!({})).json["faults"], json!([]));
    assert_eq!(world.control("state")["faults_fired"], 1, "what they did stays told");
}

#[test]
fn what_cannot_be_done_is_said() {
    let world = World::new();
    for (what, body, wrong) in [
        ("faults", r#"{"kind": "earthquake"}"#, "not a fault"),
        ("faults", "not JSON", "not a fault"),
        ("remove", "{}", "id"),
        ("one-session", r#"{"on": 1}"#, "true"),
        ("clock", r#"{"advance_s": -1}"#, "advance_s"),
        ("clock", r#"{"advance_s": 999999999}"#, "at most"),
        ("clock", r#"{"advance_s": 1}"#, "somebody else"),
    ] {
        let answer = world.call("POST", &format!("/_sim/{what}"), &[], body);
        assert_eq!(answer.status, 400, "{what} {body}");
        assert!(answer.json["error"].as_str().is_some_and(|why| why.contains(wrong)), "{answer:?}");
    }
    assert_eq!(world.call("GET", "/_sim/nothing", &[], "").status, 404);
    assert_eq!(world.call("POST", "/_sim/audit", &[], "").status, 404);
    assert!(world.sim.faults().state().is_empty());
}

#[test]
fn the_clock_is_moved_and_what_is_due_has_happened() {
    let world = World::new();
    let moved = Arc::clone(&world.clock);
    world.sim.moves_time_by(move |by: Duration| {
        use model::Clock as _;
        moved.tell(moved.now().plus_nanos(i64::try_from(by.as_nanos()).expect("short")));
    });
    let session = world.log_in();
    world.place(&session, &market("filled"));
    let state = world.command("clock", &json!({"advance_s": 300})).json;
    assert_eq!(state["now"], "2026-05-13T10:05:30+05:30");
    assert!(state["trades"].as_u64() > Some(0), "{state}");
}

#[test]
fn another_program_logs_in_and_the_rule_can_be_lifted() {
    let world = World::new();
    let session = world.log_in();
    let state = world.command("foreign-login", &json!({})).json;
    assert_eq!(state["sessions"][0]["ended"][1], "foreign-login");
    assert_eq!(world.get(&session, "/quick/user/orders").code(), 100_022);
    assert_eq!(world.command("one-session", &json!({"on": false})).json["one_session"], false);
    let (one, two) = (world.log_in(), world.log_in());
    for session in [&one, &two] {
        assert_eq!(world.get(session, "/quick/user/orders").code(), 5203, "it lives");
    }
    world.command("one-session", &json!({"on": true}));
    let three = world.log_in();
    let codes = [&one, &two, &three].map(|session| world.get(session, "/quick/user/orders").code());
    assert_eq!(codes, [100_022, 100_022, 5203]);
}

#[test]
fn a_code_is_given_to_who_asks() {
    let world = World::tuned(|config| config.skew_ms = 45_000);
    let answer = world.control("totp");
    let known = world.sim.config().credentials.clone();
    let body = json!({"mobileNumber": known.mobile, "ucc": known.ucc, "totp": answer["totp"]}).to_string();
    let view =
        world.call("POST", "/login/1.0/tradeApiLogin", &[("Authorization", &known.consumer_key)], &body);
    assert_eq!(view.json["data"]["kType"], "View", "by the server's own clock: {view:?}");
    assert_eq!(answer["seconds_left"], 15);
}

#[test]
fn faults_leave_the_control_routes_alone() {
    let world = World::new();
    let session = world.log_in();
    world.command("faults", &json!({"kind": "dropped"}));
    assert!(world.try_call("GET", "/quick/user/orders", &[("Auth", &session.token)], "").is_none());
    assert_eq!(world.control("state")["faults_fired"], 1);
    assert_eq!(world.sim.audit().calls_of(&[Endpoint::Orders]), 1);
    assert!(matches!(world.sim.faults().state()[0].fault.kind, Kind::Dropped { after: false }));
}
