//! A look at the machine as a whole, and the stopping of what was found.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::command::script_of;
use crate::names::Names;
use crate::port::{Managers, ProbeError, Processes, Retired, StopError};
use crate::rules::{Conflict, Danger, Me, What, all, conflicts};
use crate::seen::{Process, Role, Survey, UnitKind};

/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// This machine, or a made-up one.
pub struct Machine {
    /// Its service managers.
    pub managers: Box<dyn Managers>,
    /// Its processes.
    pub processes: Box<dyn Processes>,
    /// What is looked for.
    pub names: Names,
}

/// One thing that was stopped, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub conflict: Conflict,
    /// How it went.
    pub outcome: Result<(), StopError>,
}

/// What was done, and what is left after another look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// In the order it was done.
    pub steps: Vec<Step>,
    /// What is still in conflict.
    pub left: Vec<Conflict>,
}

impl Machine {
    /// This machine, with its real service managers and processes.
    #[cfg(any(target_os = "linux", windows))]
    pub fn real(names: Names) -> Self {
        #[cfg(target_os = "linux")]
        let managers = Box::new(crate::linux::Systemd::new());
        #[cfg(windows)]
        let managers = Box::new(crate::windows::WindowsManagers);
        Self { managers, processes: Box::new(crate::processes::RealProcesses), names }
    }

    /// Looks once.
    ///
    /// # Errors
    /// When anything could not be looked at: then nothing is known.
    pub async fn survey(&self) -> Result<Survey, ProbeError> {
        let (mut units, unseen) = self.managers.units(&self.names).await?;
        let processes = self.processes.list(&self.names).await?;
        // A unit by another name that runs one of the scripts would start it again.
        let mut others: Vec<String> = processes
            .iter()
            .filter(|process| matches!(process.role, Role::Script(_)))
            .filter_map(|process| process.unit.clone())
            .filter(|name| !units.iter().any(|unit| unit.name == *name))
            .collect();
        others.sort();
        others.dedup();
        if !others.is_empty() {
            let names = Names { units: others, ..self.names.clone() };
            let (more, _) = self.managers.units(&names).await?;
            units.extend(more.into_iter().filter(|unit| script_of(&unit.command, &self.names).is_some()));
        }
        Ok(Survey { units, processes, unseen })
    }

