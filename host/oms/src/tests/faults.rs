//! Any order of acts and faults.

use model::risk::Limits;
use model::{BrokerOrderId, Money, OrderError, OrderTerms, Price, Quantity, Side, Status};
use proptest::prelude::*;

use super::exchange::Fault;
use super::world::*;
use crate::Blocking;

const CAP: i64 = 8_000;
/// ACME shares that are there from the start.
const SEED: u32 = 30;
const SYMBOLS: [&str; 2] = ["ACME", "ZETA"];

#[derive(Debug, Clone)]
enum Act {
    Place { symbol: usize, side: Side, quantity: u32, key: u8 },
    Modify { key: u8, change: u8, quantity: u32, rupees: i64 },
    Cancel { key: u8 },
    Fill { order: u8, quantity: u32 },
    Fault(Fault),
    Lag(i64),
    ReadsFail(bool),
    Pass(i64),
    Refresh,
    Reconcile,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let fault = prop_oneof![
        Just(Fault::LoseAnswer),
        Just(Fault::LoseCall),
        Just(Fault::Refuse),
        Just(Fault::Expire),
        Just(Fault::FillFirst),
        Just(Fault::Panic)
    ];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    prop_oneof![
        6 => (0_usize..2, side, 1_u32..20, 0_u8..8)
            .prop_map(|(symbol, side, quantity, key)| Act::Place { symbol, side, quantity, key }),
        2 => (0_u8..8, 0_u8..4, 1_u32..25, 95_i64..105)
            .prop_map(|(key, change, quantity, rupees)| Act::Modify { key, change, quantity, rupees }),
        2 => (0_u8..8).prop_map(|key| Act::Cancel { key }),
        4 => (0_u8..8, 1_u32..25).prop_map(|(order, quantity)| Act::Fill { order, quantity }),
        3 => fault.prop_map(Act::Fault),
        1 => (0_i64..59).prop_map(Act::Lag),
        1 => any::<bool>().prop_map(Act::ReadsFail),
        2 => (1_i64..120).prop_map(Act::Pass),
        2 => Just(Act::Refresh),
        3 => Just(Act::Reconcile),
        1 => Just(Act::Restart),
    ]
}

async fn run(world: &mut World, act: &Act) -> Result<(), TestCaseError> {
    let outcome = match act {
        Act::Place { symbol, side, quantity, key } => {
            let terms =
                OrderTerms::limit(SYMBOLS[*symbol], *side, Quantity::new(*quantity), Price::from_rupees(100));
            world.place(&format!("p{key}"), terms).await.map(drop)
        }
        Act::Modify { key, change, quantity, rupees } => {
            let order = world.id("s", &format!("p{key}"));
            if world.desk.order(order.as_str()).is_none() {
                return Ok(());
            }
            world.modify(order, &format!("m{change}"), *quantity, *rupees).await.map(drop)
        }
        Act::Cancel { key } => world.cancel(world.id("s", &format!("p{key}"))).await.map(drop),
        Act::Fill { order, quantity } => {
            world.exchange.fill(&BrokerOrderId::from(format!("B{order}")), *quantity);
            Ok(())
        }
        Act::Fault(fault) => {
            world.exchange.fail_next(*fault);
            Ok(())
        }
        Act::Lag(seconds) => {
            world.exchange.with(|state| state.lag_seconds = *seconds);
            Ok(())
        }
        Act::ReadsFail(fail) => {
            world.exchange.with(|state| {
                if *fail { state.failing.insert("trades") } else { state.failing.remove("trades") }
            });
            Ok(())
        }
        Act::Pass(seconds) => {
            world.clock.pass(*seconds);
            Ok(())
        }
        Act::Refresh => {
            let _ = world.desk.refresh().await;
            Ok(())
        }
        Act::Reconcile => {
            let _ = world.desk.reconcile().await;
            Ok(())
        }
        Act::Restart => {
            world.restart();
            Ok(())
        }
    };
    prop_assert!(!matches!(outcome, Err(OrderError::Desk(_))), "{outcome:?}");
    Ok(())
}

/// What the exchange could take from the account at worst, which the desk may never let grow past the cap.
fn at_risk(world: &World) -> Money {
    world.exchange.with(|state| {
        let open: Money = state
            .rows
            .values()
            .filter(|row| row.terms.side == Side::Buy && !row.status.is_final())
            .map(|row| row.terms.price * row.terms.quantity.saturating_sub(row.filled))
            .sum();
        let bought: Money = state
            .trades
            .iter()
            .filter(|trade| trade.side == Side::Buy)
            .map(|trade| trade.price * trade.quantity)
            .sum();
        // Sales free what was paid, not what was received: count at the dearest price paid.
        let sold: Money = state
            .trades
            .iter()
            .filter(|trade| trade.side == Side::Sell)
            .map(|trade| Price::from_rupees(105) * trade.quantity)
            .sum();
        open + bought - sold
    })
}

/// Shares that are there, as the exchange counts.
fn at_exchange(world: &World, symbol: &str) -> i64 {
    let seed = if symbol == SYMBOLS[0] { i64::from(SEED) } else { 0 };
    seed + world.exchange.with(|state| state.net(&symbol.into()))
}

fn check(world: &World) -> Result<(), TestCaseError> {
    let taken = world.exchange.with(|state| state.taken.values().copied().max().unwrap_or_default());
    prop_assert!(taken <= 1, "an intent was sent twice");
    prop_assert!(at_risk(world) <= Money::from_rupees(CAP), "the cap is passed: {}", at_risk(world));
    for symbol in SYMBOLS {
        let owned = at_exchange(world, symbol);
        prop_assert!(owned >= 0, "{symbol} was sold short: {owned}");
        let in_sells: u32 = world.exchange.with(|state| {
            let rows = state.rows.values().filter(|row| {
                row.terms.symbol.as_str() == symbol && row.terms.side == Side::Sell && !row.status.is_final()
            });
            rows.map(|row| row.terms.quantity.saturating_sub(row.filled).get()).sum()
        });
        prop_assert!(i64::from(in_sells) <= owned, "{in_sells} {symbol} in sells, {owned} owned");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn one_order_an_intent_caps_held_and_the_books_agree_in_the_end(acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut config = config(Blocking::Local);
            config.limits = Limits { max_exposure: Some(Money::from_rupees(CAP)), max_daily_loss: None, ..Limits::default() };
            let mut world = World::with(config);
            world.adopt(SYMBOLS[0], SEED);
            for act in &acts {
                run(&mut world, act).await?;
                check(&world)?;
            }
            world.exchange.with(|state| {
                state.faults.clear();
                state.failing.clear();
                state.lag_seconds = 0;
            });
            for _ in 0..12 {
                world.settle().await;
            }
            check(&world)?;
            for symbol in SYMBOLS {
                let expected = at_exchange(&world, symbol);
                let positions = world.desk.positions(day());
                let owned = positions.iter().find(|view| view.position.symbol.as_str() == symbol);
                let owned = owned.map_or(0, |view| i64::from(view.position.quantity.get()));
                prop_assert_eq!(owned, expected, "{}", symbol);
            }
            for order in world.desk.unresolved() {
                prop_assert_eq!(order.status, Status::Parked);
            }
            prop_assert_eq!(world.desk.trading_state(), journal::TradingState::On);
            // What stands in memory is what the journal tells.
            let before = (world.desk.account_orders(day()), world.desk.positions(day()));
            world.restart();
            world.desk.reconcile().await.expect("read");
            prop_assert_eq!(before, (world.desk.account_orders(day()), world.desk.positions(day())));
            Ok(())
        })?;
    }
}
