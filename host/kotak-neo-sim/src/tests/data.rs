//! Quotes, scrip master, candles: the access token is enough.

use std::sync::Arc;

use calendar::Calendar;
use market::demo::DAY1;
use market::{Dataset, ReplayMarket, ReplayOptions};
use model::{Symbol, Timestamp};
use serde_json::json;

use super::stage::{Answer, Stage};
use crate::SimConfig;

fn get(stage: &Stage, target: &str) -> Answer {
    Answer::of(stage.raw(false, target, &[("Authorization", &stage.key())], ""))
}

/// The demo's market at noon of its day.
fn demo() -> (Stage, Vec<Symbol>) {
    let data = Dataset::demo();
    let symbols: Vec<Symbol> = data.histories().iter().map(|history| history.symbol.clone()).collect();
    let market = ReplayMarket::new(data, Calendar::bundled(), ReplayOptions::default());
    let stage = Stage::on(Arc::new(market), SimConfig::new(symbols.clone()), Timestamp::at_ist(DAY1, 12, 0));
    (stage, symbols)
}

#[test]
fn quotes_are_a_bare_array_of_texts() {
    let stage = Stage::new();
    let quotes =
        get(&stage, "//script-details/1.0/quotes/neosymbol/nse_cm%7C10001,nse_cm|10002,nse_cm|77/all");
    let rows = quotes.json.as_array().expect("an array");
    assert_eq!(rows.len(), 2, "what is not known is left out");
    assert_eq!(
        (rows[0]["display_symbol"].as_str(), rows[0]["exchange_token"].as_str()),
        (Some("ACME-EQ"), Some("10001"))
    );
    assert_eq!(
        (rows[0]["ltp"].as_str(), rows[0]["high_price_range"].as_str()),
        (Some("100.0000"), Some("120.0000"))
    );
    assert_eq!(rows[0]["depth"]["buy"].as_array().map(Vec::len), Some(5));
    assert_eq!(rows[0]["depth"]["sell"][0]["price"], "100.0500");
    let few = get(&stage, "/script-details/1.0/quotes/neosymbol/nse_cm|10001/ltp");
    assert_eq!((few.json[0]["ltp"].as_str(), few.json[0].get("ohlc")), (Some("100.0000"), None));
    assert_eq!(few.json[0]["lstup_time"], "1748925000");
}

#[test]
fn quotes_refuse_what_they_do_not_know() {
    let stage = Stage::new();
    let many = vec!["nse_cm|10001"; 51].join(",");
    let at = "/script-details/1.0/quotes/neosymbol";
    assert_eq!(get(&stage, &format!("{at}/{many}/all")).json["fault"]["code"], 400);
    assert_eq!(get(&stage, &format!("{at}/nse_cm|10001/everything")).json["status"], "ERROR");
    assert_eq!(get(&stage, &format!("{at}/nse_cm|Nifty 50")).code(), 1009);
    assert_eq!(get(&stage, &format!("{at}/bse_cm|10001/ltp")).code(), 1009, "another segment's token");
    let nobody = Answer::of(stage.raw(false, &format!("{at}/nse_cm|10001/ltp"), &[], ""));
    assert_eq!((nobody.status, nobody.json["code"].as_str()), (401, Some("900901")));
}

#[test]
fn the_master_names_its_files_and_serves_them() {
    let stage = Stage::new();
    let paths = get(&stage, "/script-details/1.0/masterscrip/file-paths");
    assert_eq!(paths.json["data"]["baseFolder"], "http://sim.invalid/wso2-scripmaster/v1/prod");
    let files: Vec<&str> =
        paths.json["data"]["filesPaths"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let of = |segment: &str| {
        let path = files.iter().find(|path| path.contains(segment)).expect("listed");
        let target = path.strip_prefix("http://sim.invalid").expect("our own address");
        String::from_utf8(Answer::of(stage.raw(false, target, &[], "")).body).expect("text")
    };
    assert!(files[6].contains("/2025-06-03/transformed-v1/nse_cm-v1.csv"), "{files:?}");
    let nse = of("nse_cm");
    let lines: Vec<Vec<&str>> = nse.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0].len(), lines[1].len()), (3, 79, 79));
    let cell = |name: &str| lines[1][lines[0].iter().position(|known| *known == name).expect("a column")];
    assert_eq!((cell("pSymbol"), cell("pTrdSymbol"), cell("pGroup")), ("10001", "ACME-EQ", "EQ"));
    assert_eq!(
        (cell("dTickSize "), cell("dHighPriceRange "), cell("dStrikePrice;")),
        ("5.000000", "12000.000000", "-1.000000")
    );
    assert_eq!((cell("pCreditRating"), cell("lFreezeQty")), ("80.00-120.00", "-1"));
    assert!(of("bse_cm").lines().nth(1).expect("a row").starts_with("10003,EQ,bse_cm,,ACME,ACME,"));
    assert_eq!(of("nse_fo").lines().count(), 1);
    assert_eq!(
        Answer::of(stage.raw(false, "/wso2-scripmaster/v1/prod/2025-06-03/transformed/x.csv", &[], ""))
            .status,
        404
    );
}

