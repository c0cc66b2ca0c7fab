//! In `simulate` and `backtest` every future is ready at its first poll.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::world::*;
use crate::Blocking;

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an inline desk waits for nothing"),
    }
}

#[test]
fn nothing_waits_and_no_rate_holds_within_a_virtual_minute() {
    let world = World::new(Blocking::Inline);
    for number in 0..50 {
        let order = now(world.place(&format!("k{number}"), buy(1))).expect("taken").id;
        now(world.modify(order, &format!("m{number}"), 2, 101)).expect("changed");
        now(world.cancel(order)).expect("canceled");
    }
    now(world.desk.reconcile()).expect("read");
    assert_eq!(now(world.desk.shutdown(std::time::Duration::ZERO)), 0);
}

#[test]
fn old_days_leave_the_memory() {
    let world = World::new(Blocking::Inline);
    for number in 0..30 {
        let order = now(world.place(&format!("k{number}"), buy(1))).expect("taken").id;
        now(world.cancel(order)).expect("canceled");
        world.clock.pass(24 * 3600);
        world.exchange.with(|state| state.rows.clear());
    }
    let book = world.desk.inner.book();
    assert!(book.done.len() <= 9 && book.changes.len() <= 9, "{} orders", book.done.len());
    assert!(book.by_broker.len() <= 9 && book.placed.len() <= 9 && book.live.is_empty());
}
