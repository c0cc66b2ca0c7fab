//! A sim on a market, a clock in the test's hands, and a bot that speaks the wire.

use std::sync::{Arc, Mutex};

use calendar::Calendar;
use market::PriceSource;
use model::clock::SharedClock;
use model::{Clock as _, Money, Price, Quantity, Timestamp};
use paper::{Exchange, Opening, PaperConfig};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::table::{SESSION, SYMBOLS, Table};
use crate::config::MarketData;
use crate::{
    Audit, Call, Endpoint, Fault, Kind, Reply, SharedInstant, Sim, SimConfig, TOTP_STEP_S, totp_code,
};

pub struct Stage {
    pub sim: Arc<Sim>,
    /// The clock, where it is in the test's hands.
    told: Arc<SharedInstant>,
}

/// A session as a bot keeps it.
#[derive(Clone)]
pub struct Held {
    pub token: String,
    pub sid: String,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub json: Value,
}

impl Answer {
    pub fn of(reply: Reply) -> Self {
        match reply {
            Reply::Answer { status, headers, body, .. } => {
                let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
                Self { status, headers, body, json }
            }
            other => panic!("no answer: {other:?}"),
        }
    }

    pub fn code(&self) -> i64 {
        self.json["stCode"].as_i64().unwrap_or_else(|| panic!("no code in {}", self.json))
    }

    pub fn rows(&self) -> &[Value] {
        self.json["data"].as_array().map_or(&[], Vec::as_slice)
    }

    pub fn number(&self) -> String {
        self.json["nOrdNo"].as_str().unwrap_or_else(|| panic!("not taken: {}", self.json)).to_owned()
    }
}

impl Stage {
    /// 10:00 on a day with trading; 100,000 rupees; 10 shares of HELD.
    pub fn new() -> Self {
        Self::tuned(|_| {})
    }

    pub fn tuned(tune: impl FnOnce(&mut SimConfig)) -> Self {
        let mut config = SimConfig::new(SYMBOLS.map(Into::into));
        tune(&mut config);
        Self::on(Arc::new(Table), config, Timestamp::at_ist(SESSION, 10, 0))
    }

    pub fn on<M: MarketData>(market: Arc<M>, config: SimConfig, from: Timestamp) -> Self {
        let told = Arc::new(SharedInstant::at(from));
        let sim = sim(market, config, Arc::clone(&told) as SharedClock);
        Self { sim, told }
    }

    /// On a clock that runs by itself.
    pub fn following(clock: SharedClock) -> Self {
        let told = Arc::new(SharedInstant::at(clock.now()));
        Self { sim: sim(Arc::new(Table), SimConfig::new(SYMBOLS.map(Into::into)), clock), told }
    }

    pub fn pass(&self, seconds: i64) {
        self.told.tell(self.told.now().plus_seconds(seconds));
    }

    pub fn fault(&self, kind: Kind) {
        self.sim.faults().add(Fault::new(kind));
    }

    pub fn fault_once(&self, endpoint: Endpoint, kind: Kind) {
        self.sim.faults().add(Fault::new(kind).on([endpoint]).nth(1));
    }

    pub fn audit(&self) -> Audit {
        self.sim.audit()
    }

    /// A call with these headers.
    pub fn raw(&self, post: bool, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let origin = "http://sim.invalid".to_owned();
        self.sim.answer(&Call::new(post, origin, target, headers, body.as_bytes().to_vec()))
    }

    pub fn key(&self) -> String {
        self.sim.config().credentials.consumer_key.clone()
    }

    pub fn code(&self) -> String {
        let step = self.sim.now().nanos() / model::time::SECOND / TOTP_STEP_S;
        totp_code(&self.sim.config().credentials.totp_secret, step).expect("base32")
    }

    pub fn step_one(&self, code: &str) -> Reply {
        let known = &self.sim.config().credentials;
        let body = json!({"mobileNumber": known.mobile, "ucc": known.ucc, "totp": code});
        self.raw(true, "/login/1.0/tradeApiLogin", &[("Authorization", &self.key())], &body.to_string())
    }

