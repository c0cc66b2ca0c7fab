//! Ways in which two programs could meet on one account, with the real binary and real processes. Those that
//! need a service manager are in `tests/nspawn`.
#![cfg(target_os = "linux")]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use market::demo::DAY0;
use model::Timestamp;
use support::neo::{Scene, told};
use support::{text, tradeagent};

/// One at a time: what one test starts, another would find.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static MACHINE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    MACHINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A process that runs until it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `program` with a script that does nothing, by the name of a legacy one.
fn script(folder: &Path, program: &Path, name: &str) -> Running {
    let path = folder.join(name);
    std::fs::write(&path, "import time\nwhile True:\n    time.sleep(1)\n").expect("written");
    let child = Command::new(program).arg(&path).stdin(Stdio::null()).spawn().expect("it starts");
    let running = Running(child);
    // Until it has become what it was told to.
    let line = format!("/proc/{}/cmdline", running.0.id());
    while !std::fs::read(&line).expect("it runs").windows(name.len()).any(|it| it == name.as_bytes()) {
        std::thread::yield_now();
    }
    running
}

fn python() -> Option<std::path::PathBuf> {
    let found = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?.trim().to_owned();
    if path.is_empty() {
        println!("SKIPPED: there is no python3 here");
        return None;
    }
    std::fs::canonicalize(path).ok()
}

/// What `services` says is in conflict, one text each.
fn conflicts(scene: &Scene) -> Vec<String> {
    let output = scene.run(&["services", "--json"]);
    let view: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)));
    let found = view["conflicts"].as_array().expect("a list");
    let expected = if found.is_empty() { 0 } else { 10 };
    assert_eq!(output.status.code(), Some(expected), "{}", told(&output));
    found.iter().map(|conflict| conflict["what"].to_string()).collect()
}

fn names(scene: &Scene, running: &Running) -> bool {
    let pid = format!("\"pid\":{}", running.0.id());
    conflicts(scene).iter().any(|conflict| conflict.contains(&format!("{pid},")))
}

fn noon() -> Scene {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 12, 0));
    scene.rehearse(DAY0);
    scene
}

#[test]
fn a_script_is_found_in_a_virtualenv_and_under_another_interpreters_name_but_not_in_an_editor() {
    let _alone = alone();
    let Some(python) = python() else { return };
    let scene = noon();
    let folder = scene.folder.path();
    let venv = folder.join("venv/bin");
    std::fs::create_dir_all(&venv).expect("made");
    let linked = venv.join("python");
    std::os::unix::fs::symlink(&python, &linked).expect("linked");
    let in_venv = script(folder, &linked, "run_sell_orders.py");
    assert!(names(&scene, &in_venv), "a virtualenv");
    drop(in_venv);
    let renamed = folder.join("botpy");
    std::fs::copy(&python, &renamed).expect("copied");
    std::fs::set_permissions(&renamed, std::fs::Permissions::from_mode(0o755)).expect("mine");
    let by_another_name = script(folder, &renamed, "run_auto_trade.py");
    assert!(names(&scene, &by_another_name), "a renamed interpreter");
    drop(by_another_name);
    // A reader has the name in its arguments, and a Python that runs something else too.
    let path = folder.join("run_eod_cleanup.py");
    std::fs::write(&path, "").expect("written");
    let reader = Running(
        Command::new("tail").args(["-f", text(&path)]).stdout(Stdio::null()).spawn().expect("starts"),
    );
    let other = Command::new(&python)
        .args(["-c", "import time; time.sleep(600)", text(&path)])
        .spawn()
        .expect("starts");
    let other = Running(other);
    assert!(!names(&scene, &reader) && !names(&scene, &other), "nobody runs it");
}

/// With a legacy script on the machine no login is made, and the message says what to type.
#[test]
fn a_host_beside_a_script_logs_in_to_nothing_and_says_why() {
    let _alone = alone();
    let Some(python) = python() else { return };
    let scene = noon();
    let running = script(scene.folder.path(), &python, "run_sell_orders.py");
    let output = scene.run(&["run"]);
    assert_eq!(output.status.code(), Some(10), "{}", told(&output));
    let said = told(&output);
    assert!(
        said.contains("run_sell_orders.py") && said.contains(&format!("sudo kill {}", running.0.id())),
        "{said}"
    );
    assert_eq!(scene.sim.audit().codes, 0, "no code was sent");
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(10), "{}", told(&output));
    assert_eq!(scene.sim.audit().codes, 0, "no code was sent");
}

/// Started in one moment: one of them holds the account, the other says who.
#[test]
fn of_two_hosts_started_together_one_has_the_account() {
    let _alone = alone();
    let scene = noon();
    let mut hosts = [scene.host(), scene.host()];
    scene.status_until(|status| status["session"]["state"] == "open");
    let ended: Vec<Option<i32>> = hosts
        .iter_mut()
        .map(|host| host.child.try_wait().expect("asked").and_then(|status| status.code()))
        .collect();
    assert!(ended.contains(&Some(75)) && ended.contains(&None), "{ended:?}");
    assert_eq!(scene.sim.audit().logins, 1);
}

/// A killed host's lock goes with it; its child's does not hold it.
#[test]
fn after_kill_9_the_account_is_free_and_a_guarded_program_takes_it() {
    let _alone = alone();
    let scene = noon();
    let host = scene.host();
    scene.status_until(|status| status["session"]["state"] == "open");
    let config = scene.path("tradeagent.toml");
    let guard = |program: &str| {
        tradeagent().args(["guard", "--config", text(&config), "--", program]).output().expect("it runs")
    };
    let refused = guard("true");
    assert_eq!(refused.status.code(), Some(75), "{}", told(&refused));
    assert!(told(&refused).contains("tradeagent services"), "{}", told(&refused));
    host.kill();
    assert_eq!(guard("true").status.code(), Some(0));
    assert_eq!(guard("false").status.code(), Some(1), "the program's own exit code");
    assert_eq!(guard("/no/such/program").status.code(), Some(2));
}

/// While a guarded program runs, the host does not start.
#[test]
fn a_host_does_not_start_beside_a_guarded_program() {
    let _alone = alone();
    let scene = noon();
    let config = scene.path("tradeagent.toml");
    let guarded = tradeagent()
        .args(["guard", "--config", text(&config), "--", "sh", "-c", "echo here; exec sleep 600"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut guarded = Running(guarded);
    let mut line = String::new();
    let out = guarded.0.stdout.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("it speaks");
    let output = scene.run(&["run"]);
    assert_eq!(output.status.code(), Some(75), "{}", told(&output));
    assert!(told(&output).contains("guard -- sh"), "{}", told(&output));
}
