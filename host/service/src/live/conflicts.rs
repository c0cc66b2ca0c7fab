//! Other programs on this machine that log in to the account: the scripts of the service that this one
//! replaces, run by an interpreter.
//!
//! An editor, a pager or a search that has the script's name in its arguments is none: the program itself
//! must be a Python, and the script the file that it runs.

use std::ffi::OsStr;
use std::path::Path;

use broker::session::Conflicts;
use model::BoxFuture;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// The scripts that log in by themselves (legacy-agent.md 1.9, and the ones its detector missed).
const SCRIPTS: [&str; 7] = [
    "run_trading_service",
    "run_sell_orders",
    "run_auto_trade",
    "run_position_monitor",
    "run_eod_cleanup",
    "run_place_amo",
    "live_price_manager",
];

/// Looks at the processes of this machine.
#[derive(Debug, Default)]
pub struct Processes;

impl Conflicts for Processes {
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        Box::pin(async {
            tokio::task::spawn_blocking(look)
                .await
                .map_err(|error| format!("the look at the processes failed: {error}"))?
        })
    }
}

fn look() -> Result<Vec<String>, String> {
    let mut system = System::new().map_err(|error| format!("the processes cannot be read: {error}"))?;
    let what = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    if system.processes().is_empty() {
        return Err("the processes cannot be read: none is shown, not even this one".to_owned());
    }
    let mut found: Vec<String> = system
        .processes()
        .iter()
        // A thread shows the command line of its process.
        .filter(|(_, process)| process.thread_kind().is_none())
        .filter_map(|(pid, process)| {
            let script = script(process.cmd())?;
            Some(format!("process {pid} runs {script}.py: `kill {pid}` stops it"))
        })
        .collect();
    found.sort();
    Ok(found)
}

/// The legacy script that a command line runs, if it does.
fn script(command: &[impl AsRef<OsStr>]) -> Option<&'static str> {
    let mut words = command.iter().map(|word| word.as_ref());
    let program = Path::new(words.next()?).file_name()?.to_str()?;
    if !(program.starts_with("python") || program.starts_with("pypy")) {
        return None;
    }
    // The first argument that is no option is the script; after `-m` it is a module's name.
    let mut is_module = false;
    for word in words {
        let text = word.to_str()?;
        if is_module {
            let name = text.rsplit('.').next()?;
            return SCRIPTS.into_iter().find(|script| *script == name);
        }
        match text {
            "-m" => is_module = true,
            "-c" => return None,
            _ if text.starts_with('-') => {}
            _ => {
                let stem = Path::new(text).file_stem()?.to_str()?;
                return SCRIPTS.into_iter().find(|script| *script == stem);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_that_runs_a_script_is_found_and_nothing_else() {
        let cases: [(&[&str], Option<&str>); 9] = [
            (&["python3", "run_sell_orders.py"], Some("run_sell_orders")),
            (
                &["/opt/venv/bin/python3.11", "-u", "/srv/x/run_auto_trade.py", "--env", "f"],
                Some("run_auto_trade"),
            ),
            (
                &["python", "-m", "modules.kotak_neo_auto_trader.run_trading_service"],
                Some("run_trading_service"),
            ),
            (&["vim", "run_sell_orders.py"], None),
            (&["grep", "-r", "run_sell_orders.py", "."], None),
            (&["python3", "-c", "import run_sell_orders"], None),
            (&["python3", "other.py", "run_sell_orders.py"], None),
            (&["python3", "-m", "pytest", "run_sell_orders.py"], None),
            (&["pythonic"], None),
        ];
        for (command, expected) in cases {
            assert_eq!(script(command), expected, "{command:?}");
        }
    }

    #[tokio::test]
    async fn this_machine_can_be_looked_at() {
        assert_eq!(Processes.look().await, Ok(Vec::new()));
    }
}
