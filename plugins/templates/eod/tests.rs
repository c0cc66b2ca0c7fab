//! The whole strategy against a mock host.

use tradeagent_sdk::eod::portfolio::DayAccount;
use tradeagent_sdk::eod::*;
use tradeagent_sdk::mock::Host;

use super::Mine;

#[test]
fn the_day_is_told_once() {
    let host = Host::new();
    host.time(18, 0);
    let quiet = portfolio::get_day_account().expect("an account");
    let orders = vec![("filled".to_owned(), 2), ("expired".to_owned(), 1)];
    host.account(DayAccount { orders, fills: 2, realised: 100_000, charges: 5_000, ..quiet });
    for _ in 0..2 {
        Mine.run(host.tick()).expect("a run");
    }
    let alerts = host.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].text, "3 orders, 2 fills, 9.50 rupees after charges");
}
