//! `migrate`: from the Python agent's services to this one, and back.
//!
//! The order: look and plan; nothing is changed while something has to be filled in first. Then back up,
//! retire the old units, install ours, carry over credentials and open trades, start, verify. Before each
//! change it is written down what it was, so that `--undo` restores whatever point was reached.

mod checklist;
mod legacy;
mod manifest;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use conflicts::{Conflict, Machine, Names, RetiredNotes, Survey};
use model::Clock as _;
use serde::Serialize;

use self::checklist::Line;
use self::legacy::Legacy;
use self::manifest::Manifest;
use super::service;
use crate::cli::MigrateArgs;
use crate::clock::SystemClock;
use crate::config::{BrokerKind, Config};
use crate::exit::{Exit, Failure};
use crate::lookout::me;
use crate::{output, places};

/// What retiring a unit is, in the words of its manager.
const RETIRE: &str = if cfg!(windows) { "stop and disable" } else { "stop, disable and mask" };

/// What is going to be done.
#[derive(Debug, Serialize)]
struct Plan {
    /// In order, in words.
    steps: Vec<String>,
    /// What has to be filled in before anything is done.
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    plan: Plan,
    done: Vec<String>,
    checklist: Vec<Line>,
}

/// Does it.
pub fn run(args: &MigrateArgs) -> Result<Exit, Failure> {
    let config_path = args.config.clone().unwrap_or_else(places::config_file);
    if args.undo {
        allowed()?;
        return undo().map(|()| Exit::Ok);
    }
    let machine = Machine::real(names(&config_path)?);
    let survey =
        super::block_on(machine.survey())?.map_err(|error| Failure::unavailable(anyhow!("{error}")))?;
    let earlier = if places::may_change_services() { Manifest::load()?.folder } else { None };
    let legacy = Legacy::find(args.from.as_deref().or(earlier.as_deref()), &survey)?;
    let mut env = legacy.env_text(&places::env_file(), args.ucc.as_deref())?;
    let mut plan = plan(&survey, &legacy, &env, &config_path);
    if args.dry_run {
        return show(args.json, Answer { plan, done: Vec::new(), checklist: Vec::new() }, Exit::Ok);
    }
    allowed()?;
    if let Some(asked) = legacy::ask_for_ucc(&env) {
        env = legacy.env_text(&places::env_file(), Some(&asked))?;
        plan.missing = missing(&env);
    }
    if !plan.missing.is_empty() {
        let error = anyhow!("nothing was changed: {}", plan.missing.join("; "));
        return Err(Failure::config(error).hint(format!(
            "`{}tradeagent migrate --ucc UCC …`, or add the lines to the file first",
            places::SUDO
        )));
    }
    let mut done = Vec::new();
    carry_out(&machine, &survey, &legacy, &env, &config_path, &mut done).map_err(|failure| {
        failure.hint(format!(
            "`{0}tradeagent migrate` goes on from here; `{0}tradeagent migrate --undo` puts everything back",
            places::SUDO
        ))
    })?;
    let config = Config::load(Some(&config_path))?;
    let checklist = super::block_on(checklist::read(&machine, &config))?;
    let exit = if checklist.iter().any(|line| line.state == checklist::State::Bad) {
        Exit::Conflict
    } else {
        Exit::Ok
    };
    show(args.json, Answer { plan, done, checklist }, exit)
}

fn names(config: &Path) -> Result<Names, Failure> {
    if !config.exists() {
        return Ok(Names::default());
    }
    let config = Config::load(Some(config))?;
    Ok(Names::default().and(&config.conflicts.units, &config.conflicts.scripts))
}

fn allowed() -> Result<(), Failure> {
    if places::may_change_services() {
        return Ok(());
    }
    Err(Failure::new(Exit::Permission, anyhow!("the machine's services are an administrator's to change"))
        .hint(format!("{}; `--dry-run` needs no rights", places::NOT_ALLOWED)))
}

