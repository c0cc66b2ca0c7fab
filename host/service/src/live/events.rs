//! What the session keeper did, into journal, outbox and log.

use std::sync::Arc;

use broker::session::SessionEvent;
use conflicts::Step;
use journal::{Alert, Durability, Entry, Severity};
use model::Timestamp;
use oms::Desk;

use super::Connection;
use crate::lookout::News;

/// Writes events down as they come, and tells whoever waits for a new session.
pub(super) async fn keep(connection: Arc<Connection>, desk: Desk) {
    let Some(mut events) = connection.events.lock().await.take() else { return };
    while let Some(event) = events.recv().await {
        let at = connection.clock.now();
        let entries = entries(&event, at);
        if let Err(error) = desk.with_journal(|journal| journal.commit(&entries, Durability::Relaxed)) {
            tracing::error!(%error, "an event of the broker session could not be kept");
        }
        if let SessionEvent::Opened { .. } = event {
            connection.renewed.notify_one();
            if let Err(error) = connection.prepare().await {
                tracing::warn!(%error, "today's shares could not be read");
            }
        }
    }
}

/// Writes down what the lookout found and stopped.
pub(super) async fn keep_news(connection: Arc<Connection>, desk: Desk) {
    let Some(mut news) = connection.news.lock().await.take() else { return };
    while let Some(news) = news.recv().await {
        let at = connection.clock.now();
        let entries = told("conflict", words_of(&news, at), at);
        if let Err(error) = desk.with_journal(|journal| journal.commit(&entries, Durability::Relaxed)) {
            tracing::error!(%error, "what the lookout did could not be kept");
        }
    }
}

fn words_of(news: &News, at: Timestamp) -> (String, Option<(Severity, String)>) {
    let hour = at.ist().format("%Y-%m-%dT%H");
    match news {
        News::Step(step) => {
            let Step { conflict, outcome } = &**step;
            match outcome {
                Ok(()) => {
                    let text = format!("stopped {}, which {}", conflict.name(), conflict.why);
                    let key = format!("conflict-stopped:{hour}:{}", conflict.name());
                    (text, Some((Severity::Warning, key)))
                }
                Err(error) => {
                    let text = format!("{conflict}; it could not be stopped from here: {error}");
                    (text, Some((Severity::Critical, format!("conflict:{hour}:{}", conflict.name()))))
                }
            }
        }
        News::Found(found) => {
            let text = format!("another program may use this account: {}", found.join("; "));
            (text, Some((Severity::Critical, format!("conflict:{hour}:{}", found.join(";")))))
        }
        News::Blind(why) => {
            let text = format!("whether another program uses this account is unknown: {why}");
            (text, Some((Severity::Warning, format!("conflict-unknown:{hour}"))))
        }
    }
}

/// The note, and the alert where somebody should hear of it.
fn entries(event: &SessionEvent, at: Timestamp) -> Vec<Entry> {
    told("session", words(event, at), at)
}

fn told(kind: &str, (text, alert): (String, Option<(Severity, String)>), at: Timestamp) -> Vec<Entry> {
    match &alert {
        Some((Severity::Critical, _)) => tracing::error!(target: "session", "{text}"),
        Some(_) => tracing::warn!(target: "session", "{text}"),
        None => tracing::info!(target: "session", "{text}"),
    }
    let mut entries = vec![Entry::Note { kind: kind.to_owned(), text: text.clone(), at }];
    if let Some((severity, key)) = alert {
        entries.push(Entry::Alert(Alert { key, severity, source: kind.to_owned(), text, at }));
    }
    entries
}

/// What happened in words, and how loudly. The key makes one alert of what is the same trouble.
fn words(event: &SessionEvent, at: Timestamp) -> (String, Option<(Severity, String)>) {
    let day = at.ist_date();
    let hour = at.ist().format("%Y-%m-%dT%H");
    match event {
        SessionEvent::Opened { generation, skew_ms, probe } => {
            let skew = skew_ms.map_or_else(String::new, |ms| format!(", clock skew {ms} ms"));
            let probe = if *probe { " (a probe after a contest)" } else { "" };
            (format!("login {generation}{probe}{skew}"), None)
        }
        SessionEvent::Expired { generation, lived_ms, expected } => {
            let why = if *expected { ", as every session does at midnight" } else { "" };
            (format!("session {generation} expired after {} s{why}", lived_ms / 1_000), None)
        }
        SessionEvent::Contested { found, until } => {
            let text = format!(
                "another program is logged in to this account: each login ends the other's session. Trading has \
                 stopped. Found: {}. Stop it; the next login is tried at {until}",
                found.join("; ")
            );
            (text, Some((Severity::Critical, format!("contested:{at}"))))
        }
        SessionEvent::Conflict { found } => {
            let text = format!("no login while another program may use this account: {}", found.join("; "));
            (text, Some((Severity::Critical, format!("conflict:{hour}:{}", found.join(";")))))
        }
        SessionEvent::ConflictUnknown { text } => {
            let text = format!("no login: whether another program uses this account is unknown ({text})");
            (text, Some((Severity::Critical, format!("conflict-unknown:{hour}"))))
        }
        SessionEvent::ProbeStarted => ("the contested account is tried once more".to_owned(), None),
        SessionEvent::Recovered => (
            "the account is this host's alone again: trading goes on".to_owned(),
            Some((Severity::Warning, format!("recovered:{at}"))),
        ),
        SessionEvent::LoginFailed { text, until: None } => (
            format!(
                "the broker refused the login ({text}): nobody tries again until the host is started with other credentials; when these were right, stop the host and let `tradeagent login --check` show it"
            ),
            Some((Severity::Critical, format!("login-refused:{day}"))),
        ),
        SessionEvent::LoginFailed { text, until: Some(until) } => (
            format!("a login failed ({text}); the next may be made at {until}"),
            Some((Severity::Warning, format!("login-failed:{hour}"))),
        ),
        SessionEvent::Skew { ms } => (
            format!("this machine's clock is off by {ms} ms from the broker's: check time synchronisation"),
            Some((Severity::Warning, format!("skew:{day}"))),
        ),
        SessionEvent::NotKept { text } => (
            format!(
                "what is known of the logins cannot be kept ({text}): no code is sent until it can, and a host started now would forget"
            ),
            Some((Severity::Critical, format!("not-kept:{hour}"))),
        ),
        SessionEvent::Cleared => ("the operator says that the credentials are good now".to_owned(), None),
        SessionEvent::Ended => ("logged out".to_owned(), None),
    }
}
