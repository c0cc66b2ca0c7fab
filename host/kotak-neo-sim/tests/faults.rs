//! Every fault that spoils an answer, on the wire: what comes back, and what became of the order.

mod support;

use kotak_neo_sim::{EmptyShape, Endpoint, Fault, Kind, Spelling};
use serde_json::json;

use support::{World, at_place, market, resting};

/// One order under a fault: HTTP status, a piece of the body, and whether the order reached the exchange.
#[test]
fn an_answer_is_spoiled_before_or_after_the_order_was_taken() {
    let world = World::new();
    let session = world.log_in();
    let error = |status, html, after| Kind::ServerError { status, html, after };
    for (kind, status, piece, reached) in [
        (error(502, true, false), 502, "<html>", false),
        (error(502, true, true), 502, "<html>", true),
        (error(500, false, false), 500, "\"stCode\":500", false),
        (error(504, false, true), 504, "\"stCode\":504", true),
        (Kind::HtmlBody { after: false }, 200, "<html>", false),
        (Kind::HtmlBody { after: true }, 200, "<html>", true),
        (Kind::EmptyBody { after: false }, 200, "", false),
        (Kind::EmptyBody { after: true }, 200, "", true),
        (Kind::RateLimited { retry_after_s: Some(30) }, 429, "Rate limit exceeded", false),
        (Kind::IpRefusal { code: 100_008 }, 403, "100008", false),
        (Kind::IpRefusal { code: 1037 }, 403, "session ip doesnt match with reqest ip", false),
        (Kind::Expired { spelling: Spelling::Code100022, kills: false }, 200, "100022", false),
    ] {
        let before = world.accepted();
        world.fault(at_place(kind.clone()));
        let answer = world.try_place(&session, &resting("")).expect("an answer");
        assert_eq!(answer.status, status, "{kind:?}");
        assert!(answer.text.contains(piece), "{kind:?}: {}", answer.text);
        assert_eq!(answer.text.is_empty(), piece.is_empty(), "{kind:?}");
        assert_eq!(world.accepted() - before, usize::from(reached), "{kind:?}");
    }
    world.fault(at_place(Kind::RateLimited { retry_after_s: Some(30) }));
    let limited = world.try_place(&session, &resting("")).expect("an answer");
    assert_eq!(limited.header("retry-after"), Some("30"));
}

/// Each spelling of a dead session, as a refusal that passes and as a real death.
#[test]
fn a_session_dies_in_every_spelling() {
    for (spelling, status, piece) in [
        (Spelling::Http401, 401, "401"),
        (Spelling::Http403, 403, "Invalid session, please re-login to continue"),
        (Spelling::Code1003, 200, "1003"),
        (Spelling::Code100022, 200, "invalid session token"),
        (Spelling::Code100021, 200, "invalid  access type"),
        (Spelling::Code100008, 401, "100008"),
        (Spelling::Gateway, 401, "\"code\":\"900901\""),
        (Spelling::GatewayFault, 401, "\"fault\""),
        (Spelling::JwtText, 401, "Invalid JWT token"),
    ] {
        let world = World::new();
        let session = world.log_in();
        let orders = || world.get(&session, "/quick/user/orders");
        world.fault(Fault::new(Kind::Expired { spelling, kills: false }).on([Endpoint::Orders]).times(1));
        let refused = orders();
        assert_eq!(refused.status, status, "{spelling:?}");
        assert!(refused.text.contains(piece), "{spelling:?}: {}", refused.text);
        assert_eq!(orders().code(), 5203, "{spelling:?}: the next call goes well");
        world.fault(Fault::new(Kind::Expired { spelling, kills: true }).on([Endpoint::Orders]).times(1));
        assert!(orders().text.contains(piece), "{spelling:?}");
        assert_eq!(orders().code(), 100_022, "{spelling:?}: it is dead");
        let fresh = world.log_in();
        assert_eq!(world.get(&fresh, "/quick/user/orders").code(), 5203, "{spelling:?}: a new one lives");
    }
}

#[test]
fn logins_go_wrong_in_their_own_ways() {
    let world = World::new();
    world.fault(Fault::new(Kind::WrongTotp).times(1));
    world.pass(30);
    assert_eq!(world.view().json["errorCode"], "401");
    let view = world.view();
    for (kind, body) in [
        (Kind::WrongMpin, json!({"stCode": 401, "errMsg": "Invalid MPIN", "status": "failure"})),
        (Kind::NoData, json!({"status": "success", "message": "validated"})),
        (Kind::DataNull, json!({"status": "success", "data": null})),
    ] {
        world.fault(Fault::new(kind.clone()).times(1));
        let answer = world.validate(&view);
        assert_eq!((answer.status, answer.json), (200, body), "{kind:?}");
    }
    assert_eq!(world.sim.audit().logins, 0);
    assert_eq!(world.validate(&view).json["data"]["kType"], "Trade");
}

