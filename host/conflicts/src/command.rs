//! Command lines: which script an interpreter runs.

use crate::names::Names;
use crate::seen::{Role, base_name};

/// Options of Python that take the next word.
const WITH_VALUE: [&str; 3] = ["-X", "-W", "--check-hash-based-pycs"];
/// Modules that run the script that is named after them.
const RUNNERS: [&str; 6] = ["pdb", "cProfile", "profile", "trace", "runpy", "debugpy"];
/// The folder of the legacy scripts: whatever `run_*` or `trader` in it is one.
const FOLDER: &str = "kotak_neo_auto_trader";

/// The script that `command` runs, when it is one of `names`: the program is an interpreter, and the script
/// the file or the module that it runs. An editor, a pager or a search that has the name among its
/// arguments runs nothing.
pub fn script_of(command: &[String], names: &Names) -> Option<String> {
    let program = base_name(command.first()?).to_ascii_lowercase();
    is_python(&program).then(|| argument(command, names)).flatten()
}

pub(crate) fn is_python(program: &str) -> bool {
    let program = program.trim_end_matches(".exe");
    ["python", "pypy", "pythonw"].iter().any(|start| {
        program
            .strip_prefix(start)
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || ".-wdm".contains(c)))
    }) || program == "py"
}

/// [`script_of`] for a program of any name: the script or module, if it is a Python's command line.
pub(crate) fn argument(command: &[String], names: &Names) -> Option<String> {
    let mut words = command.iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(letters) =
            word.strip_prefix('-').filter(|rest| !rest.starts_with('-') && !rest.is_empty())
        {
            // Letters may stand together, and `m` or `c` ends them: what follows it is its value.
            if let Some(at) =
                letters.find(['m', 'c']).filter(|_| !WITH_VALUE.iter().any(|option| word.starts_with(option)))
            {
                if letters.as_bytes()[at] == b'c' {
                    return None;
                }
                let glued = &letters[at + 1..];
                let module = if glued.is_empty() { words.next()?.as_str() } else { glued };
                if RUNNERS.contains(&module) {
                    return words.find_map(|word| known_file(word, names));
                }
                return known_module(module, names);
            }
            if WITH_VALUE.contains(&word.as_str()) {
                words.next();
            }
        } else if word.starts_with("--") {
            if WITH_VALUE.contains(&word.as_str()) {
                words.next();
            }
        } else {
            return known_file(word, names);
        }
    }
    None
}

fn known_module(module: &str, names: &Names) -> Option<String> {
    let name = module.rsplit('.').next()?;
    let in_folder = module.split('.').any(|part| part == FOLDER);
    known(name, in_folder, names)
}

fn known_file(path: &str, names: &Names) -> Option<String> {
    let name = base_name(path);
    let name = name.strip_suffix(".py").or_else(|| name.strip_suffix(".pyc")).unwrap_or(name);
    let in_folder = path.split(['/', '\\']).any(|part| part == FOLDER);
    known(name, in_folder, names)
}

fn known(name: &str, in_folder: bool, names: &Names) -> Option<String> {
    let listed = names.scripts.iter().any(|script| script == name);
    (listed || in_folder && (name.starts_with("run_") || name == "trader")).then(|| name.to_owned())
}

/// Whether a program's name, in small letters, is the host's.
pub(crate) fn is_host(program: &str) -> bool {
    program.trim_end_matches(".exe") == "tradeagent"
}

/// Another host: `tradeagent … run …`.
pub(crate) fn host(command: &[String]) -> Option<Role> {
    let program = base_name(command.first()?);
    // There a name may be written in any case.
    let program = if cfg!(windows) { program.to_ascii_lowercase() } else { program.to_owned() };
    if !is_host(&program) || command.get(1).map(String::as_str) != Some("run") {
        return None;
    }
    let mut config = None;
    let mut words = command.iter().skip(2);
    while let Some(word) = words.next() {
        if word == "--config" {
            config = words.next().cloned();
        } else if let Some(path) = word.strip_prefix("--config=") {
            config = Some(path.to_owned());
        }
    }
    Some(Role::Host(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        script_of(&words, &Names::default())
    }

    #[test]
    fn an_interpreter_that_runs_a_script_is_found() {
        for (line, script) in [
            ("python3 run_sell_orders.py", "run_sell_orders"),
            ("/opt/venv/bin/python3.11 -u /srv/x/run_auto_trade.py --env f", "run_auto_trade"),
            ("python -m modules.kotak_neo_auto_trader.run_trading_service", "run_trading_service"),
            ("python -um modules.kotak_neo_auto_trader.run_eod_cleanup", "run_eod_cleanup"),
            ("python -mrun_place_amo", "run_place_amo"),
            ("python -X dev -W ignore run_position_monitor.py", "run_position_monitor"),
            ("python -Wignore run_position_monitor.py", "run_position_monitor"),
            ("pypy3 -O ./run_sell_orders.py", "run_sell_orders"),
            ("C:\\Python311\\pythonw.exe C:\\bot\\run_sell_orders.py", "run_sell_orders"),
            ("python3 -m pdb run_sell_orders.py", "run_sell_orders"),
            ("python3 -m cProfile -o x run_sell_orders.py", "run_sell_orders"),
            ("python3 modules/kotak_neo_auto_trader/trader.py", "trader"),
            ("python3 modules/kotak_neo_auto_trader/run_something_new.py", "run_something_new"),
        ] {
            assert_eq!(found(line).as_deref(), Some(script), "{line}");
        }
    }

    #[test]
    fn who_only_names_a_script_is_not() {
        for line in [
            "vim run_sell_orders.py",
            "nano /srv/run_auto_trade.py",
            "less run_sell_orders.py",
            "grep -r run_sell_orders.py .",
            "tail -f run_sell_orders.log",
            "python3 -c import run_sell_orders",
            "python3 -cimport_run_sell_orders",
            "python3 other.py run_sell_orders.py",
            "python3 -m pytest run_sell_orders.py",
            "python3 -m pdb2 x",
            "python3 -\u{e9}m x",
            "python3 -\u{fffd}c run_sell_orders.py",
            "python3 trader.py",
            "python3",
            "pythonic run_sell_orders.py",
            "bash -c python3 run_sell_orders.py",
            "tradeagent guard -- python3 run_sell_orders.py",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn another_host_is_known_by_what_it_does() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            host(&words("/usr/bin/tradeagent run --config /etc/x.toml")),
            Some(Role::Host(Some("/etc/x.toml".to_owned())))
        );
        assert_eq!(host(&words("tradeagent run")), Some(Role::Host(None)));
        for line in [
            "tradeagent status",
            "tradeagent demo run",
            "vim tradeagent run",
            "tradeagent guard -- tradeagent run",
        ] {
            assert_eq!(host(&words(line)), None, "{line}");
        }
    }
}
