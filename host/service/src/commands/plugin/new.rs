//! `plugin new`: a project that builds, tests and trades a day as it stands, anywhere.
//!
//! The SDK and the contract come along in `vendor/`: neither is published, and a strategy is to be built against
//! the contract of the host that made its project.

mod python;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use runtime::Role;

use crate::cli::{Language, NewArgs};
use crate::config::NAME_MAX;
use crate::exit::Failure;
use crate::output;

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../", $folder, "/", $name)))),*]
    };
}

/// The SDK's sources; its manifest takes the place of the workspace's.
const SDK: [(&str, &str); 18] = files!("plugins/sdk/src": "day.rs", "describe.rs", "glue.rs", "indicators.rs",
    "lib.rs", "log.rs", "mock/data.rs", "mock/given.rs", "mock/host.rs", "mock/mod.rs", "mock/orders.rs", "order.rs",
    "params.rs", "price.rs", "quantity.rs", "report.rs", "stage.rs", "store.rs");
const SDK_MANIFEST: &str = include_str!("../../../../../plugins/sdk/Cargo.toml");
const WIT: [(&str, &str); 8] = files!("wit": "act.wit", "market.wit", "order-book.wit", "portfolio.wit", "run.wit",
    "serve.wit", "types.wit", "worlds.wit");
const PLUGINS: &str = include_str!("../../../../../plugins/Cargo.toml");

/// What differs from world to world.
struct Template {
    lib: &'static str,
    logic: &'static str,
    tests: &'static str,
    what: &'static str,
    /// Name, default, meaning.
    params: &'static [[&'static str; 3]],
    schedule: &'static str,
}

macro_rules! template {
    ($folder:literal, $what:literal, $params:expr, $schedule:literal) => {
        Template {
            lib: include_str!(concat!("../../../../../plugins/", $folder, "/lib.rs")),
            logic: include_str!(concat!("../../../../../plugins/", $folder, "/logic.rs")),
            tests: include_str!(concat!("../../../../../plugins/", $folder, "/tests.rs")),
            what: $what,
            params: &$params,
            schedule: $schedule,
        }
    };
}

fn template(world: Role) -> Template {
    match world {
        Role::Monitor => template!(
            "templates/monitor",
            "Alerts when a share that the system owns has fallen below what was paid for it.",
            [["fall", "5", "by more than so many percent"]],
            "at = \"open+5m\"\nevery = \"15m\"\nuntil = \"close\""
        ),
        Role::Eod => template!("templates/eod", "Sends the day's account as an alert.", [], "at = \"18:00\""),
        Role::Sell => template!(
            "templates/sell",
            "Keeps a limit sell standing for each position, above what was paid.",
            [["profit", "5", "so many percent above"]],
            "at = \"open\"\nevery = \"1m\"\nuntil = \"close\""
        ),
        Role::Buy => template!(
            "examples/lowest-close/src",
            "After the close, buys for the next open what closed at its lowest of some days.",
            [
                ["days", "20", "the days"],
                ["quantity", "10", "shares of each"],
                ["orders_max", "5", "orders a day"]
            ],
            "at = \"close+35m\""
        ),
        Role::Trader => template!(
            "templates/trader",
            "Buys one share's dip below the previous close, and sells it higher.",
            [
                ["symbol", "DEMOALFA", "which share"],
                ["quantity", "10", "shares"],
                ["step", "1", "so many percent below, and above what was paid"]
            ],
            "at = \"open+5m\"\nevery = \"1m\"\nuntil = \"close\""
        ),
    }
}

/// Makes it.
pub fn new(args: &NewArgs) -> Result<(), Failure> {
    let name = &args.name;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty()
        || name.len() > NAME_MAX
        || !name.chars().all(is_plain)
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
    {
        return Err(Failure::usage(anyhow!(
            "`{name}` is no name for a strategy: small letters, digits and `-`, a letter first, at most {NAME_MAX} characters"
        )));
    }
    let folder = args.dir.clone().unwrap_or_else(|| name.into());
    if folder.exists() {
        return Err(Failure::usage(anyhow!("{} is there already", folder.display()))
            .hint("name another folder by --dir, or remove that one"));
    }
    let files = match args.lang {
        Language::Rust => project(name, args.world),
        Language::Python => python::project(name, args.world),
    };
    for (path, text) in files {
        write(&folder.join(path), &text)?;
    }
    let steps = match args.lang {
        Language::Rust => Vec::from(steps(name)),
        Language::Python => Vec::from(python::steps(name, args.world)),
    };
    output::line(&format!("{} is a strategy of the world `{}`. Next:", folder.display(), args.world));
    for step in [format!("cd {}", folder.display())].iter().chain(&steps) {
        output::line(&format!("  {step}"));
    }
    Ok(())
}

/// The component that a build of the Rust project leaves.
fn component(name: &str) -> String {
    format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"))
}

