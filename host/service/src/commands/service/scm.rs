//! A service of Windows, through the service control manager. It runs as the local system, with two privileges
//! left: to see and end the programs of other users is the host's own work here.

use std::ffi::OsString;
use std::fs;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState,
    ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_BACKUP_SEMANTICS;
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, SERVICE_REQUIRED_PRIVILEGES_INFOW,
};

use super::{Installed, allowed, put};
use crate::exit::{Exit, Failure};
use crate::{output, places};

use crate::windows_security::{Kind, is_ours};

pub use crate::supervisor::NAME;

const DISPLAY_NAME: &str = "tradeagent trading host";
const DESCRIPTION: &str = "Owns the broker session of an account, and runs its strategies.";
const CONFIG: &str = include_str!("../../../../../deploy/windows/service.toml");
/// Where the event log looks up who shows the entries of a source.
const EVENT_SOURCE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\tradeagent";
/// What the host needs of what the local system may: to walk folders, and to see and end the programs of others.
const PRIVILEGES: [&str; 2] = ["SeChangeNotifyPrivilege", "SeDebugPrivilege"];
/// After an end that was not asked for it is started again: soon, later, and from then on every five minutes.
const RESTART_AFTER_SECONDS: [u64; 3] = [10, 60, 300];
/// How long a start or a stop is waited for: a first login with its patience, a desk with its eight seconds.
const WITHIN: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// `ERROR_SERVICE_DOES_NOT_EXIST`, `_ALREADY_RUNNING`, `_NOT_ACTIVE`, `_CANNOT_ACCEPT_CTRL`.
const NO_SUCH_SERVICE: i32 = 1060;
const RUNS_ALREADY: i32 = 1056;
const DOES_NOT_RUN: i32 = 1062;
const TAKES_NO_WORD: i32 = 1061;

fn code(error: &windows_service::Error) -> Option<i32> {
    match error {
        windows_service::Error::Winapi(error) => error.raw_os_error(),
        _ => None,
    }
}

