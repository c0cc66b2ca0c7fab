//! A made-up machine behind the same ports, for simulation and tests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::BoxFuture;

use crate::machine::Machine;
use crate::names::Names;
use crate::port::{Managers, ProbeError, Processes, Retired, StopError, UnitsSeen};
use crate::seen::{Manager, Process, Role, Unit, UnitKind};

/// Units and processes in memory. Stopping a unit ends the processes in it.
#[derive(Debug, Clone, Default)]
pub struct FakeMachine(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    units: Vec<Unit>,
    processes: Vec<Process>,
    blind: Option<String>,
    powerless: bool,
}

/// A made-up process that runs the legacy `run_sell_orders.py`.
pub fn made_up_script(pid: u32, unit: Option<&str>) -> Process {
    Process {
        pid,
        started: 1,
        user: None,
        command: vec!["python3".to_owned(), "run_sell_orders.py".to_owned()],
        role: Role::Script("run_sell_orders".to_owned()),
        unit: unit.map(str::to_owned),
    }
}

/// A made-up unit of the system's manager; its kind is told by its name's ending.
pub fn made_up_unit(name: &str, active: &str, file_state: &str, command: &str) -> Unit {
    Unit {
        name: name.to_owned(),
        manager: Manager::System,
        kind: if name.ends_with(".timer") { UnitKind::Timer } else { UnitKind::Service },
        active: active.to_owned(),
        sub: String::new(),
        file_state: file_state.to_owned(),
        fragment: String::new(),
        main_pid: None,
        command: command.split(' ').map(str::to_owned).collect(),
        next: None,
    }
}

impl FakeMachine {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// There is this unit.
    pub fn add_unit(&self, unit: Unit) {
        self.with(|state| state.units.push(unit));
    }

    /// There is this process.
    pub fn add_process(&self, process: Process) {
        self.with(|state| state.processes.push(process));
    }

    /// Every look fails so, until it is none.
    pub fn blind(&self, why: Option<&str>) {
        self.with(|state| state.blind = why.map(str::to_owned));
    }

    /// Nothing may be stopped.
    pub fn powerless(&self) {
        self.with(|state| state.powerless = true);
    }

    /// Units as they stand.
    pub fn units(&self) -> Vec<Unit> {
        self.with(|state| state.units.clone())
    }

    /// As a machine.
    pub fn machine(&self, names: Names) -> Machine {
        Machine { managers: Box::new(self.clone()), processes: Box::new(self.clone()), names }
    }

    fn look<T>(&self, see: impl FnOnce(&State) -> T) -> Result<T, ProbeError> {
        self.with(|state| match &state.blind {
            Some(why) => Err(ProbeError(why.clone())),
            None => Ok(see(state)),
        })
    }

    fn act(&self, what: &str, act: impl FnOnce(&mut State)) -> Result<(), StopError> {
        self.with(|state| {
            if state.powerless {
                return Err(StopError::NotAllowed(what.to_owned()));
            }
            act(state);
            Ok(())
        })
    }
}

impl Managers for FakeMachine {
    fn units<'a>(&'a self, names: &'a Names) -> BoxFuture<'a, Result<UnitsSeen, ProbeError>> {
        let known = self.look(|state| {
            let known = state.units.iter().filter(|unit| names.units.contains(&unit.name));
            (known.cloned().collect(), Vec::new())
        });
        Box::pin(std::future::ready(known))
    }

    fn retire<'a>(
        &'a self,
        unit: &'a Unit,
        note: &'a (dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
    ) -> BoxFuture<'a, Result<(), StopError>> {
        let retired = Retired::of(unit, None);
        let done = note(&retired).map_err(StopError::Failed).and_then(|()| {
            self.act(&unit.name, |state| {
                for known in state.units.iter_mut().filter(|known| known.name == unit.name) {
                    (known.active, known.file_state) = ("inactive".to_owned(), "masked".to_owned());
                }
                state.processes.retain(|process| process.unit.as_ref() != Some(&unit.name));
            })
        });
        Box::pin(std::future::ready(done))
    }

    fn restore<'a>(&'a self, retired: &'a Retired) -> BoxFuture<'a, Result<(), StopError>> {
        let done = self.act(&retired.name, |state| {
            for known in state.units.iter_mut().filter(|known| known.name == retired.name) {
                known.active = if retired.was_up { "active" } else { "inactive" }.to_owned();
                known.file_state = if retired.was_enabled { "enabled" } else { "disabled" }.to_owned();
            }
        });
        Box::pin(std::future::ready(done))
    }
}

impl Processes for FakeMachine {
    fn list<'a>(&'a self, _names: &'a Names) -> BoxFuture<'a, Result<Vec<Process>, ProbeError>> {
        Box::pin(std::future::ready(self.look(|state| state.processes.clone())))
    }

    fn end<'a>(&'a self, process: &'a Process, _patience: Duration) -> BoxFuture<'a, Result<(), StopError>> {
        let what = format!("process {}", process.pid);
        let done = self.act(&what, |state| state.processes.retain(|known| known.pid != process.pid));
        Box::pin(std::future::ready(done))
    }
}