    pub fn step_two(&self, view: &Held, mpin: &str) -> Reply {
        let headers =
            [("Authorization", self.key()), ("sid", view.sid.clone()), ("Auth", view.token.clone())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.raw(true, "/login/1.0/tradeApiValidate", &headers, &json!({"mpin": mpin}).to_string())
    }

    /// The view session; each takes a step of its own, so half a minute passes first.
    pub fn view(&self) -> Held {
        self.pass(TOTP_STEP_S);
        held(&Answer::of(self.step_one(&self.code())))
    }

    pub fn login(&self) -> Held {
        self.pass(TOTP_STEP_S);
        self.login_now()
    }

    pub fn login_now(&self) -> Held {
        let view = held(&Answer::of(self.step_one(&self.code())));
        held(&Answer::of(self.step_two(&view, "123456")))
    }

    /// A trade call.
    pub fn ask(&self, session: &Held, post: bool, target: &str, data: &Value) -> Reply {
        let body = format!("jData={}", utf8_percent_encode(&data.to_string(), NON_ALPHANUMERIC));
        self.raw(post, target, &[("Auth", &session.token), ("Sid", &session.sid)], &body)
    }

    pub fn get(&self, session: &Held, target: &str) -> Answer {
        Answer::of(self.ask(session, false, target, &Value::Null))
    }

    pub fn place(&self, session: &Held, order: &Value) -> Reply {
        self.ask(session, true, "/quick/order/rule/ms/place", order)
    }

    pub fn modify(&self, session: &Held, number: &str, price: &str, quantity: &str) -> Reply {
        let data = json!({"no": number, "pr": price, "pt": "L", "qt": quantity, "vd": "DAY", "tp": "0",
            "dq": "0", "mp": "0", "am": "NO", "os": "NEOTRADEAPI"});
        self.ask(session, true, "/quick/order/vr/modify", &data)
    }

    pub fn cancel(&self, session: &Held, number: &str) -> Reply {
        self.ask(session, true, "/quick/order/cancel", &json!({"on": number, "am": "NO"}))
    }

    /// The row of an order.
    pub fn row(&self, session: &Held, number: &str) -> Value {
        let book = self.get(session, "/quick/user/orders");
        let row = book.rows().iter().find(|row| row["nOrdNo"] == number);
        row.unwrap_or_else(|| panic!("{number} is not in {}", book.json)).clone()
    }

    /// Orders at the exchange, whatever any book shows.
    pub fn accepted(&self) -> usize {
        self.audit().book.orders.len()
    }
}

fn sim<M: MarketData>(market: Arc<M>, config: SimConfig, clock: SharedClock) -> Arc<Sim> {
    let mut rules = PaperConfig::new(Money::from_rupees(100_000));
    rules.opening = vec![Opening {
        symbol: "HELD".into(),
        quantity: Quantity::new(10),
        price: Price::from_rupees(90),
        settles: Calendar::bundled().known_from(),
    }];
    let source: Arc<dyn PriceSource> = Arc::clone(&market) as _;
    let exchange = Arc::new(Mutex::new(Exchange::new(source, Calendar::bundled(), rules)));
    let sim = Sim::new(config, exchange, market, clock);
    sim.pass();
    sim
}

fn held(answer: &Answer) -> Held {
    let text = |name: &str| {
        answer.json["data"][name].as_str().unwrap_or_else(|| panic!("{}", answer.json)).to_owned()
    };
    Held { token: text("token"), sid: text("sid") }
}

/// An order for ACME at 100 or so. 95 rests, 101 fills at the next point of the price path.
pub fn buy(tag: &str, price: &str) -> Value {
    json!({"am": "NO", "dq": "0", "es": "nse_cm", "mp": "0", "pc": "CNC", "pf": "N", "pr": price, "pt": "L",
        "qt": "4", "rt": "DAY", "tp": "0", "ts": "ACME-EQ", "tt": "B", "ig": tag, "os": "NEOTRADEAPI"})
}

/// The same with some fields set otherwise.
pub fn with(mut order: Value, fields: &[(&str, &str)]) -> Value {
    for (name, value) in fields {
        order[*name] = Value::from(*value);
    }
    order
}
