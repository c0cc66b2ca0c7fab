//! What goes over the wire, and what does not.

use kotak_neo::secrecy::ExposeSecret as _;
use kotak_neo::transport::{Body, Method, Request};
use kotak_neo::*;

use crate::samples;
use crate::support::*;

async fn sent(name: &str) -> Request {
    let script = Script::with(200, samples::of(name));
    call(script.clone(), name).await.expect(name);
    let mut requests = script.sent();
    assert_eq!(requests.len(), 1, "{name}");
    requests.remove(0)
}

/// The decoded `jData` of a form.
fn form(request: &Request) -> serde_json::Value {
    let Body::Form(body) = &request.body else { panic!("{request:?} has no form") };
    let text = body.strip_prefix("jData=").expect("one field");
    assert!(!text.contains(['&', '=', '+', ' ', '"', '{']), "encoded: {text}");
    let text = percent_encoding::percent_decode_str(text).decode_utf8().expect("UTF-8");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test]
async fn every_call_goes_to_its_path_with_its_headers() {
    let base = "https://e21.kotaksecurities.com";
    let login = "https://mis.kotaksecurities.com/login/1.0";
    let trade = [
        ("place", format!("{base}/quick/order/rule/ms/place"), Method::Post),
        ("modify", format!("{base}/quick/order/vr/modify"), Method::Post),
        ("cancel", format!("{base}/quick/order/cancel"), Method::Post),
        ("orders", format!("{base}/quick/user/orders"), Method::Get),
        ("order", format!("{base}/quick/user/orders/250720000007242"), Method::Get),
        ("history", format!("{base}/quick/order/history"), Method::Post),
        ("trades", format!("{base}/quick/user/trades"), Method::Get),
        ("positions-v2", format!("{base}/portfolio/v2/positions"), Method::Get),
        ("positions-quick", format!("{base}/quick/user/positions"), Method::Get),
        ("holdings", format!("{base}/portfolio/v1/holdings"), Method::Get),
        ("limits", format!("{base}/quick/user/limits"), Method::Post),
        ("margin", format!("{base}/quick/user/check-margin"), Method::Post),
        ("client-ip", format!("{login}/get-client-ip"), Method::Get),
    ];
    for (name, url, method) in trade {
        let request = sent(name).await;
        assert_eq!((request.url.as_str(), request.method), (url.as_str(), method), "{name}");
        let headers = ["Authorization", "Auth", "Sid", "neo-fin-key"].map(|header| request.header(header));
        assert_eq!(headers, [Some(KEY), Some(TOKEN), Some(SID), Some("neotradeapi")], "{name}");
        assert_eq!(matches!(request.body, Body::Form(_)), method == Method::Post, "{name}");
    }
    let data = [
        ("quotes", format!("{base}/script-details/1.0/quotes/neosymbol/nse_cm%7CNifty%2050/all")),
        ("scrip-files", format!("{base}/script-details/1.0/masterscrip/file-paths")),
        (
            "candles",
            format!(
                "{base}/market-data/1.0/historical/details?neosymbol=nse_cm%7C1333&interval=5min&fromdate=2026-10-01&todate=2026-10-30"
            ),
        ),
    ];
    for (name, url) in data {
        let request = sent(name).await;
        assert_eq!((request.url.as_str(), request.method), (url.as_str(), Method::Get), "{name}");
        assert_eq!(request.header("Authorization"), Some(KEY), "{name}");
        assert_eq!(
            (request.header("Auth"), request.header("Sid")),
            (None, None),
            "{name}: no session leaves"
        );
    }
    let request = sent("scrip-master").await;
    assert!(request.headers.is_empty(), "a public file gets no header of ours");
}

#[tokio::test]
async fn an_order_is_strings_in_a_form() {
    let expected = serde_json::json!({
        "am": "NO", "dq": "0", "es": "nse_cm", "ig": "tag-1", "mp": "0", "os": "NEOTRADEAPI", "pc": "CNC", "pf": "N",
        "pr": "9.39", "pt": "L", "qt": "12", "rt": "DAY", "tp": "0", "ts": "ITBEES-EQ", "tt": "B",
    });
    assert_eq!(form(&sent("place").await), expected);
    let expected = serde_json::json!({
        "am": "YES", "dd": "NA", "dq": "0", "es": "nse_cm", "fq": "3", "mp": "0", "no": "250720000007242",
        "os": "NEOTRADEAPI", "pc": "CNC", "pr": "9.4", "pt": "SL", "qt": "15", "tk": "19084", "tp": "9.35",
        "ts": "ITBEES-EQ", "tt": "S", "vd": "DAY",
    });
    assert_eq!(form(&sent("modify").await), expected);
    let expected = serde_json::json!({"am": "YES", "on": "250720000007242", "ts": "ITBEES-EQ"});
    assert_eq!(form(&sent("cancel").await), expected);
    assert_eq!(form(&sent("history").await), serde_json::json!({"nOrdNo": "250720000007242"}));
    assert_eq!(form(&sent("limits").await), serde_json::json!({"seg": "ALL", "exch": "ALL", "prod": "ALL"}));
    let expected = serde_json::json!({
        "brkName": "KOTAK", "brnchId": "ONLINE", "exSeg": "nse_cm", "prc": "19.095", "prcTp": "L", "prod": "CNC",
        "qty": "2", "tok": "19084", "trgPrc": "0", "trnsTp": "B",
    });
    assert_eq!(form(&sent("margin").await), expected);
}

