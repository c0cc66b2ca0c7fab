//! Strategies in Python: the example gives the orders of its twin in Rust, each world's project trades, and Python
//! sees nothing of the machine.
//!
//! They are built by componentize-py where it is on the PATH; without it nothing is tried, unless
//! `TRADEAGENT_PYTHON=1` insists (the full pipeline does).

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::made_up::{MadeUp, Packing, sessions_after};
use support::{run_json, run_ok, text, without_outer_cargo};

const TARGET: &str = "wasm32-wasip2";

/// Whether there is something to build with. Said once for each test that does without.
fn can_build() -> bool {
    let found = Command::new("componentize-py").arg("--version").output();
    let works = found.as_ref().is_ok_and(|output| output.status.success());
    assert!(
        works || std::env::var_os("TRADEAGENT_PYTHON").is_none(),
        "TRADEAGENT_PYTHON is set, and componentize-py does not start: {found:?}"
    );
    if !works {
        println!("SKIPPED: componentize-py is not on the PATH (`pip install componentize-py==0.25.1`)");
    }
    works
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// A component of `app.py` in `folder`.
fn build_python(folder: &Path, wit: &Path, world: &str, wasm: &Path) {
    let output = Command::new("componentize-py")
        .args(["-q", "-d", text(wit), "-w", world, "componentize", "app", "-o", text(wasm)])
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("componentize-py can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The component of an example in Rust.
fn build_rust(package: &str) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("examples");
    let mut command = Command::new("cargo");
    let output = without_outer_cargo(&mut command)
        .args(["build", "--quiet", "--locked", "--release", "--target", TARGET, "-p", package])
        .current_dir(repository().join("plugins"))
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join(TARGET).join("release").join(format!("{}.wasm", package.replace('-', "_")))
}

/// A month of made-up sessions with one component that buys.
fn month(folder: &Path, market: &MadeUp, wasm: &Path) -> Value {
    let config = folder.join(wasm.file_stem().expect("a name")).with_extension("toml");
    let source = format!(
        "state_dir = \"state\"\n[account.dips]\nbroker = \"paper\"\n[strategy.dips]\nrole = \"buy\"\n\
         component = \"{}\"\nparams = {{ days = 8, orders_max = 3 }}\n[task.dips]\nstrategy = \"dips\"\n\
         at = \"close+35m\"\n",
        text(wasm)
    );
    std::fs::write(&config, source).expect("written");
    let (from, to) = (market.dates[20].to_string(), market.dates[41].to_string());
    let data = folder.join("data");
    let arguments =
        ["--config", text(&config), "--data", text(&data), "--from", &from, "--to", &to, "--json"];
    run_json(&[&["simulate"], &arguments[..]].concat())
}

#[test]
fn a_month_in_python_gives_the_orders_of_a_month_in_rust() {
    if !can_build() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let market = MadeUp::new(30, sessions_after("2025-01-06", 42), 1);
    let files = market.write(folder.path(), &[Packing::Plain]);
    let data = folder.path().join("data");
    let mut import = vec!["data", "import"];
    import.extend(files.iter().map(|file| text(file)));
    import.extend(["--into", text(&data)]);
    run_ok(&import);

    let python = folder.path().join("python.wasm");
    let example = repository().join("plugins/examples/lowest-close-python");
    build_python(&example, &repository().join("wit"), "buy", &python);
    let rust = build_rust("lowest-close");

    let [python, rust] = [python, rust].map(|wasm| month(folder.path(), &market, &wasm));
    assert_eq!(python["sessions"], 22);
    assert_eq!(python["runs"], rust["runs"]);
    let orders = rust["orders"].as_array().expect("orders");
    assert!(orders.len() > 20, "{} orders", orders.len());
    assert_eq!(python["orders"], rust["orders"]);
    assert_eq!(python["fills"], rust["fills"]);
    println!("{} orders, the same in both", orders.len());
}

#[test]
fn a_new_project_of_each_world_builds_and_trades() {
    if !can_build() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for world in ["monitor", "eod", "sell", "buy", "trader"] {
        let project = folder.path().join(world);
        let name = format!("my-{world}");
        run_ok(&["plugin", "new", &name, "--world", world, "--lang", "python", "--dir", text(&project)]);
        let wasm = project.join(format!("my_{world}.wasm"));
        build_python(&project, &project.join("wit"), world, &wasm);
        let config = project.join("tradeagent.toml");
        let answer = run_json(&[
            "plugin",
            "check",
            text(&wasm),
            "--world",
            world,
            "--config",
            text(&config),
            "--json",
        ]);
        let compiled = std::fs::read_dir(project.join("state/plugins")).expect("compiled code").count();
        assert_eq!(compiled, 2, "for simulations, and for the service");
        assert_eq!(
            (&answer["deterministic"], &answer["restart_safe"]),
            (&true.into(), &true.into()),
            "{answer}"
        );
        assert!(answer["days"]["runs"]["failed"].is_null(), "{answer}");
        if ["sell", "buy", "trader"].contains(&world) {
            assert!(answer["days"]["orders"].as_u64() > Some(0), "{world} places an order: {answer}");
        }
    }
}

/// Tries what an empty world does not have; its report says what came of it.
const CURIOUS: &str = r#"
import os, random, socket, time
from wit_world import exports
from wit_world.imports import types

def tried(what):
    try:
        return str(what())
    except Exception as error:
        return type(error).__name__

class Task(exports.Task):
    def run(self, now, cause):
        print("printed", random.random())
        answers = [
            tried(lambda: os.listdir("/")),
            tried(lambda: open("/etc/passwd").read()),
            tried(lambda: open("/tmp/left-behind", "w").write("x")),
            tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).connect(("127.0.0.1", 22))),
            tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53))),
            tried(lambda: socket.getaddrinfo(b"localhost", 80)),
            tried(lambda: "HOME" in os.environ or "PATH" in os.environ),
            tried(lambda: abs(time.time_ns() - now) < 1_000_000_000),
        ]
        return types.Report(summary=", ".join(answers), skipped=[], figures=[], extras=[])
"#;

#[test]
fn python_sees_nothing_of_the_machine() {
    if !can_build() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("app.py"), CURIOUS).expect("written");
    let wasm = folder.path().join("curious.wasm");
    build_python(folder.path(), &repository().join("wit"), "monitor", &wasm);
    // So that what it is compiled to goes with the folder.
    let config = folder.path().join("tradeagent.toml");
    std::fs::write(&config, "state_dir = \"state\"\n[account.curious]\nbroker = \"paper\"\n")
        .expect("written");
    let check = ["check", text(&wasm), "--world", "monitor", "--config", text(&config), "--json"];
    let answer = run_json(&[&["plugin"], &check[..]].concat());
    assert_eq!(answer["deterministic"], true, "{answer}");
    let said = answer["days"]["last_summary"].as_str().expect("a summary");
    println!("{said}");
    let answers: Vec<&str> = said.split(", ").collect();
    let [list, read, write, connect, send, resolve, environment, clock] = answers[..] else {
        panic!("{said}")
    };
    assert_eq!([list, read, write], ["FileNotFoundError"; 3], "{said}");
    assert_eq!([connect, send, resolve], ["PermissionError", "PermissionError", "gaierror"], "{said}");
    assert_eq!((environment, clock), ("False", "True"), "{said}");
}
