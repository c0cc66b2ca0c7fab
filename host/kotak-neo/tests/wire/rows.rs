//! The samples, field by field, and what makes an answer unreadable.

use kotak_neo::client::PositionsPath;
use kotak_neo::*;

use crate::samples;
use crate::support::{Script, call, candle_query, client, instrument, margin_query, number};

fn rupees(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

/// 22 January 2025, 14:28:01 IST.
const AT_14_28_01: i64 = 1_737_536_281;

#[tokio::test]
async fn the_order_book_is_read_with_its_quirks() {
    let rows = client(Script::with(200, samples::ORDERS)).orders().await.expect("a book");
    let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(first.order_no, number());
    assert_eq!(first.exchange_order_id.as_deref(), Some("1300000012345678"));
    assert_eq!(first.tag.as_deref(), Some("tag-1"));
    assert_eq!((first.status.clone(), first.status.is_final()), (OrderStatus::Complete, true));
    assert_eq!(first.reject_reason, None);
    assert_eq!((&first.segment, first.trading_symbol.as_str()), (&Segment::NseCm, "IDEA-EQ"));
    assert_eq!(
        (first.side, &first.order_type, &first.product),
        (Side::Buy, &OrderType::Limit, &Product::Cnc)
    );
    assert_eq!(
        (first.price, first.average_price, first.tick),
        (rupees("9.39"), rupees("9.39"), Some(Amount::from_units(100)))
    );
    assert_eq!((first.quantity, first.filled, first.unfilled, first.cancelled), (16, 16, Some(0), Some(0)));
    assert_eq!((first.order_time, first.exchange_time), (Some(AT_14_28_01), Some(AT_14_28_01 + 15)));
    assert_eq!((first.broker_time, first.updated_ns), (Some(AT_14_28_01), Some(1_737_536_281_123_456_789)));
    assert!(!first.amo && first.algo_id.is_none());

    assert_eq!(second.status, OrderStatus::Other("Frozen by moon".to_owned()));
    assert!(!second.status.is_final());
    assert_eq!((&second.exchange_order_id, &second.tag), (&None, &None));
    assert_eq!(second.token.as_deref(), Some("19084"));
    assert_eq!(
        (second.price, second.trigger, second.average_price),
        (rupees("40.1"), rupees("40"), Amount::ZERO)
    );
    assert_eq!((second.quantity, second.filled, second.unfilled), (10, 0, Some(10)));
    assert_eq!(second.validity, Some(Validity::Ioc));
    assert_eq!(second.reject_reason.as_deref(), Some("RMS:Rule: Check T1 holdings"));
    assert_eq!((second.broker_time, second.exchange_time, second.updated_ns), (None, None, None));
    assert!(second.amo);
}

#[tokio::test]
async fn history_and_trades_are_read() {
    let rows = client(Script::with(200, samples::HISTORY)).history(&number()).await.expect("a history");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].exchange_order_id.as_deref(), Some("1300000012345678"));
    assert_eq!((rows[0].exchange_time, rows[0].filled), (Some(AT_14_28_01 + 15), Some(16)));
    assert_eq!((rows[1].exchange_time, &rows[1].exchange_order_id), (None, &None));
    assert_eq!(rows[1].status, OrderStatus::PutOrderReqReceived);

    let rows = client(Script::with(200, samples::TRADES)).trades().await.expect("trades");
    let [fill] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((fill.fill_id.as_str(), fill.quantity, fill.price), ("50512345", 16, rupees("9.39")));
    assert_eq!((fill.fill_time, fill.exchange_time), (Some(AT_14_28_01 + 15), Some(AT_14_28_01 + 15)));
    assert_eq!((&fill.token, fill.leg, fill.updated_ns), (&None, Some(1), Some(1_737_536_296_000_000_001)));
}

#[tokio::test]
async fn positions_holdings_and_money_are_read() {
    for path in [PositionsPath::V2, PositionsPath::Quick] {
        let rows = client(Script::with(200, samples::POSITIONS)).positions(path).await.expect("positions");
        let [position] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(position.net_quantity(), Some(-75));
        assert_eq!(
            (position.carried_buy_amount, position.filled_sell_amount),
            (rupees("1743750"), rupees("3487512.5"))
        );
        assert_eq!((position.lot, position.expiry), (Some(75), Some(1_785_234_600)));
        assert_eq!(position.last_price, None, "0 is not a price");
    }
    let rows = client(Script::with(200, samples::HOLDINGS)).holdings().await.expect("holdings");
    let [holding] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((holding.quantity, holding.sellable), (16, Some(16)));
    assert_eq!((holding.average_price, holding.closing_price), (Some(rupees("9.39")), Some(rupees("9.3"))));
    assert_eq!(
        (holding.token.as_deref(), holding.instrument_token.as_deref()),
        (Some("14366"), Some("7291"))
    );

    let limits = client(Script::with(200, samples::LIMITS)).limits().await.expect("limits");
    assert_eq!((limits.net, limits.time_ms), (rupees("19.41"), Some(1_737_536_296_000)));
    assert_eq!(limits.available_cash(), Some(rupees("99.91")));
    assert_eq!(limits.amounts.get("UnrealizedMtomPrsnt"), Some(&rupees("-1.5")));
    assert!(!limits.amounts.contains_key("Category") && !limits.amounts.contains_key("stCode"));

    let margin = client(Script::with(200, samples::MARGIN)).margin(&margin_query()).await.expect("a margin");
    assert_eq!(
        (margin.required_margin, margin.available_cash, margin.validated),
        (Some(rupees("38.19")), Some(rupees("104.96")), true)
    );
}

