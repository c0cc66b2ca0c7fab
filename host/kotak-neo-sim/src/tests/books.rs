//! The books, with the odd types of the wire.

use serde_json::{Value, json};

use super::stage::{Answer, Stage, buy};
use crate::EmptyShape;

#[test]
fn empty_books_are_said_in_either_way() {
    for (shape, code) in [(EmptyShape::NoData, 5203), (EmptyShape::EmptyList, 200)] {
        let stage = Stage::tuned(|config| config.empty_book = shape);
        let session = stage.login();
        for target in [
            "/quick/user/orders?sId=server1",
            "/quick/user/trades",
            "/quick/user/positions",
            "/portfolio/v2/positions",
        ] {
            let answer = stage.get(&session, target);
            assert_eq!((answer.status, answer.code()), (200, code), "{target}");
            assert_eq!(answer.json.get("data").is_some(), shape == EmptyShape::EmptyList);
        }
    }
}

#[test]
fn a_fill_is_in_every_book() {
    let stage = Stage::new();
    let session = stage.login();
    let number = Answer::of(stage.place(&session, &buy("b", "101"))).number();
    stage.pass(60);
    let trades = stage.get(&session, "/quick/user/trades");
    assert_eq!((trades.json["stat"].as_str(), trades.rows().len()), (Some("ok"), 1));
    let trade = &trades.rows()[0];
    assert_eq!((trade["nOrdNo"].as_str(), trade["fldQty"].as_i64()), (Some(number.as_str()), Some(4)));
    assert_eq!(
        (trade["tok"].as_str(), trade["qty"].as_i64(), trade["prc"].as_str()),
        (Some(""), Some(0), Some(""))
    );
    assert_eq!((trade["avgPrc"].as_str(), trade["flLeg"].as_i64()), (Some("100.00"), Some(1)));

    for target in ["/quick/user/positions", "/portfolio/v2/positions"] {
        let positions = stage.get(&session, target);
        assert_eq!(positions.json["stat"], "ok");
        let row = &positions.rows()[0];
        assert_eq!((row["flBuyQty"].as_str(), row["buyAmt"].as_str()), (Some("4"), Some("400.00")));
        assert_eq!((row["brdLtQty"].as_i64(), row["lotSz"].as_str()), (Some(1), Some("1")));
    }
    let one = stage.get(&session, &format!("/quick/user/orders/{number}"));
    assert_eq!((one.json["stat"].as_str(), one.rows().len()), (Some("Ok"), 1));
    let row = &one.rows()[0];
    assert_eq!(
        (row["brdLtQty"].as_str(), row["prc"].as_str(), row["tckSz"].as_str()),
        (Some("1"), Some("101.00"), Some("0.0500"))
    );
    assert!(row["updRecvTm"].is_i64() && row["boeSec"].is_i64() && row["uSec"].is_string());
    assert!(row["ordDtTm"].as_str().unwrap().starts_with("03-Jun-2025 10:0"));
}

#[test]
fn holdings_have_numbers_and_no_stat() {
    let stage = Stage::new();
    let session = stage.login();
    let holdings = stage.get(&session, "/portfolio/v1/holdings");
    assert_eq!((holdings.json.get("stat"), holdings.json.get("stCode")), (None, None));
    let row = &holdings.rows()[0];
    assert_eq!(
        (row["symbol"].as_str(), row["quantity"].as_i64(), row["averagePrice"].as_f64()),
        (Some("HELD"), Some(10), Some(90.0))
    );
    assert!(row["exchangeIdentifier"].is_string() && row["instrumentToken"].is_i64());
    assert_eq!((row["mktValue"].as_f64(), row["unrealisedGainLoss"].as_f64()), (Some(1000.0), Some(100.0)));
}

#[test]
fn limits_are_flat_texts() {
    let stage = Stage::new();
    let session = stage.login();
    Answer::of(stage.place(&session, &buy("l", "95"))).number();
    let limits = Answer::of(stage.ask(
        &session,
        true,
        "/quick/user/limits",
        &json!({"seg": "ALL", "exch": "ALL", "prod": "ALL"}),
    ));
    let Value::Object(fields) = &limits.json else { panic!("{:?}", limits.json) };
    assert!((70..100).contains(&fields.len()), "{}", fields.len());
    assert!(fields.iter().all(|(name, value)| name == "stCode" || value.is_string()));
    assert_eq!(limits.json["CollateralValue"], "100000.0");
    let used: f64 = limits.json["MarginUsed"].as_str().unwrap().parse().unwrap();
    assert!((380.0..390.0).contains(&used), "four at 95, and charges: {used}");
}

#[test]
fn a_margin_is_told_in_six_decimals() {
    let stage = Stage::new();
    let session = stage.login();
    let ask = |quantity: &str| {
        let order = json!({"exSeg": "nse_cm", "prc": "95", "prcTp": "L", "prod": "CNC", "qty": quantity,
            "tok": "10001", "trnsTp": "B", "trgPrc": "0", "brkName": "KOTAK", "brnchId": "ONLINE", "slVal": null});
        Answer::of(stage.ask(&session, true, "/quick/user/check-margin", &order))
    };
    let enough = ask("4");
    assert_eq!(
        (enough.json["ordMrgn"].as_str(), enough.json["rmsVldtd"].as_str()),
        (Some("380.000000"), Some("OK"))
    );
    let short = ask("2000");
    assert_eq!(
        (short.json["insufFund"].as_str(), short.json["rmsVldtd"].as_str()),
        (Some("90000.000000"), Some("NOT_OK"))
    );
}
