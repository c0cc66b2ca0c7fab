//! Whatever is told, in whatever order and however often.

use proptest::prelude::*;

use super::tests::{buy, fill, id, intent, seen, told};
use super::*;
use crate::evidence::Fact;

#[derive(Debug, Clone)]
enum Step {
    Fact(char, Fact),
    Modify(u32, i64),
    Cancel,
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::New),
        Just(Status::QueuedAmo),
        Just(Status::PartiallyFilled),
        Just(Status::Filled),
        Just(Status::Canceled),
        Just(Status::Rejected),
        Just(Status::Expired),
        Just(Status::Other("odd".to_owned())),
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(Fact::Acked { broker_id: "B1".into() }),
        Just(Fact::Refused { code: "1".into(), reason: "no".into() }),
        Just(Fact::Unclear { why: "?".into() }),
        Just(Fact::NotPlaced { why: "absent".into() }),
        Just(Fact::Parked { why: "?".into() }),
        (status(), 0_u32..12, 1_u32..15, 90_i64..110).prop_map(|(s, f, q, p)| seen(s, f, q, p)),
        (0_u32..6, 1_u32..5).prop_map(|(trade, quantity)| fill(&trade.to_string(), quantity, 100)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (prop_oneof![Just('A'), Just('B'), Just('C')], fact()).prop_map(|(about, fact)| Step::Fact(about, fact)),
        1 => (1_u32..15, 90_i64..110).prop_map(|(quantity, price)| Step::Modify(quantity, price)),
        1 => Just(Step::Cancel),
    ];
    prop::collection::vec(step, 0..25)
}

fn run(order: &mut OrderState, step: &Step) -> bool {
    match step {
        Step::Fact(about, fact) => told(order, id(*about), fact.clone()).is_err(),
        Step::Modify(quantity, price) => {
            let action = Action::Modify {
                order: order.id,
                price: Price::from_rupees(*price),
                total_quantity: Quantity::new(*quantity),
            };
            order.begin(&intent(id('B'), action));
            false
        }
        Step::Cancel => {
            order.begin(&intent(id('C'), Action::Cancel { order: order.id }));
            false
        }
    }
}

proptest! {
    #[test]
    fn fills_only_grow_and_count_each_trade_once(steps in steps()) {
        let mut order = buy(10);
        let mut trades = std::collections::BTreeMap::new();
        for step in &steps {
            let before = order.filled();
            run(&mut order, step);
            prop_assert!(order.filled() >= before);
            if let Step::Fact(_, Fact::Filled(fill)) = step {
                trades.entry(fill.trade_id.clone()).or_insert(fill.quantity);
            }
            let sum: Quantity = trades.values().copied().sum();
            prop_assert_eq!(order.booked(), sum);
        }
    }

    #[test]
    fn an_order_that_may_be_alive_never_counts_for_less_than_it_may_take(steps in steps()) {
        let mut order = buy(10);
        for step in &steps {
            run(&mut order, step);
            if !order.is_final() {
                prop_assert!(order.exposed() + order.booked() >= order.terms.quantity);
            }
            prop_assert!(order.exposed() + order.booked() >= order.filled());
        }
    }

    #[test]
    fn the_same_evidence_twice_changes_nothing_more(steps in steps()) {
        let mut order = buy(10);
        for step in &steps {
            run(&mut order, step);
            if let Step::Fact(..) = step {
                let once = order.clone();
                run(&mut order, step);
                prop_assert_eq!(&once, &order);
            }
        }
    }

    #[test]
    fn nothing_ends_without_a_word_from_the_broker(steps in steps()) {
        let mut order = buy(10);
        for step in &steps {
            let was = order.is_final();
            run(&mut order, step);
            if !was && order.is_final() {
                let told = matches!(
                    step,
                    Step::Fact(_, Fact::Seen { .. } | Fact::Filled(_) | Fact::Refused { .. } | Fact::NotPlaced { .. } | Fact::Acked { .. })
                );
                prop_assert!(told, "{step:?} ended it");
            }
        }
    }
}
