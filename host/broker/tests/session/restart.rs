//! The host dies at any moment and is started anew: what was decided holds.

use std::sync::atomic::Ordering;

use broker::session::{Generation, KeeperConfig, KeeperState, NoSession, Record, SessionEvent};

use super::world::{Say, World, at, lock};

#[test]
fn a_code_is_not_sent_again_by_the_next_process() {
    let world = World::new();
    world.open(Generation::NONE);
    let world = world.restarted();
    world.open(Generation::NONE);
    let world = world.restarted();
    world.open(Generation::NONE);
    let codes = world.script.codes();
    assert_eq!(codes.len(), 3);
    assert!(codes[0] != codes[1] && codes[1] != codes[2] && codes[0] != codes[2], "{codes:?}");
}

#[test]
fn a_code_counts_as_sent_when_the_host_dies_before_its_answer() {
    let world = World::new();
    world.views_say(&[Say::Nothing]);
    let asked = world.ask(Generation::NONE);
    assert!(asked.outcome().is_none(), "step one is under way");
    let world = world.restarted();
    assert_eq!(world.keeper.status().attempts, 1);
    world.open(Generation::NONE);
    let codes = world.script.codes();
    assert_eq!(codes.len(), 2);
    assert_ne!(codes[0], codes[1]);
}

/// The incident with a service manager that starts the host again each time it dies.
#[test]
fn a_contest_takes_three_logins_however_often_the_host_dies() {
    let mut world = World::new();
    for round in 0..40 {
        match world.renew(Generation::NONE) {
            Ok(session) => {
                world.pass(13);
                // The session is dead, and this host sees it; now and then it dies right after.
                drop(world.ask(session.generation));
            }
            Err(error) => assert!(matches!(error, NoSession::Contested { .. }), "round {round}: {error}"),
        }
        world = world.restarted();
        assert!(world.script.count("validate") <= 3, "round {round}: {:?}", lock(&world.script.calls));
    }
    let status = world.keeper.status();
    assert_eq!(status.state, KeeperState::Contested, "{status:?}");
    assert!(status.reason.expect("a reason").contains("another program"));
}

#[test]
fn the_cool_down_and_the_days_probes_outlive_the_host() {
    let mut world = World::new();
    for _ in 0..2 {
        let generation = world.open(Generation::NONE);
        world.pass(13);
        drop(world.renew(generation));
        world = world.restarted();
    }
    let Err(NoSession::Contested { until, .. }) = world.renew(Generation::NONE) else { panic!("contested") };
    let before = world.script.count("validate");
    world.go_to(until.plus_seconds(-1));
    world = world.restarted();
    world.tend();
    assert_eq!(world.script.count("validate"), before, "not before its end");
    // Three probes, each of them dead at once, each in a process of its own.
    for _ in 0..10 {
        world.pass(16 * 60);
        world.tend();
        world.pass(60);
        if let Some(session) = world.keeper.current() {
            drop(world.renew(session.generation));
        }
        world = world.restarted();
    }
    assert_eq!(world.script.count("validate"), before + 3);
    assert_eq!(world.keeper.status().probes, 3);
}

#[test]
fn a_host_in_a_circle_of_crashes_stays_within_the_days_logins() {
    let config = KeeperConfig { logins_per_day: 4, ..KeeperConfig::default() };
    let mut world = World::with(at(10, 0), config.clone());
    for _ in 0..12 {
        drop(world.renew(Generation::NONE));
        world = world.restarted_with(config.clone());
    }
    assert_eq!(world.script.count("validate"), 4);
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::Budget { limit: 4, .. })));
    // A new day is a new budget.
    world.go_to(at(10, 0).plus_seconds(24 * 3600));
    world.open(Generation::NONE);
}

