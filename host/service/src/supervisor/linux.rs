//! systemd: sd_notify(3).

use std::time::Duration;

use sd_notify::NotifyState;

use super::{Guard, Pulse, Watch};

/// Between two words on how it goes, where nobody watches.
const STATUS_EVERY: Duration = Duration::from_secs(30);

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// The host is ready; from now on it says how it goes until the guard is dropped.
pub fn ready(pulse: Pulse, status: impl Fn() -> String + Send + 'static) -> Guard {
    tell(&[NotifyState::Ready, NotifyState::Status(&status())]);
    // Half of the watchdog's time; without a watchdog only the status.
    let every = sd_notify::watchdog_enabled().map_or(STATUS_EVERY, |limit| limit / 2);
    let task = tokio::spawn(async move {
        let mut watch = Watch::default();
        loop {
            #[expect(
                clippy::disallowed_methods,
                reason = "the service manager's watchdog runs on real time"
            )]
            tokio::time::sleep(every).await;
            if watch.look(pulse.count(), every) {
                tell(&[NotifyState::Watchdog, NotifyState::Status(&status())]);
            } else {
                tracing::error!("the host's loop stands still: the service manager's watchdog is not fed");
            }
        }
    });
    Guard::new(move || {
        task.abort();
        tell(&[NotifyState::Stopping]);
    })
}
