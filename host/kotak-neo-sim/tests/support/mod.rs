//! A sim on the demo's market behind a real socket, and a client that writes HTTP by hand.

// Each test binary uses a part of it.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use calendar::Calendar;
use kotak_neo_sim::{Fault, Kind, Server, SharedInstant, Sim, SimConfig, TOTP_STEP_S, totp_code};
use market::demo::DAY1;
use market::{Dataset, PriceSource, ReplayMarket, ReplayOptions};
use model::clock::SharedClock;
use model::{Clock as _, Money, Timestamp};
use paper::{Exchange, PaperConfig};
use serde_json::{Value, json};

/// How long something may take that has to come; only ever waited for when it does not.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn at(hour: u32, minute: u32) -> Timestamp {
    Timestamp::at_ist(DAY1, hour, minute)
}

pub struct World {
    pub clock: Arc<SharedInstant>,
    pub sim: Arc<Sim>,
    pub server: Server,
}

/// What a login gave.
#[derive(Clone)]
pub struct Session {
    pub token: String,
    pub sid: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
    pub json: Value,
}

impl Answer {
    pub fn code(&self) -> i64 {
        self.json["stCode"].as_i64().unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let known = self.head.lines().filter_map(|line| line.split_once(':'));
        known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

impl World {
    /// 10:00 on a day with trading.
    pub fn new() -> Self {
        Self::tuned(|_| {})
    }

    pub fn tuned(tune: impl FnOnce(&mut SimConfig)) -> Self {
        let data = Dataset::demo();
        let calendar = Calendar::bundled();
        let mut config = SimConfig::new(data.histories().iter().map(|history| history.symbol.clone()));
        tune(&mut config);
        let market = Arc::new(ReplayMarket::new(data, calendar.clone(), ReplayOptions::default()));
        let prices = Arc::clone(&market) as Arc<dyn PriceSource>;
        let exchange = Exchange::new(prices, calendar, PaperConfig::new(Money::from_rupees(1_000_000)));
        let clock = Arc::new(SharedInstant::at(at(10, 0)));
        let shared = Arc::clone(&clock) as SharedClock;
        let sim = Sim::new(config, Arc::new(Mutex::new(exchange)), market, shared);
        let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&sim)).expect("a free port");
        Self { clock, sim, server }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.tell(self.clock.now().plus_seconds(seconds));
    }

    pub fn fault(&self, fault: Fault) {
        self.sim.faults().add(fault);
    }

