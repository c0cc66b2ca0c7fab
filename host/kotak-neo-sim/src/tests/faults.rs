//! Faults of any call: the right answer, and the right thing at the exchange.

use serde_json::Value;

use super::stage::{Answer, Held, Stage, buy};
use crate::{Endpoint, Fault, Kind, Reply, Spelling};

const SPELLINGS: [Spelling; 9] = [
    Spelling::Http401,
    Spelling::Http403,
    Spelling::Code1003,
    Spelling::Code100022,
    Spelling::Code100021,
    Spelling::Code100008,
    Spelling::Gateway,
    Spelling::GatewayFault,
    Spelling::JwtText,
];

fn is_taken(reply: &Reply) -> bool {
    let Reply::Answer { body, .. } = reply else { return false };
    serde_json::from_slice::<Value>(body).is_ok_and(|json| json["stat"] == "Ok" && json["stCode"] == 200)
}

/// What became of an order at the exchange: `accepted price status`.
fn at_exchange(stage: &Stage) -> Vec<String> {
    let book = stage.audit().book;
    book.orders.iter().map(|row| format!("{} {}", row.terms.price, row.status)).collect()
}

type Call = fn(&Stage, &Held, &str) -> Reply;

/// A call that changes orders, and the exchange's book before and after it. The order is there before a
/// change and a cancellation.
fn order_calls() -> [(Endpoint, Call, &'static [&'static str], &'static [&'static str]); 3] {
    [
        (Endpoint::Place, |stage, session, _| stage.place(session, &buy("fault", "95")), &[], &["95.00 new"]),
        (
            Endpoint::Modify,
            |stage, session, id| stage.modify(session, id, "96", "4"),
            &["95.00 new"],
            &["96.00 new"],
        ),
        (
            Endpoint::Cancel,
            |stage, session, id| stage.cancel(session, id),
            &["95.00 new"],
            &["95.00 canceled"],
        ),
    ]
}

/// Meets `kind` once with each order call: was the work done, and did the call look taken?
fn meets(kind: &Kind, done: bool, looks_taken: bool) {
    for (endpoint, call, before, after) in order_calls() {
        let stage = Stage::new();
        let session = stage.login();
        let number = match endpoint {
            Endpoint::Place => String::new(),
            _ => Answer::of(stage.place(&session, &buy("there", "95"))).number(),
        };
        stage.fault_once(endpoint, kind.clone());
        let reply = call(&stage, &session, &number);
        assert_eq!(is_taken(&reply), looks_taken, "{kind:?} at {endpoint:?}: {reply:?}");
        let expected = if done { after } else { before };
        assert_eq!(at_exchange(&stage), expected, "{kind:?} at {endpoint:?}");
        assert_eq!(stage.audit().faults_fired, 1);
    }
}

#[test]
fn an_expired_token_does_nothing_in_any_spelling() {
    for spelling in SPELLINGS {
        for kills in [false, true] {
            meets(&Kind::Expired { spelling, kills }, false, false);
            let stage = Stage::new();
            let session = stage.login();
            stage.fault_once(Endpoint::Orders, Kind::Expired { spelling, kills });
            stage.ask(&session, false, "/quick/user/orders", &Value::Null);
            let next = stage.get(&session, "/quick/user/orders").code();
            assert_eq!(next, if kills { 100_022 } else { 5203 }, "{spelling:?}");
            assert_eq!(stage.audit().sessions[0].ended.is_some(), kills);
        }
    }
}

