//! Every run, kept: one file for each trading day, so that `replay` can have a run again without a market.
//!
//! Recording never gets into trading's way: a tape goes into a bounded queue or is dropped, and a disk that
//! is full or slow costs tapes only. The journal is another file and knows nothing of this one.

mod folder;
mod frames;
mod sinks;

use std::path::PathBuf;
use std::sync::Arc;

use runtime::Services;
use runtime::tape::{Bounds, Recording, TapeSink};

pub use folder::{Folder, Keep, Recorded, Torn, Writer};
pub use sinks::{Direct, Recorder};

use crate::config::Config;

/// Why a recording could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file system says no.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a recording, or of a later version.
    #[error("{} is not a recording that this version can read", .path.display())]
    NotOne {
        /// Which file.
        path: PathBuf,
    },
    /// What is there is not what was written.
    #[error("{}: record {index} (at byte {at}) is damaged: {why}", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which record, from 0.
        index: usize,
        /// Where it begins.
        at: u64,
        /// In what way.
        why: String,
    },
    /// The component of a run is not there, or is another.
    #[error("the component {hash} is not in {}: {why}", .folder.display())]
    Component {
        /// Which.
        hash: model::ContentHash,
        /// Where it should be.
        folder: PathBuf,
        /// In what way.
        why: String,
    },
    /// The queue to the writer cannot be made.
    #[error("the thread that writes recordings cannot start: {0}")]
    Thread(std::io::Error),
    /// The disk is too full for what can be done without.
    #[error("{free_mib} MiB of the disk are free, and recordings leave {spare_mib} MiB to the journal")]
    NoRoom {
        /// What is free.
        free_mib: u64,
        /// What is left alone.
        spare_mib: u64,
    },
    /// One day alone is more than may be kept.
    #[error("the recording of {day} has reached the {mib} MiB of [recording] max_mib")]
    Full {
        /// Which day.
        day: model::Date,
        /// The limit.
        mib: u64,
    },
}

/// The services of one strategy, recorded when there is somewhere to record to.
pub fn recorded(services: &Arc<dyn Services>, tapes: Option<&Arc<dyn TapeSink>>) -> Arc<dyn Services> {
    match tapes {
        Some(tapes) => Arc::new(Recording::new(Arc::clone(services), Arc::clone(tapes), Bounds::default())),
        None => Arc::clone(services),
    }
}

/// Where `run` keeps its recordings.
pub fn folder_of(config: &Config) -> PathBuf {
    config.state_dir.join("recordings")
}

/// The recorder of `run`; none when it is switched off or cannot be had, which stops nothing.
pub fn start(config: &Config) -> Option<Arc<dyn TapeSink>> {
    let settings = config.recording;
    if !settings.enabled {
        return None;
    }
    let keep = Keep {
        days: settings.keep_days.max(1) as usize,
        bytes: u64::from(settings.max_mib) << 20,
        spare: crate::free_space::SPARE_MIN,
    };
    match Recorder::start(&folder_of(config), keep) {
        Ok(recorder) => Some(Arc::new(recorder)),
        Err(error) => {
            tracing::warn!(%error, "runs are not recorded");
            None
        }
    }
}

#[cfg(test)]
mod tests;