    /// Stops everything that is in conflict with `me` and may be stopped, for good, then looks again. Once
    /// something was in conflict, or with `everything`, units that could only be started by hand are retired
    /// too. `note` is told how a unit was before it is changed.
    ///
    /// # Errors
    /// When a look failed. What could not be stopped is in the answer.
    pub async fn resolve(
        &self,
        me: &Me,
        everything: bool,
        note: &(dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
    ) -> Result<Resolution, ProbeError> {
        let mut steps: Vec<Step> = Vec::new();
        // A second round for what a stopped unit left behind, and for what appeared meanwhile.
        for _ in 0..2 {
            let found = all(&self.survey().await?, me);
            let calls_for_it = everything || !steps.is_empty();
            if !calls_for_it && !found.iter().any(|conflict| conflict.danger < Danger::ByHand) {
                break;
            }
            let is_new = |conflict: &Conflict| !steps.iter().any(|step| step.conflict.what == conflict.what);
            let mut todo: Vec<Conflict> =
                found.into_iter().filter(|conflict| conflict.may_be_stopped() && is_new(conflict)).collect();
            if todo.is_empty() {
                break;
            }
            // Timers, then services, then what is left of processes.
            todo.sort_by_key(|conflict| match &conflict.what {
                What::Unit(unit) => u8::from(unit.kind == UnitKind::Service),
                What::Process(_) => 2,
            });
            let mut units: Vec<String> = todo.iter().filter_map(Conflict::unit_name).collect();
            let failed = steps.iter().filter(|step| step.outcome.is_err());
            units.extend(failed.filter_map(|step| step.conflict.unit_name()));
            for conflict in &todo {
                let outcome = match &conflict.what {
                    What::Unit(unit) => self.managers.retire(unit, note).await,
                    // It goes with its unit; the next round sees whether it did. That of a unit which could
                    // not be stopped would only be started again.
                    What::Process(Process { unit: Some(unit), .. }) if units.contains(unit) => continue,
                    What::Process(process) => self.processes.end(process, PATIENCE).await,
                };
                steps.push(Step { conflict: conflict.clone(), outcome });
            }
        }
        let left = conflicts(&self.survey().await?, me);
        Ok(Resolution { steps, left })
    }
}

impl Conflict {
    fn unit_name(&self) -> Option<String> {
        match &self.what {
            What::Unit(unit) => Some(unit.name.clone()),
            What::Process(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeMachine, made_up_script as script, made_up_unit};
    use crate::seen::Unit;

    fn unit(name: &str, active: &str, file_state: &str) -> Unit {
        made_up_unit(name, active, file_state, "/usr/bin/python3 /opt/run_sell_orders.py")
    }

    fn morning() -> FakeMachine {
        let fake = FakeMachine::default();
        fake.add_unit(unit("tradeagent-sell.service", "activating", "enabled"));
        fake.add_unit(unit("tradeagent-sell.timer", "active", "enabled"));
        fake.add_unit(unit("my-bot.service", "active", "enabled"));
        fake.add_process(script(10, Some("tradeagent-sell.service")));
        fake.add_process(script(11, Some("my-bot.service")));
        fake.add_process(script(12, None));
        fake
    }

    #[tokio::test]
    async fn timers_go_first_then_services_then_what_is_left_of_processes() {
        let fake = morning();
        let machine = fake.machine(Names::default());
        let noted = std::sync::Mutex::new(Vec::new());
        let note = |retired: &Retired| {
            noted.lock().expect("whole").push(retired.clone());
            Ok(())
        };
        let done = machine.resolve(&Me::default(), false, &note).await.expect("seen");
        assert_eq!(done.left, Vec::new());
        let names: Vec<String> = done.steps.iter().map(|step| step.conflict.name()).collect();
        assert_eq!(
            names,
            ["tradeagent-sell.timer", "my-bot.service", "tradeagent-sell.service", "process 12"]
        );
        assert!(done.steps.iter().all(|step| step.outcome.is_ok()));
        assert!(fake.units().iter().all(|unit| unit.is_masked() && !unit.is_up()));
        // And back.
        let noted = noted.lock().expect("whole").clone();
        for retired in &noted {
            machine.managers.restore(retired).await.expect("restored");
        }
        assert!(fake.units().iter().all(|unit| unit.is_up() && unit.is_enabled()));
    }

    #[tokio::test]
    async fn without_the_rights_everything_is_named_and_left() {
        let fake = morning();
        fake.powerless();
        let done =
            fake.machine(Names::default()).resolve(&Me::default(), false, &|_| Ok(())).await.expect("seen");
        assert!(done.steps.iter().all(|step| matches!(step.outcome, Err(StopError::NotAllowed(_)))));
        assert_eq!(done.left.len(), 6);
        assert!(done.left.iter().all(|conflict| conflict.fix.starts_with("sudo ")));
    }

    #[tokio::test]
    async fn what_cannot_be_noted_is_not_touched() {
        let fake = morning();
        let full = |_: &Retired| Err("no space left on device".to_owned());
        let done = fake.machine(Names::default()).resolve(&Me::default(), false, &full).await.expect("seen");
        assert_eq!(fake.units().iter().filter(|unit| unit.is_up()).count(), 3);
        assert_eq!(done.left.len(), 5, "the process that no unit starts was ended");
    }

    #[tokio::test]
    async fn a_look_that_fails_is_no_empty_answer() {
        let fake = morning();
        fake.blind(Some("the bus does not answer"));
        let machine = fake.machine(Names::default());
        let error = machine.survey().await.expect_err("nothing is known");
        assert!(error.to_string().contains("does not answer"));
        machine.resolve(&Me::default(), false, &|_| Ok(())).await.expect_err("nothing is known");
        fake.blind(None);
        assert_eq!(machine.survey().await.expect("seen").processes.len(), 3);
    }
}
