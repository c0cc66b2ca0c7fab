//! The book as the journal tells it.

use std::collections::BTreeSet;

use journal::{Durability, Entry, Journal};
use model::{Action, Evidence, Fact, IntentId, OrderId, OrderState, Source, Timestamp};

use crate::book::{Book, Change, KEEP_DAYS, days_before};
use crate::config::{DeskConfig, DeskError};

/// Folds the journal's entries, then writes down what a stop in mid-air means: an attempt without an
/// answer is Unknown, an intent without an attempt was never sent.
pub(crate) fn replay(
    config: &DeskConfig,
    journal: &mut dyn Journal,
    now: Timestamp,
) -> Result<Book, DeskError> {
    let since = days_before(now.ist_date(), KEEP_DAYS);
    let mut book = Book { trading: journal.trading_state()?, ..Book::default() };
    let mut attempted: BTreeSet<IntentId> = BTreeSet::new();
    // What the fold itself would write (alerts, the switch) was written when it happened.
    let mut written_before = Vec::new();
    for recorded in journal.replay(&config.account, since)? {
        match recorded.entry {
            Entry::Intent(intent) => {
                if let Some(order) = OrderState::new(&intent) {
                    book.insert(order);
                } else {
                    begin(&mut book, &intent);
                }
            }
            Entry::Attempt { intent, .. } => {
                attempted.insert(intent);
            }
            Entry::Evidence(evidence) => {
                if matches!(evidence.fact, Fact::Unsent { .. }) {
                    attempted.remove(&evidence.intent);
                }
                book.learn(evidence, false, &mut written_before);
            }
            Entry::Ledger(entry) => book.post(entry, &mut written_before),
            _ => {}
        }
        written_before.clear();
    }
    // The fold throws the switch at every contradiction; what holds is what the operator set since.
    book.trading = journal.trading_state()?;
    let entries = land(&mut book, &attempted, now);
    if !entries.is_empty() {
        journal.commit(&entries, Durability::Synced)?;
    }
    Ok(book)
}

fn begin(book: &mut Book, intent: &model::Intent) {
    let order = intent.order();
    if let Some(slot) = book.live.get_mut(&order) {
        slot.order.begin(intent);
    }
    let to = match &intent.action {
        Action::Modify { price, total_quantity, .. } => Some((*price, *total_quantity)),
        _ => None,
    };
    book.changes.insert(intent.id, Change { order, day: intent.day, to });
}

/// Evidence for every call that was under way when the host stopped.
fn land(book: &mut Book, attempted: &BTreeSet<IntentId>, at: Timestamp) -> Vec<Entry> {
    let open: Vec<(OrderId, IntentId)> = book
        .live
        .values()
        .flat_map(|slot| {
            let order = &slot.order;
            // Already Unknown, parked or acknowledged: that stands.
            let answered = |intent: &IntentId| {
                (*intent == order.id && order.status() != model::Status::PendingNew)
                    || order.replacing().is_some_and(|change| change.intent == *intent && change.unclear)
                    || order
                        .cancelling()
                        .is_some_and(|change| change.intent == *intent && (change.unclear || change.acked))
            };
            order
                .open_intents()
                .filter(move |intent| !answered(intent))
                .map(|intent| (order.id, intent))
                .collect::<Vec<_>>()
        })
        .collect();
    let mut entries = Vec::new();
    for (order, intent) in open {
        let fact = if attempted.contains(&intent) {
            Fact::Unclear { why: "the host stopped before the answer was written down".to_owned() }
        } else {
            Fact::NotPlaced { why: "the host stopped before it was sent".to_owned() }
        };
        book.learn(Evidence { order, intent, at, source: Source::Reconciler, fact }, true, &mut entries);
    }
    entries
}