/// The system's own words where there are some.
fn said(error: &windows_service::Error) -> String {
    match error {
        windows_service::Error::Winapi(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn failed(what: &str) -> impl Fn(windows_service::Error) -> Failure {
    move |error| Failure::general(anyhow::Error::from(error).context(format!("the service {NAME} {what}")))
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, Failure> {
    ServiceManager::local_computer(None::<&str>, access)
        .map_err(failed("is not reached: the service control manager does not answer"))
}

/// Ours, where it is installed.
fn open(access: ServiceAccess) -> Result<Option<Service>, Failure> {
    match manager(ServiceManagerAccess::CONNECT)?.open_service(NAME, access) {
        Ok(service) => Ok(Some(service)),
        Err(error) if code(&error) == Some(NO_SUCH_SERVICE) => Ok(None),
        Err(error) => Err(failed("cannot be opened")(error)),
    }
}

fn installed(access: ServiceAccess) -> Result<Service, Failure> {
    open(access)?.ok_or_else(|| {
        Failure::unavailable(anyhow!("the service {NAME} is not installed"))
            .hint("`tradeagent service install` installs it")
    })
}

/// Installs the service, its folder, its source in the event log and, where there is none, a configuration.
/// Safe to repeat.
pub fn install(no_enable: bool) -> Result<Installed, Failure> {
    allowed()?;
    prepare()?;
    let mut done = Installed::default();
    let program = std::env::current_exe().context("where this program is cannot be told")?;
    put(&places::config_file(), CONFIG, false, &mut done)?;
    let start_type = if no_enable { ServiceStartType::OnDemand } else { ServiceStartType::AutoStart };
    let info = ServiceInfo {
        name: NAME.into(),
        display_name: DISPLAY_NAME.into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type,
        error_control: ServiceErrorControl::Normal,
        executable_path: program,
        launch_arguments: ["run", "--service", "--config"]
            .into_iter()
            .map(OsString::from)
            .chain([places::config_file().into()])
            .collect(),
        dependencies: vec![],
        account_name: None,
        account_password: None,
    };
    let service = match open(ServiceAccess::ALL_ACCESS)? {
        Some(service) => {
            service.change_config(&info).map_err(failed("cannot be changed"))?;
            service
        }
        None => manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?
            .create_service(&info, ServiceAccess::ALL_ACCESS)
            .map_err(failed("cannot be made"))?,
    };
    settle(&service)?;
    event_source()?;
    done.enabled = !no_enable;
    Ok(done)
}

/// Makes the service's folder, closed to others before anything is in it. One that somebody else has made is
/// refused: a configuration that is there already would be obeyed.
pub fn prepare() -> Result<(), Failure> {
    let folder = places::etc();
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let open = fs::OpenOptions::new().read(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(&folder);
    let ours = open.and_then(|handle| is_ours(&handle, Kind::File));
    if !ours.with_context(|| format!("whose {} is cannot be told", folder.display()))? {
        return Err(Failure::new(
            Exit::Permission,
            anyhow!("{} is neither an administrator's nor the system's", folder.display()),
        )
        .hint("look at what is in it, delete it, and do this again: whoever made it could have put anything there"));
    }
    for_administrators(&folder)
}

/// Description, recovery actions, privileges.
fn settle(service: &Service) -> Result<(), Failure> {
    service.set_description(DESCRIPTION).map_err(failed("cannot be described"))?;
    let restart = |seconds: &u64| ServiceAction {
        action_type: ServiceActionType::Restart,
        delay: Duration::from_secs(*seconds),
    };
    let actions = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(Duration::from_secs(86_400)),
        reboot_msg: None,
        command: None,
        actions: Some(RESTART_AFTER_SECONDS.iter().map(restart).collect()),
    };
    service.update_failure_actions(actions).map_err(failed("cannot be given recovery actions"))?;
    // What follows tightens or helps; without it the service works all the same.
    if let Err(error) = service.set_failure_actions_on_non_crash_failures(true) {
        output::talk(&format!("not set: a restart after an exit code ({})", said(&error)));
    }
    if let Err(error) = restrict(service) {
        output::talk(&format!("not set: the privileges of the service ({error})"));
    }
    Ok(())
}

fn restrict(service: &Service) -> std::io::Result<()> {
    let mut names: Vec<u16> =
        PRIVILEGES.iter().flat_map(|name| name.encode_utf16().chain([0])).chain([0]).collect();
    let info = SERVICE_REQUIRED_PRIVILEGES_INFOW { pmszRequiredPrivileges: names.as_mut_ptr() };
    // SAFETY: the handle is open as long as `service` is; `info` is what this level asks for, and its list, which
    // ends with two zeros, lives until the call has returned.
    let done = unsafe {
        ChangeServiceConfig2W(
            service.raw_handle(),
            SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
            std::ptr::from_ref(&info).cast(),
        )
    };
    if done == 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// Closes a folder, and all in it, to everybody but the system and administrators (by their numbers: their names
/// are in the system's language).
pub fn for_administrators(path: &Path) -> Result<(), Failure> {
    let inherit = if path.is_dir() { "(OI)(CI)F" } else { "F" };
    let grants = ["*S-1-5-18", "*S-1-5-32-544"].map(|who| format!("{who}:{inherit}"));
    let path = path.to_string_lossy();
    tool("icacls", &[&path, "/inheritance:r", "/grant:r", &grants[0], &grants[1]])
}

fn event_source() -> Result<(), Failure> {
    let shows = r"%SystemRoot%\System32\EventCreate.exe";
    tool("reg", &["add", EVENT_SOURCE, "/v", "EventMessageFile", "/t", "REG_EXPAND_SZ", "/d", shows, "/f"])?;
    tool("reg", &["add", EVENT_SOURCE, "/v", "TypesSupported", "/t", "REG_DWORD", "/d", "7", "/f"])
}

fn tool(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("`{program}` cannot be started"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said).trim().to_owned();
    Err(Failure::general(anyhow!("`{program} {}`: {said}", arguments.join(" "))))
}

/// Stops it and takes it away. Configuration, credentials and journal stay.
pub fn uninstall() -> Result<(), Failure> {
    allowed()?;
    let Some(service) = open(ServiceAccess::ALL_ACCESS)? else {
        output::line(&format!("{NAME} is not installed."));
        return Ok(());
    };
    halt(&service)?;
    service.delete().map_err(failed("cannot be removed"))?;
    if let Err(failure) = tool("reg", &["delete", EVENT_SOURCE, "/f"]) {
        output::talk(&format!("left: {}", failure.error));
    }
    output::line(&format!("removed {NAME}"));
    output::line("Configuration, credentials and journal are left.");
    Ok(())
}

/// Stops it and takes it away, where it is installed: there is no state in which it would be found and not start.
pub fn disable() -> Result<(), Failure> {
    if open(ServiceAccess::QUERY_STATUS)?.is_some() { uninstall() } else { Ok(()) }
}

/// Files that an installation makes and that are not there yet.
pub fn would_write() -> Vec<PathBuf> {
    Some(places::config_file()).filter(|path| !path.exists()).into_iter().collect()
}

/// Has it come up with the machine, and starts it.
pub fn enable_and_start() -> Result<(), Failure> {
    install(false)?;
    start()
}

/// Starts it, and waits until it is ready.
pub fn start() -> Result<(), Failure> {
    allowed()?;
    let service = installed(ServiceAccess::START | ServiceAccess::QUERY_STATUS)?;
    match service.start::<&str>(&[]) {
        Ok(()) => {}
        Err(error) if code(&error) == Some(RUNS_ALREADY) => {}
        Err(error) => return Err(failed("cannot be started")(error)),
    }
    let state = started(&service)?;
    if state == ServiceState::Running {
        return Ok(());
    }
    Err(Failure::unavailable(anyhow!("the service {NAME} has ended: {}", why(&service)))
        .hint("the event log (Application, source tradeagent) tells why; `tradeagent doctor` looks into it"))
}

/// Stops it, and waits for its end.
pub fn stop() -> Result<(), Failure> {
    allowed()?;
    halt(&installed(ServiceAccess::STOP | ServiceAccess::QUERY_STATUS)?)
}

#[expect(clippy::disallowed_methods, reason = "waits for another process, which no clock of ours moves")]
fn halt(service: &Service) -> Result<(), Failure> {
    let mut waited = Duration::ZERO;
    loop {
        let state = service.query_status().map_err(failed("does not tell its state"))?.current_state;
        match state {
            ServiceState::Stopped => return Ok(()),
            ServiceState::StopPending => {}
            _ => match service.stop() {
                // It has ended meanwhile, or is on its way and takes no word now.
                Err(error) if matches!(code(&error), Some(DOES_NOT_RUN | TAKES_NO_WORD)) => {}
                stopped => {
                    stopped.map_err(failed("cannot be stopped"))?;
                }
            },
        }
        if waited >= WITHIN {
            return Err(Failure::general(anyhow!("the service {NAME} does not end: it is {state:?}")));
        }
        std::thread::sleep(LOOK_AGAIN);
        waited += LOOK_AGAIN;
    }
}

/// The state once it no longer starts.
#[expect(clippy::disallowed_methods, reason = "waits for another process, which no clock of ours moves")]
fn started(service: &Service) -> Result<ServiceState, Failure> {
    let mut waited = Duration::ZERO;
    loop {
        let state = service.query_status().map_err(failed("does not tell its state"))?.current_state;
        if state != ServiceState::StartPending || waited >= WITHIN {
            return Ok(state);
        }
        std::thread::sleep(LOOK_AGAIN);
        waited += LOOK_AGAIN;
    }
}

/// Whether it runs; none where it is not installed, or that is not shown.
pub fn is_running() -> Option<bool> {
    let service = open(ServiceAccess::QUERY_STATUS).ok()??;
    Some(service.query_status().ok()?.current_state == ServiceState::Running)
}

fn why(service: &Service) -> String {
    match service.query_status().map(|status| status.exit_code) {
        Ok(ServiceExitCode::ServiceSpecific(code)) => format!("exit code {code}"),
        Ok(ServiceExitCode::Win32(code)) => format!("system code {code}"),
        Err(error) => error.to_string(),
    }
}

/// Tells how it stands. Exit 69 when it does not run.
pub fn status(json: bool) -> Result<Exit, Failure> {
    let service = installed(ServiceAccess::QUERY_STATUS | ServiceAccess::QUERY_CONFIG)?;
    let status = service.query_status().map_err(failed("does not tell its state"))?;
    let config = service.query_config().map_err(failed("does not tell its configuration"))?;
    let state = format!("{:?}", status.current_state);
    let start = format!("{:?}", config.start_type);
    if json {
        let all = serde_json::json!({ NAME: {
            "state": state, "start": start, "process": status.process_id,
            "command": config.executable_path, "ended_with": why(&service),
        }});
        output::json_versioned(&all)?;
    } else {
        let process = status.process_id.map_or_else(String::new, |pid| format!(", process {pid}"));
        output::line(&format!("{NAME}: {state}, {start}{process}; {}", why(&service)));
    }
    Ok(if status.current_state == ServiceState::Running { Exit::Ok } else { Exit::Unavailable })
}
