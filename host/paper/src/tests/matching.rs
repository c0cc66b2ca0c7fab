//! Continuous trading.

use model::{OrderTerms, Side, Status, Validity};

use super::market_table::*;

/// One order of ACME (bought) or HELD (sold) arrives at `second` of 10:00; the named minutes have these
/// bars; the rest of the day stands at 100. Shown after `until` minutes.
struct Case {
    name: &'static str,
    terms: OrderTerms,
    second: i64,
    bars: &'static [(u32, &'static str)],
    until: i64,
    shown: &'static str,
}

const TEN: u32 = 45;

fn check(case: Case) {
    let mut table = table();
    for (minute, text) in case.bars {
        for symbol in ["ACME", "HELD"] {
            table.minutes.insert((symbol.into(), session(), TEN + minute), Some(bar(text)));
        }
    }
    let mut exchange = exchange_at(table, at(10, 0).plus_seconds(case.second));
    let id = exchange.order_now(case.terms);
    exchange.advance(at(10, 0).plus_minutes(case.until));
    assert_eq!(exchange.shown(&id), case.shown, "{}", case.name);
}

#[test]
fn an_order_meets_the_path_that_is_still_ahead() {
    let ioc = |terms: OrderTerms| OrderTerms { validity: Validity::Ioc, ..terms };
    let up_and_down: &[_] = &[(0, "100 104 97 102 1000")];
    for case in [
        Case {
            name: "marketable: at the next point, better than its limit",
            terms: buy(5, "101"),
            second: 0,
            bars: up_and_down,
            until: 1,
            shown: "filled 5@97.00",
        },
        Case {
            name: "not at the point of its own instant",
            terms: buy(5, "97"),
            second: 20,
            bars: up_and_down,
            until: 1,
            shown: "new 0@0.00",
        },
        Case {
            name: "a resting buy is met at its limit on the way down",
            terms: buy(5, "98"),
            second: 0,
            bars: &[(0, "100 100 99 99 1000"), (1, "99 99 97 97 1000")],
            until: 2,
            shown: "filled 5@98.00",
        },
        Case {
            name: "a resting sale is met at its limit on the way up",
            terms: sell(5, "103"),
            second: 0,
            bars: up_and_down,
            until: 1,
            shown: "filled 5@103.00",
        },
        Case {
            name: "a gap between minutes gives the better price",
            terms: buy(5, "98"),
            second: 0,
            bars: &[(1, "96 96 96 96 1000")],
            until: 2,
            shown: "filled 5@96.00",
        },
        Case {
            name: "a limit that is touched is filled",
            terms: sell(5, "104"),
            second: 0,
            bars: up_and_down,
            until: 1,
            shown: "filled 5@104.00",
        },
        Case {
            name: "a limit that is not reached is not",
            terms: sell(5, "104.05"),
            second: 0,
            bars: up_and_down,
            until: 1,
            shown: "new 0@0.00",
        },
        Case {
            name: "at the market: the next price",
            terms: market_order(Side::Sell, "HELD", 5),
            second: 30,
            bars: up_and_down,
            until: 1,
            shown: "filled 5@104.00",
        },
        Case {
            name: "immediate and marketable",
            terms: ioc(buy(5, "100")),
            second: 0,
            bars: &[],
            until: 1,
            shown: "filled 5@100.00",
        },
        Case {
            name: "immediate and not marketable",
            terms: ioc(buy(5, "99.95")),
            second: 0,
            bars: &[],
            until: 1,
            shown: "canceled 0@0.00",
        },
        Case {
            name: "immediate: the rest is cancelled",
            terms: ioc(buy(500, "100")),
            second: 0,
            bars: &[],
            until: 1,
            shown: "canceled 50@100.00",
        },
        Case {
            name: "a tenth of the volume, a quarter of it a point: four of this minute, one of the next",
            terms: buy(250, "100"),
            second: 0,
            bars: &[],
            until: 1,
            shown: "partially-filled 125@100.00",
        },
        Case {
            name: "and so on in the next minutes",
            terms: buy(250, "100"),
            second: 0,
            bars: &[],
            until: 3,
            shown: "filled 250@100.00",
        },
        Case {
            name: "a stop sleeps above its trigger",
            terms: stop(Side::Sell, "HELD", 5, "96.95", None),
            second: 0,
            bars: up_and_down,
            until: 1,
            shown: "pending-trigger 0@0.00",
        },
        Case {
            name: "triggered at the low, sold at the next point",
            terms: stop(Side::Sell, "HELD", 5, "97", None),
            second: 0,
            bars: up_and_down,
            until: 1,
            shown: "filled 5@104.00",
        },
        Case {
            name: "a stop buy with a limit that the path has left",
            terms: stop(Side::Buy, "ACME", 5, "103", Some("103")),
            second: 0,
            bars: &[(0, "100 103 100 103 1000"), (1, "104 105 104 105 1000")],
            until: 2,
            shown: "filled 5@103.00",
        },
        Case {
            name: "a stop buy whose limit is out of reach",
            terms: stop(Side::Buy, "ACME", 5, "104", Some("104")),
            second: 0,
            bars: &[(0, "104 104 104 104 1000"), (1, "105 105 105 105 1000")],
            until: 1,
            shown: "filled 5@104.00",
        },
    ] {
        check(case);
    }
}

