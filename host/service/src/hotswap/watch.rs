//! Sees that a component's file has changed, and brings what is in it to its strategy's slot.
//!
//! What is judged is always the bytes that were read: they are hashed, checked and compiled in memory, so a file
//! that is half written, or replaced under the reader, is at worst no component, and is looked at again when it
//! has come to rest. All of it happens on a thread of its own; nothing that is wrong with a file reaches a tick.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use model::clock::SharedClock;
use model::{StrategyName, Timestamp};
use runtime::Runtime;

use super::apart::{self, CompileError};
use super::slot::{Candidate, Slot, Vouch};
use crate::changes::{at_rest, wake_at_changes};
use crate::config::{Component, Config, StrategyConfig};
use crate::strategies::{LiveStrategy, NotVouched, load_one, may_trade, read_component};

/// A file is looked at at least this often: not every file system tells of changes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A file that has not changed for so long has come to rest. Longer than the steps of a file's time (10 ms at the
/// coarsest): what is written after it has another time than what was written before.
const REST: Duration = Duration::from_millis(12);
/// What the machine kept from being read or compiled is tried again after so long: a disk has room again, a right was
/// given. The pause doubles each time, because what is tried may take minutes of computing.
const TRY_AGAIN_SECONDS: i64 = 30;
/// The longest pause.
const TRY_AGAIN_SECONDS_MAX: i64 = 3_600;
/// A file that does not come to rest is left for the next look after so many of those.
const RESTLESS_MAX: u32 = 200;

/// What may go live.
#[derive(Clone)]
pub struct Rules {
    /// What the operator trusts, and where promotions are kept.
    pub config: Arc<Config>,
    /// Whether a version needs somebody who vouches for it: on a real account it does.
    pub must_vouch: bool,
    /// The host's own clock, for the trading day.
    pub clock: SharedClock,
    /// The machine's, for how long things take.
    pub machine: SharedClock,
}

/// A file of a strategy.
struct Watched {
    name: StrategyName,
    slot: Arc<Slot>,
    settings: StrategyConfig,
    path: PathBuf,
    seen: Option<Stamp>,
    /// The machine kept it from being tried.
    kept_from: Option<KeptFrom>,
    /// Nobody vouches for it, and another waits that somebody vouches for.
    is_behind: bool,
}

/// Why a file could not be tried, though nothing is wrong with what is in it.
struct KeptFrom {
    why: String,
    /// The pause until then.
    seconds: i64,
    again_at: Timestamp,
}

/// What tells that a file is another than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&meta);
        #[cfg(not(unix))]
        let inode = 0;
        meta.is_file().then(|| Self { bytes: meta.len(), modified: meta.modified().ok(), inode })
    }
}

/// How long a host that stops waits for a component that is being compiled: it has promised to be gone soon.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// The thread that watches. It ends when this is dropped, and with it the last hold on the desk, so that the
/// journal is closed as it should be.
pub struct Watch {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    /// Its other end goes with the thread.
    ended: Receiver<()>,
    // Ends its own thread when it goes.
    _notifier: Option<notify::RecommendedWatcher>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Full: it is going to look, and sees that it is to stop.
        let _ = self.wake.try_send(());
        let _ = self.ended.recv_timeout(LAST_LOOK);
    }
}

/// The file in which a new version of `name` is dropped.
pub fn dropped(config: &Config, name: &StrategyName) -> PathBuf {
    config.plugin_dir.join(format!("{name}.wasm"))
}

impl Watch {
    /// Watches the files of `strategies`: the one that the configuration names, and the one of the plugin folder.
    pub fn start(
        rules: Rules,
        runtime: Runtime,
        strategies: &BTreeMap<StrategyName, LiveStrategy>,
    ) -> std::io::Result<Self> {
        let config = &rules.config;
        if let Err(error) = std::fs::create_dir_all(&config.plugin_dir) {
            tracing::warn!(%error, "the plugin folder {} cannot be made", config.plugin_dir.display());
        }
        let mut files = Vec::new();
        for (name, strategy) in strategies {
            let Some(settings) = config.strategies.get(name) else { continue };
            let mut watch = |path: PathBuf| {
                if !path.exists() {
                    strategy.slot.file_is_gone(&path);
                }
                files.push(Watched {
                    name: name.clone(),
                    slot: Arc::clone(&strategy.slot),
                    settings: settings.clone(),
                    path,
                    seen: None,
                    kept_from: None,
                    is_behind: false,
                });
            };
            if let Component::File(path) = &settings.component {
                watch(path.clone());
            }
            watch(dropped(config, name));
        }
        let (wake, woken) = sync_channel(1);
        let folders: BTreeSet<PathBuf> =
            files.iter().filter_map(|file| file.path.parent().map(Path::to_owned)).collect();
        let folders = folders.into_iter().map(|folder| (folder, notify::RecursiveMode::NonRecursive));
        let notifier = wake_at_changes(folders, None, wake.clone());
        // What was saved last is offered last, and has the place.
        files.sort_by_cached_key(|file| Stamp::of(&file.path).and_then(|stamp| stamp.modified));
        let stop = Arc::new(AtomicBool::new(false));
        let watcher = Watcher { rules, runtime, files, stop: Arc::clone(&stop) };
        let (end, ended) = sync_channel(0);
        std::thread::Builder::new().name("versions".to_owned()).spawn(move || {
            watcher.run(&woken);
            drop(end);
        })?;
        Ok(Self { stop, wake, ended, _notifier: notifier })
    }
}

