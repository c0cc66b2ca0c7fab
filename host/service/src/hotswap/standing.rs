//! Which version of a strategy is live, kept for the next start.
//!
//! A host that is started again begins with the version that answered last, and not with whatever lies in its file
//! by then: a file that was replaced meanwhile is a candidate like any other. A version that was refused or rolled
//! back stays so. And a file that says what it said before says nothing new, so that of two files of one strategy the
//! one that was saved last wins.
//!
//! Per strategy there is a small record in `state_dir/live`, and beside it a copy of each component that is live, on
//! trial or waiting, with its signature: the original can be overwritten at any time. To begin with the configured
//! component again, remove the file that the live version came from, and restart.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{ContentHash, StrategyName};
use runtime::Runtime;
use serde::{Deserialize, Serialize};

use super::watch::dropped;
use crate::config::{Component, Config, StrategyConfig};
use crate::exit::Failure;
use crate::signing::Signed;
use crate::strategies::{
    Strategy, StrategyError, component_bytes, load_one, may_trade, read_component, vouched,
};
use crate::whole_file;

/// Versions that were refused and are remembered, so that they are not tried again.
pub(super) const REFUSED_MAX: usize = 64;
/// The largest record that is read.
const RECORD_BYTES_MAX: u64 = 1 << 20;

/// A version that has proved itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Proved {
    hash: ContentHash,
    from: PathBuf,
}

/// What is remembered of one strategy's versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    live: Option<Proved>,
    /// It answers, and has not gone through its first ticks yet.
    on_trial: Option<Proved>,
    /// The last version of each file that was live.
    settled: BTreeMap<PathBuf, ContentHash>,
    refused: VecDeque<ContentHash>,
}

/// Where records are kept, and whose; without a folder nothing outlives the process.
#[derive(Debug, Clone, Default)]
pub struct Standings {
    folder: Option<PathBuf>,
}

impl Standings {
    /// In the state folder of `config`.
    pub fn of(config: &Config) -> Self {
        Self { folder: Some(config.state_dir.join("live")) }
    }

    /// What is remembered of one strategy.
    pub fn standing(&self, name: &StrategyName) -> Standing {
        let record = self.folder.as_deref().map_or_else(Record::default, |folder| read(folder, name));
        Standing { folder: self.folder.clone(), name: name.clone(), record: Mutex::new(record) }
    }

    /// Loads each strategy of `config` in the version to begin with; `must_vouch`: nothing that nobody vouches for is
    /// even compiled.
    ///
    /// # Errors
    /// When there is none that can be loaded and may trade.
    pub fn load(
        &self,
        runtime: &Runtime,
        config: &Config,
        must_vouch: bool,
    ) -> Result<BTreeMap<StrategyName, Strategy>, Failure> {
        let begin = |(name, settings): (&StrategyName, &StrategyConfig)| {
            let start = Start { runtime, config, settings, must_vouch };
            let standing = self.standing(name);
            let strategy = match standing.proved(&start) {
                Some(strategy) => strategy,
                None => standing.begin_anew(&start)?,
            };
            Ok((name.clone(), strategy))
        };
        config.strategies.iter().map(begin).collect()
    }
}

/// What the beginning of one strategy goes by.
struct Start<'a> {
    runtime: &'a Runtime,
    config: &'a Config,
    settings: &'a StrategyConfig,
    must_vouch: bool,
}

/// What is remembered of one strategy.
#[derive(Debug)]
pub struct Standing {
    folder: Option<PathBuf>,
    name: StrategyName,
    record: Mutex<Record>,
}

fn record_of(folder: &Path, name: &StrategyName) -> PathBuf {
    folder.join(format!("{name}.json"))
}

fn copy(folder: &Path, name: &StrategyName, hash: &ContentHash) -> PathBuf {
    folder.join(format!("{name}.{}.wasm", hash.as_str()))
}

