//! The open, the closing auction, corporate actions.

use model::{Money, Price, Quantity, Series, Side, Status, Symbol, Timestamp};

use super::market_table::*;
use crate::{CashKind, Exchange};

/// An after-market order of the evening before, and the opening bar it meets.
fn opened(terms: model::OrderTerms, opening: &str) -> (Exchange, model::BrokerOrderId) {
    let mut table = table();
    for symbol in ["ACME", "HELD"] {
        table.minutes.insert((symbol.into(), session(), 0), Some(bar(opening)));
    }
    let mut exchange = exchange_at(table, Timestamp::at_ist(day(2025, 6, 2), 16, 10));
    let id = exchange.order_now(amo(terms));
    assert_eq!(exchange.status(&id), Status::QueuedAmo);
    assert_eq!(exchange.row(&id).session, session());
    exchange.advance(at(9, 15).plus_nanos(-1));
    assert_eq!(exchange.status(&id), Status::QueuedAmo, "not before the open");
    exchange.advance(at(9, 15));
    (exchange, id)
}

#[test]
fn queued_orders_trade_at_the_opening_price() {
    for (name, terms, opening, shown) in [
        ("better than its limit", buy(10, "101"), "98 105 97 104 1000", "filled 10@98.00"),
        ("a sale too", sell(10, "99"), "102 105 97 104 1000", "filled 10@102.00"),
        ("at the market", market_order(Side::Buy, "ACME", 10), "98 105 97 104 1000", "filled 10@98.00"),
        ("not reached", buy(10, "97.95"), "98 105 97 104 1000", "new 0@0.00"),
        (
            "at its limit: a share of the auction",
            buy(100, "98"),
            "98 105 97 104 20",
            "partially-filled 30@98.00",
        ),
        ("better: before all that are at the price", buy(100, "99"), "98 105 97 104 10", "filled 100@98.00"),
        (
            "but not more than the auction trades",
            buy(200, "99"),
            "98 105 97 104 10",
            "partially-filled 150@98.00",
        ),
        (
            "a stop is triggered by the open",
            stop(Side::Sell, "HELD", 5, "98", None),
            "98 98 98 98 10",
            "new 0@0.00",
        ),
    ] {
        let (exchange, id) = opened(terms, opening);
        assert_eq!(exchange.shown(&id), shown, "{name}");
        for trade in exchange.trades() {
            assert_eq!((trade.at, trade.session), (at(9, 15), session()), "{name}");
        }
    }
}

#[test]
fn a_queued_order_is_judged_by_the_rules_of_its_session() {
    struct Case(&'static str, fn(&mut model::Instrument), Status, &'static str);
    for Case(name, change, status, words) in [
        Case("band", |i| i.band = (Price::from_rupees(80), Price::from_rupees(98)), Status::Rejected, "BAND"),
        Case(
            "tick",
            |i| i.tick = model::Tick::new(Price::from_rupees(2)).expect("positive"),
            Status::Rejected,
            "TICK",
        ),
        Case("freeze", |i| i.freeze = Quantity::new(1), Status::Rejected, "FREEZE"),
        Case("series", |i| i.series = Series("BE".to_owned()), Status::New, ""),
    ] {
        let mut exchange = exchange_at(table(), Timestamp::at_ist(day(2025, 6, 2), 16, 10));
        let id = exchange.order_now(amo(buy(5, "99")));
        let mut tomorrow = table();
        change(tomorrow.instruments.get_mut("ACME").expect("there"));
        exchange.source = std::sync::Arc::new(tomorrow);
        exchange.advance(at(9, 15));
        let row = exchange.row(&id);
        assert_eq!(row.status, status, "{name}: {}", row.reason);
        assert!(row.reason.contains(words), "{name}: {}", row.reason);
        assert_eq!(exchange.funds().blocked.is_zero(), status == Status::Rejected, "{name}");
    }
}

#[test]
fn a_share_that_is_suspended_overnight_rejects_its_queue() {
    let mut exchange = exchange_at(table(), Timestamp::at_ist(day(2025, 6, 2), 16, 10));
    let id = exchange.order_now(amo(buy(5, "99")));
    let mut tomorrow = table();
    tomorrow.instruments.remove("ACME");
    exchange.source = std::sync::Arc::new(tomorrow);
    exchange.advance(at(9, 15));
    assert_eq!(exchange.status(&id), Status::Rejected);
    assert!(exchange.row(&id).reason.contains("not traded"), "{}", exchange.row(&id).reason);
}

/// A stock with derivatives on a day with a closing auction: 15:15 to 15:35 from 2026-08-03 on.
fn auction_day() -> model::Date {
    day(2026, 8, 4)
}