fn missing(env: &legacy::Env) -> Vec<String> {
    match env {
        legacy::Env::Incomplete { missing, from } => {
            vec![format!("{} lacks {}", from.display(), missing.join(", "))]
        }
        legacy::Env::Nowhere => vec![format!(
            "there are no credentials: write {}, or name the old agent's folder by --from",
            places::env_file().display()
        )],
        _ => Vec::new(),
    }
}

fn plan(survey: &Survey, legacy: &Legacy, env: &legacy::Env, config: &Path) -> Plan {
    let old: Vec<_> = survey.units.iter().filter(|unit| !unit.is_ours() && !unit.is_masked()).collect();
    let mut steps = Vec::new();
    for unit in &old {
        steps.push(format!("{RETIRE} {} ({}, {})", unit.name, unit.active, unit.file_state));
    }
    for process in &survey.processes {
        if let conflicts::Role::Script(script) = &process.role {
            steps.push(format!("end process {} ({script}.py)", process.pid));
        }
    }
    match env {
        legacy::Env::There => steps.push(format!("keep {}", places::env_file().display())),
        legacy::Env::Nowhere => {}
        legacy::Env::Complete { from, .. } | legacy::Env::Incomplete { from, .. } => {
            let whom = if cfg!(windows) { "for administrators only" } else { "both for root only" };
            steps.push(format!("copy {} to {}, {whom}", from.display(), places::env_file().display()));
        }
    }
    steps.push(format!("install and enable {} with {}", service::NAME, config.display()));
    if let Some((from, to)) = drop_ins(survey) {
        steps.push(format!("rename {} to {}: it would change our unit", from.display(), to.display()));
    }
    for trade in &legacy.trades {
        steps.push(format!("adopt {trade}, if the account holds it"));
    }
    steps.extend(legacy.remarks.iter().cloned());
    steps.push(format!("start {} and check the result", service::NAME));
    Plan { steps, missing: missing(env) }
}

/// Drop-ins of an old unit that has our own unit's name, and what they are called afterwards.
fn drop_ins(survey: &Survey) -> Option<(PathBuf, PathBuf)> {
    let is_old = survey.units.iter().any(|unit| unit.name == service::NAME && !unit.is_ours());
    let from = Path::new("/etc/systemd/system").join(format!("{}.d", service::NAME));
    let to = from.with_extension("d.legacy");
    (is_old && from.is_dir() && !to.exists()).then_some((from, to))
}

fn carry_out(
    machine: &Machine,
    survey: &Survey,
    legacy: &Legacy,
    env: &legacy::Env,
    config_path: &Path,
    done: &mut Vec<String>,
) -> Result<(), Failure> {
    #[cfg(windows)]
    service::prepare()?;
    let mut manifest = Manifest::load()?;
    legacy.back_up(&mut manifest)?;
    manifest.created(service::would_write())?;
    done.push(format!("backed up to {}", places::backups().display()));
    // Before the old unit goes: afterwards nothing tells that they were its.
    if let Some((from, to)) = drop_ins(survey) {
        manifest.rename(&from, &to)?;
        done.push(format!("renamed {} to {}", from.display(), to.display()));
    }
    let notes = RetiredNotes::of_this_machine();
    let resolved = super::block_on(machine.resolve(&me(), true, &|retired| notes.add(retired)))?
        .map_err(|error| Failure::unavailable(anyhow!("{error}")))?;
    for step in &resolved.steps {
        match &step.outcome {
            Ok(()) => done.push(format!("retired {}", step.conflict.name())),
            Err(error) => {
                return Err(Failure::new(
                    Exit::Conflict,
                    anyhow!("{} is left: {error}", step.conflict.name()),
                )
                .hint(step.conflict.to_string()));
            }
        }
    }
    let left: Vec<&Conflict> = resolved.left.iter().filter(|conflict| conflict.may_be_stopped()).collect();
    if !left.is_empty() {
        let failure = Failure::new(Exit::Conflict, anyhow!("{} programs still use the account", left.len()));
        return Err(left.iter().fold(failure, |failure, conflict| failure.hint(conflict.to_string())));
    }
    legacy.write_env(env, &places::env_file(), &mut manifest)?;
    let installed = service::install(false)?;
    done.extend(installed.lines());
    let config = Config::load(Some(config_path))?;
    adopt(legacy, &config, done)?;
    service::enable_and_start()?;
    done.push(format!("started {}", service::NAME));
    Ok(())
}

