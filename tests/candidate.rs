//! A version that nobody vouches for: shadow, a word from the operator, and what a restart begins with.
//!
//! The real binary at `kotak-neo-sim`, on an account where components from files need somebody who vouches for them.
#![cfg(unix)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use market::demo::DAY0;
use model::Timestamp;
use serde_json::Value;
use support::neo::{Host, Scene, told};
use support::{text, tradeagent};

/// A monitor of the operator's own, every two seconds.
const MINE: &str = "[plugins]\nvouch_everywhere = true\n\
    [strategy.mine]\nrole = \"monitor\"\ncomponent = \"mine.wasm\"\n\
    [task.mine]\nstrategy = \"mine\"\nat = \"open\"\nevery = \"2s\"\nuntil = \"close\"\n";

/// The shipped monitor under another hash.
fn version(number: u8) -> Vec<u8> {
    let mut bytes = bundle::find("monitor").expect("shipped").bytes.to_vec();
    bytes.extend([0, 5, 3, b's', b'a', b'v', number]);
    bytes
}

fn hash(bytes: &[u8]) -> String {
    runtime::hash_of(bytes).as_str().to_owned()
}

fn scene(mine: &str) -> Scene {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 12, 0).plus_seconds(23));
    let next = DAY0.succ_opt().expect("a day");
    let rehearsal = format!("[rehearsal]\nfrom = \"{DAY0}T00:00\"\nuntil = \"{next}T06:00\"\n");
    scene.write_config(&format!("{rehearsal}{mine}"));
    scene
}

/// As a build does it: written beside, then renamed.
fn save_as(scene: &Scene, file: &str, bytes: &[u8]) {
    std::fs::write(scene.path("mine.wasm.part"), bytes).expect("written");
    std::fs::rename(scene.path("mine.wasm.part"), scene.path(file)).expect("renamed");
}

fn save(scene: &Scene, bytes: &[u8]) {
    save_as(scene, "mine.wasm", bytes);
}

fn mine(status: &Value) -> &Value {
    &status["versions"][0]
}

#[test]
fn a_stranger_s_version_waits_in_shadow_and_what_is_live_outlives_the_process() {
    let scene = scene(MINE);
    let [first, second] = [version(1), version(2)];
    save(&scene, &first);

    // Nobody vouches for the first either.
    let output = scene.run(&["run"]);
    assert_eq!(output.status.code(), Some(78), "{}", told(&output));
    assert!(told(&output).contains("plugin promote"), "{}", told(&output));
    let output = scene.run(&["plugin", "promote", text(&scene.path("mine.wasm"))]);
    assert!(output.status.success(), "{}", told(&output));
    let host = scene.host();
    scene.status_until(|status| status["session"]["state"] == "open" && mine(status)["live"] == hash(&first));

    // The file is replaced by another: it waits, does its ticks in shadow, and says what would let it in.
    save(&scene, &second);
    let status = scene.status_until(|status| mine(status)["candidate"]["hash"] == hash(&second));
    let why = mine(&status)["candidate"]["why"].as_str().expect("a sentence").to_owned();
    assert!(why.contains(&format!("plugin promote {}", hash(&second))), "{why}");
    scene.status_until(|status| mine(status)["candidate"]["shadow_ticks"].as_u64() >= Some(1));

    // A restart begins with the one that had been live, although its file holds the other now.
    host.kill();
    scene.next_code();
    let host = scene.host();
    let status = scene.status_until(|status| mine(status)["candidate"]["hash"] == hash(&second));
    assert_eq!(mine(&status)["live"], hash(&first), "{status:#}");

    // A word from the operator; too few characters of it are none.
    let output = scene.run(&["plugin", "promote", &hash(&second)[..8]]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("at least 32 characters"), "{}", told(&output));
    let output = scene.run(&["plugin", "promote", &hash(&second)[..32]]);
    assert!(output.status.success(), "{}", told(&output));
    scene.status_until(|status| status["session"]["state"] == "open");
    scene.status_until(|status| mine(status)["live"] == hash(&second));
    for _ in 0..2 {
        let left = mine(&scene.status_until(|_| true))["trial_ticks_left"].as_u64();
        scene.status_until(|status| mine(status)["trial_ticks_left"].as_u64() < left);
    }

    // It has passed its first ticks: it is what the next start begins with, whatever lies in the file.
    host.kill();
    save(&scene, b"no component at all");
    scene.next_code();
    let host = scene.host();
    let refused =
        |status: &Value| mine(status)["last"].as_str().is_some_and(|last| last.starts_with("refused"));
    let status = scene.status_until(refused);
    assert_eq!(mine(&status)["live"], hash(&second), "{status:#}");
    assert!(host.stop().success());
}

