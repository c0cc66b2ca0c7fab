//! What of the things seen is a conflict, how dangerous it is, and what stops it: decisions only.

use serde::{Deserialize, Serialize};

use crate::seen::{Manager, Process, Role, Survey, Unit, UnitKind};

/// Who asks: these are not in conflict with themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// This process, and those that started it.
    pub pids: Vec<u32>,
    /// When this process started, as [`Process::started`] counts. Of two hosts the later one yields.
    pub started: u64,
}

/// How near the danger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Danger {
    /// It runs.
    Runs,
    /// It starts at its time.
    Waits,
    /// It starts with the machine.
    AtBoot,
    /// Somebody could start it.
    ByHand,
}

/// What is in conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A unit, a Windows service, a scheduled task.
    Unit(Unit),
    /// A process.
    Process(Process),
}

/// One thing that could be logged in beside us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// What.
    pub what: What,
    /// How near.
    pub danger: Danger,
    /// Why it matters, in a sentence.
    pub why: String,
    /// What to type against it.
    pub fix: String,
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: `{}` stops it", self.name(), self.why, self.fix)
    }
}

impl Conflict {
    /// What it is called.
    pub fn name(&self) -> String {
        match &self.what {
            What::Unit(unit) => match unit.manager {
                Manager::System => unit.name.clone(),
                Manager::User(user) => format!("{} of user {user}", unit.name),
            },
            What::Process(process) => format!("process {}", process.pid),
        }
    }

    /// Whether it may be stopped by us. Another host is not: it yields to an earlier one by itself, and two
    /// that stopped each other would be the incident again.
    pub const fn may_be_stopped(&self) -> bool {
        !matches!(&self.what, What::Process(Process { role: Role::Host(_), .. }))
    }
}

/// What of `survey` is in conflict with `me`, the nearest danger first.
pub fn conflicts(survey: &Survey, me: &Me) -> Vec<Conflict> {
    let mut found = all(survey, me);
    found.retain(|conflict| conflict.danger < Danger::ByHand);
    found
}

/// [`conflicts`], and units that only somebody could start: what is retired with the others.
pub(crate) fn all(survey: &Survey, me: &Me) -> Vec<Conflict> {
    let mut found: Vec<Conflict> = survey.units.iter().filter_map(|unit| of_unit(unit, me)).collect();
    found.extend(survey.processes.iter().filter_map(|process| of_process(process, survey, me)));
    found.sort_by(|a, b| a.danger.cmp(&b.danger).then_with(|| order(&a.what).cmp(&order(&b.what))));
    found
}

/// Timers first: a service whose timer is left is started again.
fn order(what: &What) -> (u8, String, u32) {
    match what {
        What::Unit(unit) if unit.kind == UnitKind::Timer => (0, unit.name.clone(), 0),
        What::Unit(unit) => (1, unit.name.clone(), 0),
        What::Process(process) => (2, String::new(), process.pid),
    }
}

fn of_unit(unit: &Unit, me: &Me) -> Option<Conflict> {
    if unit.is_ours() || unit.main_pid.is_some_and(|pid| me.pids.contains(&pid)) {
        return None;
    }
    let (danger, why) = match (unit.kind, unit.is_up(), unit.is_enabled()) {
        (UnitKind::Timer, true, _) => (Danger::Waits, "starts its service at its time, which logs in"),
        (UnitKind::Service, true, _) => (Danger::Runs, "is running and logs in to the account"),
        (_, false, true) => (Danger::AtBoot, "is enabled: the next start of the machine starts it"),
        (_, false, false) if unit.is_masked() => return None,
        (_, false, false) => (Danger::ByHand, "is not running, and can be started by hand"),
    };
    Some(Conflict { what: What::Unit(unit.clone()), danger, why: why.to_owned(), fix: fix_unit(unit) })
}

#[cfg(not(windows))]
fn fix_unit(unit: &Unit) -> String {
    match unit.manager {
        Manager::System => format!("sudo systemctl disable --now {}", unit.name),
        Manager::User(user) => {
            format!("sudo systemctl --user -M {user}@ disable --now {}", unit.name)
        }
    }
}

#[cfg(windows)]
fn fix_unit(unit: &Unit) -> String {
    match unit.kind {
        UnitKind::Service => format!("sc stop {0} & sc config {0} start= disabled", unit.name),
        UnitKind::Timer => format!("schtasks /Change /TN \"{}\" /DISABLE", unit.name),
    }
}

