//! A session that dies under an order: proof that nothing happened, and the whole desk once more.

use journal::{Entry, TradingState};
use model::{Clock as _, Fact, IntentId, OrderError, Status};

use super::exchange::Fault;
use super::world::*;
use crate::Blocking;
use crate::desk::lock;

/// The trail of an order or change in short words.
fn trail(world: &World, intent: IntentId) -> Vec<String> {
    let order = world.id("s", "k");
    let entries = world.desk.with_journal(|journal| journal.trail(order)).expect("a trail");
    let word = |entry: Entry| match entry {
        Entry::Intent(found) if found.id == intent => Some("intent".to_owned()),
        Entry::Attempt { intent: found, number, .. } if found == intent => Some(format!("attempt {number}")),
        Entry::Evidence(evidence) if evidence.intent == intent => Some(
            match evidence.fact {
                Fact::Acked { .. } => "acked",
                Fact::Unsent { .. } => "unsent",
                Fact::Refused { .. } => "refused",
                Fact::NotPlaced { .. } => "not placed",
                Fact::Unclear { .. } => "unclear",
                _ => "other",
            }
            .to_owned(),
        ),
        _ => None,
    };
    entries.into_iter().filter_map(|recorded| word(recorded.entry)).collect()
}

fn taken(world: &World) -> u32 {
    world.exchange.with(|state| state.taken.values().sum())
}

#[tokio::test]
async fn an_order_refused_for_a_dead_session_goes_out_once_more_and_stands_once() {
    for blocking in [Blocking::Local, Blocking::Threaded] {
        let world = World::new(blocking);
        world.exchange.fail_next(Fault::Expire);
        let placed = world.place("k", buy(10)).await.expect("placed under the new session");
        assert_eq!(placed.status, Status::New);
        assert_eq!(taken(&world), 1);
        assert_eq!(world.exchange.with(|state| state.readied), 2, "the new session was waited for");
        assert_eq!(trail(&world, placed.id), ["intent", "attempt 1", "unsent", "attempt 2", "acked"]);
    }
}

#[tokio::test]
async fn a_second_dead_session_in_a_row_is_a_refusal() {
    let world = World::new(Blocking::Local);
    world.exchange.fail_next(Fault::Expire);
    world.exchange.fail_next(Fault::Expire);
    let refused = world.place("k", buy(10)).await.expect_err("refused");
    assert!(matches!(&refused, OrderError::Refused { code, .. } if code == "session-expired"), "{refused}");
    let id = world.id("s", "k");
    assert_eq!((world.status(id), taken(&world)), (Status::Rejected, 0));
    assert_eq!(world.exchange.with(|state| state.calls), 2, "no third attempt");
    assert!(world.desk.unresolved().is_empty());
}

#[tokio::test]
async fn what_changed_while_it_waited_for_the_session_holds() {
    type Meanwhile = Box<dyn Fn(&World) -> Box<dyn Fn(u32) + Send + Sync>>;
    let switch: Meanwhile = Box::new(|world| {
        let desk = world.desk.clone();
        Box::new(move |before| {
            if before == 1 {
                desk.set_trading_state(TradingState::CancelsOnly, "test").expect("set");
            }
        })
    });
    let late: Meanwhile = Box::new(|world| {
        let clock = world.clock.clone();
        Box::new(move |before| {
            if before == 1 {
                clock.pass(60)
            }
        })
    });
    let closed: Meanwhile = Box::new(|world| {
        let view = world.view.clone();
        Box::new(move |before| {
            if before == 1 {
                *view.closed.lock().expect("not poisoned") = true
            }
        })
    });
    let gone: Meanwhile = Box::new(|world| {
        let exchange = world.exchange.clone();
        Box::new(move |before| {
            if before == 1 {
                exchange.with(|state| state.not_ready = Some("another program is logged in"));
            }
        })
    });
    for (what, meanwhile) in [("switch", switch), ("send-by", late), ("phase", closed), ("session", gone)] {
        let world = World::new(Blocking::Local);
        world.exchange.fail_next(Fault::Expire);
        *lock(&world.exchange.on_ready) = Some(meanwhile(&world));
        let mut asked = request("k", buy(10));
        asked.send_by = Some(world.clock.now().plus_seconds(30));
        let error = world.desk.place(&world.origin("s"), asked).await.expect_err(what);
        assert!(matches!(error, OrderError::Denied { .. } | OrderError::NotNow { .. }), "{what}: {error}");
        let id = world.id("s", "k");
        assert_eq!((world.status(id), taken(&world)), (Status::NotPlaced, 0), "{what}");
        assert_eq!(trail(&world, id), ["intent", "attempt 1", "unsent", "not placed"], "{what}");
        assert!(world.desk.unresolved().is_empty(), "{what}");
        assert_eq!(world.desk.exposure(day()), model::Money::ZERO, "{what}");
    }
}

