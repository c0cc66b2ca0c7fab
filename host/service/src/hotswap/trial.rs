//! A version's first ticks: it takes over, and is live for good or taken back.

use journal::{Alert, Entry, JournalError};
use model::{ContentHash, Timestamp};
use runtime::{RunResult, StopReason};

use super::slot::{Inner, Proof, Slot, Trial, Waiting};
use super::story::SwapEvent;
use crate::strategies::Strategy;

/// Ticks in which a new version that traps or overruns is rolled back.
pub const TRIAL_TICKS: u32 = 3;

impl Slot {
    /// What waits and has proved itself is live from here on; its state so far is kept for a way back.
    pub(super) fn take_over(&self, now: Timestamp) -> Result<(), JournalError> {
        let mut inner = self.inner();
        if !inner.waiting.as_ref().is_some_and(|waiting| waiting.proof == Proof::Done) {
            return Ok(());
        }
        let state = self.state()?;
        let Some(Waiting { candidate, .. }) = &inner.waiting else { return Ok(()) };
        let text = format!(
            "{}: {} takes over from {}, {} of state kept for a way back; from {}",
            self.name,
            candidate.strategy.hash,
            inner.live.hash,
            state.len(),
            candidate.path.display()
        );
        self.commit(vec![Entry::Note { kind: "version-live".to_owned(), text, at: now }])?;
        let Some(Waiting { candidate, .. }) = inner.waiting.take() else { return Ok(()) };
        // Its signature may have come after it, and may be gone before it has passed.
        self.standing.keep_copy(&candidate.strategy, &candidate.path);
        let before = std::mem::replace(&mut inner.live, candidate.strategy);
        // Of two in a row that are still on trial, the way back leads to the last that had passed.
        let (before, state) = match inner.trial.take() {
            // The one that had passed is there again: there is nothing to try.
            Some(earlier) if earlier.before.hash == inner.live.hash => {
                self.standing.proved_itself(&inner.live, &candidate.path);
                inner.last = Some(format!("{} is back instead of {}", inner.live.hash, before.hash));
                return Ok(());
            }
            Some(earlier) => (earlier.before, earlier.state),
            None => (before, state),
        };
        inner.trial = Some(Trial {
            ticks_left: TRIAL_TICKS,
            from: candidate.path,
            before,
            state,
            noticed: Some(candidate.noticed),
        });
        Ok(())
    }

    /// The strategy's state, as it is kept.
    pub(super) fn state(&self) -> Result<Vec<(String, Vec<u8>)>, JournalError> {
        self.around.desk.with_journal(|journal| {
            let mut state = Vec::new();
            for key in journal.state_keys(&self.name, "")? {
                if let Some(value) = journal.state_get(&self.name, &key)? {
                    state.push((key, value));
                }
            }
            Ok(state)
        })
    }

    /// A tick of the version `hash` has ended, and what it wrote is not kept yet. True: it was rolled back, so
    /// its failure is no strike of the strategy.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn ended(
        &self,
        hash: &ContentHash,
        result: &RunResult,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let mut inner = self.inner();
        if inner.live.hash != *hash {
            return Ok(false);
        }
        let Some(trial) = &mut inner.trial else { return Ok(false) };
        if let RunResult::Stopped(reason) = result
            && reason.is_strike()
        {
            let why = reason.to_string();
            // What it asked for and what still waits for its turn is not sent any more.
            self.around.desk.revoke(&self.name, hash);
            // It may have waited for a broker that was slow: no reason to keep it out of the next process too.
            if !matches!(reason, StopReason::OutOfTime { .. }) {
                self.standing.refuse(hash);
            }
            // Kept first: a way back that cannot be written stays a way back.
            self.commit(self.way_back(&trial.before, &trial.state, hash, &why, now)?)?;
            let Some(Trial { before, .. }) = inner.trial.take() else { return Ok(false) };
            let to = before.hash.clone();
            inner.live = before;
            inner.remember(hash, &why);
            inner.last = Some(format!("{hash} was rolled back: {why}"));
            drop(inner);
            (self.around.observer)(&self.name, &SwapEvent::RolledBack { hash: hash.clone(), to, why });
            return Ok(true);
        }
        // A tick that could not be run says nothing of the version.
        if matches!(result, RunResult::Stopped(_)) {
            return Ok(false);
        }
        // From here on `state` is its own.
        if trial.ticks_left == TRIAL_TICKS {
            self.standing.on_trial(hash, &trial.from);
        }
        trial.ticks_left -= 1;
        let first = trial.noticed.take();
        let before = trial.before.hash.clone();
        if trial.ticks_left == 0 {
            self.has_passed(&mut inner, now);
        }
        if let Some(noticed) = first {
            let millis = self.around.machine.now().nanos_since(noticed) / 1_000_000;
            inner.last = Some(format!("{hash} took over from {before}"));
            drop(inner);
            (self.around.observer)(&self.name, &SwapEvent::Live { hash: hash.clone(), before, millis });
        }
        Ok(false)
    }

    /// The trial is over: the next start begins with this version, and strikes of those before are not its own. The
    /// run itself has ended well, whatever becomes of this.
    fn has_passed(&self, inner: &mut Inner, at: Timestamp) {
        let Some(trial) = inner.trial.take() else { return };
        self.standing.proved_itself(&inner.live, &trial.from);
        if let Err(error) = self.forget_strikes(at) {
            tracing::error!(%error, "the strikes of versions of {} before this one stay", self.name);
        }
    }

    /// Strikes so far count no more, and a quarantine ends.
    pub(super) fn forget_strikes(&self, at: Timestamp) -> Result<(), JournalError> {
        let strikes = self.around.desk.with_journal(|journal| journal.quarantine())?;
        if strikes.iter().any(|(strategy, strikes, _)| *strategy == self.name && *strikes > 0) {
            let strategy = self.name.clone();
            self.commit(vec![Entry::Quarantine { strategy, strikes: 0, reason: None, at }])?;
        }
        Ok(())
    }

    /// What brings the state back and says why.
    fn way_back(
        &self,
        before: &Strategy,
        state: &[(String, Vec<u8>)],
        hash: &ContentHash,
        why: &str,
        now: Timestamp,
    ) -> Result<Vec<Entry>, JournalError> {
        let write = |key: String, value| Entry::State { strategy: self.name.clone(), key, value };
        let mut entries: Vec<Entry> = self
            .state()?
            .into_iter()
            .filter(|(key, _)| !state.iter().any(|(kept, _)| kept == key))
            .map(|(key, _)| write(key, None))
            .collect();
        entries.extend(state.iter().map(|(key, value)| write(key.clone(), Some(value.clone()))));
        let text = format!("{}: {hash} is rolled back to {}: {why}", self.name, before.hash);
        entries.push(Entry::Note { kind: "version-rolled-back".to_owned(), text: text.clone(), at: now });
        entries.push(Entry::Alert(Alert {
            key: format!("rolled-back:{}:{hash}", self.name),
            severity: journal::Severity::Critical,
            source: "host".to_owned(),
            text,
            at: now,
        }));
        Ok(entries)
    }
}
