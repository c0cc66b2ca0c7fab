//! What holds whatever is asked.

use std::collections::BTreeMap;

use model::{Money, OrderType, Quantity, Side, Symbol, Validity};
use proptest::prelude::*;

use super::market_table::*;
use crate::Exchange;

#[derive(Debug, Clone)]
enum Step {
    Wait(u32),
    Place { sell: bool, kind: u8, quantity: u32, ticks: i64, ioc: bool, amo: bool },
    Change { which: usize, quantity: u32, ticks: i64 },
    Cancel { which: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1_u32..200).prop_map(Step::Wait),
        4 => (any::<bool>(), 0_u8..4, 1_u32..600, -100_i64..100, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(sell, kind, quantity, ticks, ioc, amo)| Step::Place { sell, kind, quantity, ticks, ioc, amo }),
        2 => (0_usize..30, 1_u32..600, -100_i64..100)
            .prop_map(|(which, quantity, ticks)| Step::Change { which, quantity, ticks }),
        1 => (0_usize..30).prop_map(|which| Step::Cancel { which }),
    ];
    prop::collection::vec(step, 1..60)
}

fn moving() -> Table {
    let mut table = table();
    for minute in 0..375_u32 {
        let base = 100 + (i64::from(minute) * 37 % 11) - 5;
        let text = format!("{base} {} {} {} {}", base + 3, base - 3, base + 1, minute % 50 * 20);
        table.minutes.insert(("ACME".into(), session(), minute), Some(bar(&text)));
    }
    table
}

fn run(exchange: &mut Exchange, step: &Step, ids: &mut Vec<model::BrokerOrderId>) {
    let on_tick = |ticks: i64| model::Price::from_paise(10_000 + ticks * 5);
    match *step {
        Step::Wait(minutes) => {
            let now = exchange.now().expect("begun");
            exchange.advance(now.plus_minutes(i64::from(minutes)).plus_seconds(7));
        }
        Step::Place { sell, kind, quantity, ticks, ioc, amo } => {
            let side = if sell { Side::Sell } else { Side::Buy };
            let mut terms = limit(side, "ACME", quantity, "100");
            terms.price = on_tick(ticks);
            terms.validity = if ioc { Validity::Ioc } else { Validity::Day };
            terms.amo = amo;
            match kind {
                0 => (terms.order_type, terms.price) = (OrderType::Market, model::Price::ZERO),
                1 => (terms.order_type, terms.trigger) = (OrderType::StopLimit, Some(terms.price)),
                _ => {}
            }
            // Refusals are answers too.
            ids.extend(exchange.try_order(terms));
        }
        Step::Change { which, quantity, ticks } => {
            if let Some(id) = ids.get(which).cloned() {
                let _ = exchange.change(&id, &on_tick(ticks).to_string(), quantity);
            }
        }
        Step::Cancel { which } => {
            if let Some(id) = ids.get(which).cloned() {
                let _ = exchange.cancel_now(&id);
            }
        }
    }
}

fn check(exchange: &Exchange) -> Result<(), TestCaseError> {
    let book = exchange.full_book();
    let funds = exchange.funds();
    prop_assert!(funds.available >= Money::ZERO, "cash {funds:?}");
    prop_assert!(funds.blocked >= Money::ZERO);
    prop_assert_eq!(funds.available + funds.blocked, book.account.cash);
    let mut by_order: BTreeMap<_, (Quantity, Money)> = BTreeMap::new();
    let mut owned: BTreeMap<Symbol, i64> = BTreeMap::from([("HELD".into(), 10), ("BETRADE".into(), 10)]);
    for row in &book.trades {
        let trade = &row.trade;
        let (quantity, value) = by_order.entry(&trade.broker_id).or_default();
        *quantity += trade.quantity;
        *value += trade.price * trade.quantity;
        let shares = owned.entry(trade.symbol.clone()).or_default();
        let signed = i64::from(trade.quantity.get());
        *shares += if trade.side == Side::Buy { signed } else { -signed };
        prop_assert!(*shares >= 0, "never more sold than owned");
        let order = exchange.row(&trade.broker_id);
        prop_assert!(trade.at > order.at, "no fill at or before the arrival");
    }
    for order in &book.orders {
        let (filled, value) = by_order.get(&order.broker_id).copied().unwrap_or_default();
        prop_assert_eq!(order.filled, filled, "the fills make what is filled");
        prop_assert_eq!(order.average, value.per_share(filled));
        prop_assert!(order.filled <= order.terms.quantity);
    }
    for shares in &book.account.owned {
        prop_assert_eq!(i64::from(shares.quantity.get()), owned[&shares.symbol]);
    }
    if book.orders.iter().all(|order| order.status.is_final()) {
        prop_assert!(funds.blocked.is_zero(), "nothing open, nothing blocked");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cash_and_shares_never_go_below_zero_and_fills_add_up(steps in steps(), cash in 1_i64..60_000) {
        let mut config = config();
        config.cash = Money::from_rupees(cash);
        let mut exchange =
            Exchange::new(std::sync::Arc::new(moving()), calendar::Calendar::bundled(), config);
        exchange.advance(at(9, 0));
        let mut ids = Vec::new();
        for step in &steps {
            run(&mut exchange, step, &mut ids);
            check(&exchange)?;
        }
    }

    /// Every trade lies on the path of the minute it happened in, and no worse than its limit was.
    #[test]
    fn no_fill_beyond_the_path(quantity in 1_u32..900, ticks in -100_i64..100, minute in 0_i64..370, sell in any::<bool>()) {
        let mut table = moving();
        for number in 0..375_u32 {
            let same = table.minutes[&("ACME".into(), session(), number)];
            table.minutes.insert(("HELD".into(), session(), number), same);
        }
        let mut exchange = exchange_at(table.clone(), at(9, 15).plus_minutes(minute));
        let terms = if sell {
            limit(Side::Sell, "HELD", quantity.min(10), "100")
        } else {
            limit(Side::Buy, "ACME", quantity, "100")
        };
        let terms = model::OrderTerms { price: model::Price::from_paise(10_000 + ticks * 5), ..terms };
        exchange.order_now(terms.clone());
        exchange.advance(at(15, 30));
        for trade in exchange.trades() {
            let number = (trade.at.nanos_since(at(9, 15)) / model::time::MINUTE) as u32;
            let bar = table.minutes[&("ACME".into(), session(), number)].expect("a bar");
            prop_assert!(bar.low <= trade.price && trade.price <= bar.high);
            let good = if sell { trade.price >= terms.price } else { trade.price <= terms.price };
            prop_assert!(good);
        }
    }
}
