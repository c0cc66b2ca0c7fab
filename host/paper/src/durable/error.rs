//! Why an account cannot be taken up again.

use std::io;
use std::path::{Path, PathBuf};

/// Why the file of a paper account cannot be used. Nothing in the file was changed.
#[derive(Debug, thiserror::Error)]
pub enum DurableError {
    /// The same calls do not give the same account any more.
    #[error(
        "the paper account in {} was made with other data or settings: {what}; name another state_dir or remove the file",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        what: String,
    },
    /// Some other file.
    #[error("{} is not the file of a paper account: name another file", path.display())]
    NotABook {
        /// The file.
        path: PathBuf,
    },
    /// A file of another version of this program.
    #[error(
        "the paper account in {} is written in format {found}, this program knows {known}: use the program that made it, or remove the file",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A line that was never written by this program, in the midst of others.
    #[error(
        "line {line} of the paper account in {} is damaged ({why}): restore the file, or remove it to begin anew",
        path.display()
    )]
    Garbage {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// Too large to be replayed.
    #[error(
        "the paper account in {} has {bytes} bytes, more than the {max} that are replayed: name another state_dir or remove the file",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The bound.
        max: u64,
    },
    /// Another process (or another exchange of this one) has it open.
    #[error("the paper account in {} is in use by another process: end that one first", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file system says no.
    #[error(
        "the paper account in {} cannot be {doing} ({source}): it needs a regular file in a folder that exists and can be written",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// Opened, locked, read, written.
        doing: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// A mistake of the caller.
    #[error("the exchange has begun already: open its file before time passes on it")]
    Begun,
}

impl DurableError {
    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), doing, source }
    }
}
