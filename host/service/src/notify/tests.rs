//! Real programs, a real listener.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, mpsc};

use journal::{Alert, AlertRow, JournalError, MemoryJournal, Severity};
use journal::{Durability, Entry, Journal as _};
use model::Timestamp;

use super::{COMMAND, Notifier, Outbox, WEBHOOK};
use crate::config::NotifyConfig;

/// An outbox in a journal in memory that tells each mark.
struct Box_ {
    journal: Mutex<MemoryJournal>,
    marks: mpsc::Sender<(i64, String, bool)>,
}

impl Outbox for Box_ {
    fn undelivered(&self, channel: &str, limit: u32) -> Result<Vec<AlertRow>, JournalError> {
        self.journal.lock().expect("whole").undelivered(channel, limit)
    }
    fn mark(&self, alert: i64, channel: &str, ok: bool) -> Result<(), JournalError> {
        let entry = Entry::Delivery { alert, channel: channel.to_owned(), ok, at: Timestamp::default() };
        self.journal.lock().expect("whole").commit(&[entry], Durability::Relaxed)?;
        // The test may have seen enough.
        let _ = self.marks.send((alert, channel.to_owned(), ok));
        Ok(())
    }
}

fn outbox(texts: &[&str]) -> (Arc<Box_>, mpsc::Receiver<(i64, String, bool)>) {
    let mut journal = MemoryJournal::default();
    for text in texts {
        let alert = Alert {
            key: format!("k-{text}"),
            severity: Severity::Critical,
            source: "desk".into(),
            text: (*text).to_owned(),
            at: Timestamp::at_ist("2026-01-15".parse().expect("a date"), 9, 15),
        };
        journal.commit(&[Entry::Alert(alert)], Durability::Synced).expect("kept");
    }
    let (marks, marked) = mpsc::channel();
    (Arc::new(Box_ { journal: Mutex::new(journal), marks }), marked)
}

fn shell(script: &str, seconds: u32) -> NotifyConfig {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    NotifyConfig { command: Some(command), webhook: None, timeout_seconds: seconds }
}

#[test]
fn without_a_channel_there_is_no_thread() {
    let (outbox, _) = outbox(&[]);
    assert!(Notifier::start("main", &NotifyConfig::default(), outbox).expect("fine").is_none());
}

#[test]
fn a_program_gets_each_alert_once_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("got");
    let (outbox, marked) = outbox(&["one", "two"]);
    let script = format!("cat >> {0}; echo >> {0}", file.display());
    let notifier = Notifier::start("main", &shell(&script, 10), outbox.clone()).expect("starts");
    let marks: Vec<_> = marked.iter().take(2).collect();
    drop(notifier);
    assert!(marks.iter().all(|(_, channel, ok)| channel == COMMAND && *ok), "{marks:?}");
    let got = std::fs::read_to_string(&file).expect("written");
    let lines: Vec<serde_json::Value> =
        got.lines().map(|line| serde_json::from_str(line).expect("json")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["text"], "one");
    assert_eq!(lines[0]["severity"], "critical");
    assert_eq!(lines[0]["at"], "2026-01-15T09:15:00+05:30");
    assert_eq!((&lines[1]["text"], &lines[1]["account"]), (&"two".into(), &"main".into()));
    assert!(outbox.undelivered(COMMAND, 9).expect("read").is_empty());
}

#[test]
fn a_program_that_hangs_is_ended_with_its_children_and_the_alert_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let late = folder.path().join("late");
    let (outbox, marked) = outbox(&["one"]);
    // The child would write after the time is up; it must be gone by then.
    let script = format!("(read line < /dev/zero; echo alive > {}) & wait", late.display());
    let notifier = Notifier::start("main", &shell(&script, 1), outbox.clone()).expect("starts");
    let (_, _, ok) = marked.recv().expect("marked");
    assert!(!ok);
    drop(notifier);
    let rows = outbox.undelivered(COMMAND, 9).expect("read");
    assert!(rows.len() == 1 && rows[0].failures >= 1, "{rows:?}");
    assert!(!late.exists());
}

