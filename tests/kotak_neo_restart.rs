//! The real binary at the edges of its life: killed in a contest, stopped in the middle of a login, past
//! midnight; and what the next process still knows.
#![cfg(unix)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use kotak_neo_sim::{Endpoint, Fault, Kind};
use market::demo::DAY0;
use model::Timestamp;
use support::neo::{CANARIES, Host, Scene, told};

/// A few seconds before a new one-time code, so that two logins are not half a minute apart.
fn noon() -> Timestamp {
    Timestamp::at_ist(DAY0, 12, 0).plus_seconds(23)
}

fn open(scene: &Scene, generation: u64) {
    scene.status_until(|status| {
        status["session"]["state"] == "open" && status["session"]["generation"] == generation
    });
}

/// Ends a host that a test does not stop itself.
fn killed(host: Host) {
    host.kill();
}

/// The incident, with a host that dies in the middle of it: a restart must not fight on with fresh courage.
#[test]
fn a_host_killed_in_a_contest_makes_three_logins_and_not_one_more() {
    let scene = Scene::new(noon());
    scene.rehearse(DAY0);
    let host = scene.host();
    open(&scene, 1);
    scene.sim.foreign_login();
    open(&scene, 2);
    killed(host);
    assert_eq!(scene.sim.audit().logins, 2);

    scene.next_code();
    let host = scene.host();
    open(&scene, 1);
    scene.sim.foreign_login();
    let status = scene.status_until(|status| status["session"]["contested"] == true);
    assert!(status["not_trading"].as_str().expect("a sentence").contains("another program"), "{status:#}");
    assert_eq!(scene.sim.audit().logins, 3);
    killed(host);

    for _ in 0..2 {
        scene.next_code();
        let host = scene.host();
        let status = scene.status_until(|status| status["session"]["contested"] == true);
        assert_eq!(status["session"]["state"], "contested", "{status:#}");
        killed(host);
    }
    // Nor by another command on the same account.
    scene.next_code();
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(10), "{}", told(&output));
    assert!(told(&output).contains("contested"), "{}", told(&output));
    assert_eq!(scene.sim.audit().logins, 3);
}

#[test]
fn two_checks_in_one_half_minute_send_two_codes() {
    let scene = Scene::new(noon());
    scene.rehearse(DAY0);
    for check in 1..=2 {
        let output = scene.run(&["login", "--check"]);
        assert_eq!(output.status.code(), Some(0), "check {check}: {}", told(&output));
    }
    let audit = scene.sim.audit();
    assert_eq!((audit.codes, audit.logins), (2, 2));
    assert_eq!(audit.calls_of(&[Endpoint::Login]), 2, "no code was refused");
    let kept = scene.path("state").join("main.rehearsal.session");
    let mode = std::fs::metadata(kept).expect("kept in the state folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn refused_credentials_are_not_tried_again_by_a_restart_but_new_ones_are() {
    let scene = Scene::new(noon());
    scene.rehearse(DAY0);
    let [key, mobile, ucc, totp, mpin] = CANARIES;
    scene.write_credentials([key, mobile, ucc, totp, "111111"]);
    let refused = |status: &serde_json::Value| status["session"]["state"] == "wrong credentials";
    for _ in 0..3 {
        let host = scene.host();
        scene.status_until(refused);
        killed(host);
        scene.next_code();
    }
    assert_eq!(scene.sim.audit().codes, 1, "accounts lock");
    scene.write_credentials([key, mobile, ucc, totp, mpin]);
    let host = scene.host();
    open(&scene, 1);
    killed(host);
}

/// A service manager waits for an end: a login that nobody answers must not hold it up.
#[test]
fn a_stop_in_the_middle_of_the_first_login_is_an_end_without_another_login() {
    let scene = Scene::new(noon());
    scene.rehearse(DAY0);
    scene.sim.faults().add(Fault::new(Kind::LateAnswer { ms: 600_000 }).on([Endpoint::Login]));
    let host = scene.host();
    while scene.sim.audit().calls_of(&[Endpoint::Login]) == 0 {
        std::thread::yield_now();
    }
    let ended = host.stop_within(Duration::from_secs(10));
    assert!(ended.success(), "{ended:?}");
    assert_eq!(scene.sim.audit().calls_of(&[Endpoint::Login]), 1);
    let log = std::fs::read_to_string(scene.path("host.log")).expect("a log");
    assert!(log.contains("SIGTERM"), "{log}");
}

/// At midnight every session ends. The feed says so by being refused; nobody logs in before the morning,
/// and nobody goes on asking with a token that is dead.
#[test]
#[expect(clippy::disallowed_methods, reason = "nothing happening takes time to see")]
fn after_midnight_the_session_is_not_called_open_and_its_token_rests() {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 23, 59).plus_seconds(50));
    scene.rehearse(DAY0);
    let host = scene.host();
    open(&scene, 1);
    let status = scene.status_until(|status| status["session"]["state"] != "open");
    assert_eq!(status["session"]["state"], "resting", "{status:#}");
    let dead = || scene.sim.audit().sessions.iter().map(|session| session.calls_after_end).sum::<u64>();
    // Those that saw the end, and the logout.
    let before = dead();
    assert!(before <= 6, "{before} calls with a dead token");
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!(dead(), before, "nobody goes on with it");
    assert_eq!(scene.sim.audit().logins, 1);
    killed(host);
}
