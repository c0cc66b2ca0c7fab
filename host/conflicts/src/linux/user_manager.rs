//! Units of users: each user's manager speaks to that user only, so a child process asks as the user.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::systemd::{Systemd, connect, restore_on, units_of};
use crate::names::Names;
use crate::port::{ProbeError, Retired, StopError};
use crate::seen::{Manager, Unit};

/// The first argument by which a program of ours becomes that child.
pub const AS_USER: &str = "as-user-manager";

/// The longest that a user's manager may take to answer, and to stop a unit.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
const CHANGE_WITHIN: Duration = Duration::from_secs(130);

/// What the child is asked.
#[derive(Serialize, Deserialize)]
enum Ask {
    Units(Names),
    Retire(Unit),
    Restore(Retired),
}

/// What it answers.
#[derive(Serialize, Deserialize)]
enum Answer {
    Units(Result<Vec<Unit>, ProbeError>),
    Noted(Retired),
    Done(Result<(), StopError>),
}

fn we() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether a manager belongs to a user other than this process's.
pub(super) fn is_anothers(manager: Manager) -> bool {
    matches!(manager, Manager::User(user) if user != we())
}

/// Users whose manager runs.
fn users() -> Vec<(u32, u32)> {
    let Ok(folder) = fs::read_dir("/run/user") else { return Vec::new() };
    let mut users: Vec<(u32, u32)> = folder
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("bus").exists() || entry.path().join("systemd").exists())
        .filter_map(|entry| {
            let user = entry.file_name().to_str()?.parse().ok()?;
            Some((user, entry.metadata().ok()?.gid()))
        })
        .collect();
    users.sort_unstable();
    users
}

/// Units of all users that this process may ask for, and a sentence for each that it may not.
pub(super) async fn units(names: &Names) -> Result<(Vec<Unit>, Vec<String>), ProbeError> {
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    for (user, group) in users() {
        if !Path::new(&format!("/run/user/{user}/bus")).exists() && user == we() {
            continue;
        }
        if user == we() {
            let failed = |error| ProbeError(format!("the units of user {user} cannot be read: {error}"));
            let connection = connect(Manager::User(user)).await.map_err(failed)?;
            found.extend(units_of(&connection, Manager::User(user), names).await.map_err(failed)?);
        } else if we() == 0 {
            match ask(user, group, &Ask::Units(names.clone()), &|_| Ok(())).await {
                Ok(Answer::Units(units)) => {
                    // The child runs as the user, who could make it say anything.
                    let units = units?;
                    let is_theirs =
                        |unit: &Unit| unit.manager == Manager::User(user) && names.units.contains(&unit.name);
                    if !units.iter().all(is_theirs) {
                        return Err(ProbeError(format!(
                            "the units of user {user}: an answer about something else"
                        )));
                    }
                    found.extend(units);
                }
                Ok(_) => return Err(ProbeError(format!("the units of user {user}: no such answer"))),
                Err(error) => return Err(ProbeError(format!("the units of user {user}: {error}"))),
            }
        } else {
            unseen.push(format!("the services of user {user}, which only that user and root may see"));
        }
    }
    Ok((found, unseen))
}