#[cfg(unix)]
#[test]
fn a_stop_does_not_wait_for_a_program_and_leaves_none_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let started = folder.path().join("pid");
    let (outbox, _marked) = outbox(&["one"]);
    // The pipe stays open for as long as one of them lives.
    let script = format!(
        "mkfifo {0}.gone; (exec 3> {0}.gone; echo $$ > {0}; read line < /dev/zero)",
        started.display()
    );
    let notifier = Notifier::start("main", &shell(&script, 100), outbox).expect("starts");
    let gone = folder.path().join("pid.gone");
    while !gone.exists() {
        std::thread::yield_now();
    }
    let mut pipe = std::fs::File::open(&gone).expect("opened by the program");
    drop(notifier);
    assert_eq!(pipe.read(&mut [0]).expect("read"), 0, "the program and its child have ended");
}

#[test]
fn a_program_that_fails_or_is_not_there_is_tried_again() {
    for command in [vec!["/bin/false".to_owned()], vec!["/no/such/program".to_owned()]] {
        let config = NotifyConfig { command: Some(command), webhook: None, timeout_seconds: 5 };
        let (outbox, marked) = outbox(&["one"]);
        let notifier = Notifier::start("main", &config, outbox).expect("starts");
        let marks: Vec<bool> = marked.iter().take(2).map(|(_, _, ok)| ok).collect();
        assert_eq!(marks, [false, false]);
        drop(notifier);
    }
}

/// Answers each request with the next of `statuses`, and tells what it got.
fn listener(statuses: &'static [&'static str]) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook?token=s3cret", listener.local_addr().expect("bound"));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for status in statuses {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut got = Vec::new();
            let mut chunk = [0_u8; 4096];
            while !got.ends_with(b"}") {
                match stream.read(&mut chunk) {
                    Ok(read) if read > 0 => got.extend_from_slice(&chunk[..read]),
                    _ => break,
                }
            }
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
            let _ = tell.send(String::from_utf8_lossy(&got).into_owned());
        }
    });
    (url, told)
}

#[test]
fn a_webhook_gets_the_alert_by_post_again_after_a_failure() {
    let (url, told) = listener(&["500 No", "302 Found", "200 OK"]);
    let config = NotifyConfig { command: None, webhook: Some(url), timeout_seconds: 10 };
    let (outbox, marked) = outbox(&["one"]);
    let notifier = Notifier::start("main", &config, outbox.clone()).expect("starts");
    let marks: Vec<(String, bool)> = marked.iter().take(3).map(|(_, channel, ok)| (channel, ok)).collect();
    let hook = |ok| (WEBHOOK.to_owned(), ok);
    assert_eq!(marks, [hook(false), hook(false), hook(true)]);
    drop(notifier);
    let got: Vec<String> = told.iter().collect();
    assert_eq!(got.len(), 3, "a redirect is not followed");
    for request in &got {
        assert!(request.starts_with("POST /hook?token=s3cret HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("idempotency-key: k-one\r\n"), "{request}");
        assert!(request.contains(r#""text":"one""#), "{request}");
    }
    assert!(outbox.undelivered(WEBHOOK, 9).expect("read").is_empty());
}

#[test]
fn one_channel_that_is_down_does_not_keep_the_other() {
    let (url, told) = listener(&["200 OK"]);
    let config = NotifyConfig { webhook: Some(url), ..shell("exit 3", 5) };
    let (outbox, marked) = outbox(&["one"]);
    let notifier = Notifier::start("main", &config, outbox.clone()).expect("starts");
    let mut ok = marked.iter().filter(|(_, _, ok)| *ok);
    assert_eq!(ok.next().map(|(_, channel, _)| channel).as_deref(), Some(WEBHOOK));
    drop(notifier);
    assert!(told.recv().expect("told").contains("POST"));
    assert_eq!(outbox.undelivered(COMMAND, 9).expect("read").len(), 1);
}
