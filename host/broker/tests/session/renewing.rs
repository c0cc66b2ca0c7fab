//! Who gets which session.

use broker::session::{Generation, KeeperState, SessionEvent};

use model::Clock;

use crate::world::{Say, World, lock};

#[test]
fn the_first_call_logs_in_and_the_session_is_there_for_all() {
    let world = World::new();
    assert!(world.keeper.current().is_none());
    assert_eq!(world.keeper.status().state, KeeperState::Idle);
    let session = world.renew(Generation::NONE).expect("a session");
    assert_eq!(session.generation.get(), 1);
    assert_eq!(world.keeper.current().expect("there").generation, session.generation);
    assert_eq!(world.script.count("view"), 1);
    let status = world.keeper.status();
    assert_eq!((status.state, status.renewals, status.sentence()), (KeeperState::Open, 1, None));
    assert_eq!(status.opened, Some(session.opened));
    let opened = SessionEvent::Opened { generation: session.generation, skew_ms: None, probe: false };
    assert_eq!(world.news(), [opened]);
}

#[test]
fn a_late_report_of_an_older_generation_is_answered_with_what_there_is() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(3600);
    let second = world.open(first);
    for seen in [Generation::NONE, first] {
        let asked = world.ask(seen);
        assert_eq!(asked.outcome().expect("at once").expect("a session").generation, second);
    }
    assert_eq!(world.script.count("view"), 2);
}

#[test]
fn all_who_see_the_expiry_share_one_login_and_one_result() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(3600);
    *lock(&world.script.hold) = true;
    let asked: Vec<_> = (0..50).map(|_| world.ask(first)).collect();
    assert!(asked.iter().all(|asked| asked.outcome().is_none()));
    world.script.release();
    let sessions: Vec<_> = asked.iter().map(|asked| world.finish(asked).expect("a session")).collect();
    assert!(sessions.iter().all(|session| session.generation.get() == 2));
    assert!(sessions.iter().all(|session| session.client.number == 2));
    assert_eq!(world.script.count("view"), 2);
}

#[test]
fn all_share_one_failure_too() {
    let world = World::new();
    world.validates_say(&[Say::WrongCredentials]);
    *lock(&world.script.hold) = true;
    let asked = [world.ask(Generation::NONE), world.ask(Generation::NONE)];
    world.script.release();
    let refused = asked.map(|asked| world.finish(&asked).expect_err("refused"));
    assert_eq!(refused[0], refused[1]);
    assert_eq!(world.script.count("view"), 1);
}

#[test]
fn a_caller_that_goes_away_changes_nothing() {
    let world = World::new();
    *lock(&world.script.hold) = true;
    let (starter, other) = (world.ask(Generation::NONE), world.ask(Generation::NONE));
    starter.cancel();
    world.executor.settle();
    world.script.release();
    assert_eq!(world.finish(&other).expect("a session").generation.get(), 1);
    assert!(starter.outcome().is_none());
    assert_eq!(world.script.count("validate"), 1);
}

#[test]
fn a_login_goes_on_when_every_caller_goes_away() {
    let world = World::new();
    *lock(&world.script.hold) = true;
    world.ask(Generation::NONE).cancel();
    world.executor.settle();
    world.script.release();
    world.executor.settle();
    assert_eq!(world.keeper.current().expect("opened for the next").generation.get(), 1);
}

#[test]
fn the_old_client_is_out_of_sight_logged_out_and_dropped_before_the_new_login() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    assert_eq!(world.alive(), 1);
    world.pass(3600);
    *lock(&world.script.hold) = true;
    let asked = world.ask(first);
    assert!(world.keeper.current().is_none(), "nobody picks up the old client");
    assert_eq!(world.alive(), 0, "the old client is gone with its connections");
    let calls = lock(&world.script.calls).clone();
    assert_eq!(calls[2], "logout 1");
    assert!(calls[3].starts_with("view"), "{calls:?}");
    world.script.release();
    let session = world.finish(&asked).expect("a session");
    assert_eq!((session.client.number, world.alive()), (2, 1));
}

#[test]
fn a_logout_that_hangs_holds_nobody_up() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(3600);
    *lock(&world.script.logout_hangs) = true;
    let began = world.clock.now();
    let session = world.renew(first).expect("a session");
    assert_eq!(session.opened, began.plus_seconds(3));
    assert_eq!(world.alive(), 1, "the old client was dropped all the same");
}

#[test]
fn a_login_task_that_is_dropped_ends_for_its_callers_and_another_may_follow() {
    let world = World::new();
    *lock(&world.script.hold) = true;
    let asked = world.ask(Generation::NONE);
    assert!(asked.outcome().is_none());
    // A runtime that goes down drops its tasks.
    world.executor.drop_last();
    world.executor.settle();
    let refused = asked.outcome().expect("ended").expect_err("no session").to_string();
    assert!(refused.contains("broken off"), "{refused}");
    world.script.release();
    world.pass(60);
    assert_eq!(world.open(Generation::NONE).get(), 1);
    assert_eq!(world.script.count("view"), 2);
}
