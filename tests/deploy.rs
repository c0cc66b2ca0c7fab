//! What is shipped for the service manager: the units are valid, and as tight as promised.
#![cfg(target_os = "linux")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

/// `systemd-analyze`; none where it is not installed, which is said.
fn analyze(arguments: &[&str]) -> Option<Output> {
    match Command::new("systemd-analyze").args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("SKIPPED: systemd-analyze {}: {error}", arguments.join(" "));
            None
        }
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// systemd-analyze(1): the threshold is ten times the exposure, and its exit code says whether it is kept.
#[test]
fn the_exposure_of_the_unit_is_at_most_one_and_a_half() {
    let unit = deploy().join("systemd/tradeagent-unified.service");
    let Some(output) =
        analyze(&["security", "--offline=true", "--threshold=15", "--no-pager", support::text(&unit)])
    else {
        return;
    };
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("Overall exposure level"), "{}", text(&output));
}

#[test]
fn the_units_are_valid() {
    // The programs that they start are where the package puts them; here the ones just built stand in.
    let folder = tempfile::tempdir().expect("a folder");
    let program = env!("CARGO_BIN_EXE_tradeagent");
    for name in ["tradeagent-unified.service", "tradeagent-helper.service"] {
        let unit = std::fs::read_to_string(deploy().join("systemd").join(name)).expect("a unit");
        assert!(!unit.contains("\nConflicts="), "it is symmetric: a legacy timer would stop us");
        let unit =
            unit.replace("/usr/bin/tradeagent-helper", program).replace("/usr/bin/tradeagent", program);
        std::fs::write(folder.path().join(name), unit).expect("written");
    }
    let unit = folder.path().join("tradeagent-unified.service");
    let Some(output) = analyze(&["verify", "--man=no", support::text(&unit)]) else { return };
    let told = text(&output);
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("tradeagent-")).collect();
    assert!(ours.is_empty(), "{told}");
}

/// What `service install` writes is what is shipped, and every key of the service's configuration is known.
#[test]
fn the_services_configuration_is_valid() {
    let config = tradeagent::config::Config::load(Some(&deploy().join("service.toml"))).expect("valid");
    assert_eq!(config.account.broker.as_str(), "kotak-neo");
    assert!(config.conflicts.auto_stop);
    assert_eq!(config.lock_dir, Path::new("/run/lock/tradeagent"));
    let tmpfiles = std::fs::read_to_string(deploy().join("tmpfiles.d/tradeagent.conf")).expect("there");
    assert!(tmpfiles.contains("d /run/lock/tradeagent "));
}