#[test]
fn refused_credentials_are_not_tried_by_the_next_process_until_they_are_others() {
    let world = World::new();
    world.views_say(&[Say::WrongCredentials]);
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::WrongCredentials { .. })));
    let world = world.restarted();
    assert_eq!(world.keeper.status().state, KeeperState::WrongCredentials);
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::WrongCredentials { .. })));
    assert_eq!(world.script.count("view"), 1);

    let record: Record = serde_json::from_str(&lock(&world.disk.text).clone().expect("kept")).expect("json");
    let others = serde_json::to_string(&record.for_other_credentials()).expect("json");
    *lock(&world.disk.text) = Some(others);
    let world = world.restarted();
    world.open(Generation::NONE);
    assert_eq!(world.keeper.status().attempts, 2, "the day's counts are the account's");
}

#[test]
fn two_refused_codes_are_two_whichever_process_sent_them() {
    let world = World::with(at(10, 0), KeeperConfig { attempts_per_renewal: 1, ..KeeperConfig::default() });
    world.views_say(&[Say::WrongCode, Say::WrongCode]);
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::Unavailable { .. })));
    let world = world.restarted();
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::WrongCredentials { .. })));
    assert_eq!(world.script.count("view"), 2);
}

/// A check that never came to a login has shown nothing.
#[test]
fn what_the_operator_cleared_stays_cleared_once_a_login_has_shown_it() {
    let world = World::new();
    world.views_say(&[Say::WrongCredentials, Say::Down, Say::Down]);
    drop(world.renew(Generation::NONE));
    let world = world.restarted();
    world.keeper.operator_cleared();
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::Unavailable { .. })));
    let world = world.restarted();
    assert!(matches!(world.renew(Generation::NONE), Err(NoSession::WrongCredentials { .. })));
    world.keeper.operator_cleared();
    world.open(Generation::NONE);
    let world = world.restarted();
    world.open(Generation::NONE);
}

/// The first answer tells how far the clock is off; what was refused before it says nothing of the secret.
#[test]
fn a_code_refused_for_the_clock_is_not_held_against_the_secret() {
    let config = KeeperConfig { attempts_per_renewal: 1, ..KeeperConfig::default() };
    let mut world = World::with(at(10, 0), config.clone());
    *lock(&world.script.ahead) = Some(40);
    for _ in 0..3 {
        world.views_say(&[Say::WrongCode]);
        assert!(matches!(world.renew(Generation::NONE), Err(NoSession::Unavailable { .. })));
        world = world.restarted_with(config.clone());
    }
    world.open(Generation::NONE);
}

#[test]
fn a_code_that_cannot_be_marked_is_not_sent() {
    let world = World::new();
    world.disk.full.store(true, Ordering::SeqCst);
    let Err(NoSession::Unavailable { text, .. }) = world.renew(Generation::NONE) else {
        panic!("no session")
    };
    assert!(text.contains("no space left on device"), "{text}");
    assert_eq!(world.script.count("view"), 0, "nothing was sent");
    for _ in 0..35 {
        world.pass(420);
        drop(world.renew(Generation::NONE));
    }
    assert_eq!(world.keeper.status().attempts, 0, "what was not sent is not counted");
    let news = world.news();
    let said = news.iter().filter(|event| matches!(event, SessionEvent::NotKept { .. })).count();
    assert_eq!(said, 1, "{news:?}");
    world.disk.full.store(false, Ordering::SeqCst);
    world.pass(600);
    world.open(Generation::NONE);
}

/// A wrong clock must not lock the account's owner out for years.
#[test]
fn a_cool_down_written_by_a_wrong_clock_ends() {
    let mut world = World::with(at(10, 0).plus_seconds(400 * 86_400), KeeperConfig::default());
    for _ in 0..2 {
        let generation = world.open(Generation::NONE);
        world.pass(13);
        drop(world.renew(generation));
    }
    world.go_back(at(10, 0));
    world = world.restarted();
    let Err(NoSession::Contested { until, .. }) = world.renew(Generation::NONE) else { panic!("contested") };
    assert!(until <= at(10, 16), "{until}");
}
