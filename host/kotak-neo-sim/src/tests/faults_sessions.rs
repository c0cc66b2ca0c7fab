//! Faults of logins and sessions.

use serde_json::Value;

use super::stage::{Answer, Stage};
use crate::{Ended, Endpoint, Fault, Kind};

#[test]
fn a_token_dies_seconds_after_the_login() {
    let stage = Stage::new();
    stage.fault(Kind::TokenDies { after_s: 13 });
    let session = stage.login();
    stage.pass(12);
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203);
    stage.pass(1);
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 100_022);
    assert_eq!(stage.audit().sessions[0].ended.map(|(_, why)| why), Some(Ended::Fault));
}

#[test]
fn another_program_logs_in_again_and_again_until_it_is_stopped() {
    let stage = Stage::new();
    stage.fault(Kind::ForeignLogin { after_s: 13 });
    for _ in 0..3 {
        let session = stage.login();
        stage.pass(12);
        assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203);
        stage.pass(1);
        assert_eq!(stage.get(&session, "/quick/user/orders").code(), 100_022);
    }
    let audit = stage.audit();
    assert_eq!((audit.logins, audit.sessions.len()), (3, 6));
    assert_eq!(audit.sessions.iter().filter(|facts| facts.foreign).count(), 3);
    assert_eq!(audit.sessions[0].ended.map(|(_, why)| why), Some(Ended::ForeignLogin));
    stage.sim.faults().clear();
    let session = stage.login();
    stage.pass(3600);
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203);
}

#[test]
fn a_foreign_login_at_once_ends_the_session_under_the_call() {
    let stage = Stage::new();
    let session = stage.login();
    stage.fault_once(Endpoint::Orders, Kind::ForeignLogin { after_s: 0 });
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 100_022);

    let session = stage.login();
    stage.sim.foreign_login();
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 100_022);

    // At a login it comes right after: the session is dead before its first call.
    stage.sim.faults().clear();
    stage.fault(Kind::ForeignLogin { after_s: 0 });
    let session = stage.login();
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 100_022);
}

#[test]
fn a_foreign_login_harms_nobody_without_the_rule_of_one_session() {
    let stage = Stage::tuned(|config| config.one_session = false);
    let session = stage.login();
    stage.sim.foreign_login();
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203);
}

#[test]
fn a_second_step_without_data_opens_no_session() {
    for (kind, data) in [(Kind::NoData, None), (Kind::DataNull, Some(Value::Null))] {
        let stage = Stage::new();
        stage.fault(kind.clone());
        let view = stage.view();
        let answer = Answer::of(stage.step_two(&view, "123456"));
        assert_eq!((answer.status, answer.json.get("data").cloned()), (200, data), "{kind:?}");
        assert_eq!((stage.audit().logins, stage.audit().sessions.len()), (0, 0));
    }
}

#[test]
fn right_credentials_are_refused() {
    let stage = Stage::new();
    stage.fault(Kind::WrongTotp);
    let answer = Answer::of(stage.step_one(&stage.code()));
    assert_eq!((answer.status, answer.json["message"].as_str()), (401, Some("Invalid credentials or TOTP.")));
    assert_eq!(stage.audit().codes, 0);
    stage.sim.faults().clear();
    stage.fault(Kind::WrongMpin);
    let view = stage.view();
    let answer = Answer::of(stage.step_two(&view, "123456"));
    assert_eq!(
        (answer.status, answer.code(), answer.json["errMsg"].as_str()),
        (200, 401, Some("Invalid MPIN"))
    );
    assert_eq!(stage.audit().logins, 0);
}

#[test]
fn a_login_whose_answer_is_lost_has_ended_the_session_before_it() {
    for after in [false, true] {
        let stage = Stage::new();
        let first = stage.login();
        let view = stage.view();
        stage.sim.faults().add(Fault::new(Kind::Dropped { after }).on([Endpoint::Validate]).nth(1));
        assert_eq!(stage.step_two(&view, "123456"), crate::Reply::Drop);
        let code = stage.get(&first, "/quick/user/orders").code();
        assert_eq!(code, if after { 100_022 } else { 5203 });
        assert_eq!(stage.audit().logins, if after { 2 } else { 1 });
    }
}
