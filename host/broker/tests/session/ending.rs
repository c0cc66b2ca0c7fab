//! Shutdown.

use std::sync::atomic::Ordering;

use broker::session::{Generation, KeeperState, NoSession, SessionEvent};
use model::Clock;

use crate::world::{Say, World, at, lock};

#[test]
fn the_end_logs_out_and_nobody_logs_in_afterwards() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.news();
    assert!(world.end().load(Ordering::SeqCst));
    assert_eq!((world.script.count("logout"), world.alive()), (1, 0));
    assert!(world.keeper.current().is_none());
    for seen in [first, Generation::NONE] {
        assert_eq!(world.renew(seen).expect_err("ended"), NoSession::Ended);
    }
    world.tend();
    assert_eq!(world.script.count("view"), 1);
    assert_eq!(world.keeper.status().state, KeeperState::Ended);
    assert!(world.end().load(Ordering::SeqCst), "once more does no harm");
    assert_eq!(world.script.count("logout"), 1);
    assert_eq!(world.news(), [SessionEvent::Ended]);
}

#[test]
fn the_end_waits_for_a_login_half_done_and_logs_its_session_out() {
    let world = World::new();
    *lock(&world.script.hold) = true;
    let asked = world.ask(Generation::NONE);
    let done = world.end();
    assert!(!done.load(Ordering::SeqCst));
    world.script.release();
    world.executor.settle();
    assert!(done.load(Ordering::SeqCst));
    assert_eq!(asked.outcome().expect("ended").expect_err("no session"), NoSession::Ended);
    assert_eq!((world.script.count("logout"), world.alive()), (1, 0));
    assert!(world.keeper.current().is_none());
}

#[test]
fn the_end_does_not_wait_for_a_time() {
    let world = World::new();
    world.views_say(&[Say::Down; 10]);
    let asked = world.ask(Generation::NONE);
    assert!(asked.outcome().is_none(), "it waits before the next login");
    assert!(world.end().load(Ordering::SeqCst));
    assert_eq!(asked.outcome().expect("ended").expect_err("no session"), NoSession::Ended);
    assert_eq!((world.clock.now(), world.script.count("view")), (at(10, 0), 1));
}

#[test]
fn the_end_is_bounded_when_the_logout_hangs() {
    let world = World::new();
    world.open(Generation::NONE);
    *lock(&world.script.logout_hangs) = true;
    let done = world.end();
    world.go_to(at(10, 0).plus_seconds(3));
    assert!(done.load(Ordering::SeqCst));
    assert_eq!(world.alive(), 0);
}

#[test]
fn the_end_does_not_wait_for_step_one() {
    let world = World::new();
    world.views_say(&[Say::Nothing]);
    let asked = world.ask(Generation::NONE);
    assert!(world.end().load(Ordering::SeqCst), "no session can come of it");
    assert_eq!(asked.outcome().expect("ended").expect_err("no session"), NoSession::Ended);
    assert_eq!((world.script.count("view"), world.script.count("validate")), (1, 0));
}
