use std::collections::BTreeMap;

use model::{Date, Money, Price, Quantity, Side, Symbol, Timestamp};

use super::page::{CHARTS_MAX, drawdown};
use super::tables::ROWS_MAX;
use super::*;

fn day(offset: u64) -> Date {
    let first: Date = "2025-03-03".parse().expect("a date");
    first.checked_add_days(chrono::Days::new(offset)).expect("a date")
}

fn trade(symbol: &str, side: Side, offset: u64, rupees: i64) -> Trade {
    Trade {
        at: Timestamp::at_ist(day(offset), 9, 15),
        session: day(offset),
        order: if side == Side::Buy { "KQ4ABCDEFGHIJKLM" } else { "SELLABCDEFGHIJKL" }.into(),
        strategy: "buy".into(),
        symbol: Symbol::from(symbol),
        side,
        quantity: Quantity::new(10),
        price: Price::from_rupees(rupees),
        charges: Money::from_paise(123),
    }
}

fn prices(days: u64) -> Vec<Ohlc> {
    (0..days)
        .map(|offset| {
            let close = Price::from_rupees(100 + offset as i64 % 7);
            Ohlc {
                date: day(offset),
                open: close,
                high: close + Price::from_rupees(3),
                low: close - Price::from_rupees(2),
                close,
            }
        })
        .collect()
}

fn sample() -> ReportData {
    let equity = [1_000_000, 1_010_000, 990_000, 1_020_000]
        .iter()
        .enumerate()
        .map(|(index, rupees)| EquityPoint {
            date: day(index as u64),
            cash: Money::from_rupees(rupees / 2),
            positions: Money::from_rupees(rupees / 2),
            equity: Money::from_rupees(*rupees),
        })
        .collect();
    ReportData {
        title: "A <script>alert(1)</script> & more".into(),
        from: day(0),
        to: day(3),
        seed: 7,
        params: vec![("buy.trend_ema".into(), "50".into())],
        trace_hash: "abc123".into(),
        opening: Money::from_rupees(1_000_000),
        equity,
        trades: vec![
            trade("TCS", Side::Buy, 1, 101),
            trade("TCS", Side::Sell, 3, 105),
            trade("M&M", Side::Buy, 2, 99),
        ],
        orders: vec![OrderTrail {
            id: "KQ4ABCDEFGHIJKLM".into(),
            at: Timestamp::at_ist(day(0), 16, 5),
            strategy: "buy".into(),
            symbol: "TCS".into(),
            side: Side::Buy,
            quantity: Quantity::new(10),
            price: Price::from_rupees(102),
            status: "filled".into(),
            reason: "RSI 25 < 30".into(),
            trail: vec![(Timestamp::at_ist(day(1), 9, 15), "10 filled at \"101.00\"".into())],
        }],
        charges_by_kind: vec![("stt".into(), Money::from_paise(300)), ("gst".into(), Money::from_paise(69))],
        skipped: vec![SkipLine {
            day: day(1),
            task: "buy".into(),
            subject: "INFY".into(),
            reason: "too little history".into(),
        }],
        skips_by_reason: vec![("buy: too little history".into(), 1_234)],
        prices: BTreeMap::from([(Symbol::from("TCS"), prices(4)), (Symbol::from("M&M"), prices(4))]),
    }
}

/// Every tag that is opened is closed, in order: text cannot have broken the markup.
fn well_formed(page: &str) {
    const VOID: [&str; 3] = ["meta", "input", "!doctype"];
    let mut open: Vec<String> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default().to_lowercase();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "…{}", &rest[..rest.len().min(80)]);
        } else if !tag.ends_with('/') && !VOID.contains(&name.as_str()) {
            if name == "script" || name == "style" {
                let close = format!("</{name}>");
                let at = rest.find(&close).expect("closed");
                rest = &rest[at + close.len()..];
            } else {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_page_tells_everything_and_escapes_all_of_it() {
    let page = render(&sample());
    well_formed(&page);
    assert!(!page.contains("<script>alert"), "the title is text");
    assert!(page.contains("A &lt;script&gt;alert(1)&lt;/script&gt; &amp; more"));
    for said in [
        "10,20,000.00",
        "+2.00 %",
        "1.98 %",
        "RSI 25 &lt; 30",
        "10 filled at &quot;101.00&quot;",
        "M&amp;M: once bought, never sold",
        "TCS: once bought, once sold",
        "too little history",
        "1,234",
        "buy.trend_ema",
        "abc123",
        "3.69",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(page.matches("class=\"buy\"").count(), 2);
    assert_eq!(page.matches("class=\"sell\"").count(), 1);
}

#[test]
fn the_page_needs_no_network() {
    let page = render(&sample());
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn an_empty_report_is_a_page_too() {
    let page = render(&ReportData::default());
    well_formed(&page);
    for said in ["There was no session", "Nothing was traded", "Nothing was passed over", "at its default"] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let mut data = sample();
    let numbered = |index: usize| {
        let order = format!("O{index}");
        Trade { order, ..trade(&format!("S{}", index % 60), Side::Buy, 1, 100) }
    };
    data.trades = (0..ROWS_MAX + 3).map(numbered).collect();
    data.prices = (0..60).map(|index| (Symbol::from(format!("S{index}")), prices(300))).collect();
    data.trades.push(trade("NOPRICE", Side::Buy, 1, 100));
    let page = render(&data);
    well_formed(&page);
    assert!(page.contains(&format!("The first {ROWS_MAX} of {} trades", ROWS_MAX + 4)));
    assert_eq!(page.matches("<figure>").count(), CHARTS_MAX + 1);
    assert!(page.contains(&format!("{} symbols without a chart", 61 - CHARTS_MAX)));
    assert!(page.contains("NOPRICE"));
}

#[test]
fn pieces_of_an_order_are_one_trade() {
    let mut second = trade("TCS", Side::Buy, 1, 103);
    second.quantity = Quantity::new(30);
    let trades = [trade("TCS", Side::Buy, 1, 101), second, trade("TCS", Side::Buy, 2, 101)];
    let deals = super::deal::deals(&trades);
    assert_eq!(deals.len(), 2, "another session is another trade");
    let deal = &deals[0];
    assert_eq!((deal.quantity.get(), deal.pieces, deal.charges), (40, 2, Money::from_paise(246)));
    assert_eq!((deal.value, deal.price().to_string()), (Money::from_rupees(4_100), "102.50".to_owned()));
}

#[test]
fn the_deepest_fall_is_from_the_height_before_it() {
    let (fall, share) = drawdown(&sample().equity);
    assert_eq!(fall, Money::from_rupees(20_000));
    assert!((share - 20_000.0 / 1_010_000.0).abs() < 1e-12);
    assert_eq!(drawdown(&[]), (Money::ZERO, 0.0));
}

#[test]
fn a_page_that_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("report.html");
    write(&good, &sample()).expect("written");
    assert!(std::fs::read_to_string(&good).expect("there").ends_with("</html>\n"));
    let failure = write(&folder.path().join("no/such/report.html"), &sample()).expect_err("no folder");
    assert!(failure.text().starts_with("error: the report "), "{}", failure.text());
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);
}
