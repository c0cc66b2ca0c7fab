//! Every error that a strategy's author can meet, with its full message: each says what to do next.
//!
//! What a run is stopped for (trap, time, memory, calls) is told by the runtime's own tests, `hostile`.

#[path = "../host/runtime/tests/support/mod.rs"]
mod guests;
mod support;

use std::path::PathBuf;

use support::{run, run_fails, run_ok, text};

/// A strategy that does nothing, as text.
const IDLE: &str = include_str!("../host/runtime/tests/fixtures/idle.wat");
const SELLS: &str = include_str!("../host/runtime/tests/fixtures/sells.wat");
const TRAP: &str = include_str!("../host/runtime/tests/fixtures/trap.wat");

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.at(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// What `plugin check` says of `bytes` in `world`, without the path in it.
    fn check(&self, bytes: &[u8], world: &str) -> String {
        let path = self.write("mine.wasm", bytes);
        self.plain(&run_fails(&["plugin", "check", text(&path), "--world", world], 1))
    }

    /// One line, without this folder's name.
    fn plain(&self, said: &str) -> String {
        let said = said.replace(&format!("{}/", text(self.0.path())), "");
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn component(text: &str, world: &str) -> Vec<u8> {
    guests::component(text, world, &|text| text.to_owned())
}

#[test]
fn another_version_of_the_contract() {
    let folder = Folder::new();
    let next = |text: &str| text.replace("0.1.0", "0.2.0");
    let bytes = guests::component(&next(IDLE), "monitor", &next);
    let said = folder.check(&bytes, "monitor");
    let expected = "the component was built for tradeagent:strategy@0.2.0, and this host speaks 0.1.0: build it again with the SDK of \
                    this host, or use a host that speaks 0.2.0";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn an_import_that_no_world_has() {
    let folder = Folder::new();
    let wat = IDLE.replacen("(module", "(module\n  (import \"other:net/sockets\" \"dial\" (func $dial))", 1);
    let other = "package other:net;\ninterface sockets { dial: func(); }\n";
    let edit = |text: &str| text.replace("world monitor {", "world monitor {\n  import other:net/sockets;");
    let bytes = guests::component_with(&wat, "monitor", &edit, other);
    let said = folder.check(&bytes, "monitor");
    let expected = "the component imports `other:net/sockets`, which no world of tradeagent:strategy@0.1.0 allows: a strategy \
                    reaches nothing but the contract";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_capability_that_the_role_does_not_grant() {
    let folder = Folder::new();
    let said = folder.check(&component(SELLS, "sell"), "monitor");
    let expected = "the component imports `selling`, which the role monitor does not grant; the roles sell and trader do: give it \
                    another role in the config, or take the import out";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn what_is_no_component() {
    let folder = Folder::new();
    let whole = component(IDLE, "monitor");
    let cut = &whole[..whole.len() / 2];
    let module = wat::parse_str("(module)").expect("a module");
    let how = "build it with `cargo build --release --target wasm32-wasip2`, or make one by `tradeagent plugin new`";
    for (bytes, expected) in [
        (&b""[..], "this is not a strategy component: the file is empty"),
        (b"fn main() {}", "this is not a strategy component: it is a text file, not a compiled component"),
        (
            &module,
            "it is a core module, not a component: build it with `cargo component build`, for wasm32-wasip2, or encode it with wit-component",
        ),
        (cut, "copy or build it again"),
    ] {
        let said = folder.check(bytes, "monitor");
        assert!(said.contains(expected) && said.contains(how), "{said}");
    }
}

#[test]
fn a_trap() {
    let folder = Folder::new();
    let said = folder.check(&component(TRAP, "monitor"), "monitor");
    let expected = "its runs do not do their work: the strategy crashed in `divide`: integer divide by zero; look for a division, an \
                    index or an `unwrap` there, and build it with the SDK, whose panics name their line";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_bad_value_in_the_configuration() {
    let folder = Folder::new();
    let shipped = bundle::find("monitor").expect("shipped").bytes;
    let path = folder.write("mine.wasm", shipped);
    for (param, expected) in [
        (
            "nonsense=1",
            "there is no parameter nonsense; there are: average_first, average_second, ema_days, history, \
             history_age_days_max, move_min, rsi_critical, rsi_period, rsi_warning",
        ),
        ("rsi_period=nine", "parameter rsi_period = \"nine\": expected a whole number"),
        ("rsi_period=1", "parameter rsi_period = 1: expected 2 to 500"),
    ] {
        let said = folder.plain(&run_fails(&["plugin", "check", text(&path), "--param", param], 1));
        let told = format!(
            "error: its runs do not do their work: {expected} hint: `--param NAME=VALUE` gives it a parameter; its log is in \
             `tradeagent simulate`"
        );
        assert!(said.contains(&told), "{said}");
    }
    folder.write(
        "tradeagent.toml",
        b"state_dir = \"state\"\n[strategy.mine]\nrole = \"monitr\"\ncomponent = \"mine.wasm\"\n",
    );
    let output = run(&["plugin", "dev", text(folder.0.path())]);
    let said = folder.plain(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("monitr") && said.contains("monitor"), "{said}");
}

#[test]
fn a_signature_that_is_none() {
    let folder = Folder::new();
    let path = folder.write("mine.wasm", bundle::find("monitor").expect("shipped").bytes);
    let config = folder.write("tradeagent.toml", b"state_dir = \"state\"\n");
    let key = folder.at("author.key");
    run_ok(&["plugin", "keygen", text(&key)]);
    let verify =
        || folder.plain(&run_fails(&["plugin", "verify", text(&path), "--config", text(&config)], 1));
    let none = verify();
    assert!(none.contains("mine.wasm.sig cannot be read") && none.contains("plugin sign"), "{none}");
    run_ok(&["plugin", "sign", text(&path), "--key", text(&key)]);
    let stranger = verify();
    assert!(stranger.contains("trusted_keys"), "{stranger}");
    let signature = folder.at("mine.wasm.sig");
    let signed = std::fs::read_to_string(&signature).expect("it is text");
    std::fs::write(&signature, signed.replace("monitor", "trader")).expect("written");
    let broken = verify();
    let expected = "the signature does not match its key: the file was changed after it was signed; sign the component again, or get \
                    both files anew from its author";
    assert!(broken.contains(expected), "{broken}");
    std::fs::write(&signature, signed).expect("written");
    folder.write("mine.wasm", bundle::find("eod").expect("shipped").bytes);
    let other = verify();
    assert!(
        other.contains("the signature is of another component (")
            && other.contains("sign this one, or use that one"),
        "{other}"
    );
}
