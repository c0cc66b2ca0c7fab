//! The adapter passes the port's suite, in process and over HTTP.

mod support;

use std::sync::{Arc, Mutex};

use broker::conformance::{Bench, suite};
use broker::session::KeeperConfig;
use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CallKind, CancelCall, ModifyCall, NetPosition,
    PlaceCall, SendError,
};
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::transport::Transport;
use kotak_neo_broker::{KotakBroker, MakeTransport, Rates};
use kotak_neo_sim::{Server, Sim, SimConfig};
use model::{
    BoxFuture, Clock, Date, Exchange, Funds, Holding, Instrument, Money, Price, Quantity, Series, Symbol,
    Tick, Timestamp,
};
use support::*;

/// ACME and HELD at 100 rupees all day, with volume without end.
struct Table;

const SESSION: Date = Date::from_ymd_opt(2025, 6, 3).expect("a date");

impl Table {
    fn instrument_of(symbol: &Symbol) -> Option<Instrument> {
        matches!(symbol.as_str(), "ACME" | "HELD").then(|| Instrument {
            symbol: symbol.clone(),
            exchange: Exchange::Nse,
            isin: "INE000000000".to_owned(),
            series: Series("EQ".to_owned()),
            tick: Tick::new(Price::from_paise(5)).expect("positive"),
            lot: Quantity::new(1),
            freeze: Quantity::new(1_000_000_000),
            band: (Price::from_rupees(90), Price::from_rupees(110)),
            previous_close: Price::from_rupees(100),
            has_derivatives: false,
        })
    }
}

impl market::PriceSource for Table {
    fn minute(&self, symbol: &Symbol, session: Date, _: u32) -> Option<market::MinuteBar> {
        Self::instrument_of(symbol)?;
        let price = Price::from_rupees(100);
        (session == SESSION).then_some(market::MinuteBar {
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 1_000_000,
        })
    }
    fn auction_price(&self, symbol: &Symbol, _: Date) -> Option<Price> {
        Self::instrument_of(symbol).map(|it| it.previous_close)
    }
    fn instrument_on(&self, symbol: &Symbol, _: Date) -> Option<Instrument> {
        Self::instrument_of(symbol)
    }
    fn corporate_action(&self, _: &Symbol, _: Date) -> Option<market::Factor> {
        None
    }
}

impl market::Market for Table {
    fn instruments(
        &self,
        _: &market::InstrumentFilter,
        _: Timestamp,
    ) -> Result<Vec<Instrument>, market::MarketError> {
        Ok(["ACME", "HELD"].into_iter().filter_map(|name| Self::instrument_of(&name.into())).collect())
    }
    fn instrument(&self, symbol: &Symbol, _: Timestamp) -> Result<Instrument, market::MarketError> {
        Self::instrument_of(symbol).ok_or_else(|| market::MarketError::Unknown { symbol: symbol.clone() })
    }
    fn quote(&self, symbol: &Symbol, now: Timestamp) -> Result<market::Quote, market::MarketError> {
        let price = self.instrument(symbol, now)?.previous_close;
        Ok(market::Quote {
            symbol: symbol.clone(),
            last: price,
            at: now,
            open: price,
            high: price,
            low: price,
            previous_close: price,
            volume: 1,
        })
    }
    fn candles(
        &self,
        symbols: &[Symbol],
        _: market::Interval,
        _: u32,
        _: Timestamp,
    ) -> Result<Vec<market::Candles>, market::MarketError> {
        Ok(symbols.iter().cloned().map(market::Candles::empty).collect())
    }
}

/// Time in the suite's hands: whoever waits, waits until it is told.
struct HandClock(tokio::sync::watch::Sender<Timestamp>);

impl HandClock {
    fn tell(&self, at: Timestamp) {
        self.0.send_modify(|now| *now = (*now).max(at));
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut told = self.0.subscribe();
        Box::pin(async move {
            let _ = told.wait_for(|now| *now >= at).await;
        })
    }
}

/// What the desk does around a call: waits until it can go, and lets it pass once more when the session had
/// provably expired under it.
struct Desked(KotakBroker);