/// A record that cannot be read is as none: the configured component begins, which is what the operator asked for.
fn read(folder: &Path, name: &StrategyName) -> Record {
    let path = record_of(folder, name);
    let text = match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Record::default(),
        Ok(meta) if meta.len() > RECORD_BYTES_MAX => Err(format!("it has {} bytes", meta.len())),
        _ => fs::read(&path).map_err(|error| error.to_string()),
    };
    text.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string())).unwrap_or_else(
        |why| {
            tracing::warn!(
                "{} cannot be read ({why}): strategy {name} begins with its configured component",
                path.display()
            );
            Record::default()
        },
    )
}

impl Standing {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that was live, if it is the one to begin with: where it came from there is still a file, and it
    /// loads and may trade as the configuration is now.
    fn proved(&self, start: &Start<'_>) -> Option<Strategy> {
        let Record { on_trial, live, .. } = self.record().clone();
        if let Some(version) = on_trial {
            // What is in `state` by now was written by the one on trial: it goes on, and its trial is over.
            if !self.is_refused(&version.hash)
                && let Some(strategy) = self.kept(&version, start)
            {
                self.proved_itself(&strategy, &version.from);
                return Some(strategy);
            }
            let mut record = self.record();
            record.on_trial = None;
            self.write(&record);
        }
        self.kept(&live?, start)
    }

    fn kept(&self, version: &Proved, start: &Start<'_>) -> Option<Strategy> {
        let Start { runtime, config, settings, must_vouch } = *start;
        let folder = self.folder.as_deref()?;
        let Proved { hash, from } = version;
        let is_configured = matches!(&settings.component, Component::File(path) if path == from);
        if !(is_configured || *from == dropped(config, &self.name)) || !from.is_file() {
            return None;
        }
        let copy = copy(folder, &self.name, hash);
        let told = |why: String| {
            tracing::warn!("strategy {}: its last version, {hash}, is not begun with: {why}", self.name);
        };
        let bytes = read_component(&copy).map_err(|error| told(error.to_string())).ok()?;
        if runtime::hash_of(&bytes) != *hash {
            told(format!("{} has changed", copy.display()));
            return None;
        }
        if must_vouch && let Err(why) = may_trade(config, settings, &copy, hash) {
            told(why.to_string());
            return None;
        }
        load_one(runtime, &self.name, settings, &bytes).map_err(|error| told(error.to_string())).ok()
    }

    /// Why a version that is refused stays so, and what to do.
    pub fn refusal(&self) -> String {
        let record = self.folder.as_deref().map(|folder| record_of(folder, &self.name));
        let again = record.map_or_else(
            || "a restart".to_owned(),
            |record| format!("a restart without {}", record.display()),
        );
        format!("this version failed before: save another; {again} tries it again")
    }

    /// Whether this version was refused or rolled back.
    pub fn is_refused(&self, hash: &ContentHash) -> bool {
        self.record().refused.contains(hash)
    }

    /// Whether the file says what it said before: this version of it was live, and another file's came after it.
    pub fn is_settled(&self, path: &Path, hash: &ContentHash) -> bool {
        self.record().settled.get(path) == Some(hash)
    }

    /// The configured component is what counts: of other files nothing is remembered but what was refused.
    fn begin_anew(&self, start: &Start<'_>) -> Result<Strategy, Failure> {
        let Start { runtime, config, settings, must_vouch } = *start;
        let failed = |error: StrategyError| Failure::config(error.into());
        let bytes = component_bytes(&self.name, &settings.component).map_err(failed)?;
        let hash = runtime::hash_of(&bytes);
        if let (Component::File(path), Some(folder)) = (&settings.component, &self.folder)
            && self.is_refused(&hash)
        {
            return Err(Failure::config(anyhow::anyhow!(
                "strategy `{}`: {} holds a version that was refused or rolled back, and there is no other",
                self.name,
                path.display()
            ))
            .hint(format!(
                "put another version there, or remove {} to try this one again",
                record_of(folder, &self.name).display()
            )));
        }
        if must_vouch {
            vouched(config, &self.name, settings, &hash)?;
        }
        let strategy = load_one(runtime, &self.name, settings, &bytes).map_err(failed)?;
        {
            let mut record = self.record();
            let is_new = record.live.is_none() && record.on_trial.is_none() && record.settled.is_empty();
            if !is_new {
                *record = Record { refused: std::mem::take(&mut record.refused), ..Record::default() };
                self.write(&record);
            }
        }
        if let Component::File(path) = &settings.component {
            self.keep_copy(&strategy, path);
            self.proved_itself(&strategy, path);
        }
        Ok(strategy)
    }

