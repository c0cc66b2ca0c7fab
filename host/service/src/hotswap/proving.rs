//! A version's ticks in shadow: before it goes live, and beside the live one.

use std::sync::Arc;
use std::time::Duration;

use model::{ContentHash, Timestamp};
use runtime::{Cause, LiveInstance, Outcome, RunInfo, RunResult, Services, StopReason};

use super::shadow::Shadow;
use super::slot::{Proof, Slot};
use crate::strategies::Strategy;

/// How long a live tick waits for the version that is to answer it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A version in shadow.
struct InShadow {
    strategy: Strategy,
    shadow: Arc<Shadow>,
    days: u32,
}

impl InShadow {
    fn instance(&self, limit: Duration) -> LiveInstance {
        let services = Arc::clone(&self.shadow) as Arc<dyn Services>;
        LiveInstance::new(self.strategy.loaded.within(limit), services)
    }
}

impl Slot {
    /// The tick that is about to begin, in shadow first, for a version that has done none. The live tick waits for
    /// it, so not for long: one that is slower does its tick beside the live version's.
    pub(super) async fn prove(&self, info: impl Fn(&Strategy) -> RunInfo, now: Timestamp, cause: &Cause) {
        let Ok(_shadowing) = self.shadowing.try_lock() else { return };
        let Some((version, _)) = self.in_shadow(|proof, _| proof == Proof::None) else { return };
        let mut instance = version.instance(PATIENCE);
        // It does not live on: it would be held to the same patience.
        self.tick_in_shadow(&version, &mut instance, info, now, cause).await;
    }

    /// After a live tick: a version that may not take over, or is too slow to be waited for, does the tick in shadow.
    pub async fn follow(&self, info: impl Fn(&Strategy) -> RunInfo, now: Timestamp, cause: &Cause) {
        // The one before is not done yet: this tick is left out.
        let Ok(_shadowing) = self.shadowing.try_lock() else { return };
        let waits = self.in_shadow(|proof, vouched| proof == Proof::Slow || !vouched);
        let Some((version, instance)) = waits else { return };
        let mut instance = instance.unwrap_or_else(|| version.instance(Duration::MAX));
        let result = self.tick_in_shadow(&version, &mut instance, info, now, cause).await;
        // On another day, or for another version, there is no place for it any more.
        let mut inner = self.inner();
        if let Some(waiting) = inner.waiting(&version.strategy.hash)
            && waiting.days == version.days
            && !matches!(result, RunResult::Stopped(_))
        {
            waiting.instance = Some(instance);
        }
    }

    async fn tick_in_shadow(
        &self,
        version: &InShadow,
        instance: &mut LiveInstance,
        info: impl Fn(&Strategy) -> RunInfo,
        now: Timestamp,
        cause: &Cause,
    ) -> RunResult {
        version.shadow.tick_begins().await;
        let Outcome { result, state, .. } = instance.run(info(&version.strategy), now, cause.clone()).await;
        self.has_run(version, &result, state);
        result
    }

    /// What waits, if it is `wanted` by how far it has come and whether somebody vouches for it; and its instance.
    fn in_shadow(&self, wanted: impl Fn(Proof, bool) -> bool) -> Option<(InShadow, Option<LiveInstance>)> {
        let (hash, vouched) = self.vouched()?;
        let mut inner = self.inner();
        let waiting = inner.waiting(&hash).filter(|waiting| wanted(waiting.proof, vouched.is_ok()))?;
        let version = InShadow {
            strategy: waiting.candidate.strategy.clone(),
            shadow: Arc::clone(&waiting.shadow),
            days: waiting.days,
        };
        Some((version, waiting.instance.take()))
    }

    /// Takes in how a tick in shadow ended. A version that failed there is dropped and named.
    fn has_run(&self, version: &InShadow, result: &RunResult, state: Vec<(String, Option<Vec<u8>>)>) {
        let hash: &ContentHash = &version.strategy.hash;
        let mut inner = self.inner();
        // Another may have been offered meanwhile: this one's tick is of no interest any more.
        let Some(waiting) = inner.waiting(hash) else { return };
        match result {
            RunResult::Stopped(StopReason::OutOfTime { limit })
                if *limit == PATIENCE && waiting.proof == Proof::None =>
            {
                waiting.proof = Proof::Slow;
                waiting.why = format!(
                    "its first tick in shadow took more than {} s: it does one beside the live version first",
                    PATIENCE.as_secs()
                );
            }
            RunResult::Stopped(reason) if reason.is_strike() => {
                inner.waiting = None;
                drop(inner);
                let why = format!("in a tick in shadow: {reason}");
                // It may have waited for a broker that was slow.
                if matches!(reason, StopReason::OutOfTime { .. }) {
                    self.refuse(Some(hash.clone()), why);
                } else {
                    self.ban(hash.clone(), why);
                }
            }
            // Not the strategy's fault: it is tried again.
            RunResult::Stopped(_) => {}
            RunResult::Done(_) | RunResult::Failed(..) => {
                version.shadow.keep(state);
                waiting.ticks += 1;
                if waiting.proof == Proof::Slow {
                    waiting.why = "for its next tick".to_owned();
                }
                waiting.proof = Proof::Done;
            }
        }
    }

    /// A trading day has begun.
    pub fn new_day(&self) {
        if let Some(waiting) = &mut self.inner().waiting {
            waiting.instance = None;
            waiting.days += 1;
            waiting.shadow.new_day();
        }
    }
}