struct Watcher {
    rules: Rules,
    runtime: Runtime,
    files: Vec<Watched>,
    stop: Arc<AtomicBool>,
}

impl Watcher {
    fn run(mut self, woken: &Receiver<()>) {
        loop {
            for file in &mut self.files {
                if self.stop.load(Ordering::Acquire) {
                    return;
                }
                file.look(&self.rules, &self.runtime);
            }
            match woken.recv_timeout(LOOK_AGAIN) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

impl Watched {
    fn look(&mut self, rules: &Rules, runtime: &Runtime) {
        let stamp = Stamp::of(&self.path);
        let noticed = rules.machine.now();
        let is_due = self.kept_from.as_ref().is_some_and(|kept| noticed >= kept.again_at);
        let has_its_turn = self.is_behind && !self.slot.is_promised(&self.path);
        if stamp == self.seen && !is_due && !has_its_turn {
            return;
        }
        self.is_behind = false;
        let at_rest = at_rest(stamp, REST, 0..RESTLESS_MAX, || Stamp::of(&self.path)).flatten();
        let Some(stamp) = at_rest else {
            // Gone, or still being written: looked at again.
            self.seen = None;
            if Stamp::of(&self.path).is_none() {
                self.kept_from = None;
                self.slot.file_is_gone(&self.path);
            }
            return;
        };
        match self.bring(stamp, rules, runtime, noticed) {
            Ok(()) => self.kept_from = None,
            Err(why) => self.keep_from(format!("{}: {why}", self.path.display()), rules.machine.now()),
        }
    }

    /// Brings what is in the file to the slot, or says why the machine does not let it.
    fn bring(
        &mut self,
        stamp: Stamp,
        rules: &Rules,
        runtime: &Runtime,
        noticed: Timestamp,
    ) -> Result<(), String> {
        let bytes = match read_component(&self.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.seen = Some(stamp);
                self.slot.withdraw(&self.path, None);
                return Err(format!("cannot be read: {error}"));
            }
        };
        // Replaced while it was read: what was read may be neither, and the next look sees what is there now.
        self.seen = Stamp::of(&self.path).filter(|after| *after == stamp);
        if self.seen.is_none() {
            return Ok(());
        }
        let hash = runtime::hash_of(&bytes);
        self.slot.withdraw(&self.path, Some(&hash));
        if self.slot.knows(&self.path, &hash) {
            return Ok(());
        }
        if let Some(why) = self.slot.refusal(&hash) {
            self.slot.refuse(Some(hash), why);
            return Ok(());
        }
        let vouch = self.vouch(rules);
        if vouch(&hash).is_err() && self.slot.is_promised(&self.path) {
            self.is_behind = true;
            return Ok(());
        }
        let loaded = self.compiled(rules, &bytes).and_then(|()| {
            load_one(runtime, &self.name, &self.settings, &bytes)
                .map_err(|error| CompileError::Component(error.to_string()))
        });
        match loaded {
            Ok(strategy) => {
                let day = rules.clock.now().ist_date();
                self.slot.offer(Candidate { strategy, path: self.path.clone(), vouch, noticed }, day);
            }
            Err(CompileError::Component(why)) => {
                self.slot.refuse(Some(hash), format!("{}: {why}", self.path.display()));
            }
            Err(CompileError::Machine(why)) => return Err(why),
        }
        Ok(())
    }

    /// Says why this file cannot be tried now, once, and that it is to be tried again.
    fn keep_from(&mut self, why: String, now: Timestamp) {
        let before = self.kept_from.as_ref().filter(|kept| kept.why == why);
        let seconds = before.map_or(TRY_AGAIN_SECONDS, |kept| (2 * kept.seconds).min(TRY_AGAIN_SECONDS_MAX));
        if before.is_none() {
            self.slot.refuse(None, why.clone());
        }
        self.kept_from = Some(KeptFrom { why, seconds, again_at: now.plus_seconds(seconds) });
    }

    /// On a real account anybody's file may lie here: it is compiled apart, and only the result is taken.
    fn compiled(&self, rules: &Rules, bytes: &[u8]) -> Result<(), CompileError> {
        if !rules.must_vouch {
            return Ok(());
        }
        // What can be seen without compiling is told in its own words.
        runtime::inspect(bytes)
            .and_then(|seen| seen.check(self.settings.role))
            .map_err(|refusal| CompileError::Component(format!("strategy `{}`: {refusal}", self.name)))?;
        apart::compile(&rules.config.plugin_cache(), bytes)
    }

    fn vouch(&self, rules: &Rules) -> Vouch {
        if !rules.must_vouch {
            return Arc::new(|_| Ok(()));
        }
        let (config, settings, path) = (Arc::clone(&rules.config), self.settings.clone(), self.path.clone());
        Arc::new(move |hash| {
            may_trade(&config, &settings, &path, hash).map_err(|why| match why {
                NotVouched::Stranger(why) => format!(
                    "{why}; `{}tradeagent plugin promote {}` lets it trade",
                    crate::places::SUDO,
                    hash.as_str()
                ),
                NotVouched::Wider(_) => format!("{why}; narrower `grants` of its strategy let it trade"),
            })
        })
    }
}
