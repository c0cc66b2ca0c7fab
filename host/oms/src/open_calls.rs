//! Calls of strategies that have no answer yet, from the request through the wait for their turn to the answer.
//!
//! An order waits for its turn in a task of its own, which outlives the run that asked for it. So whoever puts one
//! version of a strategy in another's place has to ask here whether the first still has something on its way, and
//! whoever takes a version back takes back here what it has not sent yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ContentHash, OrderError, Origin, StrategyName};

use crate::desk::{Desk, Inner};

/// A call, by its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallNumber(u64);

#[derive(Debug)]
struct Asked {
    strategy: StrategyName,
    component: ContentHash,
    is_revoked: bool,
}

/// The list.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls {
    next: u64,
    calls: BTreeMap<CallNumber, Asked>,
}

impl OpenCalls {
    /// Whether the call may still be committed. `None`: it was never in the list, because nothing waits.
    pub(crate) fn may_go(&self, number: Option<CallNumber>) -> Result<(), OrderError> {
        let Some(number) = number else { return Ok(()) };
        match self.calls.get(&number) {
            Some(asked) if !asked.is_revoked => Ok(()),
            Some(asked) => Err(OrderError::Denied {
                rule: "version-rolled-back",
                reason: format!("the version of {} that asked for it was rolled back", asked.strategy),
            }),
            None => Err(OrderError::Desk("a call that is not known any more asked to be sent".to_owned())),
        }
    }
}

/// A call in the list, for as long as this lives: it goes along with the call, into the task that outlives the run.
pub(crate) struct OpenCall {
    desk: Arc<Inner>,
    /// Which.
    pub(crate) number: CallNumber,
}

impl OpenCall {
    /// Enters a call of `origin`.
    pub(crate) fn begin(desk: &Arc<Inner>, origin: &Origin) -> Self {
        let asked = Asked {
            strategy: origin.strategy.clone(),
            component: origin.component.clone(),
            is_revoked: false,
        };
        let mut book = desk.book();
        let list = &mut book.open_calls;
        let number = CallNumber(list.next);
        list.next += 1;
        list.calls.insert(number, asked);
        Self { desk: Arc::clone(desk), number }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.desk.book().open_calls.calls.remove(&self.number);
    }
}

impl Desk {
    /// Whether a call of this strategy has no answer yet: it waits for its turn, or is on the wire.
    pub fn has_open_calls(&self, strategy: &StrategyName) -> bool {
        self.inner.book().open_calls.calls.values().any(|asked| asked.strategy == *strategy)
    }

    /// Takes back what this version of a strategy has asked for and what has not been committed: it is denied when
    /// its turn comes. What is committed may be at the broker already and is left as it is.
    pub fn revoke(&self, strategy: &StrategyName, component: &ContentHash) {
        for asked in self.inner.book().open_calls.calls.values_mut() {
            asked.is_revoked |= asked.strategy == *strategy && asked.component == *component;
        }
    }
}
