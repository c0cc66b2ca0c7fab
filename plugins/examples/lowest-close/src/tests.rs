//! The whole strategy against a mock host.

use tradeagent_sdk::buy::*;
use tradeagent_sdk::mock::{self, Host};
use tradeagent_sdk::price::Price;

use super::Mine;

fn after_the_close() -> Host {
    let host = Host::new();
    host.time(16, 5);
    host.param("days", 3);
    for (symbol, closes) in [("FALLS", [103, 102, 101]), ("RISES", [101, 102, 103])] {
        host.listed(mock::instrument(symbol, closes[2]));
        host.closes(symbol, &closes.map(Price::rupees));
    }
    host
}

#[test]
fn a_new_low_is_bought_once_for_the_next_open() {
    let host = after_the_close();
    let report = Mine.run(host.tick()).expect("a run").expect("a report");
    assert_eq!(report.summary, "1 orders for the next open, of 2 symbols");
    Mine.run(host.tick()).expect("a second run");
    let orders = host.orders();
    assert_eq!(orders.len(), 1, "the second run places nothing");
    assert_eq!(
        (orders[0].symbol.as_str(), orders[0].quantity, orders[0].price, orders[0].amo),
        ("FALLS", 10, 1_010_000, true)
    );
}

#[test]
fn what_is_owned_and_what_is_no_parameter_buys_nothing() {
    let host = after_the_close();
    host.owned("FALLS", 5, Price::rupees(110));
    Mine.run(host.tick()).expect("a run");
    host.param("dayz", 3);
    let Err(TaskError::Config(why)) = Mine.run(host.tick()) else { panic!("a wrong name is an error") };
    assert_eq!(why, "there is no parameter dayz; there are: days, orders_max, quantity");
    assert!(host.orders().is_empty());
}
