//! Logins that fail.

use broker::session::{Generation, KeeperConfig, KeeperState, NoSession, SessionEvent};
use model::Clock;

use crate::world::{Say, World, at};

#[test]
fn step_two_is_asked_again_on_the_same_answer_of_step_one() {
    let world = World::new();
    world.validates_say(&[Say::Down, Say::Down]);
    let session = world.renew(Generation::NONE).expect("a session");
    assert_eq!((world.script.count("view"), world.script.count("validate")), (1, 3));
    assert_eq!(session.opened, at(10, 0).plus_seconds(3), "after one second, then two");
}

#[test]
fn a_login_without_an_outcome_is_followed_by_a_whole_new_one() {
    let world = World::new();
    world.validates_say(&[Say::Down, Say::Down, Say::Down]);
    assert_eq!(world.open(Generation::NONE).get(), 1);
    assert_eq!((world.script.count("view"), world.script.count("validate")), (2, 4));
    let events = world.news();
    let failed = SessionEvent::LoginFailed {
        text: "login step two: 503".to_owned(),
        until: Some(at(10, 0).plus_seconds(8)),
    };
    assert_eq!(events[0], failed);
    assert_eq!(world.keeper.status().last_error, None, "all is well again");
}

#[test]
fn a_step_that_is_never_answered_ends_in_its_time_and_so_does_the_login() {
    let world = World::new();
    world.views_say(&[Say::Nothing]);
    world.validates_say(&[Say::Nothing, Say::Nothing, Say::Nothing]);
    let refused = world.renew(Generation::NONE).expect_err("nothing");
    assert!(refused.to_string().contains("login step two: no answer"), "{refused}");
    assert_eq!(world.script.count("view"), 2);
    // 15 s for step one, 5 s of patience and the next half minute; then three times 15 s, 1 s and 2 s apart.
    assert_eq!(world.clock.now(), at(10, 0).plus_seconds(30 + 48));
}

#[test]
fn a_whole_login_is_bounded() {
    let config = KeeperConfig { validate_attempts: 100, attempts_per_renewal: 1, ..KeeperConfig::default() };
    let world = World::with(at(10, 0), config);
    world.validates_say(&[Say::Nothing; 100]);
    assert!(world.renew(Generation::NONE).is_err());
    assert!(world.clock.now() <= at(10, 1));
    assert!(world.script.count("validate") < 6);
}

#[test]
fn failed_logins_are_made_less_and_less_often() {
    let world = World::new();
    world.views_say(&[Say::Down; 100]);
    let mut waits = Vec::new();
    for _ in 0..5 {
        let no = world.renew(Generation::NONE).expect_err("down");
        let NoSession::Unavailable { until, .. } = no else { panic!("{no}") };
        let views = world.script.count("view");
        assert_eq!(world.renew(Generation::NONE).expect_err("at once"), no);
        assert_eq!(world.script.count("view"), views, "no login before its time");
        waits.push(until.nanos_since(world.clock.now()) / 1_000_000_000);
        world.go_to(until);
    }
    assert_eq!(waits, [10, 40, 160, 300, 300]);
    let status = world.keeper.status();
    assert_eq!((status.state, status.attempts, status.renewals), (KeeperState::Failed, 10, 0));
    assert!(status.sentence().expect("a reason").contains("503"), "{status:?}");
}

#[test]
fn wrong_credentials_stop_until_the_operator_acts() {
    for at_step_two in [false, true] {
        let world = World::new();
        if at_step_two {
            world.validates_say(&[Say::WrongCredentials]);
        } else {
            world.views_say(&[Say::WrongCredentials]);
        }
        let refused = world.renew(Generation::NONE).expect_err("refused");
        assert!(matches!(&refused, NoSession::WrongCredentials { text } if text.contains("Invalid MPIN")));
        world.pass(20 * 3600);
        world.tend();
        assert_eq!(world.renew(Generation::NONE).expect_err("still"), refused);
        assert_eq!(world.script.count("view"), 1);
        assert_eq!(world.keeper.status().state, KeeperState::WrongCredentials);
        world.go_to(at(12, 0).plus_minutes(24 * 60));
        world.keeper.operator_cleared();
        world.keeper.operator_cleared();
        assert_eq!(world.open(Generation::NONE).get(), 1);
        let cleared = world.news().into_iter().filter(|event| *event == SessionEvent::Cleared).count();
        assert_eq!(cleared, 1);
    }
}

#[test]
fn a_refused_code_is_followed_by_that_of_the_next_half_minute() {
    let world = World::new();
    world.views_say(&[Say::WrongCode]);
    assert_eq!(world.renew(Generation::NONE).expect("a session").opened, at(10, 0).plus_seconds(30));
}

#[test]
fn the_status_can_be_written_as_json() {
    let world = World::new();
    world.open(Generation::NONE);
    let json = serde_json::to_value(world.keeper.status()).expect("JSON");
    assert_eq!(
        (&json["state"], &json["generation"], &json["renewals"]),
        (&"open".into(), &1.into(), &1.into())
    );
    assert!(json["reason"].is_null());
}