#[tokio::test]
async fn quotes_candles_and_the_address_are_read() {
    let rows = client(Script::with(200, samples::QUOTES))
        .quotes(&[instrument()], QuoteFilter::All)
        .await
        .expect("quotes");
    let [quote] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(
        (quote.token.as_str(), quote.last_price, quote.updated),
        ("26000", Some(rupees("23155.35")), Some(1_737_536_296))
    );
    assert_eq!((quote.volume, quote.change), (Some(15_000_000), Some(rupees("-130.7"))));
    assert_eq!(quote.ohlc.expect("the day").low, Some(rupees("22981.3")));
    let depth = quote.depth.as_ref().expect("a depth");
    assert_eq!(depth.buy, [Level { price: rupees("23155.3"), quantity: 12, orders: 2 }]);
    assert_eq!(depth.sell.len(), 1);

    let rows = client(Script::with(200, samples::CANDLES)).candles(&candle_query()).await.expect("candles");
    let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
    // 1 October 2026, 09:15 IST.
    assert_eq!((first.time, second.time), (1_790_826_300, 1_790_826_600));
    assert_eq!(
        (first.open, first.volume, first.open_interest),
        (rupees("12009.9"), 163_275, Some(13_667_775))
    );
    assert_eq!(
        (second.low, second.close, second.volume, second.open_interest),
        (rupees("11998.25"), rupees("12001"), 105_750, None)
    );

    let address = client(Script::with(200, samples::CLIENT_IP)).client_ip().await.expect("an address");
    assert_eq!((address.ip.as_str(), address.time), ("203.0.113.7", Some(1_783_406_254)));
}

#[tokio::test]
async fn one_unreadable_row_makes_the_whole_answer_unreadable() {
    let broken: [(&str, &str, &str, &str); 16] = [
        ("orders", samples::ORDERS, r#""nOrdNo":"250720000007243""#, r#""nOrdNo":"""#),
        ("orders", samples::ORDERS, r#""nOrdNo":"250720000007243""#, r#""nOrdNo":null"#),
        ("orders", samples::ORDERS, r#""qty":"10""#, r#""qty":"ten""#),
        ("orders", samples::ORDERS, r#""qty":"10""#, r#""qty":10.5"#),
        ("orders", samples::ORDERS, r#""qty":"10""#, r#""qty":-10"#),
        ("orders", samples::ORDERS, r#""fldQty":16"#, r#""fldQty":"""#),
        ("orders", samples::ORDERS, r#""fldQty":"0","#, ""),
        ("orders", samples::ORDERS, r#""prc":40.1"#, r#""prc":"NaN""#),
        ("orders", samples::ORDERS, r#""trnsTp":"S""#, r#""trnsTp":"X""#),
        ("order", samples::ORDER, "250720000007242", "250720000007299"),
        (
            "history",
            samples::HISTORY,
            r#""nOrdNo":"250720000007242","exch":"NSE","exchTmstp":"--""#,
            r#""nOrdNo":"1","exch":"NSE""#,
        ),
        ("trades", samples::TRADES, r#""flId":"50512345""#, r#""flId":"""#),
        ("trades", samples::TRADES, r#""avgPrc":"9.39""#, r#""avgPrc":"--""#),
        ("positions-v2", samples::POSITIONS, r#""flSellQty":"150","#, ""),
        ("holdings", samples::HOLDINGS, r#""quantity":16"#, r#""quantity":{}"#),
        ("quotes", samples::QUOTES, r#""exchange_token":"26000""#, r#""exchange_token":"""#),
    ];
    for (name, sample, from, to) in broken {
        assert!(sample.contains(from), "{name}: {from}");
        assert!(call(Script::with(200, sample), name).await.is_ok(), "{name}");
        let error = call(Script::with(200, sample.replacen(from, to, 1)), name).await.expect_err(to);
        assert!(
            matches!(&error, Error::Unreadable { http: 200, why, .. } if why.contains("row ")),
            "{name} {to}: {error}"
        );
    }
}

#[test]
fn every_status_of_the_facts_is_known_in_any_case() {
    let known = [
        "put order req received",
        "validation pending",
        "open pending",
        "open",
        "trigger pending",
        "modify pending",
        "modify validation pending",
        "modified",
        "cancel pending",
        "complete",
        "rejected",
        "cancelled",
        "canceled",
        "traded",
        "after market order req received",
        "modify after market order req received",
        "cancelled after market order",
        "not modified",
        "not cancelled",
        "partially filled",
        "amo req received",
    ];
    let finals = ["complete", "rejected", "cancelled", "canceled", "traded", "cancelled after market order"];
    for text in known {
        let status = OrderStatus::from_wire(&format!(" {} ", text.to_uppercase()));
        assert!(!matches!(status, OrderStatus::Other(_)), "{text}");
        assert_eq!(status.is_final(), finals.contains(&text), "{text}");
        assert_eq!(OrderStatus::from_wire(status.as_wire()), status);
    }
    assert_eq!(OrderStatus::from_wire("frozen").to_string(), "frozen");
    assert_eq!(OrderType::from_wire("LMT"), OrderType::Limit);
}
