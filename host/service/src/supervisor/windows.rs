//! The service control manager of Windows.
//!
//! It has no watchdog: where the host's loop stands still, a thread of its own ends the process, and the
//! service's recovery actions start it anew. A host that is killed at any moment loses nothing.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{ServiceControlHandlerResult, ServiceStatusHandle, register};
use windows_service::{define_windows_service, service_dispatcher};

use super::{Guard, Pulse, Watch};

/// The service's name.
pub const NAME: &str = "tradeagent";
/// How long a start or a stop may take before the control manager thinks that it hangs.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What the control manager started, once it has.
struct Service {
    handle: ServiceStatusHandle,
    stop: watch::Receiver<bool>,
}

type Work = Box<dyn FnOnce() -> u8 + Send>;

static SERVICE: OnceLock<Service> = OnceLock::new();
static WORK: Mutex<Option<Work>> = Mutex::new(None);

define_windows_service!(begin, service_main);

/// Runs `work`, whose answer is the exit code, as the service that the control manager has started. Comes back
/// when the service has ended.
///
/// # Errors
/// When this process was not started by the control manager.
pub fn as_service(work: impl FnOnce() -> u8 + Send + 'static) -> Result<(), String> {
    *WORK.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
    service_dispatcher::start(NAME, begin).map_err(|error| error.to_string())
}

fn service_main(_: Vec<OsString>) {
    let (tell, stop) = watch::channel(false);
    let handler = move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown => {
            say(ServiceState::StopPending, ServiceExitCode::NO_ERROR);
            tell.send_replace(true);
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    let work = WORK.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Without a handle there is nobody to be told of it.
    let (Ok(handle), Some(work)) = (register(NAME, handler), work) else { return };
    let _ = SERVICE.set(Service { handle, stop });
    say(ServiceState::StartPending, ServiceExitCode::NO_ERROR);
    let code = work();
    let exit = match code {
        0 => ServiceExitCode::NO_ERROR,
        code => ServiceExitCode::ServiceSpecific(code.into()),
    };
    say(ServiceState::Stopped, exit);
}

fn say(state: ServiceState, exit_code: ServiceExitCode) {
    let Some(service) = SERVICE.get() else { return };
    let is_pending = matches!(state, ServiceState::StartPending | ServiceState::StopPending);
    let accepts = match state {
        ServiceState::StartPending | ServiceState::Running => {
            ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN
        }
        _ => ServiceControlAccept::empty(),
    };
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: accepts,
        exit_code,
        checkpoint: 0,
        wait_hint: if is_pending { PATIENCE } else { Duration::ZERO },
        process_id: None,
    };
    if let Err(error) = service.handle.set_service_status(status) {
        tracing::warn!(%error, "the service control manager cannot be told");
    }
}

/// Turns true when the control manager wants the service to end; none where it did not start it.
pub fn stop_wanted() -> Option<watch::Receiver<bool>> {
    SERVICE.get().map(|service| service.stop.clone())
}

/// The host is ready, until the guard is dropped.
pub fn ready(pulse: Pulse, _status: impl Fn() -> String + Send + 'static) -> Guard {
    if SERVICE.get().is_none() {
        return Guard::new(|| {});
    }
    say(ServiceState::Running, ServiceExitCode::NO_ERROR);
    let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let ended = Arc::clone(&over);
    let watchdog = std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        let mut watch = Watch::default();
        loop {
            #[expect(clippy::disallowed_methods, reason = "a watchdog runs on real time")]
            std::thread::sleep(LOOK_EVERY);
            if ended.load(std::sync::atomic::Ordering::Relaxed) {
                return;
            }
            if !watch.look(pulse.count(), LOOK_EVERY) {
                tracing::error!("the host's loop stands still: the process ends, to be started anew");
                std::process::abort();
            }
        }
    });
    if let Err(error) = watchdog {
        tracing::error!(%error, "there is no watchdog");
    }
    Guard::new(move || {
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        say(ServiceState::StopPending, ServiceExitCode::NO_ERROR);
    })
}
