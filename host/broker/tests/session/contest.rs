//! Another program on the account.

use broker::session::{Generation, KeeperConfig, KeeperState, NoSession, SessionEvent};
use model::{Clock, Timestamp};

use crate::world::{Say, World, at, day};

/// The incident: a foreign login kills every session 13 s after it was opened.
const INCIDENT: i64 = 13;

/// Two sessions that die early, the second at the instant that is answered.
fn contested() -> World {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(INCIDENT);
    let second = world.open(first);
    world.pass(INCIDENT);
    world.news();
    let refused = world.renew(second).expect_err("contested");
    assert!(matches!(refused, NoSession::Contested { .. }), "{refused}");
    world
}

fn until(no: &NoSession) -> Timestamp {
    let NoSession::Contested { until, .. } = no else { panic!("not a contest: {no}") };
    *until
}

fn refused(world: &World) -> NoSession {
    world.renew(Generation::NONE).expect_err("no session")
}

#[test]
fn two_early_deaths_in_a_row_are_a_contest() {
    let world = contested();
    let elsewhere =
        "nothing found on this machine: another machine, the web or mobile app, or a container".to_owned();
    let end = world.clock.now().plus_minutes(15);
    let events = world.news();
    assert!(
        matches!(events[0], SessionEvent::Expired { lived_ms: 13_000, expected: false, .. }),
        "{events:?}"
    );
    assert_eq!(events[1], SessionEvent::Contested { found: vec![elsewhere.clone()], until: end });
    assert_eq!(events.len(), 2);
    assert!(world.keeper.current().is_none());
    let status = world.keeper.status();
    assert_eq!(status.state, KeeperState::Contested);
    let sentence = status.sentence().expect("no trading");
    assert!(sentence.contains("another program is logged in") && sentence.contains(&elsewhere), "{sentence}");
}

#[test]
fn the_event_names_what_the_look_found() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(INCIDENT);
    let second = world.open(first);
    world.pass(INCIDENT);
    world.found(Ok(vec!["tradeagent-sell.service (stop it: systemctl disable --now tradeagent-sell)"]));
    let refused = world.renew(second).expect_err("contested").to_string();
    assert!(refused.contains("systemctl disable --now tradeagent-sell"), "{refused}");
}

#[test]
fn a_look_that_fails_does_not_hide_the_contest() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(INCIDENT);
    let second = world.open(first);
    world.pass(INCIDENT);
    world.found(Err("systemctl: no such file"));
    let refused = world.renew(second).expect_err("contested");
    assert!(matches!(refused, NoSession::Contested { .. }));
    assert!(refused.to_string().contains("no such file"), "{refused}");
}

#[test]
fn one_early_death_is_none_and_a_long_life_between_two_neither() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(INCIDENT);
    let second = world.open(first);
    world.pass(5 * 60 + 1);
    let third = world.open(second);
    world.pass(INCIDENT);
    assert_eq!(world.open(third).get(), 4, "the second session lived: the count began anew");
}

#[test]
fn a_session_that_dies_exactly_at_the_window_died_early() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(INCIDENT);
    let second = world.renew(first).expect("a session");
    world.go_to(second.opened.plus_minutes(5));
    assert!(matches!(world.renew(second.generation), Err(NoSession::Contested { .. })));
}

#[test]
fn early_deaths_on_two_days_do_not_add_up() {
    let world = World::with(at(23, 50), KeeperConfig::default());
    let _due = world.keeper.due();
    let first = world.open(Generation::NONE);
    world.pass(INCIDENT);
    let second = world.open(first);
    world.go_to(at(10, 0).plus_minutes(24 * 60));
    let third = world.open(second);
    world.pass(INCIDENT);
    assert_eq!(world.open(third).get(), 4);
}

#[test]
fn the_incident_makes_at_most_three_logins_until_the_cool_down_ends() {
    let world = World::new();
    let mut seen = Generation::NONE;
    let end = loop {
        match world.renew(seen) {
            Ok(session) => {
                seen = session.generation;
                world.pass(INCIDENT);
            }
            Err(no) => break until(&no),
        }
    };
    while world.clock.now().plus_seconds(7) < end {
        assert!(matches!(refused(&world), NoSession::Contested { .. }));
        world.tend();
        world.pass(7);
    }
    assert!(world.script.count("view") <= 3, "{}", world.script.count("view"));
    assert_eq!(world.script.count("validate"), 2);
}

/// As the report has it: the second login's step two came back without data.
#[test]
fn logins_that_come_to_nothing_after_an_early_death_are_a_contest_too() {
    let world = World::new();
    let first = world.open(Generation::NONE);
    world.pass(INCIDENT);
    world.validates_say(&[Say::Down; 30]);
    let refused = world.renew(first).expect_err("nothing works");
    assert!(matches!(refused, NoSession::Contested { .. }), "{refused}");
    assert_eq!(world.script.count("view"), 3);
    assert!(world.news().iter().any(|event| matches!(event, SessionEvent::Contested { .. })));
}

