//! One order through the whole desk: check, commit, wire, acknowledgement, fill, ledger.
//!
//! `inline` is what `backtest` pays for an order and its fill, `durable` what the service pays before
//! anything is sent (one fsync). Run with `cargo bench -p oms`.

use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
use criterion::{Criterion, criterion_group, criterion_main};
use journal::{Journal, MemoryJournal, SqliteJournal};
use model::risk::Limits;
use model::{
    BoxFuture, Clock, Date, Funds, Holding, Instrument, OrderTerms, OrderType, Origin, PlaceRequest, Price,
    Quantity, Side, Status, Symbol, Timestamp,
};
use oms::{Blocking, Desk, DeskConfig, MarketView};

struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

struct Open;

impl MarketView for Open {
    fn last_price(&self, _: &Symbol) -> Option<Price> {
        Some(Price::from_rupees(100))
    }
    fn instrument(&self, _: &Symbol) -> Option<Instrument> {
        None
    }
    fn settlement_date(&self, trade: Date) -> Date {
        trade
    }
    fn session_for(&self, _: bool, _: Timestamp) -> Result<Date, (String, String)> {
        Ok(day())
    }
}

/// Takes everything at once.
#[derive(Default)]
struct Taker(Mutex<(u64, Option<PlaceCall>)>);

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<Vec<T>, CallError>> {
    Box::pin(std::future::ready(Ok(Vec::new())))
}

impl Broker for Taker {
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        let broker_id = call.tag.as_str().into();
        state.1 = Some(call);
        Box::pin(std::future::ready(Ok(Ack { broker_id })))
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(std::future::ready(Ok(Ack { broker_id: call.broker_id })))
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(std::future::ready(Ok(Ack { broker_id: call.broker_id })))
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        nothing()
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        nothing()
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        nothing()
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        nothing()
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        Box::pin(std::future::ready(Ok(Funds::default())))
    }
}

fn day() -> Date {
    Date::from_ymd_opt(2025, 3, 4).expect("a date")
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("an inline desk waits for nothing"),
    }
}

struct Bench {
    desk: Desk,
    broker: Arc<Taker>,
    origin: Origin,
    count: u64,
}

impl Bench {
    fn new(journal: Box<dyn Journal>) -> Self {
        let mut config = DeskConfig::new("bench".into());
        config.blocking = Blocking::Inline;
        config.limits = Limits::none();
        config.charges = None;
        let broker = Arc::new(Taker::default());
        let clock = Arc::new(Ticking(AtomicI64::new(Timestamp::at_ist(day(), 10, 0).nanos())));
        let desk =
            Desk::open(config, journal, Arc::clone(&broker) as _, clock, Arc::new(Open)).expect("a desk");
        let origin = Origin {
            account: "bench".into(),
            strategy: "s".into(),
            component: "hash".into(),
            run: "run".into(),
            day: day(),
        };
        Self { desk, broker, origin, count: 0 }
    }

    /// Buys and sells in turn, as a crossing strategy does. Every twenty orders are a day.
    fn place(&mut self) {
        self.count += 1;
        if self.count.is_multiple_of(20) {
            self.origin.day = self.origin.day.succ_opt().expect("not the last day");
        }
        let side = if self.count % 2 == 1 { Side::Buy } else { Side::Sell };
        let mut terms = OrderTerms::limit("ACME", side, Quantity::new(10), Price::ZERO);
        terms.order_type = OrderType::Market;
        let request =
            PlaceRequest { key: self.count.to_string(), terms, send_by: None, reason: String::new() };
        black_box(now(self.desk.place(&self.origin, request)).expect("taken"));
    }

    fn fill(&mut self) {
        let call = self.broker.0.lock().unwrap_or_else(PoisonError::into_inner).1.take().expect("an order");
        let at = Timestamp::at_ist(self.origin.day, 10, 1);
        let trade = BrokerTrade {
            trade_id: self.count.to_string(),
            broker_id: call.tag.as_str().into(),
            tag: Some(call.tag.to_string()),
            symbol: call.terms.symbol.clone(),
            side: call.terms.side,
            quantity: call.terms.quantity,
            price: Price::from_rupees(100),
            at,
            session: self.origin.day,
        };
        let row = BrokerOrder {
            broker_id: trade.broker_id.clone(),
            tag: trade.tag.clone(),
            filled: call.terms.quantity,
            terms: call.terms,
            status: Status::Filled,
            average: Price::from_rupees(100),
            at,
            session: self.origin.day,
            reason: String::new(),
        };
        black_box(self.desk.absorb(&[row], &[trade]));
    }
}

fn desk(criterion: &mut Criterion) {
    let mut inline = Bench::new(Box::new(MemoryJournal::bounded()));
    criterion.bench_function("place and fill, inline", |bencher| {
        bencher.iter(|| {
            inline.place();
            inline.fill();
        });
    });
    let mut placing = Bench::new(Box::new(MemoryJournal::bounded()));
    criterion.bench_function("place, inline", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut spent = std::time::Duration::ZERO;
            for _ in 0..rounds {
                #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
                let begun = std::time::Instant::now();
                placing.place();
                spent += begun.elapsed();
                placing.fill();
            }
            spent
        });
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = SqliteJournal::open(folder.path().join("journal.db")).expect("a journal");
    let mut durable = Bench::new(Box::new(file));
    criterion.bench_function("place and fill, durable", |bencher| {
        bencher.iter(|| {
            durable.place();
            durable.fill();
        });
    });
}

criterion_group!(benches, desk);
criterion_main!(benches);
