//! Windows: services through the service control manager, scheduled tasks by `schtasks`, processes by their
//! number and start time.

use std::process::Command;
use std::ptr::{null, null_mut};
use std::time::Duration;

use model::BoxFuture;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use windows_service::service::{Service, ServiceAccess, ServiceStartType, ServiceState};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::System::Services::{ChangeServiceConfigW, SERVICE_NO_CHANGE};

use crate::names::Names;
use crate::port::{Managers, ProbeError, Retired, StopError, UnitsSeen};
use crate::seen::{Manager, Process, Unit, UnitKind};

/// The longest that the end of a service is waited for.
const END_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// `ERROR_SERVICE_DOES_NOT_EXIST`.
const NO_SUCH_SERVICE: i32 = 1060;
/// `ERROR_SERVICE_ALREADY_RUNNING`.
const RUNS_ALREADY: i32 = 1056;
/// `ERROR_SERVICE_NOT_ACTIVE`, `ERROR_SERVICE_CANNOT_ACCEPT_CTRL`.
const DOES_NOT_RUN: i32 = 1062;
const TAKES_NO_WORD: i32 = 1061;
/// `ERROR_ACCESS_DENIED`.
const ACCESS_DENIED: i32 = 5;

/// The service control manager and the task scheduler.
pub struct WindowsManagers;

impl Managers for WindowsManagers {
    fn units<'a>(&'a self, names: &'a Names) -> BoxFuture<'a, Result<UnitsSeen, ProbeError>> {
        let names = names.clone();
        Box::pin(blocking(move || {
            let mut units = services(&names)?;
            units.extend(tasks(&names)?);
            Ok((units, Vec::new()))
        }))
    }

    fn retire<'a>(
        &'a self,
        unit: &'a Unit,
        note: &'a (dyn Fn(&Retired) -> Result<(), String> + Send + Sync),
    ) -> BoxFuture<'a, Result<(), StopError>> {
        let retired = Retired::of(unit, None);
        let noted = note(&retired).map_err(StopError::Failed);
        let unit = unit.clone();
        Box::pin(async move {
            noted?;
            blocking(move || match unit.kind {
                UnitKind::Service => retire_service(&unit),
                UnitKind::Timer => tool("schtasks", &["/Change", "/TN", &unit.name, "/DISABLE"]),
            })
            .await
        })
    }

    fn restore<'a>(&'a self, retired: &'a Retired) -> BoxFuture<'a, Result<(), StopError>> {
        let retired = retired.clone();
        Box::pin(blocking(move || {
            if retired.name.starts_with('\\') {
                return tool("schtasks", &["/Change", "/TN", &retired.name, "/ENABLE"]);
            }
            restore_service(&retired)
        }))
    }
}

trait Broken {
    fn broken(text: String) -> Self;
}

impl Broken for ProbeError {
    fn broken(text: String) -> Self {
        Self(text)
    }
}

impl Broken for StopError {
    fn broken(text: String) -> Self {
        Self::Failed(text)
    }
}

async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: Broken + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(E::broken(error.to_string())))
}

fn code(error: &windows_service::Error) -> Option<i32> {
    match error {
        windows_service::Error::Winapi(error) => error.raw_os_error(),
        _ => None,
    }
}

fn services(names: &Names) -> Result<Vec<Unit>, ProbeError> {
    let failed = |error: windows_service::Error| ProbeError(format!("the services cannot be read: {error}"));
    let manager =
        ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT).map_err(failed)?;
    let mut units = Vec::new();
    for name in &names.services {
        let access = ServiceAccess::QUERY_STATUS | ServiceAccess::QUERY_CONFIG;
        let service = match manager.open_service(name, access) {
            Ok(service) => service,
            Err(error) if code(&error) == Some(NO_SUCH_SERVICE) => continue,
            Err(error) => return Err(failed(error)),
        };
        let status = service.query_status().map_err(failed)?;
        let config = service.query_config().map_err(failed)?;
        let active = match status.current_state {
            ServiceState::Stopped => "inactive",
            ServiceState::StartPending => "activating",
            ServiceState::StopPending => "deactivating",
            _ => "active",
        };
        let file_state = match config.start_type {
            ServiceStartType::Disabled => "masked",
            ServiceStartType::OnDemand => "static",
            _ => "enabled",
        };
        units.push(Unit {
            name: name.clone(),
            manager: Manager::System,
            kind: UnitKind::Service,
            active: active.to_owned(),
            sub: format!("{:?}", status.current_state),
            file_state: file_state.to_owned(),
            fragment: String::new(),
            main_pid: status.process_id,
            command: words(&config.executable_path.to_string_lossy()),
            next: None,
        });
    }
    Ok(units)
}

/// The program of a command line, which may be in quotes, and the rest.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    let (program, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => line.split_once(' ').unwrap_or((line, "")),
    };
    std::iter::once(program.to_owned()).chain(rest.split_whitespace().map(str::to_owned)).collect()
}

