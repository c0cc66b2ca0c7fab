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
    Run(Box<RunInfo>, Timestamp, Cause, oneshot::Sender<Outcome>),
    NewDay,
    Reload(Box<Loaded>),
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
    /// When `loaded` comes from a deterministic runtime, or outside tokio: mistakes in wiring.
    pub fn spawn(loaded: Loaded, services: Arc<dyn Services>) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        tokio::spawn(serve(LiveInstance::new(loaded, services), requests));
        Self { queue }
    }

    /// One run, after those that were asked for before. When the answer is no longer waited for, the
    /// run goes on to its own end.
    pub async fn run(&self, info: RunInfo, now: Timestamp, cause: Cause) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let sent = self.queue.send(Message::Run(Box::new(info), now, cause, answer)).await;
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

    /// From the next run on, another component, which has already been checked and compiled.
    pub async fn reload(&self, loaded: Loaded) {
        // As above.
        let _ = self.queue.send(Message::Reload(Box::new(loaded))).await;
    }
}

async fn serve(mut instance: LiveInstance, mut requests: mpsc::Receiver<Message>) {
    while let Some(message) = requests.recv().await {
        match message {
            Message::Run(info, now, cause, answer) => {
                let outcome = instance.run(*info, now, cause).await;
                // Who asked may have gone; the run is over all the same.
                let _ = answer.send(outcome);
            }
            Message::NewDay => instance.new_day(),
            Message::Reload(loaded) => instance.reload(*loaded),
        }
    }
}