impl Desked {
    async fn order<F>(&self, kind: CallKind, call: impl Fn() -> F) -> Result<Ack, SendError>
    where
        F: Future<Output = Result<Ack, SendError>>,
    {
        for _ in 0..2 {
            self.prepare(kind).await;
            match call().await {
                Err(SendError::Expired(_)) => {}
                answer => return answer,
            }
        }
        panic!("two sessions in a row were dead");
    }

    async fn prepare(&self, kind: CallKind) {
        self.0.ready(kind).await.expect("a session and a turn");
        if self.0.directory().is_empty() {
            kotak_neo_broker::load_scrips(&self.0).await.expect("the scrip master");
        }
    }
}

impl Broker for Desked {
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.order(CallKind::Place, || self.0.place(call.clone())).await })
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.order(CallKind::Modify, || self.0.modify(call.clone())).await })
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move { self.order(CallKind::Cancel, || self.0.cancel(call.clone())).await })
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        self.0.orders()
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        self.0.trades()
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        self.0.positions()
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        self.0.holdings()
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        self.0.funds()
    }
}

/// The servers live as long as the suite.
struct Suite {
    servers: Mutex<Vec<Server>>,
}

impl Suite {
    fn bench(&self, over_http: bool) -> Bench {
        let before = Timestamp::at_ist(Date::from_ymd_opt(2025, 6, 2).expect("a date"), 18, 0);
        let clock = Arc::new(HandClock(tokio::sync::watch::Sender::new(before)));
        let calendar = calendar::Calendar::bundled();
        let mut rules = paper::PaperConfig::new(Money::from_rupees(100_000));
        rules.opening = vec![paper::Opening {
            symbol: "HELD".into(),
            quantity: Quantity::new(10),
            price: Price::from_rupees(90),
            settles: calendar.known_from(),
        }];
        let table = Arc::new(Table);
        let source: Arc<dyn market::PriceSource> = Arc::clone(&table) as _;
        let exchange = Arc::new(Mutex::new(paper::Exchange::new(source, calendar.clone(), rules)));
        // The suite places the same order twice on purpose.
        let config = SimConfig {
            calendar: calendar.clone(),
            unique_tags: false,
            ..SimConfig::new(["ACME".into(), "HELD".into()])
        };
        let shared: model::clock::SharedClock = clock.clone();
        let sim = Sim::new(config, Arc::clone(&exchange), table, Arc::clone(&shared));
        let (url, transport): (String, MakeTransport) = if over_http {
            let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&sim)).expect("a free port");
            let url = format!("http://{}", server.address());
            lock(&self.servers).push(server);
            (
                url,
                Arc::new(|| {
                    let real =
                        HttpTransport::new(HttpOptions::default()).map_err(|error| error.to_string())?;
                    Ok(Arc::new(real) as Arc<dyn Transport>)
                }),
            )
        } else {
            let sim = Arc::clone(&sim);
            (IN_PROCESS.to_owned(), Arc::new(move || Ok(Arc::new(sim.transport()) as Arc<dyn Transport>)))
        };
        let market = Arc::new(market::ReplayMarket::new(
            market::Dataset::demo(),
            calendar.clone(),
            market::ReplayOptions::default(),
        ));
        let stage = Stage { clock: shared, market, calendar, exchange, sim };
        // The suite stands at the last instant before the open: a code is sent at the very end of its step.
        let config = KeeperConfig { code_margin: std::time::Duration::ZERO, ..KeeperConfig::default() };
        let account = Account1::with_rates(&stage, &url, transport, config, UNHURRIED);
        Bench {
            broker: Arc::new(Desked(account.broker)),
            set_time: Box::new(move |to| clock.tell(to)),
            symbol: "ACME".into(),
            held: "HELD".into(),
            price: Price::from_rupees(100),
            session: SESSION,
            before,
            open: Timestamp::at_ist(SESSION, 9, 15),
            close: Timestamp::at_ist(SESSION, 15, 30),
        }
    }
}

/// Time stands still between the suite's steps, so no call may wait for its turn.
const UNHURRIED: Rates = Rates { overall: 100_000, cancel_reserve: 10_000, quotes: 100_000 };

#[tokio::test]
async fn the_adapter_in_this_process_conforms() {
    let all = Suite { servers: Mutex::default() };
    suite(|| all.bench(false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_adapter_over_http_conforms() {
    let all = Suite { servers: Mutex::default() };
    suite(|| all.bench(true)).await;
}
