//! Logging in.

use serde_json::json;

use super::stage::{Answer, Held, Stage};
use crate::{Ended, TOTP_STEP_S};

#[test]
fn both_steps_are_answered_in_full() {
    let stage = Stage::new();
    let one = Answer::of(stage.step_one(&stage.code()));
    assert_eq!(one.status, 200);
    let data = &one.json["data"];
    assert_eq!(data["kType"], "View");
    assert!(data.get("baseUrl").is_none(), "not in step one");
    let view =
        Held { token: data["token"].as_str().unwrap().into(), sid: data["sid"].as_str().unwrap().into() };
    assert_eq!(view.token.split('.').count(), 3);
    let two = Answer::of(stage.step_two(&view, "123456"));
    let data = &two.json["data"];
    assert_eq!(
        (data["kType"].as_str(), data["baseUrl"].as_str()),
        (Some("Trade"), Some("http://sim.invalid"))
    );
    assert_ne!(data["token"], view.token.as_str());
    assert_ne!(data["sid"], view.sid.as_str());
    assert_eq!((data["dataCenter"].as_str(), data["hsServerId"].as_str()), (Some(""), Some("")));
    assert_eq!(stage.audit().logins, 1);
}

#[test]
fn a_code_is_taken_once_and_one_step_beside_the_clock() {
    let stage = Stage::new();
    let code = stage.code();
    assert_eq!(Answer::of(stage.step_one(&code)).status, 200);
    let again = Answer::of(stage.step_one(&code));
    assert_eq!((again.status, again.json["errorCode"].as_str()), (401, Some("401")));
    stage.pass(TOTP_STEP_S);
    let next = stage.code();
    stage.pass(TOTP_STEP_S);
    assert_eq!(Answer::of(stage.step_one(&next)).status, 200, "one step old");
    let late = stage.code();
    stage.pass(2 * TOTP_STEP_S);
    assert_eq!(Answer::of(stage.step_one(&late)).status, 401, "two steps old");
    assert_eq!(Answer::of(stage.step_one("12345x")).status, 401);
    assert_eq!(stage.audit().codes, 2);
}

#[test]
fn every_other_field_is_checked() {
    let stage = Stage::new();
    let known = stage.sim.config().credentials.clone();
    let (key, target) = (stage.key(), "/login/1.0/tradeApiLogin");
    let post = |key: &str, body: &str| Answer::of(stage.raw(true, target, &[("authorization", key)], body));
    let body = json!({"mobileNumber": known.mobile, "ucc": known.ucc, "totp": stage.code()});
    assert_eq!(post("wrong", &body.to_string()).json["code"], "900901");
    assert_eq!(post(&key, "{").json["stCode"], 1007);
    let missing = json!({"mobileNumber": known.mobile, "ucc": known.ucc});
    assert_eq!(post(&key, &missing.to_string()).json["error"][0]["message"], "Missing required field 'Totp'");
    let other = json!({"mobileNumber": "9999999999", "ucc": known.ucc, "totp": stage.code()});
    assert_eq!(post(&key, &other.to_string()).status, 401, "the country code is needed");
    assert_eq!(post(&key, &body.to_string()).status, 200, "none of it used the code up");

    let view = stage.view();
    let wrong = Answer::of(stage.step_two(&view, "654321"));
    assert_eq!((wrong.status, wrong.code(), wrong.json["status"].as_str()), (200, 401, Some("failure")));
    let stranger = Held { token: view.token.clone(), sid: "other".to_owned() };
    assert_eq!(Answer::of(stage.step_two(&stranger, "123456")).status, 401);
    assert_eq!(stage.audit().logins, 0);
}

#[test]
fn a_login_ends_the_sessions_before_it_unless_told_otherwise() {
    let stage = Stage::new();
    let first = stage.login();
    let second = stage.login();
    assert_eq!(stage.get(&first, "/quick/user/orders").code(), 100_022);
    assert_eq!(stage.get(&second, "/quick/user/orders").code(), 5203);
    let audit = stage.audit();
    assert_eq!(audit.sessions[0].ended.map(|(_, why)| why), Some(Ended::Login));
    assert_eq!((audit.sessions[0].calls_after_end, audit.calls_after_end()), (1, 1));
    stage.sim.set_one_session(false);
    let third = stage.login();
    for session in [&second, &third] {
        assert_eq!(stage.get(session, "/quick/user/orders").code(), 5203);
    }
}

#[test]
fn a_session_ends_at_midnight_and_by_logout() {
    let stage = Stage::new();
    let session = stage.login();
    stage.pass(13 * 3600);
    assert_eq!(stage.get(&session, "/quick/user/limits").status, 404, "limits are posted");
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203, "23:00");
    stage.pass(3600);
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 100_022, "00:00");
    assert_eq!(stage.audit().sessions[0].ended.map(|(_, why)| why), Some(Ended::Midnight));

    let session = stage.login();
    let out = Answer::of(stage.ask(&session, true, "/login/1.0/logout", &json!({})));
    assert_eq!(out.code(), 200);
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 100_022);
    assert_eq!(stage.audit().sessions[1].ended.map(|(_, why)| why), Some(Ended::Logout));
}

#[test]
fn a_view_token_is_the_wrong_kind() {
    let stage = Stage::new();
    let view = stage.view();
    let answer = stage.get(&view, "/quick/user/orders");
    assert_eq!((answer.code(), answer.json["errMsg"].as_str()), (100_021, Some("invalid  access type")));
}

#[test]
fn answers_are_dated_by_the_skewed_clock() {
    let stage = Stage::tuned(|config| config.skew_ms = -2_000);
    let answer = Answer::of(stage.raw(false, "/nowhere", &[], ""));
    assert_eq!((answer.status, answer.code()), (404, 200_032));
    let date = answer.headers.iter().find(|(name, _)| name == "date").map(|(_, value)| value.as_str());
    assert_eq!(date, Some("Tue, 03 Jun 2025 04:29:58 GMT"));
}

#[test]
fn the_strict_mode_wants_what_the_documents_want() {
    let stage = Stage::tuned(|config| config.strict = true);
    let answer = Answer::of(stage.step_one(&stage.code()));
    assert_eq!((answer.status, answer.json["error"][0]["code"].as_str()), (400, Some("400")));
}

#[test]
fn the_own_address_is_told() {
    let stage = Stage::new();
    let session = stage.login();
    let answer = stage.get(&session, "/login/1.0/get-client-ip");
    assert_eq!((answer.code(), answer.json["status"].as_str()), (1000, Some("success")));
    assert_eq!(answer.json["data"][0]["ip"], "127.0.0.1");
}
