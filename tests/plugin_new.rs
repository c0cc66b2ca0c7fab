//! `plugin new`, a build by each way, and `plugin check`, in a folder outside the repository, for each world.
//!
//! `TRADEAGENT_CARGO_COMPONENT=1` builds by `cargo component` too and compares (the full pipeline does).

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{run_fails, run_json, run_ok, text, without_outer_cargo};

const TARGET: &str = "wasm32-wasip2";
const WORLDS: [&str; 5] = ["monitor", "eod", "sell", "buy", "trader"];

/// Cargo in `folder`, without what the outer one has set for the host's build.
fn cargo(folder: &Path, target: &Path, arguments: &[&str]) {
    let mut command = Command::new("cargo");
    let output = without_outer_cargo(&mut command)
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo {} in {}: {}",
        arguments.join(" "),
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn have_target() {
    let libdir = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let libdir = String::from_utf8(libdir.expect("rustc").stdout).expect("a path");
    if Path::new(libdir.trim()).is_dir() {
        return;
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    assert!(added.is_ok_and(|status| status.success()), "`rustup target add {TARGET}` does not work here");
}

/// All that a check says about how the component trades.
fn trades(answer: &Value) -> (&Value, &Value) {
    (&answer["days"], &answer["may"])
}

#[test]
fn a_new_project_of_each_world_tests_builds_and_trades() {
    have_target();
    let folder = tempfile::tempdir().expect("a folder");
    // Kept between runs: what is compiled there is always the same but for the five small crates.
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-new");
    let by_component = std::env::var_os("TRADEAGENT_CARGO_COMPONENT").is_some();
    if !by_component {
        println!("cargo component: not tried (TRADEAGENT_CARGO_COMPONENT=1 does)");
    }
    for world in WORLDS {
        let name = format!("my-{world}");
        let project = folder.path().join(&name);
        let dir = text(&project);
        run_ok(&["plugin", "new", &name, "--world", world, "--dir", dir]);
        cargo(&project, &target, &["test", "--quiet"]);
        cargo(&project, &target, &["build", "--quiet", "--release", "--target", TARGET]);
        let wasm = target.join(TARGET).join("release").join(format!("my_{world}.wasm"));
        let answer = run_json(&["plugin", "check", text(&wasm), "--world", world, "--json"]);
        assert_eq!(answer["world"], world);
        assert_eq!(
            (&answer["deterministic"], &answer["restart_safe"]),
            (&true.into(), &true.into()),
            "{answer}"
        );
        assert!(answer["days"]["runs"]["done"].as_u64() > Some(0), "{answer}");
        assert!(answer["days"]["runs"]["failed"].is_null(), "{answer}");
        if ["sell", "buy", "trader"].contains(&world) {
            assert!(answer["days"]["orders"].as_u64() > Some(0), "{world} places an order: {answer}");
        }
        if by_component {
            cargo(&project, &target, &["component", "build", "--quiet", "--release"]);
            let other = target.join("wasm32-wasip1/release").join(format!("my_{world}.wasm"));
            let other = run_json(&["plugin", "check", text(&other), "--world", world, "--json"]);
            assert_eq!(trades(&other), trades(&answer), "built by cargo component");
        }
    }
    // One that counts its ticks in itself: lost with its instance.
    let project = folder.path().join("my-monitor");
    let lib = project.join("src/lib.rs");
    let source = std::fs::read_to_string(&lib).expect("its source");
    let counts = "self.0 += 1;\n        if self.0 == 3 {\n            notify::alert(\"third\", notify::Severity::Info, \"x\");\n        }";
    let forgetful = source
        .replace("struct Mine;", "struct Mine(u32);")
        .replace("let params = Params::read();", &format!("{counts}\n        let params = Params::read();"));
    assert_ne!(forgetful, source);
    std::fs::write(&lib, forgetful).expect("written");
    cargo(&project, &target, &["build", "--quiet", "--release", "--target", TARGET]);
    let wasm = target.join(TARGET).join("release/my_monitor.wasm");
    let said = run_fails(&["plugin", "check", text(&wasm)], 1);
    assert!(said.contains("with a new instance at each tick the days came out differently"), "{said}");
    assert!(said.contains("belongs in `state`"), "{said}");
    let unknown = run_fails(&["plugin", "check", text(&wasm), "--param", "nonsense=1"], 1);
    assert!(unknown.contains("there is no parameter nonsense"), "{unknown}");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = run_fails(&["plugin", "new", "My_Bot", "--world", "sell"], 2);
    assert!(bad.contains("`My_Bot` is no name for a strategy: small letters, digits and `-`"), "{bad}");
    let dir = text(folder.path());
    let there = run_fails(&["plugin", "new", "bot", "--world", "sell", "--dir", dir], 2);
    assert!(there.contains("is there already") && there.contains("--dir"), "{there}");
    let file = folder.path().join("no.wasm");
    std::fs::write(&file, "no component").expect("written");
    let none = run_fails(&["plugin", "check", text(&file)], 1);
    assert!(none.contains("cargo build --release --target wasm32-wasip2"), "{none}");
}

#[test]
fn a_signature_is_made_verified_and_told_from_a_stranger_s() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (key, wasm, config) = (at("author.key"), at("mine.wasm"), at("tradeagent.toml"));
    let shipped = bundle::find("monitor").expect("shipped").bytes;
    std::fs::write(&wasm, shipped).expect("written");
    let write = |trusted: &str| {
        let source = format!("state_dir = \"state\"\n[plugins]\ntrusted_keys = [{trusted}]\n");
        std::fs::write(&config, source).expect("written");
    };
    write("");
    let public = run_ok(&["plugin", "keygen", text(&key)]);
    let again = run_fails(&["plugin", "keygen", text(&key)], 1);
    assert!(again.contains("it is there already"), "{again}");
    let verify = ["plugin", "verify", text(&wasm), "--config", text(&config)];
    let unsigned = run_fails(&verify, 1);
    assert!(
        unsigned.contains("mine.wasm.sig cannot be read") && unsigned.contains("plugin sign"),
        "{unsigned}"
    );
    run_ok(&["plugin", "sign", text(&wasm), "--key", text(&key), "--max-orders-per-day", "5"]);
    let stranger = run_fails(&verify, 1);
    assert!(stranger.contains("is not trusted here") && stranger.contains(public.trim()), "{stranger}");
    write(&format!("\"{}\"", public.trim()));
    assert!(run_ok(&verify).contains("trusted"));
    write("\"ta-public-1-AAAA\"");
    let no_key = run_fails(&verify, 78);
    assert!(no_key.contains("no key of tradeagent") && no_key.contains("plugin keygen"), "{no_key}");
}
