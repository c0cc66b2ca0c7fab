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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, Kind};

    #[test]
    fn every_setting_of_a_fault_can_be_written() {
        let text = r#"
            [[fault]]
            kind = "server-error"
            status = 503
            html = true
            after = true
            on = ["place", "client-ip"]
            nth = 3
            every = 2
            percent = 10
            times = 4
            from = "2026-05-13T10:00"
            until = "2026-05-13T11:30:15"
        "#;
        let fault = Script::parse(text).expect("a script").fault.remove(0);
        assert_eq!(fault.kind, Kind::ServerError { status: 503, html: true, after: true });
        assert_eq!(fault.on, [Endpoint::Place, Endpoint::ClientIp]);
        assert_eq!(
            (fault.nth, fault.every, fault.percent, fault.times),
            (Some(3), Some(2), Some(10), Some(4))
        );
        assert_eq!(fault.from.map(|at| at.to_string()).as_deref(), Some("2026-05-13T10:00:00+05:30"));
        assert_eq!(fault.until.map(|at| at.to_string()).as_deref(), Some("2026-05-13T11:30:15+05:30"));
        let json = serde_json::to_string(&fault).expect("JSON");
        assert_eq!(serde_json::from_str::<Fault>(&json).expect("the same fault"), fault);
    }

    #[test]
    fn every_kind_has_defaults_where_it_can() {
        for kind in [
            "foreign-login",
            "no-data",
            "data-null",
            "wrong-totp",
            "wrong-mpin",
            "ip-refusal",
            "rate-limited",
            "server-error",
            "dropped",
            "refused",
            "html-body",
            "empty-body",
            "slow-body",
            "empty-book",
            "partial-fills",
            "duplicate-fills",
            "fill-before-answer",
            "strange-status",
            "altered-tag",
            "blank-tag",
            "feed-silent",
            "feed-cut",
            "feed-refused",
            "feed-raw-ignored",
        ] {
            let script = Script::parse(&format!("[[fault]]\nkind = \"{kind}\"\n"));
            assert_eq!(script.map(|script| script.fault.len()).expect(kind), 1);
        }
    }

    #[test]
    fn what_is_no_script_is_refused_in_words() {
        for text in [
            "[[fault]]\nkind = \"unheard-of\"\n",
            "[[fault]]\nkind = \"token-dies\"\n",
            "[[fault]]\nkind = \"dropped\"\non = [\"nowhere\"]\n",
            "[[fault]]\nkind = \"dropped\"\nfrom = \"soon\"\n",
            "faults = 3\n",
            "[[fault]]\nkind = \"dropped\"\nnth = 0\n",
            "[[fault]]\nkind = \"dropped\"\nevery = 0\n",
            "[[fault]]\nkind = \"dropped\"\ntimes = 0\n",
            "[[fault]]\nkind = \"dropped\"\npercent = 101\n",
            "[[fault]]\nkind = \"slow-body\"\nchunk_bytes = 0\n",
            "[[fault]]\nkind = \"slow-body\"\nevery_ms = 3600001\n",
            "[[fault]]\nkind = \"late-answer\"\nms = 9223372036854775807\n",
        ] {
            let error = Script::parse(text).expect_err(text).to_string();
            assert!(error.contains("README of kotak-neo-sim"), "{error}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let missing = Script::load(&folder.path().join("none.toml")).expect_err("no file").to_string();
        assert!(missing.starts_with("cannot read"), "{missing}");
        let long = folder.path().join("long.toml");
        std::fs::write(&long, "#".repeat(SCRIPT_BYTES_MAX as usize + 1)).expect("written");
        let error = Script::load(&long).expect_err("too long").to_string();
        assert!(error.contains("is it a script?"), "{error}");
    }
}
