//! The sim behind the client's transport port, on simulated time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kotak_neo::transport::{Body, FeedFrame, Method, Request, Response, Transport as _, TransportError};
use model::clock::SharedClock;
use model::{BoxFuture, Clock, Timestamp};
use secrecy::SecretString;
use serde_json::json;

use super::stage::{Held, Stage, buy};
use super::table::SESSION;
use crate::{Endpoint, Fault, Kind, SimTransport};

/// Simulated time that jumps when everybody waits: tokio's, from ten in the morning.
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    #[expect(clippy::disallowed_methods, reason = "tokio's paused instant, not the machine's")]
    fn now(&self) -> Timestamp {
        let ran = tokio::time::Instant::now() - self.0;
        Timestamp::at_ist(SESSION, 10, 0).plus_nanos(i64::try_from(ran.as_nanos()).expect("within centuries"))
    }
    #[expect(clippy::disallowed_methods, reason = "tokio's paused timer, not the machine's")]
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let offset = at.nanos_since(Timestamp::at_ist(SESSION, 10, 0)).max(0).unsigned_abs();
        Box::pin(tokio::time::sleep_until(self.0 + Duration::from_nanos(offset)))
    }
}

fn simulated<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime").block_on(work)
}

#[expect(clippy::disallowed_methods, reason = "tokio's paused instant, not the machine's")]
fn paused() -> SharedClock {
    Arc::new(Paused(tokio::time::Instant::now()))
}

/// A sim on the clock, a session on it, and a way to it.
fn stage(clock: &SharedClock) -> (Stage, Held, SimTransport) {
    let stage = Stage::following(Arc::clone(clock));
    let session = stage.login_now();
    let transport = stage.sim.transport();
    (stage, session, transport)
}

fn request(session: &Held, method: Method, path: &str, body: Body) -> Request {
    let secret = |text: &str| SecretString::from(text.to_owned());
    Request {
        method,
        url: format!("http://sim.invalid{path}"),
        headers: vec![("Auth", secret(&session.token)), ("Sid", secret(&session.sid))],
        body,
        timeout: Duration::from_secs(10),
        answer_bytes_max: 1 << 20,
    }
}

fn orders(session: &Held) -> Request {
    request(session, Method::Get, "/quick/user/orders", Body::Empty)
}

fn place(session: &Held, tag: &str) -> Request {
    let data = percent_encoding::utf8_percent_encode(
        &buy(tag, "101").to_string(),
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    request(session, Method::Post, "/quick/order/rule/ms/place", Body::Form(format!("jData={data}")))
}

#[test]
fn answers_come_in_the_clock_s_time() {
    simulated(async {
        let clock = paused();
        let (stage, session, transport) = stage(&clock);
        let before = clock.now();
        let answer = transport.send(orders(&session)).await.expect("an answer");
        assert_eq!((answer.status, clock.now()), (200, before));
        stage.fault_once(Endpoint::Orders, Kind::LateAnswer { ms: 4_000 });
        transport.send(orders(&session)).await.expect("an answer");
        assert_eq!(clock.now(), before.plus_seconds(4));
        stage.sim.faults().clear();
        stage.fault(Kind::LateAnswer { ms: 60_000 });
        let lost = transport.send(place(&session, "late")).await;
        assert!(matches!(lost, Err(TransportError::NoAnswer(_))), "{lost:?}");
        assert_eq!(clock.now(), before.plus_seconds(14), "the caller's patience");
        assert_eq!(stage.audit().by_tag()["late"], 1);
    });
}

#[test]
fn what_was_sent_is_told_from_what_was_not() {
    simulated(async {
        let (stage, session, transport) = stage(&paused());
        for (kind, sent, accepted) in [
            (Kind::Refused, false, 0),
            (Kind::Dropped { after: false }, true, 0),
            (Kind::Dropped { after: true }, true, 1),
        ] {
            stage.sim.faults().clear();
            stage.fault_once(Endpoint::Place, kind.clone());
            let error = transport.send(place(&session, "one")).await.expect_err("a fault");
            assert_eq!(matches!(error, TransportError::NoAnswer(_)), sent, "{kind:?}: {error}");
            assert_eq!(stage.accepted(), accepted, "{kind:?}");
        }
        let mut small = orders(&session);
        small.answer_bytes_max = 10;
        assert!(matches!(transport.send(small).await, Err(TransportError::NoAnswer(_))));
    });
}

#[test]
fn a_feed_waits_on_the_clock() {
    simulated(async {
        let clock = paused();
        let (stage, session, transport) = stage(&clock);
        assert!(transport.connect("ws://sim.invalid/elsewhere").await.is_err());
        let mut socket = transport.connect("ws://sim.invalid/realtime").await.expect("a feed");
        let hello = json!({"type": "cn", "Authorization": session.token, "Sid": session.sid}).to_string();
        socket.send_text(SecretString::from(hello)).await.expect("sent");
        let patience = Duration::from_secs(120);
        assert!(matches!(socket.next(patience).await, FeedFrame::Text(text) if text.contains("connected")));
        socket.ping().await.expect("sent");
        assert_eq!(socket.next(patience).await, FeedFrame::Pong);
        let before = clock.now();
        assert_eq!(socket.next(patience).await, FeedFrame::Quiet);
        assert_eq!(clock.now(), before.plus_seconds(120));
        transport.send(place(&session, "fed")).await.expect("an answer");
        let mut last = String::new();
        while !last.contains(r#""ordSt":"complete""#) {
            let FeedFrame::Text(text) = socket.next(patience).await else {
                panic!("no fill was told: {last}")
            };
            last = text;
        }
        assert!(clock.now() <= before.plus_seconds(150), "the fill came by itself");
        assert_eq!(stage.audit().feeds, 1);
        drop(socket);
        assert_eq!(stage.audit().feeds, 0);
        stage.sim.faults().add(Fault::new(Kind::Refused).on([Endpoint::Feed]));
        assert!(transport.connect("ws://sim.invalid/realtime").await.is_err());
        transport.pause(patience).await;
        assert!(clock.now() >= before.plus_seconds(240));
    });
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let play = || {
        simulated(async {
            let (stage, session, transport) = stage(&paused());
            stage.sim.faults().add(Fault::new(Kind::Dropped { after: true }).percent(40));
            stage.sim.faults().add(Fault::new(Kind::LateAnswer { ms: 900 }).percent(40));
            let mut told = vec![session.token.clone().into_bytes()];
            for call in 0..40 {
                let request =
                    if call % 2 == 0 { place(&session, &format!("t{call}")) } else { orders(&session) };
                let bytes =
                    |answer: Response| [format!("{:?}", answer.headers).into_bytes(), answer.body].concat();
                told.push(
                    transport.send(request).await.map_or_else(|error| error.to_string().into_bytes(), bytes),
                );
                transport.pause(Duration::from_secs(7)).await;
            }
            told
        })
    };
    let first = play();
    assert!(first.iter().any(|told| told.starts_with(b"no answer")), "some were lost");
    assert_eq!(first, play());
}