#[test]
fn a_minute_without_trades_fills_nothing() {
    let mut table = table();
    table.minutes.insert(("ACME".into(), session(), TEN), None);
    let mut exchange = exchange_at(table, at(10, 0));
    let id = exchange.order_now(market_order(Side::Buy, "ACME", 1));
    exchange.advance(at(10, 1).plus_nanos(-1));
    assert_eq!(exchange.status(&id), Status::New);
    exchange.advance(at(10, 1));
    assert_eq!(exchange.status(&id), Status::Filled);
}

#[test]
fn price_goes_before_time_and_time_before_the_rest() {
    let mut exchange = exchange_at(table(), at(10, 0));
    let early = exchange.order_now(buy(60, "100"));
    let late = exchange.order_now(buy(60, "100"));
    let generous = exchange.order_now(buy(60, "101"));
    // 50 shares are ours by second 20, 75 by 40, 100 by 59.
    exchange.advance(at(10, 0).plus_seconds(20));
    assert_eq!(exchange.shown(&generous), "partially-filled 50@100.00");
    exchange.advance(at(10, 1).plus_nanos(-1));
    assert_eq!(
        [&generous, &early, &late].map(|id| exchange.row(id).filled.get()),
        [60, 40, 0],
        "the better limit first, then the older order"
    );
}

#[test]
fn a_change_of_price_or_a_larger_quantity_loses_the_rank() {
    for (price, total, first) in
        [("100", 60, true), ("100", 50, true), ("100", 61, false), ("100.05", 60, true)]
    {
        let mut exchange = exchange_at(table(), at(10, 0));
        let a = exchange.order_now(buy(60, "100"));
        let b = exchange.order_now(buy(60, "100"));
        exchange.change(&a, price, total).expect("a good change");
        exchange.advance(at(10, 0).plus_seconds(20));
        let ahead = exchange.row(&a).filled > exchange.row(&b).filled;
        assert_eq!(ahead, first, "{price} {total}");
    }
    // The same price again through a detour is the end of the queue.
    let mut exchange = exchange_at(table(), at(10, 0));
    let a = exchange.order_now(buy(60, "100"));
    let b = exchange.order_now(buy(60, "100"));
    exchange.change(&a, "99", 60).expect("down");
    exchange.change(&a, "100", 60).expect("and up");
    exchange.advance(at(10, 0).plus_seconds(20));
    assert_eq!((exchange.row(&a).filled.get(), exchange.row(&b).filled.get()), (0, 50));
}

#[test]
fn a_change_cannot_undercut_what_is_filled() {
    let mut exchange = exchange_at(table(), at(10, 0));
    let id = exchange.order_now(buy(200, "100"));
    exchange.advance(at(10, 1).plus_nanos(-1));
    assert_eq!(exchange.shown(&id), "partially-filled 100@100.00");
    assert_eq!(code(exchange.change(&id, "100", 100)), "QUANTITY");
    exchange.change(&id, "99", 150).expect("fifty left");
    exchange.advance(at(10, 5));
    assert_eq!(exchange.shown(&id), "partially-filled 100@100.00");
    exchange.cancel_now(&id).expect("the rest ends");
    assert_eq!(exchange.shown(&id), "canceled 100@100.00");
    assert!(exchange.funds().blocked.is_zero());
}

#[test]
fn nothing_survives_its_day() {
    let mut exchange = exchange_at(table(), at(10, 0));
    let resting = exchange.order_now(buy(5, "90"));
    let sleeping = exchange.order_now(stop(Side::Buy, "ACME", 5, "110", None));
    exchange.advance(at(15, 30).plus_nanos(-1));
    assert_eq!(
        (exchange.status(&resting), exchange.status(&sleeping)),
        (Status::New, Status::PendingTrigger)
    );
    exchange.advance(at(15, 30));
    assert_eq!((exchange.status(&resting), exchange.status(&sleeping)), (Status::Expired, Status::Expired));
    assert!(exchange.funds().blocked.is_zero());
    assert_eq!(exchange.orders().len(), 2, "the book shows the last session");
    exchange.advance(at(9, 15).plus_minutes(24 * 60));
    assert!(exchange.orders().is_empty() && exchange.order(&resting).is_some(), "until the next one opens");
}
