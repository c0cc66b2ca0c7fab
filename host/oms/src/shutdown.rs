//! The end: no new intents, and what is still on the wire is written down as Unknown.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use journal::{Durability, Entry};
use model::{Evidence, Fact, IntentId, OrderError, OrderId, Source, Timestamp};

use crate::desk::Desk;

impl Desk {
    /// Takes no new intents from here on and waits, at most until `deadline`, for the calls on the wire.
    /// Those still out then are journaled Unknown; answers with how many. A late answer is still taken
    /// in while the process lives.
    pub async fn shutdown(&self, deadline: Timestamp) -> Result<u32, OrderError> {
        let inner = &self.inner;
        inner.book().closing = true;
        let mut timer = pin!(inner.clock.sleep_until(deadline));
        loop {
            let mut idle = pin!(inner.idle.notified());
            // Registered before the look, so that an answer in between is not missed.
            idle.as_mut().enable();
            if inner.book().on_wire == 0 {
                return Ok(0);
            }
            let timed_out = poll_fn(|context| {
                if idle.as_mut().poll(context).is_ready() {
                    return Poll::Ready(false);
                }
                timer.as_mut().poll(context).map(|()| true)
            })
            .await;
            if timed_out {
                return self.leave_unknown();
            }
        }
    }

    fn leave_unknown(&self) -> Result<u32, OrderError> {
        let inner = &self.inner;
        let mut journal = inner.journal();
        let mut book = inner.book();
        let at = inner.clock.now();
        let out: Vec<(OrderId, IntentId)> = book
            .live
            .values()
            .filter(|slot| slot.on_wire > 0)
            .flat_map(|slot| slot.order.open_intents().map(|intent| (slot.order.id, intent)))
            .collect();
        let mut entries: Vec<Entry> = Vec::new();
        for (order, intent) in &out {
            let fact = Fact::Unclear { why: "the host stopped while it was on the wire".to_owned() };
            let evidence = Evidence { order: *order, intent: *intent, at, source: Source::Answer, fact };
            book.learn(evidence, true, &mut entries);
        }
        drop(book);
        journal.commit(&entries, Durability::Synced).map_err(|error| inner.halt(&error))?;
        Ok(u32::try_from(out.len()).unwrap_or(u32::MAX))
    }
}
