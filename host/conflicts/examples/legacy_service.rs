//! A service of Windows that does nothing until it is stopped, in the place of the Python agent's: for the test
//! of the migration (tests/windows/run.sh).
//!
//! `sc create ModularTradeAgent_Sell binPath= C:\...\legacy_service.exe start= auto`

#[cfg(windows)]
mod service {
    use std::ffi::OsString;
    use std::sync::mpsc;
    use std::time::Duration;

    use windows_service::service::{
        ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
    };
    use windows_service::service_control_handler::{ServiceControlHandlerResult, register};
    use windows_service::{define_windows_service, service_dispatcher};

    define_windows_service!(begin, work);

    pub fn run() -> windows_service::Result<()> {
        service_dispatcher::start("legacy", begin)
    }

    fn work(_: Vec<OsString>) {
        let (tell, stop) = mpsc::channel();
        let handle = register("legacy", move |control| match control {
            ServiceControl::Stop => {
                // The receiver is gone only when the service is over already.
                let _ = tell.send(());
                ServiceControlHandlerResult::NoError
            }
            ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
            _ => ServiceControlHandlerResult::NotImplemented,
        });
        let Ok(handle) = handle else { return };
        let say = |current_state, controls_accepted| {
            let status = ServiceStatus {
                service_type: ServiceType::OWN_PROCESS,
                current_state,
                controls_accepted,
                exit_code: ServiceExitCode::NO_ERROR,
                checkpoint: 0,
                wait_hint: Duration::ZERO,
                process_id: None,
            };
            let _ = handle.set_service_status(status);
        };
        say(ServiceState::Running, ServiceControlAccept::STOP);
        let _ = stop.recv();
        say(ServiceState::Stopped, ServiceControlAccept::empty());
    }
}

#[cfg(windows)]
fn main() -> windows_service::Result<()> {
    service::run()
}

#[cfg(not(windows))]
fn main() {
    eprintln!("this is a service of Windows");
}
