//! Nothing that lies ahead reaches what has happened.

use std::sync::Arc;

use super::account::busy_days;
use super::market_table::*;
use crate::{Exchange, FullBook};

fn zigzag(from: Option<(u32, &str)>) -> Table {
    let mut table = table();
    for minute in 0..375 {
        for symbol in ["ACME", "HELD"] {
            let base = 97 + (minute * 7 + 3) % 6;
            let mut text = format!("{base} {} {} {base} {}", base + 2, base - 1, 40 + minute);
            if let Some((start, other)) = from
                && minute >= start
            {
                text = other.to_owned();
            }
            table.minutes.insert((symbol.into(), session(), minute), Some(bar(&text)));
        }
    }
    table
}

/// The book at minute `minute` of a day with an order every five minutes.
fn book_at(table: Table, minute: u32) -> FullBook {
    let mut exchange = exchange_at(table, at(9, 15));
    for step in (0..=minute).step_by(5) {
        exchange.advance(at(9, 15).plus_minutes(i64::from(step)));
        // Refusals for want of cash or shares belong to the picture.
        let _ = exchange.try_order(buy(3 + step, "98.50"));
        let _ = exchange.try_order(sell(1, "99.50"));
    }
    exchange.advance(at(9, 15).plus_minutes(i64::from(minute)).plus_nanos(-1));
    exchange.full_book()
}

#[test]
fn changing_every_later_price_and_volume_changes_nothing_before() {
    for minute in [1, 30, 151, 300] {
        let plain = book_at(zigzag(None), minute);
        assert!(minute < 30 || !plain.trades.is_empty(), "something to compare");
        for other in ["81 119 80 118 9", "119 120 80 81 90000"] {
            assert_eq!(book_at(zigzag(Some((minute, other))), minute), plain, "from minute {minute}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_book_and_another_one_another() {
    let run = |seed: u64| {
        let mut config = config();
        config.seed = seed;
        let mut exchange = Exchange::new(Arc::new(zigzag(None)), calendar::Calendar::bundled(), config);
        busy_days(&mut exchange);
        serde_json::to_string(&exchange.full_book()).expect("json")
    };
    assert_eq!(run(1), run(1));
    assert!((2..10).any(|seed| run(seed) != run(1)), "the fractions of volume are rounded by the seed");
}

#[test]
fn many_small_steps_are_one_large_one() {
    let run = |step_seconds: i64| {
        let mut exchange = exchange_at(zigzag(None), at(10, 0));
        exchange.order_now(buy(130, "98.50"));
        exchange.order_now(sell(9, "103.05"));
        let mut now = at(10, 0);
        while now < at(15, 31) {
            now = now.plus_seconds(step_seconds);
            exchange.advance(now.min(at(15, 31)));
        }
        exchange.full_book()
    };
    let whole = run(6 * 3600);
    assert!(!whole.trades.is_empty());
    assert_eq!(run(7), whole);
    assert_eq!(run(61), whole);
}

#[test]
fn an_earlier_instant_changes_nothing() {
    let mut exchange = exchange_at(table(), at(10, 0));
    exchange.order_now(buy(1, "100"));
    exchange.advance(at(11, 0));
    let book = exchange.full_book();
    exchange.advance(at(10, 30));
    assert_eq!(exchange.full_book(), book);
}
