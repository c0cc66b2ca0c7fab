//! Builds a project when its sources have changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use model::ContentHash;
use notify::RecursiveMode;

use crate::changes::{at_rest, wake_at_changes};

/// Sources are looked at at least this often: not every file system tells of changes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// An editor's save is a handful of events.
const REST: Duration = Duration::from_millis(20);
/// A project has fewer sources.
const FILES_MAX: usize = 10_000;
/// What the tools make themselves: looking there would build for ever.
const NOT_SOURCES: [&str; 6] = ["target", "state", "node_modules", "__pycache__", ".git", ".venv"];
/// After so many builds in a row that gave the same component and left other sources, it is the build that writes them.
const OWN_CHANGES_MAX: u32 = 3;

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Built {
    /// There is a component.
    Well,
    /// The compiler's own words.
    Badly(String),
    /// Each build changes sources, so that there would be another for ever: the next waits for a save.
    Restless,
}

/// Builds a project in its folder.
#[derive(Debug, Clone)]
pub(super) struct Builder {
    dir: PathBuf,
    command: Option<String>,
    artefact: PathBuf,
    /// Written by the host that trades here.
    state: PathBuf,
}

impl Builder {
    /// In `dir`, by `command` or cargo; `artefact` is what comes out. What is in `state` is no source.
    pub(super) fn new(dir: &Path, command: Option<String>, artefact: &Path, state: &Path) -> Self {
        Self { dir: dir.to_owned(), command, artefact: artefact.to_owned(), state: state.to_owned() }
    }

    /// Builds once.
    pub(super) fn build(&self) -> Built {
        let output = self.command().stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => Built::Well,
            Ok(output) => {
                let words = [output.stdout, output.stderr].concat();
                Built::Badly(String::from_utf8_lossy(&words).trim_end().to_owned())
            }
            Err(error) => {
                Built::Badly(format!("the build cannot be started: {error}; is cargo in the PATH?"))
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = match &self.command {
            #[cfg(unix)]
            Some(line) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", line]);
                shell
            }
            #[cfg(not(unix))]
            Some(line) => {
                let mut shell = Command::new("cmd");
                shell.args(["/C", line]);
                shell
            }
            None => {
                let mut cargo = Command::new("cargo");
                cargo.args(["build", "--release", "--quiet", "--target", "wasm32-wasip2"]);
                // The configuration names the project's own target folder.
                cargo.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET").env_remove("RUSTFLAGS");
                cargo
            }
        };
        command.current_dir(&self.dir);
        command
    }

    /// The component, by content; none: there is none.
    fn component(&self) -> Option<ContentHash> {
        crate::strategies::read_component(&self.artefact).ok().map(|bytes| runtime::hash_of(&bytes))
    }

    /// Size and time of every source.
    fn sources(&self) -> BTreeMap<PathBuf, (u64, Option<SystemTime>)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = entry.file_name();
                let Ok(meta) = entry.metadata() else { continue };
                let is_made = NOT_SOURCES.iter().any(|made| name == *made)
                    || path == self.artefact
                    || path == self.state
                    || path.extension().is_some_and(|ending| ending == "wasm" || ending == "sig")
                    || name == "Cargo.lock";
                if is_made || found.len() >= FILES_MAX {
                    continue;
                }
                if meta.is_dir() {
                    folders.push(path);
                } else if meta.is_file() {
                    found.insert(path, (meta.len(), meta.modified().ok()));
                }
            }
        }
        found
    }

    /// Builds now and at each change, telling how each build ended, until `stop` says true.
    pub(super) fn follow(&self, tell: Arc<dyn Fn(Built) + Send + Sync>) -> std::io::Result<Following> {
        let (wake, woken) = sync_channel(1);
        let made = self.dir.join("target");
        let notifier = wake_at_changes(self.folders(), Some(made), wake.clone());
        let builder = self.clone();
        let mut built = builder.sources();
        std::thread::Builder::new().name("build".to_owned()).spawn(move || {
            tell(builder.build());
            let mut made = builder.component();
            let mut in_a_row = 0;
            loop {
                match woken.recv_timeout(LOOK_AGAIN) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                let now = builder.sources();
                if now == built {
                    continue;
                }
                // Until the editor has written them all, however long it takes.
                let Some(written) = at_rest(now, REST, std::iter::repeat(()), || builder.sources()) else {
                    return;
                };
                built = written;
                tell(builder.build());
                let component = builder.component();
                let wrote_sources = component == made && builder.sources() != built;
                made = component;
                in_a_row = if wrote_sources { in_a_row + 1 } else { 0 };
                if in_a_row == OWN_CHANGES_MAX {
                    in_a_row = 0;
                    built = builder.sources();
                    tell(Built::Restless);
                }
            }
        })?;
        Ok(Following { _wake: wake, _notifier: notifier })
    }

    /// The project's own folder and its sources; the folder of what is made is large, and no source.
    fn folders(&self) -> Vec<(PathBuf, RecursiveMode)> {
        let mut folders = vec![(self.dir.clone(), RecursiveMode::NonRecursive)];
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if entry.path().is_dir() && !NOT_SOURCES.iter().any(|made| entry.file_name() == *made) {
                folders.push((entry.path(), RecursiveMode::Recursive));
            }
        }
        folders
    }
}

/// Ends the watching when it is dropped; a build that goes on is not waited for.
pub(super) struct Following {
    _wake: SyncSender<()>,
    _notifier: Option<notify::RecommendedWatcher>,
}