/// What to type next.
fn steps(name: &str) -> [String; 4] {
    [
        "cargo test                                        # the whole strategy, natively".to_owned(),
        "cargo build --release --target wasm32-wasip2      # the component".to_owned(),
        format!("tradeagent plugin check {}", component(name)),
        "tradeagent run --config tradeagent.toml           # on paper".to_owned(),
    ]
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().context("a file in a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

/// Every file of the project, by path.
fn project(name: &str, world: Role) -> Vec<(String, String)> {
    let Template { lib, logic, tests, .. } = template(world);
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest(name)),
        // The targets of both ways to build it.
        (
            "rust-toolchain.toml".to_owned(),
            "[toolchain]\nchannel = \"1.95.0\"\ntargets = [\"wasm32-wasip2\", \"wasm32-wasip1\"]\nprofile = \"minimal\"\n"
                .to_owned(),
        ),
        (".gitignore".to_owned(), "/target\n/state\n".to_owned()),
        ("README.md".to_owned(), readme(name, world)),
        ("src/lib.rs".to_owned(), lib.to_owned()),
        ("src/logic.rs".to_owned(), logic.to_owned()),
        ("src/tests.rs".to_owned(), tests.to_owned()),
        ("tradeagent.toml".to_owned(), configuration(name, world, &component(name))),
        ("vendor/tradeagent/plugins/sdk/Cargo.toml".to_owned(), sdk_manifest()),
    ];
    let sdk = SDK.iter().map(|(name, text)| (format!("vendor/tradeagent/plugins/sdk/src/{name}"), *text));
    let wit = WIT.iter().map(|(name, text)| (format!("vendor/tradeagent/wit/{name}"), *text));
    files.extend(sdk.chain(wit).map(|(path, text)| (path, text.to_owned())));
    files
}

/// The strategy on paper.
fn configuration(name: &str, world: Role, component: &str) -> String {
    let schedule = template(world).schedule;
    format!(
        "# The strategy on paper, on made-up data. Every key is in the sample that comes with tradeagent.\n\
         state_dir = \"state\"\n\n[account.{name}]\nbroker = \"paper\"\n\n[strategy.{name}]\nrole = \"{world}\"\n\
         component = \"{component}\"\n# params = {{ … }}\n\n[task.{name}]\n\
         strategy = \"{name}\"\n{schedule}\n"
    )
}

fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[lib]\n\
         crate-type = [\"cdylib\"]\ndoctest = false\n\n[dependencies]\n\
         tradeagent-sdk = {{ path = \"vendor/tradeagent/plugins/sdk\" }}\n\n\
         # A host for the tests.\n[dev-dependencies]\n\
         tradeagent-sdk = {{ path = \"vendor/tradeagent/plugins/sdk\", features = [\"mock\"] }}\n\n\
         # A small component loads soon; function names stay, because a trap is journaled with them.\n\
         [profile.release]\nopt-level = \"s\"\nlto = true\ncodegen-units = 1\npanic = \"abort\"\nstrip = \"debuginfo\"\n\n\
         # Not part of a workspace around it.\n[workspace]\n"
    )
}

/// The SDK's own, with what it takes from its workspace written out, and without what only its own tests need.
fn sdk_manifest() -> String {
    let mut manifest = String::new();
    let mut section = "";
    for line in SDK_MANIFEST.lines() {
        if line.starts_with('[') {
            section = line;
        }
        match line.split_once(".workspace = true") {
            _ if ["[dev-dependencies]", "[lints]"].contains(&section) => continue,
            Some((key, _)) => manifest.push_str(&of_workspace(key, section)),
            None => manifest.push_str(line),
        }
        manifest.push('\n');
    }
    manifest
}

/// A key of the workspace's manifest, as a line.
fn of_workspace(key: &str, section: &str) -> String {
    let table = if section == "[package]" { "[workspace.package]" } else { "[workspace.dependencies]" };
    let lines = PLUGINS.lines().skip_while(|line| *line != table);
    let of_key = |line: &&str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "));
    lines.skip(1).take_while(|line| !line.starts_with('[')).find(of_key).unwrap_or_default().to_owned()
}

/// What it does, and its parameters.
fn parameters(world: Role) -> String {
    let Template { what, params, .. } = template(world);
    let mut text = format!("{what}\n");
    if !params.is_empty() {
        text.push_str("\n| parameter | default | what it is |\n|---|---|---|\n");
        for [name, default, meaning] in params {
            text.push_str(&format!("| `{name}` | {default} | {meaning} |\n"));
        }
    }
    text
}

fn readme(name: &str, world: Role) -> String {
    format!(
        "# {name}\n\n{}\n```sh\n{}\n```\n\n\
         `cargo component build --release` builds it as well. `vendor/` holds the SDK and the contract of the tradeagent \
         that made this project; a newer one is taken over by `tradeagent plugin new` in another folder.\n",
        parameters(world),
        steps(name).join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files below a folder of this repository, by path, sorted.
    fn listed(folder: &str) -> Vec<String> {
        fn walk(folder: &Path, before: &str, names: &mut Vec<String>) {
            for entry in fs::read_dir(folder).expect("the folder") {
                let entry = entry.expect("an entry");
                let name = format!("{before}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    walk(&entry.path(), &format!("{name}/"), names);
                } else {
                    names.push(name);
                }
            }
        }
        let mut names = Vec::new();
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder), "", &mut names);
        names.sort();
        names
    }

    #[test]
    fn all_of_sdk_and_contract_come_along() {
        assert_eq!(listed("plugins/sdk/src"), SDK.map(|(name, _)| name));
        assert_eq!(listed("wit"), WIT.map(|(name, _)| name));
    }

    #[test]
    fn the_sdk_s_manifest_stands_alone() {
        let manifest: toml::Table = sdk_manifest().parse().expect("TOML");
        let written: toml::Table = SDK_MANIFEST.parse().expect("TOML");
        let names = |manifest: &toml::Table, table: &str| -> Vec<String> {
            manifest[table].as_table().expect("a table").keys().cloned().collect()
        };
        for table in ["package", "features", "dependencies"] {
            assert_eq!(names(&manifest, table), names(&written, table), "{table}");
        }
        assert!(!sdk_manifest().contains("workspace"), "{}", sdk_manifest());
    }
}
