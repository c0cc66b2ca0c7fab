//! Faults of how orders and fills are shown. None of them changes what the exchange has.

use serde_json::Value;

use super::stage::{Answer, Held, Stage, buy};
use crate::{EmptyShape, Endpoint, Fault, Kind};

/// A stage on which the first order meets `kind`; the order's number.
fn placed(kind: Kind, price: &str) -> (Stage, Held, String) {
    let stage = Stage::new();
    let session = stage.login();
    stage.fault_once(Endpoint::Place, kind);
    let number = Answer::of(stage.place(&session, &buy("tag", price))).number();
    assert_eq!(stage.audit().by_tag(), [("tag".to_owned(), 1)].into());
    (stage, session, number)
}

fn fills(stage: &Stage, session: &Held) -> Vec<(String, i64)> {
    let trades = stage.get(session, "/quick/user/trades");
    let rows = trades.rows().iter();
    rows.map(|row| {
        (row["flId"].as_str().expect("a number").to_owned(), row["fldQty"].as_i64().expect("shares"))
    })
    .collect()
}

fn bought(stage: &Stage, session: &Held) -> Value {
    let positions = stage.get(session, "/quick/user/positions");
    positions.rows().first().map_or(Value::Null, |row| row["flBuyQty"].clone())
}

#[test]
fn a_late_book_hides_the_order_that_was_accepted() {
    for trades in [false, true] {
        let (stage, session, number) = placed(Kind::LateBook { seconds: 90, trades }, "101");
        let book = stage.get(&session, "/quick/user/orders");
        assert_eq!(book.code(), 5203);
        assert_eq!(stage.accepted(), 1);
        stage.pass(60);
        assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203);
        assert_eq!(fills(&stage, &session).len(), usize::from(!trades));
        assert_eq!(bought(&stage, &session).is_null(), trades);
        stage.pass(30);
        assert_eq!(stage.row(&session, &number)["ordSt"], "complete");
        assert_eq!(fills(&stage, &session).len(), 1);
    }
}

#[test]
fn an_empty_book_comes_with_200() {
    for shape in [EmptyShape::NoData, EmptyShape::EmptyList] {
        let (stage, session, number) = placed(Kind::EmptyBook { shape }, "101");
        stage.pass(60);
        let on = [Endpoint::Orders, Endpoint::Trades, Endpoint::Positions, Endpoint::Holdings];
        stage.sim.faults().add(Fault::new(Kind::EmptyBook { shape }).on(on));
        for target in
            ["/quick/user/orders", "/quick/user/trades", "/quick/user/positions", "/portfolio/v1/holdings"]
        {
            let answer = stage.get(&session, target);
            assert_eq!((answer.status, answer.rows().len()), (200, 0), "{target}");
        }
        stage.sim.faults().clear();
        assert_eq!(stage.row(&session, &number)["ordSt"], "complete");
    }
}

#[test]
fn a_fill_is_told_in_parts() {
    let (stage, session, number) = placed(Kind::PartialFills { parts: 3, every_s: 30 }, "101");
    stage.pass(20);
    let row = stage.row(&session, &number);
    assert_eq!(
        (row["ordSt"].as_str(), row["fldQty"].as_i64(), row["unFldSz"].as_i64()),
        (Some("open"), Some(2), Some(2))
    );
    assert_eq!(bought(&stage, &session), "2");
    stage.pass(30);
    assert_eq!(stage.row(&session, &number)["fldQty"], 3);
    stage.pass(30);
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["fldQty"].as_i64()), (Some("complete"), Some(4)));
    let told = fills(&stage, &session);
    assert_eq!(told.iter().map(|(_, shares)| *shares).collect::<Vec<_>>(), [2, 1, 1]);
    let mut numbers: Vec<&String> = told.iter().map(|(number, _)| number).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "each part has its own number");
    assert_eq!(stage.audit().book.trades.len(), 1, "the exchange has one");
}