#[test]
fn a_session_ends_some_time_after_its_login() {
    for kind in [Kind::TokenDies { after_s: 13 }, Kind::ForeignLogin { after_s: 13 }] {
        let world = World::new();
        world.fault(Fault::new(kind.clone()).times(2));
        for _ in 0..2 {
            let session = world.log_in();
            world.pass(12);
            assert_eq!(world.get(&session, "/quick/user/orders").code(), 5203, "{kind:?}");
            world.pass(1);
            assert_eq!(world.get(&session, "/quick/user/orders").code(), 100_022, "{kind:?}");
        }
        let kept = world.log_in();
        world.pass(60);
        assert_eq!(world.get(&kept, "/quick/user/orders").code(), 5203, "{kind:?}: twice was enough");
    }
}

#[test]
fn a_book_is_late_empty_or_strange() {
    let world = World::new();
    let session = world.log_in();
    world.fault(at_place(Kind::LateBook { seconds: 45, trades: false }));
    let late = world.place(&session, &resting("late"));
    assert_eq!(world.get(&session, "/quick/user/orders").code(), 5203);
    world.pass(45);
    assert_eq!(world.get(&session, "/quick/user/orders").json["data"][0]["nOrdNo"], late.as_str());

    for (shape, body) in [
        (
            EmptyShape::NoData,
            json!({"stCode": 5203, "errMsg": "No Data", "desc": "data not found", "stat": "Not_Ok"}),
        ),
        (EmptyShape::EmptyList, json!({"stat": "Ok", "stCode": 200, "data": []})),
    ] {
        world.fault(Fault::new(Kind::EmptyBook { shape }).times(1));
        let answer = world.get(&session, "/quick/user/orders");
        assert_eq!((answer.status, answer.json), (200, body));
    }

    world.fault(at_place(Kind::StrangeStatus { text: "parked for review".to_owned(), seconds: None }));
    let strange = world.place(&session, &resting("strange"));
    let row = world.get(&session, &format!("/quick/user/orders/{strange}")).json["data"][0].clone();
    assert_eq!((&row["ordSt"], &row["stat"]), (&json!("parked for review"), &json!("parked for review")));
}

#[test]
fn a_tag_is_altered_or_lost() {
    let world = World::new();
    let session = world.log_in();
    let shown = |number: &str| {
        world.get(&session, &format!("/quick/user/orders/{number}")).json["data"][0]["GuiOrdId"].clone()
    };
    world.fault(at_place(Kind::BlankTag));
    let blank = world.place(&session, &resting("blank"));
    assert_eq!(shown(&blank), "");
    world.fault(at_place(Kind::AlteredTag { text: None }));
    let altered = world.place(&session, &resting("altered"));
    assert!(shown(&altered).as_str().is_some_and(|tag| tag.ends_with("-****-ADMINAPI")));
    let later = world.place(&session, &resting("later"));
    assert_eq!(shown(&later), "later");
    let text = Some("Nezuko-1764835123".to_owned());
    world.fault(Fault::new(Kind::AlteredTag { text }).on([Endpoint::Modify]).times(1));
    let change = json!({"no": later, "pr": "451", "pt": "L", "qt": "9", "vd": "DAY", "tp": "0", "dq": "0", "am": "NO"});
    assert_eq!(world.try_post(&session, "/quick/order/vr/modify", &change).expect("an answer").code(), 200);
    assert_eq!(shown(&later), "Nezuko-1764835123", "after the change, as seen live");
    let tags = world.sim.audit().by_tag();
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["altered", "blank", "later"], "the truth is kept");
}

#[test]
fn fills_come_in_parts_twice_or_before_the_answer() {
    let world = World::new();
    let session = world.log_in();
    let fills = |number: &str| -> Vec<(String, i64)> {
        let trades = world.get(&session, "/quick/user/trades");
        let rows = trades.json["data"].as_array().cloned().unwrap_or_default();
        let mine = rows.iter().filter(|row| row["nOrdNo"] == number);
        mine.map(|row| {
            (row["flId"].as_str().expect("a text").to_owned(), row["fldQty"].as_i64().expect("a number"))
        })
        .collect()
    };

    world.fault(at_place(Kind::FillBeforeAnswer));
    let fast = world.place(&session, &market("fast"));
    assert_eq!(fills(&fast).iter().map(|(_, shares)| shares).sum::<i64>(), 10, "no time has passed");

    world.fault(at_place(Kind::DuplicateFills));
    let twice = world.place(&session, &market("twice"));
    world.pass(300);
    let rows = fills(&twice);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0], rows[1], "under the same number");
    let position = world.get(&session, "/quick/user/positions").json["data"][0]["flBuyQty"].clone();
    assert_eq!(position, "20", "and counted once");

    world.fault(at_place(Kind::PartialFills { parts: 2, every_s: 3_600 }));
    let parts = world.place(&session, &market("parts"));
    world.pass(300);
    let row = world.get(&session, &format!("/quick/user/orders/{parts}")).json["data"][0].clone();
    assert_eq!((&row["ordSt"], &row["fldQty"], &row["unFldSz"]), (&json!("open"), &json!(5), &json!(5)));
    world.pass(3_600);
    let rows = fills(&parts);
    assert_eq!(rows.iter().map(|(_, shares)| *shares).collect::<Vec<_>>(), [5, 5]);
    assert_ne!(rows[0].0, rows[1].0, "each with its own number");
}
