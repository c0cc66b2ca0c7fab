//! The incident report's verification checklist, each line with what it rests on.

use std::fmt;

use conflicts::{Machine, conflicts};
use journal::{Entry, Journal as _, SqliteJournal};
use model::Clock as _;
use serde::Serialize;

use crate::clock;
use crate::config::Config;
use crate::control::reach;
use crate::lookout::me_and_the_holder;

/// How a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Good,
    /// It cannot be known yet.
    Pending,
    /// It does not hold.
    Bad,
}

/// One line.
#[derive(Debug, Serialize)]
pub struct Line {
    /// As the report has it.
    pub what: &'static str,
    /// How it stands.
    pub state: State,
    /// What it rests on.
    pub evidence: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.state {
            State::Good => "[x]",
            State::Pending => "[ ]",
            State::Bad => "[!]",
        };
        write!(f, "{mark} {}: {}", self.what, self.evidence)
    }
}

/// How long the first login may take before it counts as pending.
const LOGIN_SECONDS: i64 = 75;

/// Reads the machine, the host and its journal.
pub async fn read(machine: &Machine, config: &Config) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |what, state, evidence: String| lines.push(Line { what, state, evidence });
    let clock = clock::system();
    let status = status_with_a_session(config, &clock).await;
    match machine.survey().await {
        Ok(survey) => {
            let found = conflicts(&survey, &me_and_the_holder(&config.lock_dir, &config.account.name));
            let ours = survey.units.iter().find(|unit| unit.is_ours());
            let runs = ours.is_some_and(conflicts::Unit::is_up) && found.is_empty();
            let evidence = match ours {
                Some(unit) => format!("{} is {}; {} conflicts", unit.name, unit.active, found.len()),
                None => "our unit is not known to the service manager".to_owned(),
            };
            say("Only unified service is running", if runs { State::Good } else { State::Bad }, evidence);
            let old: Vec<_> = survey.units.iter().filter(|unit| !unit.is_ours()).collect();
            let left: Vec<_> = old
                .iter()
                .filter(|unit| unit.is_up() || unit.is_enabled())
                .map(|unit| unit.name.as_str())
                .collect();
            let evidence = if left.is_empty() {
                format!(
                    "{} old units, all inactive; {} masked",
                    old.len(),
                    old.iter().filter(|unit| unit.is_masked()).count()
                )
            } else {
                left.join(", ")
            };
            say(
                "Old services are stopped and disabled",
                if left.is_empty() { State::Good } else { State::Bad },
                evidence,
            );
        }
        Err(error) => {
            say("Only unified service is running", State::Bad, error.to_string());
            say("Old services are stopped and disabled", State::Bad, error.to_string());
        }
    }
    let session = status.as_ref().and_then(|status| status.session.as_ref());
    let (state, evidence) = match session {
        Some(line) if line.state == "open" && line.logins <= 1 => {
            (State::Good, "1 login, the session is open".to_owned())
        }
        Some(line) if line.state == "open" => {
            (State::Good, format!("the session is open; {} logins today", line.logins))
        }
        Some(line) if line.state == "resting" => (
            State::Pending,
            line.reason.clone().unwrap_or_else(|| "the first login is in the morning".to_owned()),
        ),
        Some(line) => (State::Bad, line.reason.clone().unwrap_or_else(|| line.state.clone())),
        None => (State::Bad, "the host does not answer".to_owned()),
    };
    say("Login successful (single login at startup)", state, evidence);
    let trouble = trouble(config);
    let (state, evidence) = match &trouble {
        Ok((0, _)) => {
            (State::Good, "no contest and no early end of a session in the journal today".to_owned())
        }
        Ok((count, _)) => {
            (State::Bad, format!("{count} contests and early ends of a session in the journal today"))
        }
        Err(error) => (State::Bad, format!("the journal cannot be read: {error}")),
    };
    say("No JWT conflicts in logs", state, evidence);
    let next = status.as_ref().and_then(|status| status.next_task.as_ref());
    say(
        "Tasks execute at scheduled times",
        if next.is_some() { State::Pending } else { State::Bad },
        next.map_or_else(
            || "nothing is scheduled".to_owned(),
            |next| format!("next: {} at {}; `tradeagent runs` tells afterwards", next.task, next.at),
        ),
    );
    let tried = selftest();
    let of = |name: &str| {
        tried.as_ref().map_or_else(
            |error| (State::Bad, error.clone()),
            |checks| {
                checks.iter().find(|(known, _, _)| known == name).map_or_else(
                    || (State::Bad, "not tried".to_owned()),
                    |(_, passed, seen)| {
                        (if *passed { State::Good } else { State::Bad }, format!("selftest: {seen}"))
                    },
                )
            },
        )
    };
    let (state, evidence) = of("re-authentication");
    say("Re-authentication works if JWT expires", state, evidence);
    let (state, evidence) = match &trouble {
        Ok((_, 0)) => (
            State::Good,
            "no failed login in the journal today; an answer without data is an error by name".to_owned(),
        ),
        Ok((_, count)) => (State::Bad, format!("{count} failed logins in the journal today")),
        Err(error) => (State::Bad, format!("the journal cannot be read: {error}")),
    };
    say("No `'NoneType' object has no attribute 'get'` errors", state, evidence);
    let (state, evidence) = of("concurrent calls");
    say("Thread-safe operations (no race conditions)", state, evidence);
    lines
}

/// The host's status once its first login is through, or given up on.
async fn status_with_a_session(
    config: &Config,
    clock: &model::clock::SharedClock,
) -> Option<crate::control::views::StatusView> {
    let until = clock.now().plus_seconds(LOGIN_SECONDS);
    loop {
        let status = reach(config, clock).ok().and_then(|mut access| access.status(config).ok());
        let is_settled = status
            .as_ref()
            .and_then(|status| status.session.as_ref())
            .is_some_and(|session| !matches!(session.state.as_str(), "none yet" | "logging in"));
        if is_settled || clock.now() >= until {
            return status;
        }
        clock.sleep_until(clock.now().plus_nanos(500_000_000)).await;
    }
}

/// Contests (and sessions that ended within minutes), and failed logins, of today's journal.
fn trouble(config: &Config) -> Result<(usize, usize), String> {
    let journal = SqliteJournal::open_read_only(config.journal_path()).map_err(|error| error.to_string())?;
    let today = clock::SystemClock.now().ist_date();
    let entries = journal.entries(0, u32::MAX).map_err(|error| error.to_string())?;
    let notes = entries.iter().filter_map(|recorded| match &recorded.entry {
        Entry::Note { kind, text, at } if kind == "session" && at.ist_date() == today => Some(text.as_str()),
        _ => None,
    });
    Ok(notes.fold((0, 0), |(contested, failed), text| {
        (
            contested
                + usize::from(
                    text.contains("another program is logged in") || text.contains("expired after"),
                ),
            failed + usize::from(text.contains("login failed") || text.contains("refused the login")),
        )
    }))
}

type Tried = Vec<(String, bool, String)>;

/// The self-test in a process of its own.
fn selftest() -> Result<Tried, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = std::process::Command::new(program).args(["selftest", "--json"]).output();
    let output = output.map_err(|error| error.to_string())?;
    let told: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let checks = told["checks"].as_array().ok_or("no checks")?;
    Ok(checks
        .iter()
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            (text("name"), check["passed"] == true, text("seen"))
        })
        .collect())
}