fn tasks(names: &Names) -> Result<Vec<Unit>, ProbeError> {
    let failed =
        |error: &dyn std::fmt::Display| ProbeError(format!("the scheduled tasks cannot be read: {error}"));
    let listed = Command::new("schtasks").args(["/Query", "/FO", "CSV", "/NH"]).output();
    let listed = listed.map_err(|error| failed(&error))?;
    if !listed.status.success() {
        return Err(failed(&String::from_utf8_lossy(&listed.stderr)));
    }
    let listed = String::from_utf8_lossy(&listed.stdout);
    let mut found: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.trim_start_matches('"').split('"').next())
        .filter(|name| names.is_task(name))
        .collect();
    found.sort_unstable();
    found.dedup();
    let mut units = Vec::new();
    for name in found {
        let told = Command::new("schtasks").args(["/Query", "/TN", name, "/XML"]).output();
        let told = told.map_err(|error| failed(&error))?;
        // The words of the table are in the system's language; those of the XML are not.
        let xml: String = String::from_utf8_lossy(&told.stdout)
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\0')
            .collect();
        let settings = xml.split_once("<Settings>").map_or("", |(_, rest)| rest);
        let is_off = settings.contains("<Enabled>false</Enabled>");
        units.push(Unit {
            name: name.to_owned(),
            manager: Manager::System,
            kind: UnitKind::Timer,
            active: if is_off { "inactive" } else { "active" }.to_owned(),
            sub: String::new(),
            file_state: if is_off { "masked" } else { "enabled" }.to_owned(),
            fragment: String::new(),
            main_pid: None,
            command: Vec::new(),
            next: None,
        });
    }
    Ok(units)
}

fn failed(name: &str) -> impl Fn(windows_service::Error) -> StopError {
    move |error| match code(&error) {
        Some(ACCESS_DENIED) => StopError::NotAllowed(format!("{name}: run this as administrator")),
        _ => StopError::Failed(match error {
            windows_service::Error::Winapi(error) => format!("{name}: {error}"),
            other => format!("{name}: {other}"),
        }),
    }
}

fn open(name: &str, access: ServiceAccess) -> Result<Service, StopError> {
    ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .and_then(|manager| manager.open_service(name, access))
        .map_err(failed(name))
}

/// Sets how a service starts, and nothing else of it.
fn set_start(service: &Service, start: ServiceStartType) -> windows_service::Result<()> {
    // SAFETY: the handle is open as long as `service` is; what is null or says "no change" is left as it is.
    let done = unsafe {
        ChangeServiceConfigW(
            service.raw_handle(),
            SERVICE_NO_CHANGE,
            start.to_raw(),
            SERVICE_NO_CHANGE,
            null(),
            null(),
            null_mut(),
            null(),
            null(),
            null(),
            null(),
        )
    };
    if done == 0 { Err(windows_service::Error::Winapi(std::io::Error::last_os_error())) } else { Ok(()) }
}

#[expect(clippy::disallowed_methods, reason = "waits for another program on a real machine")]
fn retire_service(unit: &Unit) -> Result<(), StopError> {
    let failed = failed(&unit.name);
    let access = ServiceAccess::QUERY_STATUS | ServiceAccess::STOP | ServiceAccess::CHANGE_CONFIG;
    let service = open(&unit.name, access)?;
    // First: a service that its own recovery actions start again must not.
    set_start(&service, ServiceStartType::Disabled).map_err(&failed)?;
    let mut waited = Duration::ZERO;
    loop {
        match service.query_status().map_err(&failed)?.current_state {
            ServiceState::Stopped => return Ok(()),
            ServiceState::StopPending => {}
            _ => match service.stop() {
                // It has ended meanwhile, or is on its way and takes no word now.
                Err(error) if matches!(code(&error), Some(DOES_NOT_RUN | TAKES_NO_WORD)) => {}
                stopped => {
                    stopped.map_err(&failed)?;
                }
            },
        }
        if waited >= END_WITHIN {
            return Err(StopError::Failed(format!("{} does not end", unit.name)));
        }
        std::thread::sleep(LOOK_AGAIN);
        waited += LOOK_AGAIN;
    }
}

fn restore_service(retired: &Retired) -> Result<(), StopError> {
    let failed = failed(&retired.name);
    let service = open(&retired.name, ServiceAccess::CHANGE_CONFIG | ServiceAccess::START)?;
    let start = if retired.was_enabled { ServiceStartType::AutoStart } else { ServiceStartType::OnDemand };
    set_start(&service, start).map_err(&failed)?;
    if !retired.was_up {
        return Ok(());
    }
    match service.start::<&str>(&[]) {
        Err(error) if code(&error) != Some(RUNS_ALREADY) => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Whether this process may make, change and stop services.
pub fn may_change_services() -> bool {
    let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
    ServiceManager::local_computer(None::<&str>, access).is_ok()
}

fn tool(program: &str, arguments: &[&str]) -> Result<(), StopError> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| StopError::Failed(format!("{program}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let text = format!("{program} {}: {}", arguments.join(" "), said.trim());
    Err(if output.status.code() == Some(ACCESS_DENIED) {
        StopError::NotAllowed(text)
    } else {
        StopError::Failed(text)
    })
}

/// When a process started, in seconds since 1970.
pub fn started(pid: u32) -> Option<u64> {
    let mut system = System::new().ok()?;
    let pid = Pid::from_u32(pid);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, ProcessRefreshKind::nothing());
    system.process(pid).map(sysinfo::Process::start_time)
}

/// Windows shows the processes of all users; the command line of another user's needs rights.
pub(crate) fn all_are_visible() -> Result<(), ProbeError> {
    Ok(())
}

/// Services do not own their processes here.
pub(crate) fn unit_of(_pid: u32) -> Option<String> {
    None
}

/// Ends a process whose start time is still the one that was seen.
pub(crate) fn end(process: &Process, _patience: Duration) -> Result<(), StopError> {
    let failed = |text: &str| StopError::Failed(format!("process {}: {text}", process.pid));
    let mut system = System::new().map_err(|error| failed(&error.to_string()))?;
    let pid = Pid::from_u32(process.pid);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, ProcessRefreshKind::nothing());
    match system.process(pid) {
        Some(found) if found.start_time() == process.started => {
            if found.kill() {
                Ok(())
            } else {
                Err(StopError::NotAllowed(format!("process {}", process.pid)))
            }
        }
        _ => Ok(()),
    }
}
