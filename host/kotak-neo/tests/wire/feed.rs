//! The order feed by script: no clock, every wait is in the script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kotak_neo::feed::{FeedEvent, FeedOptions, Handshake, OrderFeed};
use kotak_neo::secrecy::{ExposeSecret as _, SecretString};
use kotak_neo::transport::{BoxFuture, FeedFrame, FeedSocket, Request, Response, Transport, TransportError};
use kotak_neo::{Amount, OrderNumber, OrderStatus, OrderType};

use crate::support::{SID, TOKEN, session};

const ACK: &str = r#"{"ak":"ok","type":"cn","task":"cn","msg":"connected"}"#;
const AUTH_FAILED: &str = r#"{"ak":"nk","type":"cn","msg":"Authentication Failed"}"#;
const BAD_FORMAT: &str =
    r#"{"ak":"nk","type":"failed to process request","task":"nk","msg":"invalid request format"}"#;
const ORDER: &str = r#"{"type":"order","data":{"nOrdNo":"250720000007242","ordSt":"open","prcTp":"LMT","prc":"9.39","qty":16,"fldQty":"4"}}"#;

type Log = Arc<Mutex<Vec<String>>>;

/// One connection after the other, each a list of frames; `None` is a connection that is refused.
struct Feeds {
    connections: Mutex<VecDeque<Option<Vec<FeedFrame>>>>,
    log: Log,
}

struct Scripted {
    frames: VecDeque<FeedFrame>,
    log: Log,
}

impl Feeds {
    fn note(&self, text: String) {
        self.log.lock().expect("unpoisoned").push(text);
    }
}

impl Transport for Feeds {
    fn send(&self, _request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async { panic!("a feed asks for nothing") })
    }

    fn connect(&self, url: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        self.note(format!("connect {url}"));
        let next =
            self.connections.lock().expect("unpoisoned").pop_front().expect("a connection in the script");
        let log = self.log.clone();
        Box::pin(async move {
            match next {
                Some(frames) => Ok(Box::new(Scripted { frames: frames.into(), log }) as Box<dyn FeedSocket>),
                None => Err(TransportError::NotSent(format!("refused {TOKEN}"))),
            }
        })
    }

    fn pause(&self, length: Duration) -> BoxFuture<'_, ()> {
        self.note(format!("pause {length:?}"));
        Box::pin(async {})
    }
}

impl FeedSocket for Scripted {
    fn send_text(&mut self, text: SecretString) -> BoxFuture<'_, Result<(), TransportError>> {
        self.log.lock().expect("unpoisoned").push(format!("send {}", text.expose_secret()));
        Box::pin(async { Ok(()) })
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<(), TransportError>> {
        self.log.lock().expect("unpoisoned").push("ping".to_owned());
        Box::pin(async { Ok(()) })
    }

    fn next(&mut self, patience: Duration) -> BoxFuture<'_, FeedFrame> {
        self.log.lock().expect("unpoisoned").push(format!("wait {patience:?}"));
        let frame =
            self.frames.pop_front().unwrap_or_else(|| FeedFrame::Closed("the script is over".to_owned()));
        Box::pin(async { frame })
    }
}

fn text(text: &str) -> FeedFrame {
    FeedFrame::Text(text.to_owned())
}

fn feed(connections: Vec<Option<Vec<FeedFrame>>>) -> (OrderFeed, Log) {
    let log = Log::default();
    let transport = Feeds { connections: Mutex::new(connections.into()), log: log.clone() };
    (OrderFeed::new(Arc::new(transport), session(), FeedOptions::default()), log)
}

async fn events(feed: &mut OrderFeed, count: usize) -> Vec<FeedEvent> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(feed.next().await.expect("an event"));
    }
    events
}

fn lines(log: &Log) -> Vec<String> {
    log.lock().expect("unpoisoned").clone()
}

fn raw() -> String {
    format!("send {{type:cn,Authorization:{TOKEN},Sid:{SID},src:WEB}}")
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line.strip_prefix("send ").expect("a sent frame")).expect("JSON")
}

const CONNECT: &str = "connect wss://e21.kotaksecurities.com/realtime";

#[tokio::test]
async fn the_raw_handshake_is_tried_first_and_its_ack_opens_the_feed() {
    let (mut feed, log) = feed(vec![Some(vec![text(ACK), text(ORDER), text("{type:hb}")])]);
    let events = events(&mut feed, 3).await;
    assert_eq!(events[0], FeedEvent::Connected { handshake: Handshake::Raw });
    let FeedEvent::Order(order) = &events[1] else { panic!("{events:?}") };
    assert_eq!(order.order_no, OrderNumber::new("250720000007242").expect("a number"));
    assert_eq!((&order.status, order.filled, order.quantity), (&OrderStatus::Open, Some(4), Some(16)));
    assert_eq!((&order.order_type, order.price), (&Some(OrderType::Limit), Some(Amount::from_units(93_900))));
    assert_eq!(events[2], FeedEvent::Other("{type:hb}".to_owned()));
    assert_eq!(lines(&log)[..3], [CONNECT.to_owned(), raw(), "wait 10s".to_owned()]);
}

