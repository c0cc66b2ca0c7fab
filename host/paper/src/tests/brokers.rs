//! Both brokers pass the suite of the port.

use std::sync::{Arc, Mutex};

use broker::conformance::{Bench, suite};
use broker::{Broker, PlaceCall};
use calendar::Calendar;
use model::{Price, Timestamp};

use super::market_table::*;
use crate::{Exchange, PaperBroker, RemotePaper, serve};

pub(super) fn fresh() -> (Arc<Mutex<Exchange>>, Arc<HandClock>) {
    let exchange = Exchange::new(Arc::new(table()), Calendar::bundled(), config());
    let clock = Arc::new(HandClock::default());
    clock.set(Timestamp::at_ist(day(2025, 6, 2), 16, 0));
    (Arc::new(Mutex::new(exchange)), clock)
}

pub(super) fn bench(broker: Arc<dyn Broker>, clock: Arc<HandClock>) -> Bench {
    Bench {
        broker,
        set_time: Box::new(move |to| clock.set(to)),
        symbol: "ACME".into(),
        held: "HELD".into(),
        price: Price::from_rupees(100),
        session: session(),
        before: Timestamp::at_ist(day(2025, 6, 2), 18, 0),
        open: at(9, 15),
        close: at(15, 30),
    }
}

#[tokio::test]
async fn the_broker_in_this_process_conforms() {
    suite(|| {
        let (exchange, clock) = fresh();
        bench(Arc::new(PaperBroker::new(exchange, clock.clone())), clock)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_broker_in_another_process_conforms() {
    let servers = Mutex::new(Vec::new());
    suite(|| {
        let (exchange, clock) = fresh();
        let server = serve("127.0.0.1:0".parse().expect("an address"), exchange, None).expect("a free port");
        let remote = RemotePaper::new(server.address(), clock.clone());
        servers.lock().expect("not poisoned").push(server);
        bench(Arc::new(remote), clock)
    })
    .await;
}

#[test]
fn a_call_in_this_process_is_ready_at_its_first_poll() {
    let (exchange, clock) = fresh();
    clock.set(at(10, 0));
    let broker = PaperBroker::new(exchange, clock);
    let mut call = broker.place(PlaceCall { tag: tag("now"), terms: buy(1, "100") });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(call.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(_))));
}
