//! `plugin new`: a project that builds, tests and trades a day as it stands, anywhere.
//!
//! The SDK and the contract come along in `vendor/`: neither is published, and a strategy is to be built against
//! the contract of the host that made its project.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use runtime::Role;

use crate::cli::NewArgs;
use crate::config::NAME_MAX;
use crate::exit::Failure;
use crate::output;

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../", $folder, "/", $name)))),*]
    };
}

/// The SDK's sources; its manifest takes the place of the workspace's.
const SDK: [(&str, &str); 10] = files!("plugins/sdk/src": "day.rs", "describe.rs", "glue.rs", "indicators.rs",
    "lib.rs", "params.rs", "price.rs", "report.rs", "stage.rs", "store.rs");
const WIT: [(&str, &str); 8] = files!("wit": "act.wit", "market.wit", "order-book.wit", "portfolio.wit", "run.wit",
    "serve.wit", "types.wit", "worlds.wit");
const PLUGINS: &str = include_str!("../../../../../plugins/Cargo.toml");

/// What differs from world to world.
struct Template {
    lib: &'static str,
    logic: &'static str,
    what: &'static str,
    /// Name, default, meaning.
    params: &'static [[&'static str; 3]],
    schedule: &'static str,
}

macro_rules! template {
    ($world:literal, $what:literal, $params:expr, $schedule:literal) => {
        Template {
            lib: include_str!(concat!("../../../../../plugins/templates/", $world, "/lib.rs")),
            logic: include_str!(concat!("../../../../../plugins/templates/", $world, "/logic.rs")),
            what: $what,
            params: &$params,
            schedule: $schedule,
        }
    };
}

fn template(world: Role) -> Template {
    match world {
        Role::Monitor => template!(
            "monitor",
            "Alerts when a share that the system owns has fallen below what was paid for it.",
            [["fall", "5", "by more than so many percent"]],
            "at = \"open+5m\"\nevery = \"15m\"\nuntil = \"close\""
        ),
        Role::Eod => template!("eod", "Sends the day's account as an alert.", [], "at = \"18:00\""),
        Role::Sell => template!(
            "sell",
            "Keeps a limit sell standing for each position, above what was paid.",
            [["profit", "5", "so many percent above"]],
            "at = \"open\"\nevery = \"1m\"\nuntil = \"close\""
        ),
        Role::Buy => template!(
            "buy",
            "After the close, buys for the next open what closed at its lowest of some days.",
            [
                ["days", "20", "the days"],
                ["quantity", "10", "shares of each"],
                ["orders_max", "5", "orders a day"]
            ],
            "at = \"close+35m\""
        ),
        Role::Trader => template!(
            "trader",
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
    for (path, text) in project(name, args.world) {
        write(&folder.join(path), &text)?;
    }
    let wasm = format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
    output::line(&format!("{} is a strategy of the world `{}`. Next:", folder.display(), args.world));
    output::line(&format!("  cd {}", folder.display()));
    output::line("  cargo test");
    output::line("  cargo build --release --target wasm32-wasip2");
    output::line(&format!("  tradeagent plugin check {wasm}"));
    output::line("  tradeagent run --config tradeagent.toml     on paper");
    Ok(())
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
    let Template { lib, logic, what, params, schedule } = template(world);
    let file = name.replace('-', "_");
    let mut files = vec![
        ("Cargo.toml".to_owned(), manifest(name)),
        // The targets of both ways to build it.
        (
            "rust-toolchain.toml".to_owned(),
            "[toolchain]\nchannel = \"1.95.0\"\ntargets = [\"wasm32-wasip2\", \"wasm32-wasip1\"]\nprofile = \"minimal\"\n"
                .to_owned(),
        ),
        (".gitignore".to_owned(), "/target\n/state\n".to_owned()),
        ("README.md".to_owned(), readme(name, what, params)),
        ("src/lib.rs".to_owned(), lib.to_owned()),
        ("src/logic.rs".to_owned(), logic.to_owned()),
        (
            "tradeagent.toml".to_owned(),
            format!(
                "# The strategy on paper, on made-up data. Every key is in the sample that comes with tradeagent.\n\
                 state_dir = \"state\"\n\n[account.{name}]\nbroker = \"paper\"\n\n[strategy.{name}]\nrole = \"{world}\"\n\
                 component = \"target/wasm32-wasip2/release/{file}.wasm\"\n# params = {{ … }}\n\n[task.{name}]\n\
                 strategy = \"{name}\"\n{schedule}\n"
            ),
        ),
        ("vendor/tradeagent/plugins/sdk/Cargo.toml".to_owned(), sdk_manifest()),
    ];
    let sdk = SDK.iter().map(|(name, text)| (format!("vendor/tradeagent/plugins/sdk/src/{name}"), *text));
    let wit = WIT.iter().map(|(name, text)| (format!("vendor/tradeagent/wit/{name}"), *text));
    files.extend(sdk.chain(wit).map(|(path, text)| (path, text.to_owned())));
    files
}

fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[lib]\n\
         crate-type = [\"cdylib\"]\ndoctest = false\n\n[dependencies]\n\
         tradeagent-sdk = {{ path = \"vendor/tradeagent/plugins/sdk\" }}\n\n\
         # A small component loads soon; function names stay, because a trap is journaled with them.\n\
         [profile.release]\nopt-level = \"s\"\nlto = true\ncodegen-units = 1\npanic = \"abort\"\nstrip = \"debuginfo\"\n\n\
         # Not part of a workspace around it.\n[workspace]\n"
    )
}

fn sdk_manifest() -> String {
    let bindgen = PLUGINS.lines().find(|line| line.starts_with("wit-bindgen = ")).unwrap_or_default();
    format!(
        "[package]\nname = \"tradeagent-sdk\"\nversion = \"{}\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n{bindgen}\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn readme(name: &str, what: &str, params: &[[&str; 3]]) -> String {
    let mut text = format!("# {name}\n\n{what}\n");
    if !params.is_empty() {
        text.push_str("\n| parameter | default | what it is |\n|---|---|---|\n");
        for [name, default, meaning] in params {
            text.push_str(&format!("| `{name}` | {default} | {meaning} |\n"));
        }
    }
    text.push_str(&format!(
        "\n```sh\ncargo test                                        # its decisions, natively\n\
         cargo build --release --target wasm32-wasip2      # the component\n\
         tradeagent plugin check target/wasm32-wasip2/release/{}.wasm\n\
         tradeagent run --config tradeagent.toml           # on paper\n```\n\n\
         `cargo component build --release` builds it as well. `vendor/` holds the SDK and the contract of the tradeagent \
         that made this project; a newer one is taken over by `tradeagent plugin new` in another folder.\n",
        name.replace('-', "_")
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a folder of this repository.
    fn listed(folder: &str) -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_of_sdk_and_contract_come_along() {
        assert_eq!(listed("plugins/sdk/src"), SDK.map(|(name, _)| name));
        assert_eq!(listed("wit"), WIT.map(|(name, _)| name));
        assert!(sdk_manifest().contains("wit-bindgen = "), "{}", sdk_manifest());
    }
}