/// In the plugin folder, where anybody's file may lie.
const DROPPED: &str = "state/components/mine.wasm";

#[test]
fn what_nobody_vouches_for_takes_no_place_from_what_somebody_does() {
    // No tick comes while this looks: what waits goes on waiting.
    let scene = scene(&MINE.replace("every = \"2s\"", "every = \"3h\""));
    let versions = [version(1), version(2), version(3), version(4)];
    let [first, second, third, fourth] = &versions;
    for known in [second, fourth, first] {
        save(&scene, known);
        let output = scene.run(&["plugin", "promote", text(&scene.path("mine.wasm"))]);
        assert!(output.status.success(), "{}", told(&output));
    }
    let host = scene.host();
    scene.status_until(|status| status["session"]["state"] == "open" && mine(status)["live"] == hash(first));

    // The machine does not let it be compiled: that is not held against it.
    let compiled = scene.path("state/plugins");
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&compiled, mode(0o777)).expect("set");
    save(&scene, second);
    let status = scene.status_until(|status| mine(status)["last"].is_string());
    let last = mine(&status)["last"].as_str().expect("a sentence").to_owned();
    assert!(last.contains("compiled code cannot be kept"), "{last}");
    std::fs::set_permissions(&compiled, mode(0o700)).expect("set");
    save(&scene, second);
    let waits = |of: &[u8]| {
        let hash = hash(of);
        move |status: &Value| mine(status)["candidate"]["hash"] == hash
    };
    scene.status_until(waits(second));

    // A stranger's file in the plugin folder, and one more that the operator knows.
    save_as(&scene, DROPPED, third);
    save(&scene, fourth);
    scene.status_until(|status| {
        assert_ne!(mine(status)["candidate"]["hash"], hash(third), "it took the place: {status:#}");
        waits(fourth)(status)
    });
    // Its turn comes when the place is free.
    std::fs::remove_file(scene.path("mine.wasm")).expect("removed");
    scene.status_until(waits(third));
    assert!(host.stop().success());
}

#[test]
fn plugin_dev_tells_what_the_running_host_made_of_a_save() {
    // In a rehearsal an author's own component needs nobody's word.
    let scene = scene(&MINE.replace("vouch_everywhere = true", "vouch_everywhere = false"));
    let [first, second] = [version(1), version(2)];
    save(&scene, &first);
    let host = scene.host();
    let status = scene.status_until(|status| status["session"]["state"] == "open");
    let logins = scene.sim.audit().logins;
    let mut dev = tradeagent();
    dev.args(["plugin", "dev", text(scene.folder.path()), "--build", "true", "--json"]);
    let child = dev.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut dev = Host { child };
    let told = BufReader::new(dev.child.stdout.take().expect("its output"));
    let mut told =
        told.lines().map(|line| -> Value { serde_json::from_str(&line.expect("UTF-8")).expect("JSON") });
    let mut until = |hash: &str| {
        let live = |event: &Value| event["event"] == "versions" && event["live"] == hash;
        assert!(told.any(|event| live(&event)), "it ended before {hash} was live");
    };
    until(&hash(&first));
    save(&scene, &second);
    until(&hash(&second));
    let after = scene.status_until(|_| true);
    assert_eq!(after["session"]["generation"], status["session"]["generation"]);
    assert_eq!(scene.sim.audit().logins, logins, "a save is no reason for a login");
    assert!(host.stop().success());
}
