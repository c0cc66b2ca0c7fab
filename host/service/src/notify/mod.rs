//! Alerts leave through a durable outbox: the journal keeps each until every channel has taken it.
//!
//! At least once: a delivery is marked after it happened, so a host that dies in between delivers again
//! (the `key` tells the receiver). Nothing here can hold up trading: it has its own thread with its own
//! runtime on real time, and meets the desk only for the moment of a read or a mark.
//!
//! Architecture invariant: only this module names reqwest. It speaks to the operator's webhook, never to
//! a broker.

mod command;
mod sender;
#[cfg(test)]
mod tests;
mod webhook;

use journal::{AlertRow, Durability, Entry, JournalError, Severity};
use model::Timestamp;
use model::clock::SharedClock;
use oms::Desk;
use serde::Serialize;

use crate::config::{Config, NotifyConfig};
use crate::exit::Failure;
pub use sender::Notifier;

/// The channel of `[notify] command`.
pub const COMMAND: &str = "command";
/// The channel of `[notify] webhook`.
pub const WEBHOOK: &str = "webhook";

/// The channels that the configuration has.
pub fn channels(config: &NotifyConfig) -> Vec<&'static str> {
    let command = config.command.as_ref().map(|_| COMMAND);
    command.into_iter().chain(config.webhook.as_ref().map(|_| WEBHOOK)).collect()
}

/// Starts sending what is in the journal of `desk`; `None` when no channel is configured. Keep what it
/// gives: dropping it ends the sending.
pub fn start(config: &Config, desk: &Desk, clock: &SharedClock) -> Result<Option<Notifier>, Failure> {
    let outbox = DeskOutbox { desk: desk.clone(), clock: SharedClock::clone(clock) };
    Notifier::start(config.account.name.as_str(), &config.notify, std::sync::Arc::new(outbox))
        .map_err(|why| Failure::config(anyhow::anyhow!("[notify]: {why}")))
}

/// Where undelivered alerts are.
pub trait Outbox: Send + Sync + 'static {
    /// Alerts that `channel` has not taken, oldest first.
    fn undelivered(&self, channel: &str, limit: u32) -> Result<Vec<AlertRow>, JournalError>;
    /// `channel` took an alert, or failed to.
    fn mark(&self, alert: i64, channel: &str, ok: bool) -> Result<(), JournalError>;
}

/// The outbox in a desk's journal.
pub struct DeskOutbox {
    /// The desk.
    pub desk: Desk,
    /// For the time of a mark.
    pub clock: SharedClock,
}

impl Outbox for DeskOutbox {
    fn undelivered(&self, channel: &str, limit: u32) -> Result<Vec<AlertRow>, JournalError> {
        self.desk.with_journal(|journal| journal.undelivered(channel, limit))
    }

    fn mark(&self, alert: i64, channel: &str, ok: bool) -> Result<(), JournalError> {
        let at = self.clock.now();
        let entry = Entry::Delivery { alert, channel: channel.to_owned(), ok, at };
        // Losing the mark delivers the alert once more.
        self.desk.with_journal(|journal| journal.commit(&[entry], Durability::Relaxed))
    }
}

/// An alert as channels get it, in JSON.
#[derive(Debug, Serialize)]
struct Message<'a> {
    version: u32,
    account: &'a str,
    id: i64,
    key: &'a str,
    severity: Severity,
    source: &'a str,
    text: &'a str,
    #[serde(serialize_with = "as_text")]
    at: Timestamp,
}

fn as_text<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn message(account: &str, row: &AlertRow) -> Vec<u8> {
    let journal::Alert { key, severity, source, text, at } = &row.alert;
    let message =
        Message { version: 1, account, id: row.id, key, severity: *severity, source, text, at: *at };
    serde_json::to_vec(&message).expect("texts and numbers have a form")
}
