//! The file in the state folder in which the session keeper's record outlives the process, and the machine's
//! start.
//!
//! Whoever holds the lock of the account writes it: `run`, `login --check`, `data update`. It is for one
//! user only: root leaves it to the folder's owner. It holds nothing secret: of the credentials only a
//! digest, by which new ones are told from those that were refused.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::session::{Memory, Record};
use model::{Account, Timestamp};
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};
use crate::whole_file;

/// Of the file's form. Another one is not read.
const VERSION: u32 = 1;

/// A simulator tells its time in whole seconds: so much a second process may be behind the first.
const BEHIND_SECONDS: i64 = 5;

/// The file.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    /// When it was written.
    at: Timestamp,
    credentials: String,
    record: Record,
}

/// Which account's record, and of what kind.
pub(super) struct Place {
    path: PathBuf,
    /// At a simulator, whose time may begin anew.
    rehearsal: bool,
}

impl Place {
    /// Of `account` in `state_dir`.
    pub(super) fn new(state_dir: &Path, account: &Account, rehearsal: bool) -> Self {
        let kind = if rehearsal { "rehearsal.session" } else { "session" };
        Self { path: state_dir.join(format!("{account}.{kind}")), rehearsal }
    }

    /// What an earlier process knew, and the way to keep what this one knows. `credentials` is the digest of
    /// those in use.
    ///
    /// # Errors
    /// When there is a record that cannot be read: whether the account is contested is then unknown.
    pub(super) fn recall(
        self,
        credentials: String,
        clock: model::clock::SharedClock,
    ) -> Result<Memory, Failure> {
        let record = self.read(&credentials, clock.now()).map_err(|reason| {
            Failure::new(
                Exit::Unavailable,
                anyhow::anyhow!("what is known of the account's logins cannot be read: {}: {reason}", self.path.display()),
            )
            .hint(format!(
                "`ls -l {0}` shows whose it is: it must be this user's (`sudo chown $USER {0}`). Without it the day's \
                 logins, a contest and refused credentials are forgotten; where that is meant, and the last login is \
                 more than a minute ago: `rm {0}`",
                self.path.display()
            ))
        })?;
        let path = self.path;
        let save = move |record: &Record| {
            let kept = Kept {
                version: VERSION,
                at: clock.now(),
                credentials: credentials.clone(),
                record: record.clone(),
            };
            let bytes = serde_json::to_vec(&kept).map_err(|error| error.to_string())?;
            whole_file::replace(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))
        };
        Ok(Memory { record, save: Arc::new(save) })
    }

    fn read(&self, credentials: &str, now: Timestamp) -> Result<Record, String> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Record::default()),
            Err(error) => return Err(error.to_string()),
        };
        let kept: Kept = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if kept.version != VERSION {
            return Err(format!("its form is {}, and this tradeagent knows {VERSION}", kept.version));
        }
        if self.rehearsal && now.plus_seconds(BEHIND_SECONDS) < kept.at {
            tracing::info!(
                "the simulator's time began anew: what was known of its account's logins is forgotten"
            );
            return Ok(Record::default());
        }
        if kept.credentials != credentials {
            return Ok(kept.record.for_other_credentials());
        }
        Ok(kept.record)
    }
}

#[cfg(test)]
mod tests {
    use model::Clock;

    use super::*;
    use crate::clock::SimulatedClock;

    fn clock(hour: u32) -> model::clock::SharedClock {
        let day = "2026-01-15".parse().expect("a date");
        Arc::new(SimulatedClock::starting_at(Timestamp::at_ist(day, hour, 0))) as Arc<dyn Clock>
    }

    fn place(folder: &Path, rehearsal: bool) -> Place {
        Place::new(folder, &"main".into(), rehearsal)
    }

    /// One that says more than the default.
    fn refused() -> Record {
        serde_json::from_str(
            r#"{"sent":[57],"tally":null,"contest":{"early":0,"day":null,"logins":0,"pending":false,"open":null},
                "wrong":"Invalid MPIN","refused_codes":0}"#,
        )
        .expect("a record")
    }

    fn kept(folder: &Path, rehearsal: bool, credentials: &str, hour: u32) -> Record {
        place(folder, rehearsal).recall(credentials.to_owned(), clock(hour)).expect("read").record
    }

    #[test]
    fn what_is_kept_is_found_and_is_for_this_user_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = place(folder.path(), false).recall("digest".to_owned(), clock(9)).expect("none yet");
        assert_eq!(memory.record, Record::default());
        (memory.save)(&refused()).expect("kept");
        (memory.save)(&refused()).expect("kept again");
        assert_eq!(kept(folder.path(), false, "digest", 9), refused());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join("main.session")).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn other_credentials_are_tried() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = place(folder.path(), false).recall("old".to_owned(), clock(9)).expect("none yet");
        (memory.save)(&refused()).expect("kept");
        assert_eq!(kept(folder.path(), false, "new", 9), refused().for_other_credentials());
    }

    #[test]
    fn only_a_rehearsal_may_begin_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        for rehearsal in [false, true] {
            let memory =
                place(folder.path(), rehearsal).recall("digest".to_owned(), clock(12)).expect("none yet");
            (memory.save)(&refused()).expect("kept");
        }
        assert_eq!(kept(folder.path(), true, "digest", 9), Record::default());
        assert_eq!(kept(folder.path(), false, "digest", 9), refused(), "a clock set back is no new account");
    }

    #[test]
    fn one_that_cannot_be_read_is_told_with_what_to_type() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("main.session");
        for text in ["", "{\"version\":1", "{\"version\":9,\"at\":0,\"credentials\":\"\",\"record\":{}}"] {
            fs::write(&path, text).expect("written");
            let failure =
                place(folder.path(), false).recall("digest".to_owned(), clock(9)).expect_err("unreadable");
            let said = format!("{failure:?}");
            assert!(said.contains("main.session") && said.contains("rm "), "{said}");
        }
    }
}
