//! The whole strategy against a mock host.

use tradeagent_sdk::mock::Host;
use tradeagent_sdk::monitor::*;
use tradeagent_sdk::price::Price;

use super::Mine;

#[test]
fn a_fall_is_told_once_and_a_missing_quote_is_no_price() {
    let host = Host::new();
    host.owned("FALLS", 10, Price::rupees(100));
    host.owned("SILENT", 10, Price::rupees(100));
    host.quote("FALLS", Price::rupees(94));
    for _ in 0..2 {
        let report = Mine.run(host.tick()).expect("a run").expect("a report");
        assert_eq!(report.skipped[0].subject, "SILENT");
    }
    let alerts = host.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].text, "FALLS is more than 5 % below what was paid");
}
