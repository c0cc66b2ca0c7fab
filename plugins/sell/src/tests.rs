use tradeagent_sdk::TaskError;
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::{Percent, RUPEE};
use tradeagent_sdk::sell::portfolio::Position;
use tradeagent_sdk::sell::types::{Date, Order, OrderType, Product, Side, Status, Validity};

use crate::logic::{self, Action, Facts, View, Why};
use crate::settings::Settings;

const TODAY: Date = Date { year: 2025, month: 7, day: 1 };
const YESTERDAY: Date = Date { year: 2025, month: 6, day: 30 };

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Settings::from_params(Params::from_pairs(pairs)).expect("good parameters")
}

/// 100 shares, 60 of them settled, bought at 100 rupees.
fn position() -> Position {
    Position {
        symbol: "X".to_owned(),
        quantity: 100,
        settled: 60,
        unsettled: 40,
        in_working_sells: 0,
        free: 60,
        cost: 100 * 100 * RUPEE,
        opened: YESTERDAY,
        extras: Vec::new(),
    }
}

fn facts() -> Facts {
    Facts {
        tick: 500,
        band_low: 80 * RUPEE,
        band_high: 120 * RUPEE,
        trade_to_trade: false,
        has_derivatives: false,
    }
}

fn order(status: Status, quantity: u32, filled: u32) -> Order {
    Order {
        id: "o1".to_owned(),
        strategy: Some("sell".to_owned()),
        key: "sell:X:1".to_owned(),
        symbol: "X".to_owned(),
        side: Side::Sell,
        order_type: OrderType::Limit,
        product: Product::Delivery,
        validity: Validity::Day,
        quantity,
        price: 105 * RUPEE,
        trigger: None,
        amo: false,
        status,
        filled,
        average: 0,
        for_session: TODAY,
        placed_at: 0,
        reason: String::new(),
        extras: Vec::new(),
    }
}

fn decide(position: &Position, orders: &[Order], price: Result<i64, Why>, pairs: &[(&str, &str)]) -> Action {
    decide_as(&facts(), position, orders, price, pairs)
}

fn decide_as(
    facts: &Facts,
    position: &Position,
    orders: &[Order],
    price: Result<i64, Why>,
    pairs: &[(&str, &str)],
) -> Action {
    let view = View { position, facts, orders, trading_day: TODAY, price, number_min: 0 };
    logic::decide(&view, &settings(pairs))
}

const PRICE: Result<i64, Why> = Ok(104 * RUPEE);

#[test]
fn sells_the_settled_shares_only() {
    let place = |quantity| Action::Place { price: 104 * RUPEE, quantity, number: 1 };
    assert_eq!(decide(&position(), &[], PRICE, &[]), place(60));
    let all = [("sell_unsettled", "true")];
    assert_eq!(decide(&position(), &[], PRICE, &all), place(100));
    let trade_to_trade = Facts { trade_to_trade: true, ..facts() };
    assert_eq!(decide_as(&trade_to_trade, &position(), &[], PRICE, &all), place(60));
    let fresh = Position { settled: 0, unsettled: 100, free: 0, ..position() };
    assert_eq!(decide(&fresh, &[], PRICE, &[]), Action::Skip(Why::NothingFree));
}

#[test]
fn an_order_that_may_still_live_is_never_doubled() {
    let held = Position { in_working_sells: 60, free: 0, ..position() };
    for status in [
        Status::PendingNew,
        Status::PendingReplace,
        Status::PendingCancel,
        Status::Unknown,
        Status::Parked,
        Status::Other("new status".to_owned()),
    ] {
        let action = decide(&held, &[order(status.clone(), 60, 0)], PRICE, &[]);
        assert_eq!(action, Action::Skip(Why::InFlight), "{status:?}");
    }
    let old = Order { for_session: YESTERDAY, ..order(Status::New, 60, 0) };
    assert_eq!(decide(&held, &[old], PRICE, &[]), Action::Skip(Why::EarlierSession));
}

#[test]
fn the_price_is_lowered_and_never_raised() {
    let held = Position { in_working_sells: 60, free: 0, ..position() };
    let working = [order(Status::New, 60, 0)];
    let lower = Action::Change { order: "o1".to_owned(), price: 104 * RUPEE, total: 60, number: 1 };
    assert_eq!(decide(&held, &working, PRICE, &[]), lower);
    assert_eq!(decide(&held, &working, Ok(106 * RUPEE), &[]), Action::Keep);
    assert_eq!(decide(&held, &working, Ok(105 * RUPEE), &[]), Action::Keep);
}

#[test]
fn a_partial_fill_changes_nothing() {
    // 25 of 60 sold: 35 settled shares are left, all in the order's remainder.
    let held = Position {
        quantity: 75,
        settled: 35,
        in_working_sells: 35,
        free: 0,
        cost: 75 * 100 * RUPEE,
        ..position()
    };
    let working = [order(Status::PartiallyFilled, 60, 25)];
    assert_eq!(decide(&held, &working, Ok(105 * RUPEE), &[]), Action::Keep);
    let lower = Action::Change { order: "o1".to_owned(), price: 104 * RUPEE, total: 60, number: 1 };
    assert_eq!(decide(&held, &working, PRICE, &[]), lower);
}

