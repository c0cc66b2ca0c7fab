//! One task per strategy owns its instance; others reach it through a bounded queue.

use std::sync::Arc;

use model::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::instance::Loaded;
use crate::live::LiveInstance;
use crate::outcome::{Outcome, StopReason};
use crate::run::{Cause, RunInfo};
use crate::services::Services;

/// Requests that may wait for one strategy. Its tasks never overlap, so more means that someone is
/// asking faster than it can ever answer; they wait.
const QUEUE: usize = 16;

enum Message {
    Run(Loaded, Box<RunInfo>, Timestamp, Cause, oneshot::Sender<Outcome>),
    NewDay,
}

/// The way to one strategy. Cheap to clone; its task ends when the last handle is gone.
#[derive(Clone)]
pub struct StrategyHandle {
    queue: mpsc::Sender<Message>,
}

impl StrategyHandle {
    /// Starts the strategy's task on the present tokio runtime.
    ///
    /// # Panics
    /// Outside tokio: a mistake in wiring.
    pub fn spawn(services: Arc<dyn Services>) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        tokio::spawn(serve(services, requests));
        Self { queue }
    }

    /// One run of `loaded`, after those that were asked for before. Another component than that of the run
    /// before takes its place between the two: which one answers is said by who asks, so that a run never
    /// carries one component's name and another's decisions. When the answer is no longer waited for, the
    /// run goes on to its own end.
    ///
    /// # Panics
    /// In the strategy's task, when `loaded` comes from a deterministic runtime: a mistake in wiring.
    pub async fn run(&self, loaded: Loaded, info: RunInfo, now: Timestamp, cause: Cause) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let sent = self.queue.send(Message::Run(loaded, Box::new(info), now, cause, answer)).await;
        if sent.is_err() {
            return Outcome::stopped(StopReason::Gone);
        }
        outcome.await.unwrap_or_else(|_| Outcome::stopped(StopReason::Gone))
    }

    /// A trading day has begun: the next run makes a new instance.
    pub async fn new_day(&self) {
        // A task that has ended has no instance either.
        let _ = self.queue.send(Message::NewDay).await;
    }
}

async fn serve(services: Arc<dyn Services>, mut requests: mpsc::Receiver<Message>) {
    let mut instance: Option<LiveInstance> = None;
    while let Some(message) = requests.recv().await {
        match message {
            Message::Run(loaded, info, now, cause, answer) => {
                let current = match &mut instance {
                    Some(current) if loaded.is(current.loaded()) => current,
                    other => other.insert(LiveInstance::new(loaded, Arc::clone(&services))),
                };
                let outcome = current.run(*info, now, cause).await;
                // Who asked may have gone; the run is over all the same.
                let _ = answer.send(outcome);
            }
            Message::NewDay => instance = None,
        }
    }
}
