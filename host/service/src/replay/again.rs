//! Recorded runs once more, to be the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use model::{ContentHash, Date, RunId, StrategyName};
use runtime::tape::{Bounds, Dropped, Ended, Recording, Replaying, Tape, TapeSink, difference, encode};
use runtime::{InlineInstance, Loaded, Profile, Runtime, RuntimeOptions};
use serde::Serialize;

use super::{ReplayError, patience};
use crate::recording::{Folder, Recorded, RecordingError};

/// Loads components of a recording, each once.
pub struct Loader {
    runtime: Runtime,
    folder: PathBuf,
    loaded: BTreeMap<(ContentHash, String), Loaded>,
}

impl Loader {
    /// Of the recording in `folder`; compiled code is kept in `cache`.
    pub fn new(folder: &Path, cache: Option<PathBuf>) -> Result<Self, ReplayError> {
        let mut options = RuntimeOptions::new(Profile::Deterministic);
        options.cache_dir = cache;
        let runtime = Runtime::new(options)?;
        Ok(Self { runtime, folder: folder.to_owned(), loaded: BTreeMap::new() })
    }

    /// The component that ran on `tape`, with what it was granted then.
    pub fn of(&mut self, tape: &Tape) -> Result<Loaded, ReplayError> {
        let folder = self.folder.clone();
        let read = || Folder::component(&folder, &tape.component).map(Cow::Owned);
        self.once(tape.component.clone(), tape, read)
    }

    /// Another component, with what the one on `tape` was granted.
    pub fn other(&mut self, bytes: &[u8], tape: &Tape) -> Result<Loaded, ReplayError> {
        self.once(runtime::hash_of(bytes), tape, || Ok(Cow::Borrowed(bytes)))
    }

    fn once<'a>(
        &mut self,
        hash: ContentHash,
        tape: &Tape,
        bytes: impl FnOnce() -> Result<Cow<'a, [u8]>, RecordingError>,
    ) -> Result<Loaded, ReplayError> {
        let key = (hash, encode(&(&tape.grants, &tape.limits)));
        if let Some(loaded) = self.loaded.get(&key) {
            return Ok(loaded.clone());
        }
        let loaded = self.runtime.load(&bytes()?, tape.grants.clone(), tape.limits)?;
        self.loaded.insert(key, loaded.clone());
        Ok(loaded)
    }
}

/// A run that did not come out as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Different {
    /// Which.
    pub run: RunId,
    /// On which trading day.
    pub day: Date,
    /// The call at which it began, from 0; none when all calls were the same.
    pub call: Option<usize>,
    /// In what.
    pub what: String,
}

/// A run that real time or the host ended when it was recorded, and that is the same as far as it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CutOff {
    /// Which.
    pub run: RunId,
    /// How many calls it had made until then.
    pub calls: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Again {
    /// Runs that were had again.
    pub runs: usize,
    /// Of those, to the same hash.
    pub same: usize,
    /// Of those, ended from outside when they were recorded, and the same as far as they went.
    pub cut_off: Vec<CutOff>,
    /// The others.
    pub different: Vec<Different>,
    /// Runs that the strategies had and that are not in the recording, as far as those after them tell.
    pub not_recorded: u64,
    recorded: blake3::Hasher,
    replayed: blake3::Hasher,
}

impl Again {
    /// Over the hashes of all runs as recorded, and as replayed; those left out that were ended from outside.
    pub fn hashes(&self) -> (String, String) {
        (self.recorded.finalize().to_hex().to_string(), self.replayed.finalize().to_hex().to_string())
    }
}

/// Keeps the tape of the last run.
#[derive(Default)]
struct Last(Mutex<Option<Tape>>);

impl Last {
    fn take_out(&self) -> Option<Tape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl TapeSink for Last {
    fn take(&self, tape: Tape, _loaded: &Loaded) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tape);
    }

    fn dropped(&self, _run: &RunId, _why: Dropped) {}
}

struct Instance {
    inline: InlineInstance,
    replaying: Arc<Replaying>,
    last: Arc<Last>,
    loaded: Loaded,
    /// Runs that it has had, those included that it is missing.
    runs: u64,
    /// Runs that it had when it was recorded and has not had again.
    missing: u64,
}

impl Instance {
    fn new(loaded: Loaded, tape: &Tape) -> Self {
        let (replaying, last) = (Arc::new(Replaying::default()), Arc::new(Last::default()));
        let recording =
            Recording::new(Arc::clone(&replaying) as _, Arc::clone(&last) as _, Bounds::default());
        let inline = InlineInstance::new(loaded.clone(), Arc::new(recording), tape.info.clone());
        Self { inline, replaying, last, loaded, runs: 0, missing: 0 }
    }
}

/// The runs of one day once more. Of a run that is not `wanted` nothing is told, but what it left in its
/// instance is there for those after it.
pub fn again(
    loader: &mut Loader,
    runs: Vec<Recorded>,
    wanted: impl Fn(&Tape) -> bool,
    into: &mut Again,
) -> Result<(), ReplayError> {
    // The host makes them anew with each day.
    let mut instances: BTreeMap<StrategyName, Instance> = BTreeMap::new();
    for Recorded { tape, hash } in runs {
        let name = tape.info.origin.strategy.clone();
        let loaded = loader.of(&tape)?;
        let same_code = |kept: &Instance| {
            kept.loaded.hash() == loaded.hash()
                && kept.loaded.grants() == loaded.grants()
                && kept.loaded.limits() == loaded.limits()
        };
        // One that has had more runs than this one's had is another.
        let kept = instances.get(&name).filter(|kept| same_code(kept) && kept.runs <= tape.nth);
        let lost = tape.nth - kept.map_or(0, |kept| kept.runs);
        into.not_recorded += lost;
        if kept.is_none() {
            instances.insert(name.clone(), Instance::new(loaded, &tape));
        }
        let Some(instance) = instances.get_mut(&name) else { continue };
        instance.missing += lost;
        let missing = instance.missing;
        instance.inline.allow_fuel(match &tape.end.ended {
            Ended::Stopped { .. } => tape.limits.fuel,
            // It came to its end in real time, perhaps by more than that.
            _ => patience(&tape.limits),
        });
        instance.replaying.begin(tape.calls.clone(), tape.now);
        instance.inline.run(tape.info.clone(), tape.now, &tape.cause);
        instance.runs = tape.nth + 1;
        let replayed = instance.last.take_out();
        if !wanted(&tape) {
            continue;
        }
        let (run, day) = (tape.info.id.clone(), tape.info.origin.day);
        let cut_off = matches!(tape.end.ended, Ended::Stopped { outside: true, .. });
        into.runs += 1;
        if !cut_off {
            into.recorded.update(hash.as_str().as_bytes());
        }
        let Some(replayed) = replayed else {
            let what = "the replay is larger than a recorded run may be".to_owned();
            into.different.push(Different { run, day, call: None, what });
            continue;
        };
        let parted = difference(&tape, &replayed);
        let replayed = replayed.hash();
        if !cut_off {
            into.replayed.update(replayed.as_str().as_bytes());
        }
        match parted {
            None if cut_off => into.cut_off.push(CutOff { run, calls: tape.calls.len() }),
            None if replayed == hash => into.same += 1,
            parted => {
                let mut what = parted.as_ref().map_or_else(|| "its hash".to_owned(), ToString::to_string);
                if missing > 0 {
                    what.push_str(&format!(
                        " ({missing} runs of this instance before it are not in the recording)"
                    ));
                }
                let call = parted.and_then(|parted| parted.call());
                into.different.push(Different { run, day, call, what });
            }
        }
    }
    Ok(())
}
