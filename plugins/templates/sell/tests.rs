//! The whole strategy against a mock host.

use tradeagent_sdk::mock::{self, Host};
use tradeagent_sdk::price::Price;
use tradeagent_sdk::sell::types::Status;
use tradeagent_sdk::sell::*;

use super::Mine;

#[test]
fn a_position_gets_one_order_and_a_rejected_one_is_told() {
    let host = Host::new();
    host.listed(mock::instrument("TCS", 3_000));
    host.owned("TCS", 10, Price::rupees(3_000));
    for _ in 0..2 {
        let report = Mine.run(host.tick()).expect("a run").expect("a report");
        assert_eq!(report.summary, "1 orders stand");
    }
    let orders = host.orders();
    assert_eq!(orders.len(), 1, "the second tick places nothing");
    assert_eq!((orders[0].quantity, Price(orders[0].price)), (10, Price::rupees(3_150)));

    host.becomes("target:TCS", Status::Rejected);
    let report = Mine.run(host.tick()).expect("a run").expect("a report");
    assert_eq!(report.skipped[0].reason, "today's order for it is rejected");
}
