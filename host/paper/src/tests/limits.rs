//! What the exchange refuses.

use model::{OrderTerms, Product, Quantity, Side, Status, Timestamp, Validity};

use super::market_table::*;

#[test]
fn every_rule_refuses_with_its_code() {
    let held = |quantity| sell(quantity, "101");
    for (name, terms, expected) in [
        ("no shares", buy(0, "100"), "QUANTITY"),
        ("off the grid", buy(1, "100.03"), "TICK"),
        ("trigger off the grid", stop(Side::Buy, "ACME", 1, "101.01", None), "TICK"),
        ("below the band", buy(1, "79.95"), "BAND"),
        ("above the band", sell(1, "120.05"), "BAND"),
        ("trigger outside the band", stop(Side::Buy, "ACME", 1, "121", None), "BAND"),
        ("beyond the freeze quantity", buy(5_001, "100"), "FREEZE"),
        ("limit without a price", buy(1, "0"), "PRICE"),
        (
            "market with a price",
            OrderTerms { price: price("100"), ..market_order(Side::Buy, "ACME", 1) },
            "PRICE",
        ),
        (
            "stop without a trigger",
            OrderTerms { trigger: None, ..stop(Side::Buy, "ACME", 1, "101", None) },
            "PRICE",
        ),
        ("limit with a trigger", OrderTerms { trigger: Some(price("101")), ..buy(1, "100") }, "PRICE"),
        ("stop buy limit below its trigger", stop(Side::Buy, "ACME", 1, "102", Some("101")), "PRICE"),
        ("stop sale limit above its trigger", stop(Side::Sell, "HELD", 1, "98", Some("99")), "PRICE"),
        (
            "immediate stop",
            OrderTerms { validity: Validity::Ioc, ..stop(Side::Buy, "ACME", 1, "101", None) },
            "PRICE",
        ),
        ("not listed", limit(Side::Buy, "NOSUCH", 1, "100"), "SYMBOL"),
        ("more than is owned", held(11), "HOLDINGS"),
        ("not owned", limit(Side::Sell, "ACME", 1, "100"), "HOLDINGS"),
        (
            "intraday sale of delivery shares",
            OrderTerms { product: Product::Intraday, ..held(1) },
            "HOLDINGS",
        ),
        ("trade-to-trade before credit", limit(Side::Sell, "BETRADE", 1, "100"), "TRADE_TO_TRADE"),
        (
            "trade-to-trade intraday",
            OrderTerms { product: Product::Intraday, ..limit(Side::Buy, "BETRADE", 1, "100") },
            "PRICE",
        ),
        ("more than the cash", buy(1_000, "100"), "FUNDS"),
        ("at the market: counted at the band's end", market_order(Side::Buy, "ACME", 834), "FUNDS"),
        ("an after-market order now", amo(buy(1, "100")), "AMO_WINDOW"),
    ] {
        let mut exchange = exchange_at(table(), at(10, 0));
        let funds = exchange.funds();
        assert_eq!(code(exchange.try_order(terms)), expected, "{name}");
        assert!(exchange.orders().is_empty() && exchange.funds() == funds, "{name}: no trace");
    }
}

#[test]
fn lots_are_whole() {
    let mut table = table();
    table.instruments.get_mut("ACME").expect("there").lot = Quantity::new(5);
    let mut exchange = exchange_at(table, at(10, 0));
    assert_eq!(code(exchange.try_order(buy(7, "100"))), "LOT");
    exchange.order_now(buy(10, "100"));
}

#[test]
fn a_phase_that_takes_no_order_says_which_it_is() {
    for (hour, minute, phase) in [
        (9, 0, "pre-open"),
        (9, 14, "pre-open-buffer"),
        (15, 30, "closed"),
        (15, 40, "post-close"),
        (20, 0, "closed"),
    ] {
        let mut exchange = exchange_at(table(), at(hour, minute));
        let error = exchange.try_order(buy(1, "100")).expect_err("refused").to_string();
        assert!(error.contains("PHASE") && error.contains(&format!("({phase})")), "{error}");
        if phase.starts_with("p") {
            assert!(error.contains("not modelled"), "{error}");
        }
    }
    let weekend = Timestamp::at_ist(day(2025, 6, 7), 11, 0);
    assert_eq!(code(exchange_at(table(), weekend).try_order(buy(1, "100"))), "PHASE");
    let unknown = Timestamp::at_ist(day(2031, 6, 3), 11, 0);
    assert_eq!(code(exchange_at(table(), unknown).try_order(buy(1, "100"))), "CALENDAR");
}

#[test]
fn the_after_market_window_is_kept() {
    for (hour, minute, open) in
        [(8, 56, true), (8, 57, false), (9, 20, false), (15, 44, false), (15, 45, true), (23, 59, true)]
    {
        let mut exchange = exchange_at(table(), at(hour, minute));
        assert_eq!(exchange.try_order(amo(buy(1, "100"))).is_ok(), open, "{hour}:{minute}");
    }
    // Queued in the evening, it can be cancelled only while the window is open.
    let mut exchange = exchange_at(table(), at(16, 0));
    let id = exchange.order_now(amo(buy(1, "100")));
    exchange.advance(at(9, 0).plus_minutes(24 * 60));
    assert_eq!(code(exchange.cancel_now(&id)), "AMO_WINDOW");
    assert_eq!(exchange.status(&id), Status::QueuedAmo);
}

#[test]
fn working_sells_and_bought_shares_decide_what_may_be_sold() {
    let mut exchange = exchange_at(table(), at(10, 0));
    let first = exchange.order_now(sell(6, "110"));
    assert_eq!(code(exchange.try_order(sell(5, "111"))), "HOLDINGS");
    exchange.order_now(sell(4, "111"));
    assert_eq!(code(exchange.change(&first, "110", 7)), "HOLDINGS");
    exchange.cancel_now(&first).expect("working");
    exchange.order_now(sell(6, "110"));
    // Bought a moment ago, sold before credit: allowed, but not twice.
    exchange.order_now(buy(5, "100"));
    exchange.advance(at(10, 5));
    exchange.order_now(limit(Side::Sell, "ACME", 5, "100"));
    assert_eq!(code(exchange.try_order(limit(Side::Sell, "ACME", 1, "100"))), "HOLDINGS");
}

#[test]
fn trade_to_trade_shares_are_free_when_credited() {
    let mut exchange = exchange_at(table(), at(10, 0));
    // The next session is the day of credit: an after-market order for it is good this evening.
    exchange.advance(at(16, 0));
    let id = exchange.order_now(amo(limit(Side::Sell, "BETRADE", 10, "99")));
    exchange.advance(at(9, 15).plus_minutes(24 * 60));
    assert_eq!(exchange.shown(&id), "filled 10@100.00");
}

#[test]
fn limits_on_the_number_of_orders_hold() {
    let mut exchange = exchange_at(table(), at(10, 0));
    exchange.config.open_orders_max = 2;
    exchange.config.orders_max = 3;
    let id = exchange.order_now(buy(1, "90"));
    exchange.order_now(buy(1, "90"));
    assert_eq!(code(exchange.try_order(buy(1, "90"))), "TOO_MANY");
    exchange.cancel_now(&id).expect("working");
    exchange.order_now(buy(1, "90"));
    exchange.config.open_orders_max = 20;
    assert_eq!(code(exchange.try_order(buy(1, "90"))), "TOO_MANY");
}