fn with_derivatives(close: &str) -> (Exchange, impl Fn(u32, u32) -> Timestamp) {
    let mut table = table();
    for symbol in ["ACME", "HELD"] {
        table.instruments.get_mut(symbol).expect("there").has_derivatives = true;
        table.closes.insert((Symbol::from(symbol), auction_day()), price(close));
    }
    let at = |hour, minute| Timestamp::at_ist(auction_day(), hour, minute);
    (exchange_at(table, at(15, 0)), at)
}

#[test]
fn unmatched_limits_are_carried_into_the_closing_auction() {
    for (name, terms, close, shown) in [
        ("the auction reaches it", sell(10, "102"), "102.50", "filled 10@102.50"),
        ("a buy at the auction's price", buy(10, "98"), "98", "filled 10@98.00"),
        ("the auction does not reach it", sell(10, "102"), "101.95", "expired 0@0.00"),
        ("its limit is outside the auction's band", sell(10, "103.05"), "103", "expired 0@0.00"),
        ("no price inside the band", buy(10, "98"), "96.95", "expired 0@0.00"),
        (
            "a sleeping stop is not carried",
            stop(Side::Sell, "HELD", 5, "97", Some("97")),
            "97",
            "expired 0@0.00",
        ),
    ] {
        let (mut exchange, at) = with_derivatives(close);
        let id = exchange.order_now(terms);
        exchange.advance(at(15, 34));
        assert_eq!(exchange.row(&id).filled, Quantity::ZERO, "{name}: nothing before the auction matches");
        exchange.advance(at(15, 35));
        assert_eq!(exchange.shown(&id), shown, "{name}");
        assert!(exchange.funds().blocked.is_zero(), "{name}");
    }
}

#[test]
fn the_closing_auction_takes_cancellations_but_no_orders() {
    let (mut exchange, at) = with_derivatives("100");
    let id = exchange.order_now(sell(5, "102"));
    exchange.advance(at(15, 16));
    assert_eq!(code(exchange.cancel_now(&id)), "PHASE", "the reference price is being computed");
    exchange.advance(at(15, 21));
    let error = exchange.try_order(sell(1, "100")).expect_err("not modelled").to_string();
    assert!(error.contains("closing-auction-entry"), "{error}");
    assert_eq!(code(exchange.change(&id, "101", 5)), "PHASE");
    // A stock without derivatives trades on.
    exchange.order_now(limit(Side::Buy, "BETRADE", 1, "100"));
    exchange.cancel_now(&id).expect("entries can be withdrawn");
    assert_eq!(exchange.status(&id), Status::Canceled);
}

#[test]
fn a_split_re_bases_shares_and_ends_queued_orders() {
    let mut table = table();
    // Two old shares become three: a price factor of 2/3. Eleven become sixteen and a half.
    table.factors.insert(("HELD".into(), session()), (2, 3));
    table.factors.insert(("ACME".into(), session()), (1, 2));
    let mut exchange = exchange_at(table, Timestamp::at_ist(day(2025, 6, 2), 10, 0));
    exchange.order_now(limit(Side::Buy, "HELD", 1, "100"));
    exchange.advance(Timestamp::at_ist(day(2025, 6, 2), 16, 10));
    let queued = exchange.order_now(amo(buy(5, "101")));
    let cash = exchange.account().cash;
    exchange.advance(at(9, 15));
    assert_eq!(exchange.status(&queued), Status::Canceled);
    assert!(exchange.row(&queued).reason.contains("corporate action"));
    let account = exchange.account();
    let held = account.owned.iter().find(|owned| owned.symbol.as_str() == "HELD").expect("still there");
    assert_eq!(
        (held.quantity.get(), held.cost),
        (16, Money::from_rupees(10 * 90 + 100)),
        "at unchanged cost"
    );
    // Half a share at the open of 100.
    assert_eq!(account.cash - cash, Money::from_rupees(50));
    assert_eq!(account.lines.last().map(|line| line.kind), Some(CashKind::Fraction));
}

#[test]
fn intraday_shares_are_sold_by_the_broker_at_the_end() {
    let mut exchange = exchange_at(table(), at(10, 0));
    exchange.order_now(model::OrderTerms { product: model::Product::Intraday, ..buy(7, "100") });
    exchange.advance(at(15, 30));
    assert!(exchange.account().owned.iter().all(|owned| owned.symbol.as_str() != "ACME"));
    let last = exchange.orders().pop().expect("the broker's own order");
    assert_eq!((last.tag, last.status, last.filled.get()), (None, Status::Filled, 7));
    assert!(last.reason.contains("squared off"));
    let charges = exchange.account().charges;
    assert!(charges.stt.is_positive() && charges.dp.is_zero());
}

#[test]
fn an_immediate_order_is_not_carried() {
    let (mut exchange, at) = with_derivatives("102");
    exchange.advance(at(15, 15).plus_nanos(-1));
    let terms = model::OrderTerms { validity: model::Validity::Ioc, ..sell(5, "102") };
    let id = exchange.order_now(terms);
    exchange.advance(at(15, 40));
    assert_eq!(exchange.shown(&id), "expired 0@0.00");
}
