//! The real binary against `kotak-neo-sim` over loopback HTTP: logins, credentials, secrets, a day.

mod support;

use std::os::unix::fs::PermissionsExt as _;

use kotak_neo_sim::{Fault, Kind};
use market::demo::{DAY0, DAY1};
use model::Timestamp;
use support::neo::{CANARIES, Scene, no_canary, no_canary_below, told};
use support::{text, tradeagent};

#[test]
fn login_check_shows_the_session_and_no_secret() {
    let scene = Scene::new(Timestamp::at_ist(DAY1, 10, 0));
    scene.rehearse(DAY1);
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let shown = told(&output);
    for word in ["base URL", "clock skew", "2026-05-14T00:00:00+05:30", "logged out"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    no_canary(shown.as_bytes(), "the output", &scene.sim);
    scene.next_code();
    let output = scene.run(&["login", "--check", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["kind"], "Trade");
    assert_eq!(scene.sim.audit().logins, 2);

    // What is wrong is told with its own exit code and what to do.
    scene.next_code();
    let [key, mobile, ucc, totp, _] = CANARIES;
    scene.write_credentials([key, mobile, ucc, totp, "111111"]);
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(78), "{}", told(&output));
    assert!(told(&output).contains("Invalid MPIN"), "{}", told(&output));
    scene.write_credentials(["", mobile, "", totp, "111111"]);
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(told(&output).contains("KOTAK_CONSUMER_KEY, KOTAK_UCC"), "{}", told(&output));
    std::fs::set_permissions(scene.path("kotak_neo.env"), std::fs::Permissions::from_mode(0o644))
        .expect("mine");
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(77));
    assert!(told(&output).contains("chmod 600"), "{}", told(&output));
    no_canary(told(&output).as_bytes(), "the output", &scene.sim);
}

#[test]
fn nobody_answers_is_unavailable() {
    let mut scene = Scene::new(Timestamp::at_ist(DAY1, 10, 0));
    scene.server.take().expect("it runs").stop();
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(69), "{}", told(&output));
    let paper = scene.path("paper.toml");
    std::fs::write(&paper, "[account.main]\nbroker = \"paper\"\n").expect("writable");
    let output = tradeagent().args(["login", "--check", "--config", text(&paper)]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(78));
    assert!(told(&output).contains("has no login"), "{}", told(&output));
}

#[test]
fn a_host_holds_the_session_tells_of_it_and_keeps_its_secrets() {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 12, 0));
    scene.rehearse(DAY0);
    // Everything that can go wrong with an answer is in the log too.
    for kind in [
        Kind::HtmlBody { after: false },
        Kind::ServerError { status: 502, html: true, after: false },
        Kind::RateLimited { retry_after_s: None },
    ] {
        scene.sim.faults().add(Fault::new(kind).every(7).times(2));
    }
    let host = scene.host();
    let status = scene.status_until(|status| status["session"]["state"] == "open");
    assert_eq!(status["broker"], "kotak-neo");
    assert_eq!(status["session"]["generation"], 1);
    assert!(status["session"]["age_seconds"].as_i64().is_some());
    assert_eq!(status["session"]["contested"], false);
    assert_eq!(status["host"]["rehearsal"], true);
    let shown = told(&scene.run(&["status"]));
    assert!(shown.contains("session") && shown.contains("generation 1"), "{shown}");
    no_canary(shown.as_bytes(), "status", &scene.sim);

    // The account is one program's.
    for args in [&["login", "--check"][..], &["data", "update"], &["run"]] {
        let output = scene.run(args);
        assert_eq!(output.status.code(), Some(75), "{args:?}: {}", told(&output));
    }
    assert!(told(&scene.run(&["data", "update"])).contains("data-update"));
    assert_eq!(scene.sim.audit().logins, 1, "nobody else logged in");

    let ended = host.stop();
    assert!(ended.success(), "{ended:?}");
    no_canary_below(scene.folder.path(), &scene.sim);
    let log = std::fs::read_to_string(scene.path("host.log")).expect("a log");
    assert!(log.contains("login 1"), "the log tells of the session");
}

#[test]
fn a_refused_login_stops_until_the_operator_acts_and_says_so() {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 12, 0));
    scene.rehearse(DAY0);
    let [key, mobile, ucc, totp, _] = CANARIES;
    scene.write_credentials([key, mobile, ucc, totp, "111111"]);
    let host = scene.host();
    let status = scene.status_until(|status| status["session"]["state"] == "wrong credentials");
    let why = status["not_trading"].as_str().expect("a sentence");
    assert!(why.contains("refused the credentials"), "{why}");
    assert_eq!(scene.sim.audit().codes, 1, "nobody hammers");
    drop(host);
}

#[test]
fn data_update_fills_the_bars_and_a_second_run_has_nothing_to_do() {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 17, 0));
    // The binary's clock is the machine's; the demo's bars end long before.
    let output = scene.run(&["data", "update", "--bars", "30", "--json"]);
    assert!(matches!(output.status.code(), Some(0 | 69)), "{}", told(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let asked = json["history"]["requests"].as_u64().expect("a count");
    assert!(asked > 0, "{json:#}");
    scene.next_code();
    let output = scene.run(&["data", "update", "--bars", "30", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(json["history"]["requests"].as_u64().expect("a count") <= asked, "{json:#}");
}
