//! Orders: how they are taken, refused, changed and ended.

use serde_json::{Value, json};

use super::stage::{Answer, Held, Stage, buy, with};

fn placed(stage: &Stage, session: &Held, order: &Value) -> String {
    Answer::of(stage.place(session, order)).number()
}

fn refused(stage: &Stage, session: &Held, order: &Value) -> i64 {
    let answer = Answer::of(stage.place(session, order));
    assert_eq!(answer.json["nOrdNo"], Value::Null, "{order}");
    answer.code()
}

#[test]
fn an_order_walks_through_its_statuses() {
    let stage = Stage::new();
    let session = stage.login();
    let number = placed(&stage, &session, &buy("t-1", "101"));
    assert!(number.starts_with("250603"), "{number}");
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["stat"].as_str()), (Some("open"), Some("open")));
    assert_eq!((row["GuiOrdId"].as_str(), row["qty"].as_i64()), (Some("t-1"), Some(4)));
    stage.pass(60);
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["fldQty"].as_i64()), (Some("complete"), Some(4)));
    assert_eq!((row["avgPrc"].as_str(), row["unFldSz"].as_i64()), (Some("100.00"), Some(0)));
    let history = Answer::of(stage.ask(&session, true, "/quick/order/history", &json!({"nOrdNo": number})));
    let walk: Vec<&str> = history.rows().iter().map(|row| row["ordSt"].as_str().unwrap()).collect();
    assert_eq!(walk, ["complete", "open", "open pending", "validation pending", "put order req received"]);
    assert_eq!(
        (history.rows()[4]["exchOrdId"].as_str(), history.rows()[4]["exchTmstp"].as_str()),
        (Some("NA"), Some("--"))
    );
}

#[test]
fn what_the_order_system_sees_at_once_is_refused_at_once() {
    let stage = Stage::new();
    let session = stage.login();
    let good = || buy("t", "95");
    for (fields, code) in [
        (vec![("pr", "")], 1009),
        (vec![("pr", "0.0")], 1009),
        (vec![("pr", "0")], 1009),
        (vec![("qt", "0")], 1009),
        (vec![("qt", "1.5")], 1009),
        (vec![("es", "nse_fo")], 1006),
        (vec![("ts", "ACME")], 1007),
        (vec![("ts", "NONE-EQ")], 1007),
        (vec![("tt", "X")], 1002),
        (vec![("pt", "SP")], 1002),
        (vec![("rt", "GTC")], 1002),
        (vec![("pc", "CO")], 1002),
        (vec![("pt", "SL")], 1009),
        (vec![("tp", "90")], 1009),
    ] {
        assert_eq!(refused(&stage, &session, &with(good(), &fields)), code, "{fields:?}");
    }
    let body = stage.raw(
        true,
        "/quick/order/rule/ms/place",
        &[("auth", &session.token), ("sid", &session.sid)],
        "jData={",
    );
    assert_eq!(Answer::of(body).code(), 1007);
    assert_eq!(stage.accepted(), 0);
    assert!(stage.audit().refused.is_empty());
}

#[test]
fn what_a_risk_check_refuses_is_acknowledged_and_then_rejected() {
    let stage = Stage::new();
    let session = stage.login();
    for (order, reason) in [
        (with(buy("a", "100"), &[("qt", "9000")]), "RMS:Margin Exceeds"),
        (with(buy("b", "100"), &[("tt", "S")]), "RMS:Rule: Check T1 holdings"),
        (buy("c", "121"), "Circuit breach, High Price Range:120.00 Low Price Range:80.00"),
        (buy("d", "95.02"), "RMS:price 95.02 is not a multiple of the tick"),
        (with(buy("e", "95"), &[("pc", "MTF")]), "RMS:MTF is not modelled"),
        (with(buy("f", "0"), &[("pt", "SL-M"), ("tp", "105")]), "Market order with Algo Id not allowed"),
    ] {
        let number = placed(&stage, &session, &order);
        let row = stage.row(&session, &number);
        assert_eq!(row["ordSt"], "rejected", "{order}");
        assert!(row["rejRsn"].as_str().unwrap().starts_with(reason), "{row}");
        assert_eq!(row["exOrdId"], "NA");
        assert_eq!(stage.audit().refused.len(), stage.audit().calls[&crate::Endpoint::Place] as usize);
        let again = Answer::of(stage.cancel(&session, &number));
        assert_eq!(again.code(), 1021);
    }
    assert_eq!(stage.accepted(), 0);
    assert_eq!(stage.audit().book.account.blocked, model::Money::ZERO);
}

#[test]
fn a_tag_is_taken_once() {
    let stage = Stage::new();
    let session = stage.login();
    placed(&stage, &session, &buy("same", "95"));
    let again = Answer::of(stage.place(&session, &buy("same", "95")));
    assert_eq!((again.status, again.code()), (400, 32));
    for _ in 0..2 {
        placed(&stage, &session, &with(buy("", "95"), &[]));
    }
    assert_eq!(stage.accepted(), 3, "without a tag nothing is unique");
    assert_eq!(stage.audit().by_tag(), [("same".to_owned(), 1)].into());

    let loose = Stage::tuned(|config| config.unique_tags = false);
    let session = loose.login();
    placed(&loose, &session, &buy("same", "95"));
    placed(&loose, &session, &buy("same", "95"));
    assert_eq!(loose.audit().by_tag(), [("same".to_owned(), 2)].into());
}