    pub fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(self.server.address()).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        socket
    }

    /// Everything that comes back for these bytes until the server closes.
    pub fn talk(&self, text: &str) -> String {
        let mut socket = self.socket();
        socket.write_all(text.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        // A connection that is dropped may be reset.
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8(answer).expect("text")
    }

    /// None: the connection was closed without a byte.
    pub fn try_call(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Answer> {
        let answer = self.talk(&self.request(method, target, headers, body));
        (!answer.is_empty()).then(|| read(&answer))
    }

    pub fn call(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_call(method, target, headers, body)
            .unwrap_or_else(|| panic!("no answer to {method} {target}"))
    }

    pub fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.server.address());
        let has = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").expect("text");
        }
        if !has("connection") {
            text.push_str("Connection: close\r\n");
        }
        if method == "POST" {
            write!(text, "Content-Length: {}\r\n", body.len()).expect("text");
        }
        text + "\r\n" + body
    }

    pub fn control(&self, what: &str) -> Value {
        self.call("GET", &format!("/_sim/{what}"), &[], "").json
    }

    pub fn command(&self, what: &str, body: &Value) -> Answer {
        self.call("POST", &format!("/_sim/{what}"), &[], &body.to_string())
    }

    pub fn code(&self) -> String {
        let seconds = self.clock.now().nanos() / model::time::SECOND;
        totp_code(&self.sim.config().credentials.totp_secret, seconds / TOTP_STEP_S).expect("base32")
    }

    pub fn view(&self) -> Answer {
        let known = self.sim.config().credentials.clone();
        let body = json!({"mobileNumber": known.mobile, "ucc": known.ucc, "totp": self.code()}).to_string();
        self.call("POST", "/login/1.0/tradeApiLogin", &[("Authorization", &known.consumer_key)], &body)
    }

    pub fn validate(&self, view: &Answer) -> Answer {
        let known = self.sim.config().credentials.clone();
        let Session { token, sid } = session(view);
        let headers = [("Authorization", known.consumer_key.as_str()), ("Auth", &token), ("sid", &sid)];
        self.call("POST", "/login/1.0/tradeApiValidate", &headers, &json!({"mpin": known.mpin}).to_string())
    }

    /// Both steps, with a code that was not used before.
    pub fn log_in(&self) -> Session {
        self.pass(TOTP_STEP_S);
        session(&self.validate(&self.view()))
    }

    pub fn get(&self, session: &Session, target: &str) -> Answer {
        self.call("GET", target, &[("Auth", &session.token), ("Sid", &session.sid)], "")
    }

    pub fn data(&self, target: &str) -> Answer {
        let key = self.sim.config().credentials.consumer_key.clone();
        self.call("GET", target, &[("Authorization", &key)], "")
    }

    pub fn try_post(&self, session: &Session, target: &str, data: &Value) -> Option<Answer> {
        self.try_call(
            "POST",
            target,
            &[
                ("Auth", &session.token),
                ("Sid", &session.sid),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ],
            &form(data),
        )
    }

    pub fn try_place(&self, session: &Session, data: &Value) -> Option<Answer> {
        self.try_post(session, "/quick/order/rule/ms/place", data)
    }

    pub fn place(&self, session: &Session, data: &Value) -> String {
        let answer = self.try_place(session, data).expect("an answer");
        answer.json["nOrdNo"].as_str().unwrap_or_else(|| panic!("not taken: {answer:?}")).to_owned()
    }

    /// Orders that the exchange has.
    pub fn accepted(&self) -> usize {
        self.sim.audit().book.orders.len()
    }
}

/// Percent-encoded in the way that every language has in its library.
pub fn form(data: &Value) -> String {
    let mut text = "jData=".to_owned();
    for byte in data.to_string().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => text.push(byte.into()),
            b' ' => text.push('+'),
            other => write!(text, "%{other:02X}").expect("text"),
        }
    }
    text
}

pub fn session(answer: &Answer) -> Session {
    let text = |name: &str| {
        answer.json["data"][name].as_str().unwrap_or_else(|| panic!("no {name}: {answer:?}")).to_owned()
    };
    Session { token: text("token"), sid: text("sid") }
}

/// Head and body, chunks joined.
pub fn read(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {answer}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let text = if chunked { joined(body) } else { body.to_owned() };
    let json = serde_json::from_str(&text).unwrap_or_default();
    Answer { status, head: head.to_owned(), text, json }
}

fn joined(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length.trim(), 16).expect("the length of a chunk");
        if length == 0 {
            break;
        }
        text.push_str(&rest[..length]);
        body = &rest[length + 2..];
    }
    text
}

/// A day limit far below the price (some 520 rupees) and within the band: it rests.
pub fn resting(tag: &str) -> Value {
    limit("450", tag)
}

pub fn limit(rupees: &str, tag: &str) -> Value {
    json!({
        "am": "NO", "dq": "0", "es": "nse_cm", "mp": "0", "pc": "CNC", "pf": "N", "pr": rupees, "pt": "L",
        "qt": "10", "rt": "DAY", "tp": "0", "ts": "DEMOALFA-EQ", "tt": "B", "ig": tag,
    })
}

/// A market order: it is filled within minutes.
pub fn market(tag: &str) -> Value {
    let mut order = limit("0", tag);
    order["pt"] = "MKT".into();
    order
}

pub fn at_place(kind: Kind) -> Fault {
    Fault::new(kind).on([kotak_neo_sim::Endpoint::Place]).times(1)
}
