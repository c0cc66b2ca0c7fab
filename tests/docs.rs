//! What the documents promise: the sample configuration, the exit codes, the commands.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use tradeagent::cli::Cli;
use tradeagent::config::Config;
use tradeagent::exit::Exit;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_sample_configuration_is_valid_and_says_the_defaults() {
    let sample = Config::load(Some(&root().join("deploy/tradeagent.toml"))).expect("the sample");
    let default = Config::default();
    assert_eq!(sample.limits, default.limits);
    assert_eq!(sample.amo, default.amo);
    assert_eq!(sample.account.cash, default.account.cash);
    assert_eq!(sample.account.volume_share_percent, default.account.volume_share_percent);
    assert_eq!(sample.account.tariff, default.account.tariff);
    assert_eq!(sample.notify, default.notify);
    assert_eq!(sample.recording, default.recording);
    assert_eq!(sample.tasks, default.tasks);
    assert_eq!(sample.strategies.len(), default.strategies.len());
}

#[test]
fn the_readme_lists_every_exit_code_and_command() {
    let readme = read("README.md");
    for exit in Exit::ALL {
        assert!(
            readme.contains(&format!("| {} |", exit.code())),
            "exit code {} is not in the table",
            exit.code()
        );
    }
    for command in Cli::command().get_subcommands().map(clap::Command::get_name) {
        let named = readme.contains(&format!("`tradeagent {command}"))
            || (readme.contains("`tradeagent status`") && readme.contains(&format!("`{command}`")));
        assert!(named, "{command} is not in the README");
    }
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = read("README.md");
    let head: Vec<&str> = readme.lines().take(8).collect();
    assert!(head.iter().any(|line| line.starts_with("cargo run --release -- demo")));
    assert!(head.iter().any(|line| line.starts_with("cargo test --workspace")));
    assert!(read(".ci/run").contains("cargo test --workspace"), "CI runs the README's test command");
}
