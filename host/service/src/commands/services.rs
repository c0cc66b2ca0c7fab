//! `services`: everything on this machine that could be logged in to the account, and who holds it.

use conflicts::{Conflict, Danger, Process, Role, Survey, Unit, UnitKind};
use serde::Serialize;

use super::account::open;
use crate::cli::ServicesArgs;
use crate::control::views::NextTask;
use crate::exit::{Exit, Failure};
use crate::lock::{AccountLock, Holder};
use crate::lookout::{Lookout, Powers};
use crate::output::{self, Align, Table, Tone};

/// All of it.
#[derive(Debug, Serialize)]
struct View {
    account: String,
    /// What each unit is, ours and the old ones.
    units: Vec<Unit>,
    processes: Vec<Process>,
    conflicts: Vec<Conflict>,
    /// Who holds the account.
    holder: Option<Holder>,
    /// What our host does next.
    next_task: Option<NextTask>,
    /// What could not be looked at, which is no failure.
    unseen: Vec<String>,
}

/// Tells it.
pub fn run(args: &ServicesArgs) -> Result<Exit, Failure> {
    let mut account = open(&args.read)?;
    let config = &account.config;
    let (lookout, _news) = Lookout::new(config, Powers::LOOKS);
    let (survey, conflicts) = super::block_on(lookout.look())?.map_err(|why| {
        Failure::unavailable(anyhow::anyhow!("{why}")).hint("`tradeagent doctor` looks into it")
    })?;
    let Survey { units, processes, unseen } = survey;
    let holder = AccountLock::holder(&config.lock_dir, &config.account.name)?;
    let name = config.account.name.to_string();
    let next_task = account.access.status(&account.config).ok().and_then(|status| status.next_task);
    let exit = if conflicts.is_empty() { Exit::Ok } else { Exit::Conflict };
    let view = View { account: name, units, processes, conflicts, holder, next_task, unseen };
    if args.read.json {
        output::json_versioned(&view)?;
    } else {
        show(&view);
    }
    Ok(exit)
}

fn show(view: &View) {
    let mut table = Table::new(&[
        ("what", Align::Left),
        ("state", Align::Left),
        ("at boot", Align::Left),
        ("process", Align::Right),
        ("next", Align::Left),
        ("", Align::Left),
    ]);
    let plain = |text: String| (text, Tone::Plain);
    for unit in &view.units {
        let (word, tone) =
            verdict(view, |conflict| matches!(&conflict.what, conflicts::What::Unit(it) if it == unit));
        let word = if unit.is_ours() { "ours" } else { word };
        let next = unit.next.and_then(|micros| i64::try_from(micros).ok()?.checked_mul(1_000));
        table.row([
            plain(conflicts_name(unit)),
            plain(unit.active.clone()),
            plain(unit.file_state.clone()),
            plain(unit.main_pid.map(|pid| pid.to_string()).unwrap_or_default()),
            plain(
                next.map(|nanos| super::account::short(model::Timestamp::from_nanos(nanos)))
                    .unwrap_or_default(),
            ),
            (word.to_owned(), tone),
        ]);
    }
    for process in &view.processes {
        let (word, tone) =
            verdict(view, |conflict| matches!(&conflict.what, conflicts::What::Process(it) if it == process));
        let what = match &process.role {
            Role::Script(script) => format!("{script}.py"),
            Role::Host(_) => "tradeagent run".to_owned(),
        };
        table.row([
            plain(what),
            plain("running".to_owned()),
            plain(process.unit.clone().unwrap_or_default()),
            plain(process.pid.to_string()),
            plain(String::new()),
            (word.to_owned(), tone),
        ]);
    }
    if view.units.is_empty() && view.processes.is_empty() {
        output::line("No unit and no process of the Python agent or of this one is on this machine.");
    } else {
        table.print();
    }
    match &view.holder {
        Some(holder) => output::line(&format!("account {} is held by {holder}", view.account)),
        None => output::line(&format!("account {} is held by nobody", view.account)),
    }
    if let Some(next) = &view.next_task {
        output::line(&format!("next: {} at {}", next.task, next.at));
    }
    for unseen in &view.unseen {
        output::talk(&format!("not looked at: {unseen}"));
    }
    for conflict in &view.conflicts {
        output::line(&format!("conflict: {conflict}"));
    }
}

fn conflicts_name(unit: &Unit) -> String {
    match unit.manager {
        conflicts::Manager::System => unit.name.clone(),
        conflicts::Manager::User(user) => format!("{} (user {user})", unit.name),
    }
}

fn verdict(view: &View, is_it: impl Fn(&Conflict) -> bool) -> (&'static str, Tone) {
    match view
        .conflicts
        .iter()
        .find(|conflict| is_it(conflict))
        .map(|conflict| (conflict.danger, &conflict.what))
    {
        None => ("", Tone::Plain),
        Some((Danger::Runs, _)) => ("conflict: runs", Tone::Bad),
        Some((Danger::Waits, conflicts::What::Unit(unit))) if unit.kind == UnitKind::Timer => {
            ("conflict: fires", Tone::Bad)
        }
        Some((Danger::Waits, _)) => ("conflict: waits", Tone::Bad),
        Some((Danger::AtBoot | Danger::ByHand, _)) => ("conflict: at boot", Tone::Warn),
    }
}
