//! Midnight, the daily hour, and what a day may have.

use broker::session::{Generation, KeeperConfig, KeeperState, NoSession, SessionEvent};
use model::{Clock, Timestamp};

use crate::world::{Say, World, at, day, lock};

fn tomorrow(hour: u32, minute: u32) -> Timestamp {
    Timestamp::at_ist(day().succ_opt().expect("a date"), hour, minute)
}

#[test]
fn midnight_is_expected_and_nobody_logs_in_before_the_daily_hour() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.go_to(tomorrow(0, 0).plus_seconds(1));
    world.news();
    let early = world.renew(first).expect_err("night");
    assert_eq!(early, NoSession::TooEarly { until: tomorrow(8, 0) });
    assert!(matches!(world.news()[..], [SessionEvent::Expired { expected: true, .. }]));
    assert!(world.keeper.current().is_none());
    assert_eq!(world.script.count("logout"), 1, "let go of all the same");
    let status = world.keeper.status();
    assert_eq!(status.state, KeeperState::Resting);
    assert!(status.sentence().expect("a reason").contains("2025-03-05T08:00:00"), "{status:?}");
    world.go_to(tomorrow(8, 0).plus_nanos(-1));
    assert!(world.renew(first).is_err());
    world.go_to(tomorrow(8, 0));
    assert_eq!(world.open(first).get(), 2);
}

#[test]
fn a_task_that_is_due_may_log_in_at_night_while_its_guard_lives() {
    let world = World::with(at(3, 0), KeeperConfig::default());
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::TooEarly { .. })));
    let (one, other) = (world.keeper.due(), world.keeper.due());
    drop(one);
    let first = world.open(Generation::NONE);
    drop(other);
    world.pass(3600);
    assert!(matches!(world.renew(first), Err(NoSession::TooEarly { .. })));
    assert_eq!(world.script.count("view"), 1);
}

/// Opened minutes before midnight, dead at midnight: early by the clock, and no contest.
#[test]
fn sessions_that_die_at_midnight_are_never_counted() {
    let world = World::with(at(23, 57), KeeperConfig::default());
    let _due = world.keeper.due();
    let first = world.open(Generation::NONE);
    world.pass(13);
    let second = world.open(first);
    world.go_to(tomorrow(0, 0).plus_seconds(1));
    let third = world.renew(second).expect("no contest: the first died early, the second at midnight");
    world.go_to(third.opened.plus_seconds(13));
    assert_eq!(world.open(third.generation).get(), 4);
}

#[test]
fn a_day_has_ten_logins_and_the_next_day_its_own() {
    let world = World::new();
    let mut seen = Generation::NONE;
    for _ in 0..10 {
        seen = world.open(seen);
        world.pass(30 * 60);
    }
    let spent = world.renew(seen).expect_err("spent");
    assert_eq!(spent, NoSession::Budget { limit: 10, until: tomorrow(8, 0) });
    assert_eq!(world.keeper.status().state, KeeperState::BudgetSpent);
    assert_eq!(world.script.count("view"), 10);
    world.go_to(tomorrow(8, 0));
    world.open(seen);
    assert_eq!(world.keeper.status().renewals, 1);
}

#[test]
fn logins_whose_step_two_failed_count_and_those_nobody_answered_have_their_own_bound() {
    let config = KeeperConfig { logins_per_day: 3, attempts_per_day: 8, ..KeeperConfig::default() };
    let world = World::with(at(10, 0), config.clone());
    world.validates_say(&[Say::Down; 100]);
    let mut last = Ok(());
    for _ in 0..10 {
        last = world.renew(Generation::NONE).map(drop);
        world.pass(10 * 60);
    }
    assert!(matches!(last, Err(NoSession::Budget { limit: 3, .. })), "{last:?}");
    assert_eq!(world.script.count("view"), 3);

    let world = World::with(at(10, 0), config);
    world.views_say(&[Say::Down; 100]);
    for _ in 0..10 {
        last = world.renew(Generation::NONE).map(drop);
        world.pass(10 * 60);
    }
    assert!(matches!(last, Err(NoSession::Budget { limit: 8, .. })), "{last:?}");
    assert_eq!(world.script.count("view"), 8);
    assert_eq!(world.keeper.status().renewals, 0);
}

/// The wait for a fresh code must not carry a login into the night.
#[test]
fn a_login_that_waits_past_midnight_is_not_made() {
    let world = World::with(at(23, 59).plus_seconds(29), KeeperConfig::default());
    let first = world.open(Generation::NONE);
    assert_eq!(world.keeper.current().expect("a session").opened, at(23, 59).plus_seconds(30));
    world.pass(20);
    let late = world.renew(first).expect_err("midnight passed while it waited");
    assert!(matches!(late, NoSession::TooEarly { .. }), "{late}");
    assert_eq!(world.clock.now(), tomorrow(0, 0));
    assert_eq!(lock(&world.script.calls).iter().filter(|call| call.starts_with("view")).count(), 1);
}
