//! What the journal keeps, one line for a reader.

use journal::{Entry, RunOutcome};
use model::{Action, Fact, LedgerKind, Timestamp};

/// When, and what; none for what a reader does not follow: marks on the way, and ticks that went well.
pub(super) fn line(entry: &Entry) -> Option<(Timestamp, String)> {
    match entry {
        Entry::Note { kind, text, at } => Some((*at, format!("{kind}: {text}"))),
        Entry::Intent(intent) => {
            let what = match &intent.action {
                Action::Place { terms, for_session } => format!(
                    "{} {} {} at {}{}",
                    terms.side,
                    terms.quantity,
                    terms.symbol,
                    terms.price,
                    if terms.amo { format!(", after-market, for {for_session}") } else { String::new() }
                ),
                Action::Modify { order, price, total_quantity } => {
                    format!("change {order}: {total_quantity} at {price}")
                }
                Action::Cancel { order } => format!("cancel {order}"),
            };
            Some((intent.at, format!("{}: {what}  ({})", intent.strategy, intent.reason)))
        }
        Entry::Evidence(evidence) => match &evidence.fact {
            Fact::Refused { code, reason } => Some((evidence.at, format!("refused ({code}): {reason}"))),
            Fact::Unsent { why } => Some((
                evidence.at,
                format!(
                    "provably not placed, its session had expired ({why}): once more, through the whole desk"
                ),
            )),
            Fact::Unclear { why } => Some((evidence.at, format!("outcome unknown: {why}"))),
            _ => None,
        },
        Entry::Ledger(fill) => {
            let verb = match &fill.why {
                LedgerKind::Fill { .. } | LedgerKind::ReconciledFill { .. } => "filled",
                LedgerKind::Adopted { .. } => "adopted",
                LedgerKind::ExternalSale { .. } => "sold elsewhere",
                LedgerKind::CorporateAction { .. } => "corporate action",
            };
            Some((
                fill.at,
                format!(
                    "{verb}: {} {} {} at {}, charges {}",
                    fill.side, fill.quantity, fill.symbol, fill.price, fill.charges
                ),
            ))
        }
        Entry::Alert(alert) => {
            // Further lines of a longer text stand under its first.
            let text = alert.text.replace('\n', "\n                   ");
            Some((alert.at, format!("alert from {}: {text}", alert.source)))
        }
        Entry::RunEnd(end) => match &end.outcome {
            RunOutcome::Done { report: Some(report) } if end.task != "sell" => {
                Some((end.at, format!("{}: {}", end.task, report.summary)))
            }
            RunOutcome::Done { .. } => None,
            RunOutcome::Failed { reason }
            | RunOutcome::Trapped { reason }
            | RunOutcome::Skipped { reason }
            | RunOutcome::Missed { reason } => Some((end.at, format!("{} not done: {reason}", end.task))),
            RunOutcome::Interrupted => Some((end.at, format!("{} was interrupted", end.task))),
        },
        _ => None,
    }
}