pub(super) async fn retire(
    unit: &Unit,
    note: &(dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
) -> Result<(), StopError> {
    done(unit.manager, &Ask::Retire(unit.clone()), note).await
}

pub(super) async fn restore(retired: &Retired) -> Result<(), StopError> {
    done(retired.manager, &Ask::Restore(retired.clone()), &|_| Ok(())).await
}

async fn done(
    manager: Manager,
    what: &Ask,
    note: &(dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
) -> Result<(), StopError> {
    let Manager::User(user) = manager else { return Err(StopError::Failed("not a user's".to_owned())) };
    if we() != 0 {
        return Err(StopError::NotAllowed(format!("user {user} and root may stop it")));
    }
    let group = fs::metadata(format!("/run/user/{user}")).map_or(user, |meta| meta.gid());
    let name = match what {
        Ask::Retire(unit) => unit.name.clone(),
        Ask::Restore(_) | Ask::Units(_) => String::new(),
    };
    // Only about the unit that was asked for: the child runs as the user, who could make it say anything.
    let careful = |retired: &Retired| {
        let home = home_of(user).unwrap_or_default();
        let is_theirs = retired.moved.as_ref().is_none_or(|(from, to)| {
            [from, to].iter().all(|path| path.starts_with(&home) && !path.contains(".."))
        });
        if retired.manager == manager && retired.name == name && is_theirs {
            note(retired)
        } else {
            Err("an answer about something else".to_owned())
        }
    };
    match ask(user, group, what, &careful).await.map_err(StopError::Failed)? {
        Answer::Done(outcome) => outcome,
        _ => Err(StopError::Failed(format!("user {user}: no such answer"))),
    }
}

/// Runs this program once more as `user`, asks, and reads the answer.
async fn ask(
    user: u32,
    group: u32,
    what: &Ask,
    note: &(dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
) -> Result<Answer, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let home = home_of(user).unwrap_or_else(|| format!("/run/user/{user}"));
    let question = serde_json::to_string(what).map_err(|error| error.to_string())?;
    let child = Command::new(program)
        .arg(AS_USER)
        .arg(&question)
        .env_clear()
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", format!("/run/user/{user}"))
        .uid(user)
        .gid(group)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let within = if matches!(what, Ask::Units(_)) { LOOK_WITHIN } else { CHANGE_WITHIN };
    // The bus is the user's as well, and may never answer.
    #[expect(clippy::disallowed_methods, reason = "waits for another program on a real machine")]
    let output = tokio::time::timeout(within, child)
        .await
        .map_err(|_| format!("no answer within {} s", within.as_secs()))?
        .map_err(|error| error.to_string())?;
    let mut last = None;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match serde_json::from_str(line).map_err(|error| error.to_string())? {
            Answer::Noted(retired) => note(&retired)?,
            answer => last = Some(answer),
        }
    }
    last.ok_or_else(|| format!("no answer: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn home_of(user: u32) -> Option<String> {
    let table = fs::read_to_string("/etc/passwd").ok()?;
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.nth(2)?.parse() == Ok(user)).then(|| fields.nth(2).map(str::to_owned))?
    })
}

/// The child: answers one question about this user's own manager on standard output. None when the program
/// was not started as that child.
pub async fn user_manager(arguments: &[String]) -> Option<Result<(), String>> {
    let [_, word, question] = arguments else { return None };
    if word != AS_USER {
        return None;
    }
    Some(answer(question).await)
}

async fn answer(question: &str) -> Result<(), String> {
    let me = Manager::User(we());
    let say = |answer: &Answer| {
        serde_json::to_string(answer).map(|line| println!("{line}")).map_err(|error| error.to_string())
    };
    let question: Ask = serde_json::from_str(question).map_err(|error| error.to_string())?;
    let connection = connect(me).await;
    let systemd = Systemd::of_user();
    let answer = match (question, connection) {
        // A manager without a bus, or one that has just gone: nothing runs there.
        (Ask::Units(_), Err(_)) if !Path::new(&format!("/run/user/{}/bus", we())).exists() => {
            Answer::Units(Ok(Vec::new()))
        }
        (Ask::Units(_), Err(error)) => Answer::Units(Err(ProbeError(error.to_string()))),
        (_, Err(error)) => Answer::Done(Err(StopError::Failed(error.to_string()))),
        (Ask::Units(names), Ok(bus)) => {
            Answer::Units(units_of(&bus, me, &names).await.map_err(|error| ProbeError(error.to_string())))
        }
        (Ask::Retire(unit), Ok(bus)) => {
            let note = |retired: &Retired| say(&Answer::Noted(retired.clone()));
            Answer::Done(systemd.retire_on(&bus, &unit, &note).await)
        }
        (Ask::Restore(retired), Ok(bus)) => Answer::Done(restore_on(&bus, &retired).await),
    };
    say(&answer)
}
