//! Reads the day's scrip master into a [`Directory`].

use std::sync::Arc;

use kotak_neo::Segment;
use kotak_neo::scrip::ScripRow;

use crate::adapter::{KotakBroker, KotakSession, ReadFailure};
use crate::directory::Directory;
use crate::limits::Turn;

/// A file with more unreadable lines than this share, in percent, is not believed.
const REJECTED_PERCENT_MAX: usize = 5;
/// The cash segments: without the first nobody can trade.
const CASH: [(Segment, bool); 2] = [(Segment::NseCm, true), (Segment::BseCm, false)];

/// Why there is no directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScripsError {
    /// No answer, or none that can be read.
    #[error("the scrip master could not be read: {0}")]
    Unavailable(String),
    /// It is there and cannot be right.
    #[error("the scrip master is not to be believed: {0}; without it nothing is ordered")]
    Wrong(String),
}

impl From<ReadFailure> for ScripsError {
    fn from(failure: ReadFailure) -> Self {
        Self::Unavailable(broker::CallError::from(failure).to_string())
    }
}

/// Reads the files of the cash segments, and which shares have derivatives; hands the result to `broker`
/// and answers with how many shares there are.
///
/// # Errors
/// See [`ScripsError`]; what was set before stays.
pub async fn load(broker: &KotakBroker) -> Result<usize, ScripsError> {
    let inner = &broker.inner;
    let files =
        inner.read(Turn::Report, |session| async move { session.client.scrip_master_files().await }).await?;
    let mut rows: Vec<ScripRow> = Vec::new();
    for (segment, needed) in CASH {
        match file_of(&files.files, &segment) {
            Some(url) => rows.extend(read(broker, url).await?),
            None if needed => {
                let listed = files.files.join(", ");
                return Err(ScripsError::Wrong(format!("it lists no file of {segment} (only {listed})")));
            }
            None => {}
        }
    }
    let derivatives = match file_of(&files.files, &Segment::NseFo) {
        Some(url) => read(broker, url).await?.into_iter().filter_map(|row| row.symbol_name).collect(),
        None => std::collections::BTreeSet::new(),
    };
    let directory = Directory::new(&rows, |name| derivatives.contains(name));
    if directory.is_empty() {
        return Err(ScripsError::Wrong(format!("none of its {} rows is a share", rows.len())));
    }
    let count = directory.len();
    broker.set_directory(directory);
    Ok(count)
}

async fn read(broker: &KotakBroker, url: &str) -> Result<Vec<ScripRow>, ScripsError> {
    let call = |session: Arc<KotakSession>| async move { session.client.scrip_master(url).await };
    let master = broker.inner.read(Turn::Report, call).await?;
    let lines = master.rows.len() + master.rejected;
    if master.rejected * 100 > lines * REJECTED_PERCENT_MAX {
        return Err(ScripsError::Wrong(format!("{} of {lines} lines cannot be read", master.rejected)));
    }
    Ok(master.rows)
}

/// The file of a segment: `…/nse_cm-v1.csv`, `…/nse_fo.csv`.
fn file_of<'a>(files: &'a [String], segment: &Segment) -> Option<&'a str> {
    let named = |file: &&String| {
        let name = file.rsplit('/').next().unwrap_or(file.as_str());
        name.strip_prefix(segment.as_wire()).is_some_and(|rest| rest.starts_with(['-', '.']))
    };
    files.iter().find(named).map(String::as_str)
}
