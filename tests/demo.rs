//! `demo`: from 15:55 of day 0 to 18:05 of day 1, told and accounted for.

mod support;

use market::Dataset;
use market::demo::{
    BOUGHT_AFTER_DAY0, BOUGHT_AFTER_DAY1, DAY0, DAY1, SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL,
};
use model::{Date, Exchange, Timestamp};
use serde_json::Value;
use support::account::{charges, fills, list, number, owned, paise, word};
use support::{run_json, run_ok, text};

fn demo() -> Value {
    run_json(&["demo", "--json"])
}

fn instant(value: &Value) -> Timestamp {
    Timestamp::from_nanos(value.as_i64().expect("an instant"))
}

fn order<'a>(answer: &'a Value, symbol: &str) -> &'a Value {
    let mut found = list(answer, "orders").iter().filter(|order| word(order, "symbol") == symbol);
    let order = found.next().unwrap_or_else(|| panic!("an order for {symbol}"));
    assert!(found.next().is_none(), "one order for {symbol}");
    order
}

/// The open of a share's day, in paise.
fn open_of(symbol: &str, day: Date) -> i64 {
    let data = Dataset::demo();
    let session = data.sessions(Exchange::Nse).index_of(day).expect("a session of the data");
    let history = data.history(symbol).expect("a share of the data");
    history.open[history.row_of(session).expect("it traded")] / 100
}

#[test]
fn the_day_runs_as_it_should() {
    let answer = demo();
    assert_eq!(instant(&answer["from"]), Timestamp::at_ist(DAY0, 15, 55));
    assert_eq!(instant(&answer["until"]), Timestamp::at_ist(DAY1, 18, 5));
    let done = |task: &str| answer["runs"][task]["done"].as_u64();
    assert_eq!(done("sell"), Some(376), "each minute from 09:15 to 15:30");
    assert_eq!(done("monitor"), Some(7));
    assert_eq!(done("buy"), Some(2));
    assert_eq!(done("eod"), Some(2));
    for (task, outcomes) in answer["runs"].as_object().expect("tasks") {
        for bad in ["failed", "trapped", "interrupted", "skipped"] {
            assert!(outcomes[bad].is_null(), "{task}: {outcomes}");
        }
    }

    let orders: Vec<(&str, &str)> =
        list(&answer, "orders").iter().map(|order| (word(order, "side"), word(order, "symbol"))).collect();
    assert_eq!(orders, [("buy", BOUGHT_AFTER_DAY0), ("sell", SEEDED_SYMBOL), ("buy", BOUGHT_AFTER_DAY1)]);
    for (symbol, day) in [(BOUGHT_AFTER_DAY0, DAY0), (BOUGHT_AFTER_DAY1, DAY1)] {
        let placed = order(&answer, symbol);
        assert_eq!(instant(&placed["at"]), Timestamp::at_ist(day, 16, 5), "35 minutes after the close");
        assert_eq!(placed["amo"].as_bool(), Some(true));
    }
    let waits = order(&answer, BOUGHT_AFTER_DAY1);
    assert_eq!(word(waits, "status"), "queued-amo", "the exchange has taken it for the next open");
}

#[test]
fn the_first_buy_fills_at_the_next_open() {
    let answer = demo();
    let placed = order(&answer, BOUGHT_AFTER_DAY0);
    assert_eq!(word(placed, "for_session"), DAY1.to_string());
    assert_eq!(word(placed, "status"), "filled");
    let all = fills(&answer);
    let of_it: Vec<_> = all.iter().filter(|fill| fill.symbol == BOUGHT_AFTER_DAY0).collect();
    let [fill] = of_it[..] else { panic!("one fill: {of_it:?}") };
    assert_eq!(Timestamp::from_nanos(fill.at), Timestamp::at_ist(DAY1, 9, 15));
    assert_eq!(fill.price, open_of(BOUGHT_AFTER_DAY0, DAY1));
    assert!(fill.price <= paise(&placed["price"]), "within its limit");
    assert_eq!(fill.quantity, number(placed, "quantity"));
    assert_eq!(fill.order, word(placed, "id"));
}