#[tokio::test]
async fn an_order_number_comes_back_or_the_answer_is_unreadable() {
    let good = r#"{"nOrdNo":250720000007242,"stat":"ok","stCode":"200"}"#;
    assert_eq!(client(Script::with(200, good)).place(&place_order()).await, Ok(number()));
    let bare = r#"{"stat":"Ok","stCode":200}"#;
    for body in
        [bare, r#"{"nOrdNo":"--","stat":"Ok","stCode":200}"#, r#"{"nOrdNo":"a b","stat":"Ok","stCode":200}"#]
    {
        let error = client(Script::with(200, body)).place(&place_order()).await.expect_err(body);
        assert!(matches!(error, Error::Unreadable { .. }), "{body}: {error}");
    }
    assert_eq!(client(Script::with(200, bare)).modify(&modify_order()).await, Ok(number()));
    assert_eq!(client(Script::with(200, bare)).cancel(&cancel_order()).await, Ok(number()));
}

#[tokio::test]
async fn what_would_be_refused_for_sure_is_not_sent() {
    let script = std::sync::Arc::new(Script::default());
    let client = client(script.clone());
    let mut refused = Vec::new();
    let changes: [fn(&mut orders::PlaceOrder); 8] = [
        |order| order.quantity = 0,
        |order| order.price = Amount::ZERO,
        |order| order.price = Amount::from_units(-1),
        |order| order.trigger = Amount::from_units(-1),
        |order| order.order_type = OrderType::StopLimit,
        |order| order.trading_symbol = " ".to_owned(),
        |order| order.tag = Some(String::new()),
        |order| order.tag = Some("with blank".to_owned()),
    ];
    for change in changes {
        let mut order = place_order();
        change(&mut order);
        refused.push(client.place(&order).await.expect_err("refused"));
    }
    let too_many: Vec<Instrument> = std::iter::repeat_n(instrument(), 51).collect();
    refused.push(client.quotes(&too_many, QuoteFilter::Ltp).await.expect_err("51 instruments"));
    refused.push(client.quotes(&[], QuoteFilter::Ltp).await.expect_err("none"));
    let spans = [
        (Interval::Min1, 30),
        (Interval::Min3, 30),
        (Interval::Min5, 30),
        (Interval::Min10, 60),
        (Interval::Min15, 60),
        (Interval::Min30, 90),
        (Interval::Min60, 90),
        (Interval::Day, 180),
        (Interval::Week, 180),
    ];
    for (interval, days) in spans {
        let mut query = candle_query();
        query.interval = interval;
        query.to = query.from + chrono::Duration::days(days);
        refused.push(client.candles(&query).await.expect_err("a day too many"));
    }
    let mut query = candle_query();
    std::mem::swap(&mut query.from, &mut query.to);
    refused.push(client.candles(&query).await.expect_err("backwards"));
    refused.push(client.scrip_master("file:///etc/passwd").await.expect_err("no web address"));
    assert!(refused.iter().all(|error| matches!(error, Error::Invalid { .. })), "{refused:?}");
    assert!(script.sent().is_empty());

    script.then(200, "[]");
    let fifty: Vec<Instrument> = too_many.into_iter().take(50).collect();
    client.quotes(&fifty, QuoteFilter::Ltp).await.expect("50 are fine");
    assert!(script.sent()[0].url.contains("Nifty%2050,nse_cm%7C"), "commas stay");
    let mut query = candle_query();
    (query.interval, query.to) = (Interval::Day, query.from + chrono::Duration::days(179));
    script.then(200, samples::CANDLES);
    client.candles(&query).await.expect("180 days are fine");
}

#[test]
fn order_numbers_cannot_leave_their_path() {
    for text in ["", "a/b", "..", "a b", "1?x", "é", &"1".repeat(41)] {
        assert!(OrderNumber::new(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_logins_send_what_the_facts_say() {
    let request = sent("view").await;
    assert_eq!(request.url, "https://mis.kotaksecurities.com/login/1.0/tradeApiLogin");
    assert_eq!(
        ["Authorization", "neo-fin-key"].map(|name| request.header(name)),
        [Some(KEY), Some("neotradeapi")]
    );
    let Body::Json(body) = &request.body else { panic!("JSON") };
    let body: serde_json::Value = serde_json::from_str(body.expose_secret()).expect("JSON");
    assert_eq!(body, serde_json::json!({"mobileNumber": MOBILE, "ucc": UCC, "totp": TOTP}));

    let request = sent("validate").await;
    assert_eq!(request.url, "https://mis.kotaksecurities.com/login/1.0/tradeApiValidate");
    let headers = ["Authorization", "neo-fin-key", "sid", "Auth"].map(|name| request.header(name));
    assert_eq!(headers, [Some(KEY), Some("neotradeapi"), Some(VIEW_SID), Some(VIEW_TOKEN)]);
    let Body::Json(body) = &request.body else { panic!("JSON") };
    assert_eq!(body.expose_secret(), &format!(r#"{{"mpin":"{MPIN}"}}"#));
}

#[tokio::test]
async fn every_call_can_be_made_from_a_task() {
    for name in CALLS {
        let script = Script::with(200, samples::of(name));
        tokio::spawn(async move { call(script, name).await.expect(name) }).await.expect("no panic");
    }
}