    /// The file is gone: what comes in its place is new, even the same.
    pub fn file_is_gone(&self, path: &Path) {
        let mut record = self.record();
        if record.settled.remove(path).is_some() {
            self.write(&record);
        }
    }

    /// Remembers that this version is not to be tried again.
    pub fn refuse(&self, hash: &ContentHash) {
        let mut record = self.record();
        if record.on_trial.take_if(|version| version.hash == *hash).is_none() && record.refused.contains(hash)
        {
            return;
        }
        if record.refused.len() == REFUSED_MAX {
            record.refused.pop_front();
        }
        record.refused.push_back(hash.clone());
        self.write(&record);
    }

    /// Remembers the version of `from` that has gone through its first ticks: the next start begins with it.
    pub fn proved_itself(&self, strategy: &Strategy, from: &Path) {
        let hash = &strategy.hash;
        let mut record = self.record();
        let live = Some(Proved { hash: hash.clone(), from: from.to_owned() });
        let is_known =
            record.live == live && record.on_trial.is_none() && record.settled.get(from) == Some(hash);
        record.live = live;
        record.on_trial = None;
        record.settled.insert(from.to_owned(), hash.clone());
        if !is_known {
            self.write(&record);
        }
    }

    /// Remembers that this version answers from here on.
    pub fn on_trial(&self, hash: &ContentHash, from: &Path) {
        let mut record = self.record();
        record.on_trial = Some(Proved { hash: hash.clone(), from: from.to_owned() });
        self.write(&record);
    }

    /// Keeps a component's bytes, and its signature if there is a right one beside its file: it waits or is live. May
    /// take as long as the disk does.
    pub fn keep_copy(&self, strategy: &Strategy, from: &Path) {
        let Some(folder) = &self.folder else { return };
        let path = copy(folder, &self.name, &strategy.hash);
        if !path.exists()
            && let Err(error) = whole_file::replace(&path, strategy.loaded.bytes())
        {
            tracing::error!(%error, "{} could not be kept: a restart will not know this version", path.display());
        }
        let beside = Signed::beside(&path);
        // Without one it may be promoted; the start asks again.
        if let Ok(signed) = Signed::of(&Signed::beside(from), &strategy.hash)
            && let Err(error) = signed.write(&beside)
        {
            tracing::error!(%error, "{} could not be kept", beside.display());
        }
    }

    /// Removes the copies of versions that are none of these.
    pub fn forget_all_but(&self, needed: &[ContentHash]) {
        let Some(folder) = &self.folder else { return };
        let record = self.record();
        let live = record.live.iter().chain(&record.on_trial).map(|version| version.hash.clone());
        let live: Vec<ContentHash> = live.collect();
        drop(record);
        let begins = format!("{}.", self.name);
        let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        for name in names.filter_map(|name| name.into_string().ok()) {
            let hash =
                name.strip_prefix(&begins).and_then(|rest| rest.split_once(".wasm")).map(|(hash, _)| hash);
            let is_needed = |hash: &str| needed.iter().chain(&live).any(|needed| needed.as_str() == hash);
            if hash.is_some_and(|hash| !is_needed(hash)) {
                // One that stays takes room and nothing else.
                let _ = fs::remove_file(folder.join(&name));
            }
        }
    }

    fn write(&self, record: &Record) {
        let Some(folder) = &self.folder else { return };
        let text = serde_json::to_vec_pretty(record).expect("texts have a form");
        if let Err(error) = whole_file::replace(&record_of(folder, &self.name), &text) {
            tracing::error!(%error, "what is live of strategy {} could not be kept", self.name);
        }
    }
}