#[test]
fn candles_are_joined_to_the_length_asked_for() {
    let (stage, _) = demo();
    let ask = |interval: &str, from: &str, to: &str| {
        get(
            &stage,
            &format!(
                "/market-data/1.0/historical/details?neosymbol=nse_cm%7C10001&interval={interval}&fromdate={from}&todate={to}"
            ),
        )
    };
    let days = ask("D", "2026-05-04", "2026-05-12");
    assert_eq!((days.json["status"].as_str(), days.json["interval"].as_str()), (Some("success"), Some("D")));
    let rows = days.json["data"]["candles"].as_array().expect("rows");
    assert_eq!(rows.len(), 7, "Monday to Tuesday of the week after");
    assert_eq!(rows[6][0], "2026-05-12T09:15:00+0530");
    let weeks = ask("W", "2026-05-04", "2026-05-12");
    let joined = weeks.json["data"]["candles"].as_array().expect("rows");
    assert_eq!(joined.len(), 2);
    assert_eq!((&joined[0][1], &joined[0][4]), (&rows[0][1], &rows[4][4]));
    let volume: u64 = rows[..5].iter().map(|row| row[5].as_u64().expect("a volume")).sum();
    assert_eq!(joined[0][5], volume);

    let minutes = ask("1min", "2026-05-13", "2026-05-13");
    let minutes = minutes.json["data"]["candles"].as_array().expect("rows");
    assert_eq!(minutes.len(), 165, "from 09:15 to noon");
    let fives = ask("5min", "2026-05-13", "2026-05-13");
    let fives = fives.json["data"]["candles"].as_array().expect("rows");
    assert_eq!((fives.len(), fives[1][0].as_str()), (33, Some("2026-05-13T09:20:00+0530")));
    assert_eq!((&fives[0][1], &fives[0][4]), (&minutes[0][1], &minutes[4][4]));
}

#[test]
fn candles_are_refused_in_the_broker_s_words() {
    let (stage, _) = demo();
    let ask = |query: &str| {
        let answer = get(&stage, &format!("/market-data/1.0/historical/details?{query}"));
        assert_eq!((answer.status, answer.json["status"].as_str()), (400, Some("ERROR")), "{query}");
        answer.json["fault"]["message"].as_str().expect("a text").to_owned()
    };
    let of = "neosymbol=nse_cm|10001";
    assert_eq!(
        ask(&format!("{of}&interval=2min&fromdate=2026-05-12&todate=2026-05-12")),
        "Invalid interval value"
    );
    assert_eq!(ask(&format!("{of}&interval=D&fromdate=2026-05-12")), "Missing required parameter: todate");
    assert_eq!(
        ask(&format!("{of}&interval=1min&fromdate=2026-04-12&todate=2026-05-12")),
        "Date range exceeds the limit of 30 days"
    );
    assert_eq!(
        ask("neosymbol=nse_cm|1&interval=D&fromdate=2026-05-12&todate=2026-05-12"),
        "Invalid neosymbol"
    );
    assert_eq!(
        ask(&format!("{of}&interval=D&fromdate=2026-05-16&todate=2026-05-17")),
        "No data found for the given duration"
    );
}

#[test]
fn nothing_of_the_future_is_quoted() {
    let (stage, symbols) = demo();
    let target = "/market-data/1.0/historical/details?neosymbol=nse_cm|10001&interval=1min&fromdate=2026-05-13&todate=2026-05-13";
    let last = |answer: &Answer| {
        answer.json["data"]["candles"].as_array().and_then(|rows| rows.last().cloned()).expect("a row")
    };
    let before = last(&get(&stage, target));
    assert_eq!(before[0], "2026-05-13T11:59:00+0530");
    stage.pass(120);
    assert_eq!(last(&get(&stage, target))[0], "2026-05-13T12:01:00+0530");
    assert!(symbols.len() > 5);
}

#[test]
fn the_watchlist_is_empty_and_well_formed() {
    let stage = Stage::new();
    let at = "/market-data/1.0/watchlist";
    let expiries = get(&stage, &format!("{at}/expiries?exchange=nse_fo&underlying=NIFTY"));
    assert_eq!(expiries.json, json!({"exchange": "nse_fo", "underlying": "NIFTY", "expiries": []}));
    let chain =
        get(&stage, &format!("{at}/option-chain?exchange=bse_fo&underlying=SENSEX&expiry=2025-06-24"));
    let common = &chain.json["data"]["common_data"];
    assert_eq!((common["exSeg"].as_str(), common["expiryDt"].as_str()), (Some("bse_fo"), Some("2025-06-24")));
    assert_eq!((&chain.json["data"]["call"], chain.json["data"].get("fut")), (&json!([]), None));
    let futures =
        get(&stage, &format!("{at}/option-chain?exchange=mcx_fo&underlying=GOLDM&instrument_type=fut"));
    assert_eq!(futures.json["data"]["fut"], json!([]));
    for query in ["expiries?exchange=nse_cm&underlying=NIFTY", "option-chain?exchange=nse_fo"] {
        let answer = get(&stage, &format!("{at}/{query}"));
        assert_eq!((answer.status, answer.code()), (200, 1009), "{query}");
    }
}
