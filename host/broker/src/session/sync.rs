//! What threads share. The scheduler's test puts shuttle's in the place of this file.

use std::sync::{Arc, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;

pub(super) use std::sync::Mutex;
pub(super) use std::sync::atomic::{AtomicUsize, Ordering};

/// Locks. What a panic left behind is still the truth as far as it got.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place for at most one thing, read without a lock.
pub(super) struct Slot<T>(ArcSwapOption<T>);

impl<T> Slot<T> {
    pub(super) fn empty() -> Self {
        Self(ArcSwapOption::empty())
    }

    pub(super) fn load(&self) -> Option<Arc<T>> {
        self.0.load_full()
    }

    pub(super) fn put(&self, thing: Arc<T>) {
        self.0.store(Some(thing));
    }

    pub(super) fn take(&self) -> Option<Arc<T>> {
        self.0.swap(None)
    }
}
