//! Exit codes, in one table, and how a failure is told.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::lock::LockError;

/// How the program ends. The numbers are a promise to scripts and service managers (`sysexits.h` has 69
/// and up).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// It went well.
    Ok = 0,
    /// It did not.
    General = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Another program trades this account.
    Conflict = 10,
    /// There are orders whose outcome is unknown.
    UnknownOrders = 11,
    /// The kill switch is on (or exits only).
    KillSwitchOn = 12,
    /// A service that is needed is not available.
    Unavailable = 69,
    /// The account lock is held: another host runs.
    LockHeld = 75,
    /// Permission.
    Permission = 77,
    /// The configuration.
    Config = 78,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::General,
        Self::Usage,
        Self::Conflict,
        Self::UnknownOrders,
        Self::KillSwitchOn,
        Self::Unavailable,
        Self::LockHeld,
        Self::Permission,
        Self::Config,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<crate::credentials::CredentialsError> for Failure {
    fn from(error: crate::credentials::CredentialsError) -> Self {
        let exit = match error {
            crate::credentials::CredentialsError::Open { .. }
            | crate::credentials::CredentialsError::Unreadable { .. } => Exit::Permission,
            _ => Exit::Config,
        };
        let hint = error.hint();
        Self::new(exit, error).hint(hint)
    }
}

/// A command that did not go well.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What went wrong.
    pub error: anyhow::Error,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl Failure {
    /// Ends with `exit`.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), hints: Vec::new() }
    }

    /// Exit 1.
    pub fn general(error: anyhow::Error) -> Self {
        Self::new(Exit::General, error)
    }

    /// Exit 2.
    pub fn usage(error: anyhow::Error) -> Self {
        Self::new(Exit::Usage, error)
    }

    /// Exit 78.
    pub fn config(error: anyhow::Error) -> Self {
        Self::new(Exit::Config, error)
    }

    /// Exit 69.
    pub fn unavailable(error: anyhow::Error) -> Self {
        Self::new(Exit::Unavailable, error)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The lines for standard error.
    pub fn text(&self) -> String {
        let mut text = format!("error: {}\n", self.error);
        let mut said = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            // Many errors repeat their source in their own text.
            if !said.contains(&cause) {
                let _ = writeln!(text, "  caused by: {cause}");
                said.push_str(&cause);
            }
        }
        for hint in &self.hints {
            let _ = writeln!(text, "hint: {hint}");
        }
        text
    }

    /// Tells it on standard error; the program's exit code is the answer.
    pub fn report(&self) -> ExitCode {
        use std::io::Write as _;
        let text = self.text();
        let mut to = anstream::stderr().lock();
        // Where standard error is gone there is nobody to tell.
        for line in text.lines() {
            let _ = match line.split_once(": ") {
                Some(("error", rest)) => writeln!(to, "\x1b[1;31merror\x1b[0m: {rest}"),
                Some(("hint", rest)) => writeln!(to, "\x1b[1;36mhint\x1b[0m: {rest}"),
                _ => writeln!(to, "{line}"),
            };
        }
        self.exit.into()
    }
}

/// The exit code that fits an error from below, by what is in its chain.
fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
            )
        {
            return Exit::Permission;
        }
        if let Some(journal) = cause.downcast_ref::<journal::JournalError>() {
            match journal {
                journal::JournalError::Locked { .. } => return Exit::LockHeld,
                journal::JournalError::CannotWrite(_) => return Exit::Unavailable,
                _ => {}
            }
        }
    }
    Exit::General
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: exit_of(&error), error, hints: Vec::new() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let exit = match &error {
            ConfigError::Param { .. } => Exit::Usage,
            _ => Exit::Config,
        };
        let help = error.help().to_owned();
        Self::new(exit, error).hint(help)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        let exit = match &error {
            LockError::Held { .. } => Exit::LockHeld,
            LockError::Unknown { .. } => Exit::Permission,
        };
        let hint = error.hint();
        Self::new(exit, error).hint(hint)
    }
}

impl From<journal::JournalError> for Failure {
    fn from(error: journal::JournalError) -> Self {
        anyhow::Error::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_codes_are_the_promised_ones() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 10, 11, 12, 69, 75, 77, 78]);
    }

    #[test]
    fn a_failure_tells_error_cause_and_hint() {
        let error = std::fs::read("/no/such/file").context("the component /no/such/file cannot be read");
        let failure = Failure::from(error.expect_err("there is none")).hint("check the path");
        let text = failure.text();
        assert!(
            text.starts_with("error: the component /no/such/file cannot be read\n  caused by: "),
            "{text}"
        );
        assert!(text.ends_with("hint: check the path\n"), "{text}");
        assert_eq!(failure.exit, Exit::General);
    }

    #[test]
    fn what_is_said_already_is_not_said_again() {
        let io = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "denied");
        let failure = Failure::from(anyhow::Error::from(io).context("cannot write: denied"));
        assert_eq!(failure.text(), "error: cannot write: denied\n");
        assert_eq!(failure.exit, Exit::Permission);
    }

    #[test]
    fn a_locked_journal_is_a_held_lock() {
        let failure = Failure::from(journal::JournalError::Locked { path: "/x".into() });
        assert_eq!(failure.exit, Exit::LockHeld);
    }
}