#[tokio::test]
async fn the_json_handshake_follows_when_the_raw_one_is_dropped_refused_or_met_with_silence() {
    let failures = [FeedFrame::Closed("dropped".to_owned()), text(BAD_FORMAT), FeedFrame::Quiet];
    for failure in failures {
        let (mut feed, log) = feed(vec![
            Some(vec![failure.clone()]),
            Some(vec![text(ACK), FeedFrame::Closed("later".to_owned())]),
            Some(vec![text(ACK)]),
        ]);
        let events = events(&mut feed, 4).await;
        assert!(matches!(&events[0], FeedEvent::Lost { why } if why.contains("raw handshake")), "{events:?}");
        assert_eq!(events[1], FeedEvent::Connected { handshake: Handshake::Json }, "{failure:?}");
        assert!(matches!(&events[2], FeedEvent::Lost { why } if why.contains("later")), "{events:?}");
        // What was acked once is used again.
        assert_eq!(events[3], FeedEvent::Connected { handshake: Handshake::Json });
        let lines = lines(&log);
        assert_eq!(lines[1], raw());
        assert_eq!(lines[3], "pause 1s");
        let expected = serde_json::json!({"type": "cn", "Authorization": TOKEN, "Sid": SID, "src": "WEB"});
        assert_eq!(json(&lines[5]), expected);
    }
}

#[tokio::test]
async fn the_spellings_alternate_until_one_is_acked() {
    let silent = || Some(vec![FeedFrame::Quiet]);
    let (mut feed, log) = feed(vec![silent(), silent(), silent(), Some(vec![text(ACK)])]);
    let events = events(&mut feed, 4).await;
    assert_eq!(events[3], FeedEvent::Connected { handshake: Handshake::Json });
    let sent: Vec<bool> =
        lines(&log).iter().filter(|line| line.starts_with("send")).map(|line| *line == raw()).collect();
    assert_eq!(sent, [true, false, true, false]);
}

#[tokio::test]
async fn data_without_an_ack_counts_as_one() {
    let (mut feed, _log) = feed(vec![Some(vec![text(ORDER)])]);
    let events = events(&mut feed, 2).await;
    assert_eq!(events[0], FeedEvent::Connected { handshake: Handshake::Raw });
    assert!(matches!(events[1], FeedEvent::Order(_)));
}

#[tokio::test]
async fn chatter_without_an_ack_does_not_keep_the_watchdog_waiting() {
    let chatter = (0..20).map(|_| text("{type:hb}")).collect();
    let (mut feed, _log) = feed(vec![Some(chatter), Some(vec![text(ACK)])]);
    let mut seen = Vec::new();
    while !seen.iter().any(|event| matches!(event, FeedEvent::Connected { .. })) {
        seen.extend(events(&mut feed, 1).await);
    }
    assert!(seen.len() < 10, "{seen:?}");
    assert_eq!(seen.last(), Some(&FeedEvent::Connected { handshake: Handshake::Json }));
}

#[tokio::test]
async fn a_dead_session_ends_the_feed() {
    let (mut feed, log) = feed(vec![Some(vec![text(AUTH_FAILED)])]);
    assert_eq!(feed.next().await, Some(FeedEvent::Refused { text: "Authentication Failed".to_owned() }));
    assert_eq!(feed.next().await, None);
    assert_eq!(feed.next().await, None);
    assert_eq!(lines(&log).iter().filter(|line| line.starts_with("connect")).count(), 1);

    let (mut later, _log) = self::feed(vec![Some(vec![text(ACK), text(ORDER), text(AUTH_FAILED)])]);
    let events = events(&mut later, 3).await;
    assert!(matches!(events[2], FeedEvent::Refused { .. }), "{events:?}");
    assert_eq!(later.next().await, None);
}

