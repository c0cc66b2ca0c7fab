//! The end of the last session.

use std::sync::Arc;

use super::{Keeper, Login, SessionEvent};

/// The promise that the end is told to all who wait for it, however its task ends.
struct Gone<L: Login>(Arc<Keeper<L>>);

impl<L: Login> Drop for Gone<L> {
    fn drop(&mut self) {
        self.0.gone.land(());
    }
}

impl<L: Login> Keeper<L> {
    /// Logs out for good: from now on there is no session and no login. Comes back when it is done; a
    /// caller that goes away does not stop it.
    ///
    /// A login under way is not broken off in the middle of its second step, because a session could be
    /// left behind that nobody logs out; it may take as long as that step and one logout.
    pub async fn end(self: &Arc<Self>) {
        let last = self.gate(|gate, now| {
            if gate.standing.ended {
                return None;
            }
            gate.standing.ended = true;
            gate.standing.since = now;
            gate.standing.live = None;
            if let Some(last) = self.current.take() {
                gate.retired = Some(last);
            }
            Some(gate.flight.clone())
        });
        if let Some(flight) = last {
            self.ending.land(());
            let gone = Gone(Arc::clone(self));
            (self.spawn)(Box::pin(async move {
                if let Some(flight) = flight {
                    // Why it ended does not matter; that it did, does.
                    drop(flight.join().await);
                }
                gone.0.retire().await;
                gone.0.tell([SessionEvent::Ended]);
            }));
        }
        self.gone.join().await;
    }
}