fn of_process(process: &Process, survey: &Survey, me: &Me) -> Option<Conflict> {
    if me.pids.contains(&process.pid) {
        return None;
    }
    // A unit that was looked at starts it. Any other (cron, a container's, a login's) has other work besides.
    let unit = process.unit.as_ref();
    let (starter, around): (Option<&String>, Option<&String>) =
        if survey.units.iter().any(|known| Some(&known.name) == unit) { (unit, None) } else { (None, unit) };
    let why = match &process.role {
        Role::Script(script) => {
            let again = around.map_or_else(String::new, |unit| {
                format!(" (it runs in {unit}: what starts it there may start it again)")
            });
            format!("runs {script}.py, which logs in to the account{again}")
        }
        Role::Host(_) if is_later(process, me) => return None,
        Role::Host(_) => "is another `tradeagent run`, and was there first".to_owned(),
    };
    let fix = match (starter, cfg!(windows)) {
        (Some(unit), false) => format!("sudo systemctl disable --now {unit}"),
        (_, true) => format!("taskkill /PID {} /F", process.pid),
        (None, false) => format!("sudo kill {}", process.pid),
    };
    Some(Conflict { what: What::Process(process.clone()), danger: Danger::Runs, why, fix })
}

fn is_later(process: &Process, me: &Me) -> bool {
    let mine = (me.started, me.pids.first().copied().unwrap_or_default());
    (process.started, process.pid) > mine
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::made_up_unit as unit;

    fn dangers(units: Vec<Unit>) -> Vec<(String, Danger)> {
        let survey = Survey { units, ..Survey::default() };
        conflicts(&survey, &Me::default()).iter().map(|it| (it.name(), it.danger)).collect()
    }

    #[test]
    fn what_runs_waits_or_comes_up_with_the_machine_is_a_conflict() {
        let sell = "/usr/bin/python3 /opt/x/run_sell_orders.py";
        assert_eq!(
            dangers(vec![
                unit("tradeagent-eod.service", "inactive", "enabled", sell),
                unit("tradeagent-monitor.service", "activating", "static", sell),
                unit("tradeagent-sell.timer", "active", "enabled", ""),
                unit("tradeagent-sell.service", "failed", "disabled", sell),
                unit("tradeagent-autotrade.service", "inactive", "masked", ""),
                unit("tradeagent-autotrade.timer", "inactive", "static", ""),
            ]),
            [
                ("tradeagent-monitor.service".to_owned(), Danger::Runs),
                ("tradeagent-sell.timer".to_owned(), Danger::Waits),
                ("tradeagent-eod.service".to_owned(), Danger::AtBoot),
            ]
        );
    }

    #[test]
    fn the_unified_unit_is_ours_or_not_by_what_it_runs() {
        let name = "tradeagent-unified.service";
        assert!(
            dangers(vec![unit(name, "active", "enabled", "/usr/bin/tradeagent run --config x")]).is_empty()
        );
        let old = unit(name, "active", "enabled", "/opt/venv/bin/python run_trading_service.py");
        assert_eq!(dangers(vec![old]), [(name.to_owned(), Danger::Runs)]);
    }

    #[test]
    fn what_cron_started_is_not_stopped_with_cron() {
        let script = crate::fake::made_up_script(7, Some("cron.service"));
        let survey = Survey { processes: vec![script.clone()], ..Survey::default() };
        let found = conflicts(&survey, &Me::default());
        assert!(found[0].fix.ends_with("kill 7") && found[0].why.contains("in cron.service"), "{}", found[0]);
        let cron = unit("cron.service", "active", "enabled", "/opt/run_sell_orders.py");
        let survey = Survey { processes: vec![script], units: vec![cron], ..Survey::default() };
        let found = conflicts(&survey, &Me::default());
        assert!(
            found.iter().all(|conflict| conflict.fix.contains("disable --now cron.service")),
            "{found:?}"
        );
    }

    #[test]
    fn of_two_hosts_the_later_one_yields_and_neither_is_stopped() {
        let host = |pid, started| Process {
            pid,
            started,
            user: None,
            command: Vec::new(),
            role: Role::Host(None),
            unit: None,
        };
        let survey = Survey { processes: vec![host(10, 100), host(20, 200)], ..Survey::default() };
        let seen_by = |pid, started| conflicts(&survey, &Me { pids: vec![pid, 1], started });
        assert!(seen_by(10, 100).is_empty(), "the first stays");
        let found = seen_by(20, 200);
        assert_eq!(found.len(), 1);
        assert!(!found[0].may_be_stopped());
        // Started in one tick: the number decides, the same way for both.
        let survey = Survey { processes: vec![host(10, 100), host(20, 100)], ..Survey::default() };
        let yields = |pid| !conflicts(&survey, &Me { pids: vec![pid], started: 100 }).is_empty();
        assert_eq!((yields(10), yields(20)), (false, true));
    }
}
