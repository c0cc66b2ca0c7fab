//! What the host does beside its tasks: it reads the broker's books and tends the journal.
//!
//! The books are read at each doubt, after each renewal of the session, and on a timer; more often while an
//! outcome is unknown, so that three reads over the listing lag are had soon.

use model::Timestamp;
use model::clock::SharedClock;
use model::time::{MINUTE, SECOND};
use oms::Desk;
use tokio::sync::Notify;

use crate::supervisor::Pulse;

/// Between two looks while an outcome is unknown: more than a quarter of the listing lag of 60 s, so that
/// each read counts, and four of them are had in little more than the lag.
const DOUBT_SECONDS: i64 = 21;
/// The second of each minute at which it looks otherwise. Tasks begin on whole minutes, and a read of all
/// books nearly fills the broker's limit of calls in a second: an order must not wait behind it.
const LOOK_AT_SECOND: i64 = 30;
/// Between two reads of the books when nothing calls for one.
const RECONCILE_SECONDS: i64 = 300;

/// Runs until it is dropped. `renewed` tells that a new session was opened.
pub async fn tend(desk: Desk, clock: SharedClock, renewed: std::sync::Arc<Notify>, pulse: Pulse) {
    let mut last_read = clock.now();
    loop {
        let doubtful = !desk.unresolved().is_empty();
        let now = clock.now();
        let look = if doubtful { now.plus_seconds(DOUBT_SECONDS) } else { next_look(now) };
        let called = tokio::select! {
            biased;
            () = desk.doubt() => true,
            () = renewed.notified() => true,
            () = clock.sleep_until(look) => false,
        };
        let now = clock.now();
        let due = now.nanos_since(last_read) >= RECONCILE_SECONDS * SECOND;
        if called || doubtful || due {
            last_read = now;
            read(&desk, called || doubtful).await;
        }
        if let Err(error) = desk.with_journal(journal::Journal::maintain) {
            tracing::error!(%error, "the journal could not be tended");
        }
        pulse.beat();
    }
}

/// The next look when nothing is in doubt.
fn next_look(now: Timestamp) -> Timestamp {
    let into = now.nanos().rem_euclid(MINUTE);
    let at = LOOK_AT_SECOND * SECOND;
    now.plus_nanos(if into < at { at - into } else { MINUTE + at - into })
}

/// Reads the books once and says what differs. That nothing could be read is loud only where something is
/// to be found out: at night there is no session, and nobody needs one.
async fn read(desk: &Desk, matters: bool) {
    match desk.reconcile().await {
        Ok(differences) => {
            for difference in differences {
                tracing::warn!(
                    subject = difference.subject,
                    "journal and broker differ: {}",
                    difference.what
                );
            }
        }
        Err(error) if matters => tracing::warn!(%error, "the books could not be read"),
        Err(error) => tracing::debug!(%error, "the books could not be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_in_the_middle_of_a_minute_and_never_now() {
        let minute = Timestamp::at_ist("2026-05-13".parse().expect("a date"), 16, 5);
        let looks = [(0, 30), (29, 30), (30, 90), (59, 90)];
        for (now, look) in looks {
            assert_eq!(next_look(minute.plus_seconds(now)), minute.plus_seconds(look), "{now}");
        }
    }
}
