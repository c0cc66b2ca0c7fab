//! What the README promises of faults and options can be pasted.

use std::collections::BTreeSet;
use std::process::Command;

use kotak_neo_sim::{Endpoint, Fault, Script};

const README: &str = include_str!("../README.md");

#[test]
fn every_example_of_a_fault_is_one() {
    let mut kinds = BTreeSet::new();
    for line in README.lines().filter(|line| line.starts_with("| `") && line.contains("{\"kind\"")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let named = cells[0].trim_start_matches("| ").trim_matches('`');
        let example = cells.last().expect("cells").trim_end_matches(" |").trim_matches('`');
        let fault: Fault = serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        let written = serde_json::to_value(&fault).expect("JSON");
        assert_eq!(written["kind"], named, "{line}");
        kinds.insert(named.to_owned());
    }
    assert_eq!(kinds.len(), 28, "one row for each kind: {kinds:?}");
}

#[test]
fn the_script_can_be_pasted() {
    let script =
        README.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a script");
    assert_eq!(Script::parse(script).expect("a script").fault.len(), 2);
}

#[test]
fn the_calls_are_the_ones_that_are_known() {
    let line = README.lines().find(|line| line.starts_with("| `on` |")).expect("the setting");
    let names: Vec<&str> = line.split('`').nth(3).expect("the names").split(' ').collect();
    for name in &names {
        let endpoint: Endpoint =
            serde_json::from_value((*name).into()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(endpoint.as_str(), *name);
    }
    assert_eq!(names.len(), 21);
}

#[test]
fn every_option_is_told() {
    let help = Command::new(env!("CARGO_BIN_EXE_kotak-neo-sim")).arg("--help").output().expect("it runs");
    let help = String::from_utf8(help.stdout).expect("text");
    let words = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
    let options: BTreeSet<&str> = words.map(|word| word.trim_end_matches([',', ':'])).collect();
    for option in options.iter().filter(|option| !matches!(**option, "--help" | "--version")) {
        assert!(README.contains(option), "{option} is not in the README");
    }
    assert!(options.len() >= 8, "{options:?}");
}