#[test]
fn the_held_position_is_sold_by_a_target_that_was_lowered() {
    let answer = demo();
    let placed = order(&answer, SEEDED_SYMBOL);
    assert_eq!(word(placed, "strategy"), "sell");
    assert_eq!(word(placed, "status"), "filled");
    let all = fills(&answer);
    let sold: Vec<_> = all.iter().filter(|fill| fill.symbol == SEEDED_SYMBOL).collect();
    assert_eq!(sold.iter().map(|fill| fill.quantity).sum::<i64>(), i64::from(SEEDED_QUANTITY.get()));
    let first_fill = sold.iter().map(|fill| fill.at).min().expect("sold");

    let mut target = paise(&placed["price"]);
    let mut lowered = 0;
    for step in list(placed, "trail") {
        let (at, words) = (step[0].as_i64().expect("an instant"), step[1].as_str().expect("words"));
        let Some(price) = words.strip_prefix(&format!("to {SEEDED_QUANTITY} at ")) else { continue };
        let price = paise(&Value::from(price));
        assert!(price < target, "a target is only ever lowered: {words}");
        assert!(at < first_fill, "after the sale nothing is changed: {words}");
        target = price;
        lowered += 1;
    }
    assert!(lowered >= 5, "lowered {lowered} times");
    for fill in sold {
        assert_eq!(fill.price, target, "sold at the last target");
        assert!(fill.price > SEEDED_ENTRY_PRICE.units() / 100);
    }
    let left = list(&answer, "positions").iter().filter(|view| word(view, "symbol") == SEEDED_SYMBOL);
    assert_eq!(left.count(), 0, "sold completely");
}

#[test]
fn the_account_adds_up_to_the_paisa() {
    let answer = demo();
    let account = &answer["account"];
    let of = |name: &str| paise(&account[name]);
    let (mut bought, mut sold, mut cost) = (0, 0, 0);
    for fill in fills(&answer) {
        *(if fill.buys { &mut bought } else { &mut sold }) += fill.value();
        cost += charges(fill.value(), fill.buys);
    }
    assert!(bought > 0 && sold > 0 && cost > 0);
    assert_eq!((of("bought"), of("sold"), of("charges")), (bought, sold, cost));
    assert_eq!(of("closing_cash"), of("opening_cash") - bought + sold - cost);
    assert_eq!(of("exchange_cash"), of("closing_cash"), "the exchange says the same");

    // What is blocked is what the waiting order can cost at most.
    let waits = order(&answer, BOUGHT_AFTER_DAY1);
    let value = paise(&waits["price"]) * number(waits, "quantity");
    assert_eq!(of("blocked"), value + charges(value, true));

    let owned = owned(&answer);
    let told: std::collections::BTreeMap<String, i64> = list(&answer, "positions")
        .iter()
        .map(|view| (word(view, "symbol").to_owned(), number(view, "quantity")))
        .collect();
    assert_eq!(owned, told, "fills and positions agree");
    assert_eq!(owned.keys().collect::<Vec<_>>(), [BOUGHT_AFTER_DAY0]);
    assert_eq!(of("equity"), of("closing_cash") + of("positions_value"));
}

#[test]
fn another_process_trades_the_same() {
    let (one, two) = (demo(), demo());
    for part in ["account", "positions", "orders", "fills", "runs", "last_summary", "trace_hash"] {
        assert_eq!(one[part], two[part], "{part}");
    }
}

#[test]
fn it_is_told_as_it_happens_and_ends_with_the_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = folder.path().join("kept");
    let told = run_ok(&["demo", "--keep", text(&keep)]);
    for part in [
        BOUGHT_AFTER_DAY0,
        BOUGHT_AFTER_DAY1,
        "after-market",
        "filled: sell 150 DEMOGAMMA",
        "opening cash",
        "charges",
        "closing cash",
        "equity",
    ] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    let trace = told.lines().find_map(|line| line.strip_prefix("trace ")).expect("the trace");
    assert_eq!(trace.len(), 64, "{trace}");
    assert!(!told.contains('\u{1b}'), "no colour where there is no terminal");
    assert!(keep.join("demo.sqlite").is_file(), "the journal is kept");

    // The kept journal is not written over.
    let refused = support::run_fails(&["demo", "--keep", text(&keep)], 1);
    assert!(refused.contains("exists already") && refused.contains("demo.sqlite"), "{refused}");
}