#[test]
fn the_spellings_are_those_that_were_seen() {
    let expected = [
        (401, r#""stCode":401"#),
        (403, "please re-login to continue"),
        (200, r#""stCode":1003"#),
        (200, r#""stCode":100022"#),
        (200, "invalid  access type"),
        (401, r#""stCode":100008"#),
        (401, r#""code":"900901""#),
        (401, r#"{"fault":{"#),
        (401, "Invalid JWT token."),
    ];
    for (spelling, (status, text)) in SPELLINGS.into_iter().zip(expected) {
        let stage = Stage::new();
        let session = stage.login();
        stage.fault(Kind::Expired { spelling, kills: false });
        let answer = stage.get(&session, "/quick/user/orders");
        let body = String::from_utf8(answer.body).expect("text");
        assert_eq!(answer.status, status, "{body}");
        assert!(body.contains(text), "{body}");
    }
}

#[test]
fn before_is_nothing_and_after_is_everything() {
    for after in [false, true] {
        meets(&Kind::Dropped { after }, after, false);
        meets(&Kind::HtmlBody { after }, after, false);
        meets(&Kind::EmptyBody { after }, after, false);
        for status in [500, 502, 503, 504] {
            for html in [false, true] {
                meets(&Kind::ServerError { status, html, after }, after, false);
            }
        }
    }
}

#[test]
fn refusals_do_nothing() {
    meets(&Kind::Refused, false, false);
    meets(&Kind::RateLimited { retry_after_s: None }, false, false);
    meets(&Kind::IpRefusal { code: 100_008 }, false, false);
    meets(&Kind::IpRefusal { code: 1037 }, false, false);
}

#[test]
fn slow_and_late_answers_are_right_answers() {
    meets(&Kind::SlowBody { chunk_bytes: 8, every_ms: 50 }, true, true);
    meets(&Kind::LateAnswer { ms: 60_000 }, true, true);
    meets(&Kind::ForeignLogin { after_s: 30 }, true, true);
    let stage = Stage::new();
    let session = stage.login();
    stage.fault(Kind::LateAnswer { ms: 700 });
    stage.fault(Kind::SlowBody { chunk_bytes: 10, every_ms: 100 });
    let reply = stage.ask(&session, false, "/quick/user/orders", &Value::Null);
    let Reply::Answer { body, delay_ms, drip, .. } = &reply else { panic!("{reply:?}") };
    assert_eq!((*delay_ms, drip.map(|drip| drip.chunk_bytes)), (700, Some(10)));
    assert_eq!(reply.complete_after_ms(), 700 + body.len() as u64 / 10 * 100);
}

#[test]
fn bodies_are_what_they_are_called() {
    let stage = Stage::new();
    let session = stage.login();
    let orders = |kind: Kind| {
        stage.sim.faults().clear();
        stage.fault_once(Endpoint::Orders, kind);
        stage.get(&session, "/quick/user/orders")
    };
    let html = orders(Kind::ServerError { status: 502, html: true, after: false });
    assert_eq!(html.status, 502);
    assert!(html.body.starts_with(b"<html>"));
    let page = orders(Kind::HtmlBody { after: false });
    assert!(page.status == 200 && page.body.starts_with(b"<html>"));
    assert!(orders(Kind::EmptyBody { after: false }).body.is_empty());
    assert_eq!(orders(Kind::ServerError { status: 503, html: false, after: false }).code(), 503);
    let limited = orders(Kind::RateLimited { retry_after_s: Some(7) });
    assert_eq!((limited.status, limited.json["code"].as_i64()), (429, Some(429)));
    assert!(limited.headers.contains(&("retry-after".to_owned(), "7".to_owned())));
}

#[test]
fn an_address_is_refused_for_orders_alone() {
    let stage = Stage::new();
    let session = stage.login();
    stage.fault(Kind::IpRefusal { code: 100_008 });
    assert_eq!(Answer::of(stage.place(&session, &buy("ip", "95"))).code(), 100_008);
    assert_eq!(Answer::of(stage.cancel(&session, "250603000001")).code(), 100_008);
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203, "reports still work");
    assert_eq!(stage.accepted(), 0);
}

#[test]
fn reads_fail_wherever_a_fault_is_aimed() {
    for (endpoint, target) in [
        (Endpoint::Orders, "/quick/user/orders"),
        (Endpoint::Order, "/quick/user/orders/250603000001"),
        (Endpoint::Trades, "/quick/user/trades"),
        (Endpoint::Positions, "/portfolio/v2/positions"),
        (Endpoint::Holdings, "/portfolio/v1/holdings"),
        (Endpoint::ClientIp, "/login/1.0/get-client-ip"),
        (Endpoint::Quotes, "/script-details/1.0/quotes/neosymbol/nse_cm|10001/ltp"),
        (Endpoint::Master, "/script-details/1.0/masterscrip/file-paths"),
        (Endpoint::Historical, "/market-data/1.0/historical/details"),
        (Endpoint::Watchlist, "/market-data/1.0/watchlist/expiries"),
        (Endpoint::Unknown, "/somewhere/else"),
    ] {
        let stage = Stage::new();
        let session = stage.login();
        stage.sim.faults().add(Fault::new(Kind::Dropped { after: false }).on([endpoint]));
        let reply = stage.ask(&session, false, target, &Value::Null);
        assert_eq!(reply, Reply::Drop, "{endpoint:?}");
        assert_eq!(stage.audit().calls[&endpoint], 1);
    }
}

#[test]
fn triggers_count_calls() {
    let stage = Stage::new();
    let session = stage.login();
    let drops = |count: usize| -> String {
        (0..count)
            .map(|_| match stage.ask(&session, false, "/quick/user/orders", &Value::Null) {
                Reply::Drop => 'x',
                _ => '.',
            })
            .collect()
    };
    let set = |fault: Fault| {
        stage.sim.faults().clear();
        stage.sim.faults().add(fault.on([Endpoint::Orders]))
    };
    let drop = || Fault::new(Kind::Dropped { after: false });
    set(drop().nth(3));
    assert_eq!(drops(5), "..x..");
    set(drop().every(2).times(2));
    assert_eq!(drops(8), ".x.x....");
    set(drop().times(1));
    assert_eq!(drops(3), "x..");
    set(drop().between(stage.sim.now().plus_seconds(10), stage.sim.now().plus_seconds(20)));
    assert_eq!(drops(1), ".");
    stage.pass(10);
    assert_eq!(drops(1), "x");
    stage.pass(10);
    assert_eq!(drops(1), ".");
    let id = set(drop().percent(30));
    let share = drops(1000).matches('x').count();
    assert!((240..360).contains(&share), "{share}");
    let state = stage.sim.faults().state();
    assert_eq!((state[0].id, state[0].seen, state[0].fired), (id, 1000, share as u64));
    assert!(stage.sim.faults().remove(id) && !stage.sim.faults().remove(id));
    assert_eq!(drops(3), "...");
}

#[test]
fn chance_is_the_seeds() {
    let draw = |seed: u64| -> Vec<bool> {
        let stage = Stage::tuned(|config| config.seed = seed);
        let session = stage.login();
        stage.sim.faults().add(Fault::new(Kind::Dropped { after: false }).on([Endpoint::Orders]).percent(50));
        (0..64)
            .map(|_| stage.ask(&session, false, "/quick/user/orders", &Value::Null) == Reply::Drop)
            .collect()
    };
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}
