//! The whole strategy against a mock host.

use tradeagent_sdk::mock::{self, Host};
use tradeagent_sdk::price::Price;
use tradeagent_sdk::trader::types::Side;
use tradeagent_sdk::trader::*;

use super::Mine;

#[test]
fn a_dip_is_bought_and_a_rise_sold() {
    let host = Host::new();
    host.param("symbol", "TCS");
    host.listed(mock::instrument("TCS", 3_000));
    host.quote("TCS", Price::rupees(2_960));
    Mine.run(host.tick()).expect("a run");
    assert_eq!((host.orders()[0].side, host.orders()[0].quantity), (Side::Buy, 10));

    host.fill("buy:TCS", 10, Price::rupees(2_960));
    host.quote("TCS", Price::rupees(3_050));
    Mine.run(host.tick()).expect("a run");
    assert_eq!(host.orders().len(), 1, "what was bought today is not settled");

    host.owned("TCS", 10, Price::rupees(2_960));
    Mine.run(host.tick()).expect("a run");
    assert_eq!((host.orders()[1].side, host.orders()[1].price), (Side::Sell, 30_500_000));
}