#[test]
fn a_fill_is_told_twice_under_one_number() {
    let (stage, session, _) = placed(Kind::DuplicateFills, "101");
    stage.pass(60);
    let told = fills(&stage, &session);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], told[1]);
    assert_eq!(bought(&stage, &session), "4", "nobody owns more for it");
    assert_eq!(stage.audit().book.trades.len(), 1);

    let stage = Stage::new();
    let session = stage.login();
    Answer::of(stage.place(&session, &buy("d", "101"))).number();
    stage.pass(60);
    stage.sim.faults().add(Fault::new(Kind::DuplicateFills).on([Endpoint::Trades]).nth(1));
    assert_eq!(fills(&stage, &session).len(), 2);
    assert_eq!(fills(&stage, &session).len(), 1);
}

#[test]
fn an_order_is_filled_before_it_is_answered() {
    let (stage, session, number) = placed(Kind::FillBeforeAnswer, "101");
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["fldQty"].as_i64()), (Some("complete"), Some(4)));
    let now = stage.sim.now();
    let told = stage.get(&session, "/quick/user/trades");
    assert!(
        told.rows()[0]["updRecvTm"].as_i64().expect("nanoseconds") <= now.nanos(),
        "nothing is of the future"
    );
    // What rests goes on resting.
    let (stage, session, number) = placed(Kind::FillBeforeAnswer, "95");
    assert_eq!(stage.row(&session, &number)["ordSt"], "open");
}

#[test]
fn a_status_that_nobody_knows_is_shown_while_the_order_works() {
    let strange = |seconds| Kind::StrangeStatus { text: "parked for review".to_owned(), seconds };
    let (stage, session, number) = placed(strange(Some(90)), "95");
    assert_eq!(stage.row(&session, &number)["ordSt"], "parked for review");
    stage.pass(90);
    assert_eq!(stage.row(&session, &number)["ordSt"], "open");
    let (stage, session, number) = placed(strange(None), "101");
    let row = stage.row(&session, &number);
    assert_eq!(
        (row["ordSt"].as_str(), row["stat"].as_str()),
        (Some("parked for review"), Some("parked for review"))
    );
    stage.pass(60);
    assert_eq!(stage.row(&session, &number)["ordSt"], "complete");
}

#[test]
fn a_tag_is_altered_or_blank_at_once_or_from_a_change_on() {
    let text = || Some("Nezuko-1764835123".to_owned());
    let (stage, session, number) = placed(Kind::AlteredTag { text: text() }, "95");
    assert_eq!(stage.row(&session, &number)["GuiOrdId"], "Nezuko-1764835123");
    let (stage, session, number) = placed(Kind::BlankTag, "95");
    assert_eq!(stage.row(&session, &number)["GuiOrdId"], "");
    let again = Answer::of(stage.place(&session, &buy("tag", "95")));
    assert_eq!(again.code(), 32, "it is taken all the same");

    let stage = Stage::new();
    let session = stage.login();
    stage.sim.faults().add(Fault::new(Kind::AlteredTag { text: None }).on([Endpoint::Modify]));
    let number = Answer::of(stage.place(&session, &buy("tag", "95"))).number();
    assert_eq!(stage.row(&session, &number)["GuiOrdId"], "tag");
    Answer::of(stage.modify(&session, &number, "96", "4")).number();
    let shown = stage.row(&session, &number)["GuiOrdId"].as_str().expect("text").to_owned();
    assert!(shown.ends_with("-****-ADMINAPI"), "{shown}");
    assert_eq!(stage.audit().by_tag(), [("tag".to_owned(), 1)].into());
}

#[test]
fn an_order_that_looks_lost_is_found_again() {
    let stage = Stage::new();
    let session = stage.login();
    stage.fault_once(Endpoint::Place, Kind::LateBook { seconds: 30, trades: true });
    stage.fault_once(Endpoint::Place, Kind::Dropped { after: true });
    stage.fault_once(Endpoint::Place, Kind::BlankTag);
    assert_eq!(stage.place(&session, &buy("lost", "95")), crate::Reply::Drop);
    assert_eq!(stage.get(&session, "/quick/user/orders").code(), 5203);
    stage.pass(30);
    let book = stage.get(&session, "/quick/user/orders");
    assert_eq!((book.rows().len(), book.rows()[0]["GuiOrdId"].as_str()), (1, Some("")));
    assert_eq!(stage.audit().accepted["lost"].len(), 1);
}