#[test]
fn after_the_cool_down_and_a_clean_look_the_timer_makes_one_probe_and_it_recovers() {
    let world = contested();
    let end = until(&refused(&world));
    world.news();
    world.go_to(end.plus_nanos(-1));
    world.tend();
    assert_eq!(world.script.count("view"), 2, "not before the cool-down is over");
    world.go_to(end);
    world.tend();
    assert_eq!(world.script.count("view"), 3);
    let probe = world.keeper.current().expect("the probe's session");
    let opened = SessionEvent::Opened { generation: probe.generation, skew_ms: None, probe: true };
    assert_eq!(world.news(), [SessionEvent::ProbeStarted, opened]);
    assert_eq!(world.keeper.status().state, KeeperState::Probing);
    world.go_to(probe.opened.plus_minutes(5).plus_nanos(1));
    world.tend();
    assert_eq!(world.news(), [SessionEvent::Recovered]);
    let status = world.keeper.status();
    assert_eq!((status.state, status.probes, status.sentence()), (KeeperState::Open, 1, None));
    // What comes later is judged as if nothing had been.
    let next = world.open(probe.generation);
    world.pass(INCIDENT);
    assert_eq!(world.open(next).get(), 5);
}

#[test]
fn a_caller_may_make_the_probe_and_the_expiry_may_show_the_recovery() {
    let world = contested();
    world.go_to(until(&refused(&world)));
    let probe = world.open(Generation::NONE);
    world.pass(3600);
    world.news();
    world.open(probe);
    assert_eq!(world.news()[0], SessionEvent::Recovered);
}

#[test]
fn a_probe_that_dies_early_is_a_contest_at_once() {
    let world = contested();
    world.go_to(until(&refused(&world)));
    let probe = world.open(Generation::NONE);
    world.pass(INCIDENT);
    let again = world.renew(probe).expect_err("contested");
    assert_eq!(until(&again), world.clock.now().plus_minutes(15));
    assert_eq!(world.script.count("view"), 3);
}

#[test]
fn a_probe_that_fails_restarts_the_cool_down() {
    let world = contested();
    world.go_to(until(&refused(&world)));
    world.validates_say(&[Say::Down; 3]);
    world.tend();
    world.pass(60);
    let again = refused(&world);
    assert!(until(&again) >= at(10, 30), "{again}");
    assert_eq!(world.script.count("view"), 3, "one probe is one login");
    assert_eq!(world.keeper.status().probes, 1);
}

#[test]
fn there_are_three_probes_a_day_and_the_next_day_has_its_own() {
    let world = contested();
    for _ in 0..3 {
        world.go_to(until(&refused(&world)));
        world.tend();
        let probe = world.keeper.current().expect("a probe").generation;
        world.pass(INCIDENT);
        assert!(world.renew(probe).is_err());
    }
    assert_eq!(world.keeper.status().probes, 3);
    let tomorrow = Timestamp::at_ist(day().succ_opt().expect("a date"), 8, 0);
    assert_eq!(until(&refused(&world)), tomorrow);
    world.go_to(tomorrow.plus_nanos(-1));
    world.tend();
    assert_eq!(world.script.count("view"), 5);
    world.go_to(tomorrow);
    world.tend();
    assert_eq!(world.script.count("view"), 6);
    assert_eq!(world.keeper.status().state, KeeperState::Probing);
}

#[test]
fn no_probe_while_the_look_is_not_clean() {
    let world = contested();
    let end = until(&refused(&world));
    world.found(Ok(vec!["old_bot.py (pid 71)"]));
    world.go_to(end);
    world.tend();
    assert_eq!(world.script.count("view"), 2);
    let still = refused(&world);
    assert!(matches!(&still, NoSession::Contested { found, .. } if found[0].contains("pid 71")), "{still}");
    assert_eq!(world.keeper.status().state, KeeperState::Contested);
    world.found(Ok(Vec::new()));
    world.pass(30);
    world.tend();
    assert_eq!(world.script.count("view"), 3);
    assert!(world.keeper.current().is_some());
}

#[test]
fn every_login_is_preceded_by_a_look_and_a_finding_blocks_it() {
    let world = World::new();
    world.found(Ok(vec!["kotak-bot.timer (systemctl disable --now kotak-bot.timer)"]));
    let held = refused(&world);
    assert!(matches!(held, NoSession::Conflict { .. }));
    assert!(held.to_string().contains("systemctl disable --now kotak-bot.timer"), "{held}");
    assert_eq!(refused(&world), held);
    assert_eq!(world.looks(), 1, "believed for half a minute");
    assert_eq!(world.keeper.status().state, KeeperState::Conflict);
    world.pass(30);
    assert_eq!(world.keeper.status().state, KeeperState::Conflict, "until somebody looked again");
    assert_eq!(refused(&world), held);
    assert_eq!(world.looks(), 2);
    assert_eq!(world.script.count("view"), 0);
    let said = world.news();
    assert_eq!(said.len(), 1, "said once: {said:?}");
    world.found(Ok(Vec::new()));
    world.pass(30);
    let first = world.open(Generation::NONE);
    world.pass(3600);
    world.open(first);
    assert_eq!(world.looks(), 4);
}

#[test]
fn a_look_that_fails_or_does_not_end_means_unknown_and_nobody_logs_in() {
    let world = World::new();
    world.found(Err("permission denied"));
    let held = refused(&world);
    assert!(matches!(&held, NoSession::ConflictUnknown { text } if text == "permission denied"));
    assert_eq!(world.keeper.status().state, KeeperState::ConflictUnknown);
    world.pass(30);
    world.machine.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    let began = world.clock.now();
    assert!(matches!(refused(&world), NoSession::ConflictUnknown { .. }));
    assert_eq!(world.clock.now(), began.plus_seconds(10));
    assert_eq!(world.script.count("view"), 0);
}
