//! What an update did.

use std::fmt;

use model::{Date, Price, Symbol};
use serde::Serialize;

use super::merge::Taken;
use crate::live::port::SourceError;
use crate::row::RowSource;

/// At most this many errors and mismatches are listed each; all are counted.
const LISTED_MAX: usize = 200;

/// The broker's close of a day differs from the one that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Whose.
    pub symbol: Symbol,
    /// The newest day on which they differ.
    pub date: Date,
    /// The close in the folder.
    pub known: Price,
    /// The broker's.
    pub broker: Price,
    /// Where the known one is from. A file's stays; the broker's own is replaced.
    pub source: RowSource,
}

/// What went wrong with one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShareError {
    /// Which.
    pub symbol: Symbol,
    /// Why.
    pub reason: String,
}

/// What an update did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UpdateReport {
    /// Shares looked at.
    pub symbols: usize,
    /// Requests sent.
    pub requests: u64,
    /// Rows that were not there before.
    pub added: u64,
    /// Rows that took the place of worse or older ones.
    pub replaced: u64,
    /// Bars that were not kept because a better source has the day.
    pub outranked: u64,
    /// Bars not taken: unbelievable, or perhaps in other terms than the files.
    pub refused: u64,
    /// Bars left out because the calendar knows no session of their day.
    pub not_sessions: u64,
    /// Shares with all bars wanted.
    pub complete: usize,
    /// Shares with fewer, of which the broker has no more (listed lately, or rarely traded).
    pub short: usize,
    /// Shares with fewer, of which not everything could be asked for.
    pub incomplete: usize,
    /// Times the folder was written.
    pub saves: u64,
    /// Shares whose candles the broker re-based, so that all of them were read again.
    pub rebased: Vec<Symbol>,
    /// Times that the broker's closes differed from the known ones of a share, in all.
    pub mismatches_total: u64,
    /// The first 200 of them.
    pub mismatches: Vec<Mismatch>,
    /// Shares that could not be read, in all.
    pub errors_total: u64,
    /// The first 200 of them.
    pub errors: Vec<ShareError>,
    /// Why the run ended before its end; what was read until then is kept.
    pub stopped: Option<String>,
}

impl UpdateReport {
    pub(super) fn error(&mut self, symbol: &Symbol, reason: String) {
        self.errors_total += 1;
        if self.errors.len() < LISTED_MAX {
            self.errors.push(ShareError { symbol: symbol.clone(), reason });
        }
    }

    pub(super) fn stop(&mut self, done: usize, of: usize, why: &SourceError) {
        self.stopped = Some(format!(
            "stopped at share {done} of {of}, since one after the other failed ({why}); what was read is kept, and the next update goes on from here"
        ));
    }

    pub(super) fn count(&mut self, taken: &Taken) {
        self.added += taken.added;
        self.replaced += taken.replaced;
        self.outranked += taken.outranked;
        self.refused += taken.refused;
        self.not_sessions += taken.not_sessions;
        if let Some(differs) = &taken.differs {
            self.differs(differs.clone());
        }
    }

    pub(super) fn differs(&mut self, mismatch: Mismatch) {
        self.mismatches_total += 1;
        if self.mismatches.len() < LISTED_MAX {
            self.mismatches.push(mismatch);
        }
    }
}

/// In a sentence or two.
impl fmt::Display for UpdateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} shares, {} requests: {} bars added, {} replaced; {} shares complete, {} with fewer bars as the broker has no more, {} incomplete",
            self.symbols,
            self.requests,
            self.added,
            self.replaced,
            self.complete,
            self.short,
            self.incomplete
        )?;
        let from_files = self.mismatches.iter().filter(|it| it.source == RowSource::ExchangeFile).count();
        if from_files > 0 {
            write!(
                f,
                "; {from_files} differ from the exchange's files, which stay: import the files of the days since then"
            )?;
        }
        match &self.stopped {
            Some(why) => write!(f, "; {why}"),
            None => Ok(()),
        }
    }
}
