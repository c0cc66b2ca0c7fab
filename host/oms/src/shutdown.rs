//! The end: no new intents, and what is still on the wire is written down as Unknown.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use journal::{Durability, Entry};
use model::{Evidence, Fact, IntentId, OrderId, Source};

use crate::desk::Desk;

impl Desk {
    /// Takes no new intents from here on and waits for the calls on the wire, at most `patience`. Those
    /// still out then are journaled Unknown; answers with how many. A late answer is still taken in
    /// while the process lives. [`Desk::halted`] tells when the journal could not be written.
    pub async fn shutdown(&self, patience: Duration) -> u32 {
        let inner = &self.inner;
        let patience = i64::try_from(patience.as_nanos()).unwrap_or(i64::MAX / 8);
        let deadline = inner.clock.now().plus_nanos(patience);
        inner.book().closing = true;
        let mut timer = pin!(inner.clock.sleep_until(deadline));
        loop {
            let mut idle = pin!(inner.idle.notified());
            // Registered before the look, so that an answer in between is not missed.
            idle.as_mut().enable();
            if inner.book().on_wire == 0 {
                return 0;
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

    fn leave_unknown(&self) -> u32 {
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
        if let Err(error) = journal.commit(&entries, Durability::Synced) {
            inner.halt(&error);
        }
        u32::try_from(out.len()).unwrap_or(u32::MAX)
    }
}