#[tokio::test]
async fn it_does_not_count_against_itself_in_the_second_look() {
    let mut config = config(Blocking::Local);
    config.limits.max_exposure = Some(model::Money::from_rupees(1_000));
    config.limits.max_orders_per_day = Some(1);
    let world = World::with(config);
    world.exchange.fail_next(Fault::Expire);
    let placed = world.place("k", buy(10)).await.expect("within the limits, once");
    assert_eq!((placed.status, taken(&world)), (Status::New, 1));
}

#[tokio::test]
async fn changes_pass_once_more_too() {
    let world = World::new(Blocking::Local);
    let id = world.place("k", buy(10)).await.expect("placed").id;
    world.exchange.fail_next(Fault::Expire);
    world.modify(id, "raise", 12, 101).await.expect("modified");
    let row = world.broker_row(id);
    assert_eq!(row.terms.quantity, model::Quantity::new(12));
    let change = world.id("s", "raise");
    assert_eq!(trail(&world, change), ["intent", "attempt 1", "unsent", "attempt 2", "acked"]);
    world.exchange.fail_next(Fault::Expire);
    let ended = world.cancel(id).await.expect("cancelled");
    assert_eq!(ended.status, Status::Canceled);
}

#[tokio::test]
async fn a_change_that_may_not_go_again_leaves_the_order_as_it_was() {
    let world = World::new(Blocking::Local);
    let id = world.place("k", buy(10)).await.expect("placed").id;
    world.exchange.fail_next(Fault::Expire);
    world.exchange.fail_next(Fault::Expire);
    let refused = world.modify(id, "raise", 12, 101).await.expect_err("refused");
    assert!(matches!(&refused, OrderError::Refused { code, .. } if code == "session-expired"), "{refused}");
    assert_eq!(world.status(id), Status::New);
    assert_eq!(world.view_of(id).terms.quantity, model::Quantity::new(10));
    assert!(world.desk.unresolved().is_empty());
}

#[tokio::test]
async fn without_a_session_nothing_is_written_down_or_sent() {
    let world = World::new(Blocking::Local);
    world.exchange.with(|state| state.not_ready = Some("no login before 08:00"));
    let denied = world.place("k", buy(10)).await;
    assert_eq!(rule(denied), "session");
    assert!(world.desk.order(world.id("s", "k").as_str()).is_none());
    assert_eq!(world.exchange.with(|state| state.calls), 0);
    world.exchange.with(|state| state.not_ready = None);
    world.place("k", buy(10)).await.expect("the key was not used up");
}

#[tokio::test]
async fn a_host_that_dies_before_the_second_attempt_knows_that_nothing_was_sent() {
    let mut world = World::new(Blocking::Local);
    world.exchange.fail_next(Fault::Expire);
    let (desk, origin) = (world.desk.clone(), world.origin("s"));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    *lock(&world.exchange.on_ready) = Some(Box::new(move |before| {
        if before == 1 {
            let _ = tell.send(());
            std::panic::resume_unwind(Box::new("the host dies here"));
        }
    }));
    let call = tokio::spawn(async move { desk.place(&origin, request("k", buy(10))).await });
    told.recv().await.expect("it came that far");
    assert!(call.await.expect("the desk's own task died, not this one").is_err());
    *lock(&world.exchange.on_ready) = None;
    world.restart();
    let id = world.id("s", "k");
    assert_eq!((world.status(id), taken(&world)), (Status::NotPlaced, 0));
    assert!(world.desk.unresolved().is_empty());
}