/// Open trades become entries of the ledger where the account holds the shares; nothing is invented.
fn adopt(legacy: &Legacy, config: &Config, done: &mut Vec<String>) -> Result<(), Failure> {
    if legacy.trades.is_empty() {
        return Ok(());
    }
    let BrokerKind::KotakNeo(kotak) = &config.account.broker else {
        done.push("open trades are not carried over to a paper account".to_owned());
        return Ok(());
    };
    let todo = legacy::not_yet_adopted(legacy, config)?;
    if todo.is_empty() {
        done.push("the open trades were adopted before".to_owned());
        return Ok(());
    }
    // A host that runs holds the account: it stands still while its owner's book is filled.
    service::disable()?;
    let mut kotak = kotak.clone();
    kotak.env_file.get_or_insert_with(places::env_file);
    let holdings = super::block_on(legacy::holdings(config, &kotak))??;
    done.extend(legacy::adopt(&todo, &holdings, config)?);
    Ok(())
}

fn undo() -> Result<(), Failure> {
    let mut manifest = Manifest::load()?;
    let notes = RetiredNotes::of_this_machine();
    let mut retired = notes.read().map_err(|error| Failure::general(anyhow!(error)))?;
    if manifest.is_empty() && retired.is_empty() {
        output::line("There is nothing to undo: no migration is on record here.");
        return Ok(());
    }
    // Ours first: nothing may run beside what comes back.
    service::disable()?;
    let now = SystemClock.now().ist().format("%Y%m%dT%H%M%S").to_string();
    for (from, to) in manifest.put_aside_created(&now)? {
        output::line(&format!("moved {} to {}", from.display(), to.display()));
    }
    manifest.restore_modes()?;
    for (from, to) in manifest.name_back(&now)? {
        output::line(&format!("moved {} to {}", from.display(), to.display()));
    }
    retired.reverse();
    let machine = Machine::real(Names::default());
    let mut left = Vec::new();
    for unit in retired {
        match super::block_on(machine.managers.restore(&unit))? {
            Ok(()) => output::line(&format!("restored {}", unit.name)),
            Err(error) => {
                output::talk(&format!("{} is not as it was: {error}", unit.name));
                left.push(unit);
            }
        }
    }
    if !left.is_empty() {
        let error = anyhow!("{} units are not as they were; the others are", left.len());
        return Err(Failure::general(error).hint(format!(
            "mend what is said above, then `{}tradeagent migrate --undo` again",
            places::SUDO
        )));
    }
    notes.clear().map_err(|error| Failure::general(anyhow!(error)))?;
    manifest.finish()?;
    output::line("Everything is as it was. The journal and the backups are left.");
    Ok(())
}

fn show(json: bool, answer: Answer, exit: Exit) -> Result<Exit, Failure> {
    if json {
        output::json_versioned(&answer)?;
        return Ok(exit);
    }
    if answer.done.is_empty() {
        output::line("The plan:");
        answer
            .plan
            .steps
            .iter()
            .enumerate()
            .for_each(|(at, step)| output::line(&format!("  {}. {step}", at + 1)));
        answer.plan.missing.iter().for_each(|what| output::line(&format!("  first: {what}")));
        return Ok(exit);
    }
    answer.done.iter().for_each(|what| output::line(what));
    output::line("");
    answer.checklist.iter().for_each(|line| output::line(&line.to_string()));
    Ok(exit)
}