#[tokio::test]
async fn quiet_is_pinged_and_a_connection_that_answers_no_ping_is_lost() {
    let frames = vec![
        text(ACK),
        FeedFrame::Quiet,
        FeedFrame::Pong,
        FeedFrame::Quiet,
        FeedFrame::Quiet,
        FeedFrame::Quiet,
    ];
    let (mut feed, log) = feed(vec![Some(frames), Some(vec![text(ACK), text(ORDER)])]);
    let events = events(&mut feed, 4).await;
    assert!(matches!(&events[1], FeedEvent::Lost { why } if why.contains("ping")), "{events:?}");
    assert_eq!(events[2], FeedEvent::Connected { handshake: Handshake::Raw });
    assert!(matches!(events[3], FeedEvent::Order(_)), "the state comes again by itself");
    let lines = lines(&log);
    let first = &lines[..lines.iter().position(|line| line.starts_with("pause")).expect("a pause")];
    // One after the first quiet, two after the pong; the third quiet (60 s) is beyond the limit of 45 s.
    assert_eq!(first.iter().filter(|line| *line == "ping").count(), 3, "{first:?}");
    assert!(first.iter().filter(|line| *line == "wait 20s").count() == 5, "{first:?}");
    // After the reconnect the handshake is all that is sent.
    assert_eq!(lines.iter().filter(|line| line.starts_with("send")).count(), 2);
}

#[tokio::test]
async fn a_busy_feed_is_pinged_too() {
    let mut frames = vec![text(ACK)];
    frames.extend((0..70).map(|_| text(ORDER)));
    let (mut feed, log) = feed(vec![Some(frames)]);
    events(&mut feed, 71).await;
    assert_eq!(lines(&log).iter().filter(|line| *line == "ping").count(), 2);
}

#[tokio::test]
async fn reconnecting_backs_off_and_an_ack_resets_it() {
    let mut script: Vec<Option<Vec<FeedFrame>>> = (0..8).map(|_| None).collect();
    script.push(Some(vec![text(ACK)]));
    script.push(None);
    let (mut feed, log) = feed(script);
    events(&mut feed, 11).await;
    let pauses: Vec<String> = lines(&log).into_iter().filter(|line| line.starts_with("pause")).collect();
    let expected =
        ["1s", "2s", "4s", "8s", "16s", "32s", "60s", "60s", "1s"].map(|length| format!("pause {length}"));
    assert_eq!(pauses, expected);
}

#[tokio::test]
async fn the_servers_address_for_the_feed_is_used() {
    for (given, used) in [
        ("wss://rt.kotaksecurities.com/realtime", "wss://rt.kotaksecurities.com/realtime"),
        ("wss://rt.kotaksecurities.com", "wss://rt.kotaksecurities.com/realtime"),
    ] {
        let log = Log::default();
        let transport = Feeds { connections: Mutex::new(vec![None].into()), log: log.clone() };
        let mut session = session();
        session.rt_url = Some(given.to_owned());
        let mut feed = OrderFeed::new(Arc::new(transport), session, FeedOptions::default());
        feed.next().await;
        assert_eq!(lines(&log), [format!("connect {used}")]);
    }
}

#[tokio::test]
async fn no_event_repeats_the_session() {
    let echo = format!("{TOKEN} {SID}");
    let frames = vec![
        text(ACK),
        text(&echo),
        text(&format!(r#"{{"type":"notice","msg":"{echo}"}}"#)),
        text(&format!(r#"{{"type":"order","data":{{"nOrdNo":"1","ordSt":"{echo}","rejRsn":"{echo}"}}}}"#)),
        text(&format!(r#"{{"type":"order","data":{{"ordSt":"{echo}"}}}}"#)),
        text(&"x".repeat(10_000)),
        FeedFrame::Closed(echo.clone()),
    ];
    let refused = vec![text(&format!(r#"{{"ak":"nk","msg":"Authentication Failed for {echo}"}}"#))];
    let (mut feed, _log) = feed(vec![Some(frames), None, Some(refused)]);
    let events = events(&mut feed, 9).await;
    assert!(matches!(events[8], FeedEvent::Refused { .. }), "{events:?}");
    let shown = format!("{events:?}");
    assert!(!shown.contains("CANARY"), "{shown}");
    let FeedEvent::Other(long) = &events[5] else { panic!("{events:?}") };
    assert_eq!(long.chars().count(), 301);
}

#[tokio::test]
async fn a_feed_runs_in_a_task_of_its_own_until_it_ends() {
    let (mut feed, _log) = feed(vec![Some(vec![text(ACK), text(ORDER), text(AUTH_FAILED)])]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let task = tokio::spawn(async move {
        feed.run(&move |event| sink.lock().expect("unpoisoned").push(event)).await;
    });
    task.await.expect("no panic");
    let seen = seen.lock().expect("unpoisoned");
    assert_eq!(seen.len(), 3);
    assert!(matches!(seen[2], FeedEvent::Refused { .. }), "{seen:?}");
}