#[test]
fn a_market_order_becomes_a_limit() {
    let stage = Stage::new();
    let session = stage.login();
    for price in [Value::from("0"), Value::Null] {
        let mut order = with(buy("", "0"), &[("pt", "MKT")]);
        order["pr"] = price;
        let number = placed(&stage, &session, &order);
        let row = stage.row(&session, &number);
        assert_eq!((row["prcTp"].as_str(), row["prc"].as_str()), (Some("L"), Some("101.00")));
        stage.pass(60);
        assert_eq!(stage.row(&session, &number)["ordSt"], "complete");
    }
}

#[test]
fn a_stop_waits_for_its_trigger() {
    let stage = Stage::new();
    let session = stage.login();
    let number = placed(&stage, &session, &with(buy("s", "106"), &[("pt", "SL"), ("tp", "105")]));
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["trgPrc"].as_str()), (Some("trigger pending"), Some("105.00")));
}

#[test]
fn an_order_is_changed_and_ended() {
    let stage = Stage::new();
    let session = stage.login();
    let number = placed(&stage, &session, &buy("m", "95"));
    assert_eq!(Answer::of(stage.modify(&session, &number, "96", "6")).number(), number);
    let row = stage.row(&session, &number);
    assert_eq!((row["prc"].as_str(), row["qty"].as_i64()), (Some("96.00"), Some(6)));
    assert_eq!(Answer::of(stage.modify(&session, &number, "", "6")).code(), 1009);
    assert_eq!(Answer::of(stage.modify(&session, &number, "121", "6")).code(), 1006);
    assert_eq!(Answer::of(stage.cancel(&session, &number)).number(), number);
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["cnlQty"].as_i64()), (Some("cancelled"), Some(6)));
    assert_eq!((row["rejRsn"].as_str(), row["prc"].as_str()), (Some("--"), Some("96.00")));
    for answer in [stage.cancel(&session, &number), stage.modify(&session, &number, "96", "6")] {
        let answer = Answer::of(answer);
        assert_eq!((answer.status, answer.code()), (200, 1021));
        assert_eq!(answer.json["stat"], "please provide valid order number");
    }
    assert_eq!(Answer::of(stage.cancel(&session, "250603999999")).code(), 1010);
    let exit = Answer::of(stage.ask(&session, true, "/quick/order/co/exit", &json!({"on": number})));
    assert_eq!(exit.code(), 1002);
}

#[test]
fn an_immediate_order_ends_with_its_rest_cancelled() {
    let stage = Stage::new();
    let session = stage.login();
    let number = placed(&stage, &session, &with(buy("i", "95"), &[("rt", "IOC")]));
    stage.pass(60);
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["cnlQty"].as_i64()), (Some("cancelled"), Some(4)));
    assert_eq!(row["vldt"], "IOC");
}

#[test]
fn a_day_order_expires_and_says_so() {
    let stage = Stage::new();
    let session = stage.login();
    let number = placed(&stage, &session, &buy("d", "95"));
    stage.pass(7 * 3600);
    let row = stage.row(&session, &number);
    assert_eq!((row["ordSt"].as_str(), row["cnlQty"].as_i64()), (Some("cancelled"), Some(4)));
    assert!(row["rejRsn"].as_str().unwrap().starts_with("Expired: "), "{row}");
}

#[test]
fn an_after_market_order_waits_for_the_open() {
    let stage = Stage::new();
    stage.pass(9 * 3600);
    let session = stage.login();
    let amo = |tag: &str| with(buy(tag, "101"), &[("am", "YES")]);
    let kept = placed(&stage, &session, &amo("kept"));
    let ended = placed(&stage, &session, &amo("ended"));
    let row = stage.row(&session, &kept);
    assert_eq!(
        (row["ordSt"].as_str(), row["ordGenTp"].as_str()),
        (Some("after market order req received"), Some("AMO"))
    );
    assert_eq!(row["exOrdId"], "NA");
    assert_eq!(Answer::of(stage.cancel(&session, &ended)).code(), 1002, "am is needed");
    let change = json!({"no": kept, "pr": "102", "pt": "L", "qt": "4", "vd": "DAY", "tp": "0", "am": "YES"});
    Answer::of(stage.ask(&session, true, "/quick/order/vr/modify", &change)).number();
    assert_eq!(stage.row(&session, &kept)["ordSt"], "modify after market order req received");
    Answer::of(stage.ask(&session, true, "/quick/order/cancel", &json!({"on": ended, "am": "YES"}))).number();
    assert_eq!(stage.row(&session, &ended)["ordSt"], "cancelled after market order");
    stage.pass(15 * 3600);
    let session = stage.login();
    let row = stage.row(&session, &kept);
    assert_eq!((row["ordSt"].as_str(), row["avgPrc"].as_str()), (Some("complete"), Some("100.00")));
}
