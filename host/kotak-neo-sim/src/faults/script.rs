//! Faults from a file: TOML, one `[[fault]]` each.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::fault::Fault;

/// The longest script that is read, in bytes.
const SCRIPT_BYTES_MAX: u64 = 1 << 20;

/// A script of faults.
///
/// ```
/// let script = kotak_neo_sim::Script::parse(
///     r#"
///     [[fault]]
///     kind = "foreign-login"
///     after_s = 13
///
///     [[fault]]
///     kind = "dropped"
///     after = true
///     on = ["place"]
///     nth = 2
///     "#,
/// )?;
/// assert_eq!(script.fault.len(), 2);
/// # Ok::<(), kotak_neo_sim::ScriptError>(())
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The faults, in the order in which they are asked.
    #[serde(default)]
    pub fault: Vec<Fault>,
}

/// Why a script cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("{} is longer than {SCRIPT_BYTES_MAX} bytes: is it a script?", path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// It is not a script.
    #[error("not a script of faults: {0}the kinds and their settings are in the README of kotak-neo-sim")]
    Parse(#[from] toml::de::Error),
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// What is not TOML, an unknown kind, a setting of the wrong type.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        Ok(toml::from_str(text)?)
    }

    /// Reads a script from a file.
    ///
    /// # Errors
    /// As [`Script::parse`], and what the file system says.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let read = |source| ScriptError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(read)?.len() > SCRIPT_BYTES_MAX {
            return Err(ScriptError::TooLong { path: path.to_owned() });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(read)?)
    }
}

/// Instants as the exchange's wall clock shows them: `2026-05-13T10:00` or with seconds.
pub(crate) mod instant {
    use chrono::NaiveDateTime;
    use model::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// `2026-05-13T10:00[:00]`, in Mumbai.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let text = text.trim().trim_end_matches("+05:30");
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
        Some(Timestamp::from_ist(local.date(), local.time()))
    }

    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.collect_str(at),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Some).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is not an instant such as 2026-05-13T10:00"))
        })
    }
}