#[test]
fn an_external_sale_shrinks_the_order_even_without_a_price() {
    let shrunk = Position { quantity: 80, settled: 40, in_working_sells: 60, free: 0, ..position() };
    let working = [order(Status::New, 60, 0)];
    let change = Action::Change { order: "o1".to_owned(), price: 105 * RUPEE, total: 40, number: 1 };
    assert_eq!(decide(&shrunk, &working, Err(Why::NoPrice), &[]), change);
    let gone = Position { settled: 0, ..shrunk };
    assert_eq!(decide(&gone, &working, PRICE, &[]), Action::Cancel { order: "o1".to_owned() });
}

#[test]
fn shares_in_another_strategys_order_are_not_ours_to_sell() {
    let shared = Position { in_working_sells: 20, free: 40, ..position() };
    assert_eq!(
        decide(&shared, &[], PRICE, &[]),
        Action::Place { price: 104 * RUPEE, quantity: 40, number: 1 }
    );
}

#[test]
fn what_has_ended_is_replaced_under_a_new_number() {
    for status in [Status::Rejected, Status::Canceled, Status::Expired, Status::NotPlaced] {
        let action = decide(&position(), &[order(status, 60, 0)], PRICE, &[]);
        assert_eq!(action, Action::Place { price: 104 * RUPEE, quantity: 60, number: 2 });
    }
}

#[test]
fn refusals_are_not_repeated_for_ever() {
    let refused: Vec<Order> =
        (1..=5).map(|n| Order { key: format!("sell:X:{n}"), ..order(Status::Rejected, 60, 0) }).collect();
    assert!(matches!(decide(&position(), &refused[..4], PRICE, &[]), Action::Place { number: 5, .. }));
    assert_eq!(decide(&position(), &refused, PRICE, &[]), Action::Skip(Why::Refused));
}

#[test]
fn a_target_may_be_five_percent_under_entry_and_no_further() {
    let allowed = |price| logic::allowed(price, &position(), &facts(), Percent::whole(5));
    assert_eq!(allowed(95 * RUPEE), Ok(()));
    assert_eq!(allowed(95 * RUPEE - 500), Err(Why::UnderEntry));
    assert_eq!(allowed(120 * RUPEE), Ok(()));
    assert_eq!(allowed(120 * RUPEE + 500), Err(Why::OutsideBand));
    // An order that is already working keeps its limit meanwhile.
    let held = Position { in_working_sells: 60, free: 0, ..position() };
    let action = decide(&held, &[order(Status::New, 60, 0)], Err(Why::UnderEntry), &[]);
    assert_eq!(action, Action::Skip(Why::UnderEntry));
}

#[test]
fn the_target_blends_yesterday_with_now_and_goes_up_to_the_tick() {
    let target = |last| logic::target(1_000_000.0, last, 500, &settings(&[]));
    assert_eq!(target(1_000_000), 1_000_000);
    assert_eq!(target(1_100_000), 1_020_000);
    assert_eq!(target(1_100_001), 1_020_000, "a fifth of a ten-thousandth is below the last digit");
    assert_eq!(target(1_100_005), 1_020_500);
}

#[test]
fn the_average_ends_yesterday_and_an_old_one_is_none() {
    const DAY: i64 = 86_400_000_000_000;
    // Bars begin at midnight UTC, which is the same day in India.
    let starts: Vec<i64> = (0..10).map(|n| (20_000 + n) * DAY).collect();
    let mut closes = vec![1_000_000_i64; 9];
    closes.push(9_000_000);
    let average = |today| logic::average(&starts, &closes, today, &settings(&[]));
    assert_eq!(average(20_009), Some(1_000_000.0), "the bar of the day itself is left out");
    assert_eq!(average(20_010), Some(0.2 * 9_000_000.0 + 0.8 * 1_000_000.0));
    assert!(average(20_016).is_some());
    assert_eq!(average(20_017), None, "eight days old");
    assert_eq!(average(20_008), None, "eight bars");
    assert_eq!(logic::average(&[], &[], 20_000, &settings(&[])), None);
}

#[test]
fn numbers_are_read_from_keys_of_either_exchange() {
    assert_eq!(logic::number_of("sell:X:7"), Some(7));
    assert_eq!(logic::number_of("sell:BSE:X:12"), Some(12));
    assert_eq!(logic::number_of("rubbish"), None);
}

#[test]
fn an_unknown_parameter_is_refused() {
    let pairs = [("ema".to_owned(), "9".to_owned())];
    let error = Settings::from_params(Params::from_pairs(pairs)).expect_err("an unknown name");
    assert!(matches!(error, TaskError::Config(text) if text.contains("no parameter ema")));
}

#[test]
fn the_readme_tells_every_parameter_and_its_default() {
    tradeagent_sdk::params::assert_documented(include_str!("../README.md"), Settings::from_params);
}
