//! The faults that are set, and which of them a call meets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use model::clock::Rng;
use serde::Serialize;

use crate::endpoint::Endpoint;

use super::fault::Fault;
use super::kind::Kind;

/// Most faults that may be set at a time.
const FAULTS_MAX: usize = 1_000;

/// The number of a fault that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FaultId(pub u64);

/// A fault that is set, and what it has done so far.
#[derive(Debug, Clone, Serialize)]
pub struct FaultState {
    /// Its number.
    pub id: FaultId,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// Matching calls so far.
    pub seen: u64,
    /// How often it acted.
    pub fired: u64,
}

/// The faults of a sim, from outside.
#[derive(Clone)]
pub struct Faults(pub(crate) Arc<Mutex<FaultList>>);

impl Faults {
    /// Sets one. Beyond a thousand the oldest goes.
    pub fn add(&self, fault: Fault) -> FaultId {
        self.list().add(fault)
    }

    /// Takes one away; whether it was there.
    pub fn remove(&self, id: FaultId) -> bool {
        self.list().remove(id)
    }

    /// Takes all away. What they have done stays done: a session that died stays dead.
    pub fn clear(&self) {
        self.list().set.clear();
    }

    /// Those that are set.
    pub fn state(&self) -> Vec<FaultState> {
        self.list().set.clone()
    }

    /// How often all faults together have acted, those taken away included.
    pub fn fired(&self) -> u64 {
        self.list().fired
    }

    fn list(&self) -> MutexGuard<'_, FaultList> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct FaultList {
    set: Vec<FaultState>,
    next: u64,
    rng: Rng,
    fired: u64,
}

impl FaultList {
    pub fn new(rng: Rng) -> Self {
        Self { set: Vec::new(), next: 1, rng, fired: 0 }
    }

    pub fn add(&mut self, fault: Fault) -> FaultId {
        if self.set.len() >= FAULTS_MAX {
            self.set.remove(0);
        }
        let id = FaultId(self.next);
        self.next += 1;
        self.set.push(FaultState { id, fault, seen: 0, fired: 0 });
        id
    }

    fn remove(&mut self, id: FaultId) -> bool {
        let before = self.set.len();
        self.set.retain(|state| state.id != id);
        self.set.len() < before
    }

    /// Counts a call and tells which faults it meets, in the order in which they were set.
    pub fn meet(&mut self, endpoint: Endpoint, now: Timestamp) -> Vec<Kind> {
        let mut met = Vec::new();
        for state in &mut self.set {
            if !state.fault.matches(endpoint, now) {
                continue;
            }
            state.seen += 1;
            if acts(state, &mut self.rng) {
                state.fired += 1;
                self.fired += 1;
                met.push(state.fault.kind.clone());
            }
        }
        met
    }
}

fn acts(state: &FaultState, rng: &mut Rng) -> bool {
    let fault = &state.fault;
    // Drawn whether or not the rest agrees, so that a change of one condition leaves the other draws.
    let drawn = fault.percent.is_none_or(|percent| rng.below(100) < u64::from(percent));
    drawn
        && fault.nth.is_none_or(|nth| state.seen == nth)
        && fault.every.is_none_or(|every| every > 0 && state.seen.is_multiple_of(every))
        && fault.times.is_none_or(|times| state.fired < times)
}
