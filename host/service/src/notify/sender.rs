//! The thread that empties the outbox.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use journal::AlertRow;
use tokio::sync::{Notify, watch};

use super::webhook::Webhook;
use super::{COMMAND, Outbox, WEBHOOK, command, message};
use crate::config::NotifyConfig;

/// Alerts that are read at a time.
const BATCH: u32 = 100;
/// After so many failures in a row a channel is taken to be down, and the pass ends.
const FAILURES_IN_A_ROW: u32 = 3;
/// An alert that failed so often comes after those that did not.
const STUBBORN: u32 = 20;
/// How long the outbox is left alone when nobody wakes it.
const IDLE: Duration = Duration::from_secs(5);
/// The first wait after a failure; it doubles.
const BACKOFF: Duration = Duration::from_secs(1);
/// After the stop: how long what is still to be sent may take. The host promises to be gone in ten
/// seconds, of which the desk has eight; what is left stays in the outbox for the next start.
const GRACE: Duration = Duration::from_millis(400);
/// The longest wait after failures.
const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// Sends alerts until it is dropped.
#[derive(Debug)]
pub struct Notifier {
    wake: Arc<Notify>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Starts sending what is in `outbox`; `None` when no channel is configured.
    pub fn start(
        account: &str,
        config: &NotifyConfig,
        outbox: Arc<dyn Outbox>,
    ) -> Result<Option<Self>, String> {
        let channels = channels(config)?;
        if channels.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let wake = Arc::new(Notify::new());
        let (stop, stopped) = watch::channel(false);
        let account = account.to_owned();
        let woken = Arc::clone(&wake);
        let thread = std::thread::Builder::new()
            .name("notify".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let mut tasks = tokio::task::JoinSet::new();
                    for channel in channels {
                        let line = Line {
                            account: account.clone(),
                            channel,
                            outbox: Arc::clone(&outbox),
                            woken: Arc::clone(&woken),
                            stopped: stopped.clone(),
                        };
                        tasks.spawn(line.run());
                    }
                    let all = async { while tasks.join_next().await.is_some() {} };
                    tokio::select! {
                        biased;
                        () = all => {}
                        () = grace(stopped) => {}
                    }
                });
            })
            .map_err(|error| format!("the notifier's thread cannot start: {error}"))?;
        Ok(Some(Self { wake, stop, thread: Some(thread) }))
    }

    /// There is a new alert.
    pub fn wake(&self) {
        self.wake.notify_waiters();
    }
}

/// Ends after one more pass, which is short: what was alerted last, such as the stop itself, still leaves.
impl Drop for Notifier {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A little longer than until the stop.
#[expect(clippy::disallowed_methods, reason = "real time, on this thread's own real clock")]
async fn grace(mut stopped: watch::Receiver<bool>) {
    // Whoever would say it has gone away: that is the stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
    tokio::time::sleep(GRACE).await;
}

enum Channel {
    Command { command: Vec<String>, timeout: Duration },
    Webhook(Webhook),
}

fn channels(config: &NotifyConfig) -> Result<Vec<Channel>, String> {
    let timeout = Duration::from_secs(u64::from(config.timeout_seconds));
    let mut channels = Vec::new();
    if let Some(command) = &config.command {
        channels.push(Channel::Command { command: command.clone(), timeout });
    }
    if let Some(url) = &config.webhook {
        channels.push(Channel::Webhook(Webhook::new(url, timeout)?));
    }
    Ok(channels)
}

impl Channel {
    const fn name(&self) -> &'static str {
        match self {
            Self::Command { .. } => COMMAND,
            Self::Webhook(_) => WEBHOOK,
        }
    }

    async fn deliver(&self, account: &str, row: &AlertRow) -> Result<(), String> {
        let message = message(account, row);
        match self {
            Self::Command { command, timeout } => command::deliver(command, &message, *timeout).await,
            Self::Webhook(webhook) => webhook.deliver(&row.alert.key, &message).await,
        }
    }
}

/// One channel's way through the outbox. Channels do not wait for each other.
struct Line {
    account: String,
    channel: Channel,
    outbox: Arc<dyn Outbox>,
    woken: Arc<Notify>,
    stopped: watch::Receiver<bool>,
}

impl Line {
    async fn run(mut self) {
        let mut backoff = Duration::ZERO;
        loop {
            let last = *self.stopped.borrow();
            match self.pass(last).await {
                Ok(()) => backoff = Duration::ZERO,
                Err(why) => {
                    backoff = (backoff * 2).clamp(BACKOFF, BACKOFF_MAX);
                    tracing::warn!(
                        channel = self.channel.name(),
                        again_in_seconds = backoff.as_secs(),
                        "alerts wait in the outbox: {why}"
                    );
                }
            }
            if last {
                return;
            }
            self.rest(backoff).await;
        }
    }

    /// Until there may be something to do. A channel that is down is not asked again because there is
    /// one more alert.
    #[expect(clippy::disallowed_methods, reason = "real time, on this thread's own real clock")]
    async fn rest(&mut self, backoff: Duration) {
        let woken = Arc::clone(&self.woken);
        let woken = async move {
            if backoff.is_zero() {
                woken.notified().await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            _ = self.stopped.wait_for(|stop| *stop) => {}
            () = woken => {}
            () = tokio::time::sleep(if backoff.is_zero() { IDLE } else { backoff }) => {}
        }
    }

    /// Sends what is there. The last pass, at the stop, ends at the first failure.
    async fn pass(&self, last: bool) -> Result<(), String> {
        let name = self.channel.name();
        let mut in_a_row = 0;
        let mut failed = None;
        loop {
            let mut rows = self.outbox.undelivered(name, BATCH).map_err(|error| error.to_string())?;
            rows.sort_by_key(|row| (row.failures >= STUBBORN, row.id));
            let full = rows.len() == BATCH as usize;
            for row in rows {
                let outcome = self.channel.deliver(&self.account, &row).await;
                self.outbox.mark(row.id, name, outcome.is_ok()).map_err(|error| error.to_string())?;
                match outcome {
                    Ok(()) => in_a_row = 0,
                    Err(why) => {
                        in_a_row += 1;
                        failed = Some(why);
                        if in_a_row == FAILURES_IN_A_ROW || last {
                            return failed.map_or(Ok(()), Err);
                        }
                    }
                }
            }
            if !full || failed.is_some() {
                return failed.map_or(Ok(()), Err);
            }
        }
    }
}
