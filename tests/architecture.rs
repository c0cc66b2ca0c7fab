//! The arrows that must never exist, and the clocks that nobody may ask.
//!
//! DESIGN: the sandbox cannot name the broker client; values know no runtime; one crate each names
//! reqwest, rusqlite and wasmtime; time and chance are handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// Normal dependencies, package name to package names.
struct Graph {
    members: BTreeSet<String>,
    direct: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read() -> Self {
        // Only this platform's packages: those are here, the others may have to be fetched.
        let version = Command::new("rustc").arg("-vV").current_dir(root()).output().expect("rustc runs");
        let version = String::from_utf8(version.stdout).expect("text");
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host triple");
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let names: BTreeMap<String, String> = json["packages"]
            .as_array()
            .expect("packages")
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let members = json["workspace_members"]
            .as_array()
            .expect("members")
            .iter()
            .map(|id| names[&text(id)].clone())
            .collect();
        let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in json["resolve"]["nodes"].as_array().expect("nodes") {
            let normal = node["deps"].as_array().expect("deps").iter().filter(|dep| {
                dep["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null())
            });
            direct
                .entry(names[&text(&node["id"])].clone())
                .or_default()
                .extend(normal.map(|dep| names[&text(&dep["pkg"])].clone()));
        }
        Self { members, direct }
    }

    fn reachable(&self, from: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut queue = vec![from];
        while let Some(package) = queue.pop() {
            for next in self.direct.get(package).into_iter().flatten() {
                if seen.insert(next.as_str()) {
                    queue.push(next);
                }
            }
        }
        seen
    }
}

#[test]
fn the_forbidden_arrows_do_not_exist() {
    let graph = Graph::read();
    let never: [(&str, &[&str]); 3] = [
        ("runtime", &["kotak-neo", "broker", "oms", "journal", "reqwest", "rusqlite"]),
        ("model", &["tokio", "rusqlite", "wasmtime", "reqwest"]),
        ("calendar", &["tokio", "rusqlite", "wasmtime", "reqwest"]),
    ];
    for (from, targets) in never {
        assert!(graph.members.contains(from), "{from} is a crate of the workspace");
        let reachable = graph.reachable(from);
        assert!(reachable.len() > 3, "{from} has dependencies to look at: {reachable:?}");
        for target in targets {
            assert!(!reachable.contains(target), "{from} must not reach {target}");
        }
    }
    let only: [(&str, &[&str]); 3] =
        [("reqwest", &["kotak-neo", "tradeagent"]), ("rusqlite", &["journal"]), ("wasmtime", &["runtime"])];
    for (library, owners) in only {
        let users: Vec<&String> =
            graph.members.iter().filter(|member| graph.direct[*member].contains(library)).collect();
        assert!(!users.is_empty(), "somebody uses {library}");
        for user in users {
            assert!(owners.contains(&user.as_str()), "{user} must not name {library}; only {owners:?} may");
        }
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !path.ends_with("target") {
                rust_files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_the_notifier_of_the_service_names_reqwest() {
    let mut files = Vec::new();
    rust_files(&root().join("host"), &mut files);
    let users: Vec<PathBuf> = files
        .into_iter()
        .filter(|path| std::fs::read_to_string(path).expect("readable").contains("reqwest::"))
        .map(|path| path.strip_prefix(root()).expect("inside").to_owned())
        // The client; and a bench that holds the desk against a bare call.
        .filter(|path| {
            !path.starts_with("host/kotak-neo") && !path.starts_with("host/kotak-neo-broker/benches")
        })
        .collect();
    assert!(!users.is_empty(), "the notifier is there");
    for user in users {
        assert!(user.starts_with("host/service/src/notify"), "{} names reqwest", user.display());
    }
}

/// Where asking the machine for the time is somebody's job, and whose.
const OWNERS_OF_TIME: [&str; 1] = ["host/service/src/clock.rs"];
/// Where real deadlines and epoch ticks run: each use carries an `#[expect(clippy::disallowed_methods)]`.
const BANNED: [&str; 9] = [
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "tokio::time::sleep",
    "tokio::time::timeout",
    "tokio::time::interval",
    "thread_rng",
    "Uuid::new_v4",
];

#[test]
fn nobody_asks_the_machine_for_time_or_chance_without_saying_why() {
    let mut files = Vec::new();
    for folder in ["host", "plugins"] {
        rust_files(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50, "there are sources to read: {}", files.len());
    let mut found = Vec::new();
    for path in files {
        let name = path.strip_prefix(root()).expect("inside").to_owned();
        let in_tests =
            name.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "benches");
        if in_tests || OWNERS_OF_TIME.iter().any(|owner| name.ends_with(owner)) {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("readable");
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        // Clippy holds each use to an `expect` with a reason; here a file without one is found even
        // where clippy is not run.
        let excused = code.contains("clippy::disallowed_methods");
        for word in BANNED {
            let used = code.lines().any(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            if used && !excused {
                found.push(format!("{}: {word}", name.display()));
            }
        }
        if code.contains("select!") {
            for (at, line) in code.lines().enumerate() {
                let opens = line.trim_end().ends_with("select! {");
                if opens && !code.lines().nth(at + 1).unwrap_or_default().contains("biased;") {
                    found.push(format!("{}:{}: a select! that is not biased", name.display(), at + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
