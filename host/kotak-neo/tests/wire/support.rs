//! A transport by script, and every call by its name.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::NaiveDate;
use kotak_neo::client::{Client, PositionsPath};
use kotak_neo::credentials::Credentials;
use kotak_neo::login::Login;
use kotak_neo::orders::{CancelOrder, ModifyOrder, PlaceOrder};
use kotak_neo::secrecy::SecretString;
use kotak_neo::session::{Session, ViewToken};
use kotak_neo::transport::{BoxFuture, FeedSocket, Request, Response, Transport, TransportError};
use kotak_neo::*;

pub const TOKEN: &str = "CANARY-trade-token-9f3a";
pub const SID: &str = "CANARY-trade-sid-77b1";
pub const KEY: &str = "CANARY-consumer-key-c2d0";
pub const MPIN: &str = "481516";
pub const TOTP: &str = "234299";
pub const MOBILE: &str = "+919876501234";
pub const UCC: &str = "QX7ZK";
pub const VIEW_TOKEN: &str = "CANARY-view-token-51aa";
pub const VIEW_SID: &str = "CANARY-view-sid-0e4d";
/// 15 November 1994, 08:12:31 UTC, in a `Date` header.
pub const DATE: &str = "Tue, 15 Nov 1994 08:12:31 GMT";
pub const DATE_UNIX: i64 = 784_887_151;

/// Gives the scripted answers in turn and keeps what was sent.
#[derive(Default)]
pub struct Script {
    pub answers: Mutex<VecDeque<Result<Response, TransportError>>>,
    pub seen: Mutex<Vec<Request>>,
}

impl Script {
    pub fn with(http: u16, body: impl AsRef<[u8]>) -> Arc<Self> {
        let script = Self::default();
        script.then(http, body);
        Arc::new(script)
    }

    pub fn failing(error: TransportError) -> Arc<Self> {
        let script = Self::default();
        script.answers.lock().expect("unpoisoned").push_back(Err(error));
        Arc::new(script)
    }

    pub fn then(&self, http: u16, body: impl AsRef<[u8]>) {
        let headers = vec![("date".to_owned(), DATE.to_owned())];
        let answer = Response { status: http, headers, body: body.as_ref().to_vec() };
        self.answers.lock().expect("unpoisoned").push_back(Ok(answer));
    }

    pub fn sent(&self) -> Vec<Request> {
        self.seen.lock().expect("unpoisoned").clone()
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.seen.lock().expect("unpoisoned").push(request);
        let answer = self.answers.lock().expect("unpoisoned").pop_front();
        Box::pin(async { answer.expect("no more requests than answers") })
    }

    fn connect(&self, _url: &str) -> BoxFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        Box::pin(async { Err(TransportError::NotSent("this script has no feed".to_owned())) })
    }
}

pub fn session() -> Session {
    Session {
        token: SecretString::from(TOKEN),
        sid: SecretString::from(SID),
        base_url: "https://e21.kotaksecurities.com".to_owned(),
        login_url: "https://mis.kotaksecurities.com".to_owned(),
        feed_url: None,
        rt_url: None,
        ucc: Some(SecretString::from(UCC)),
        data_center: Some("E21".to_owned()),
        greeting_name: None,
        kind: Some("Trade".to_owned()),
    }
}

pub fn credentials() -> Credentials {
    Credentials {
        consumer_key: SecretString::from(KEY),
        mobile_number: SecretString::from(MOBILE),
        ucc: SecretString::from(UCC),
        mpin: SecretString::from(MPIN),
    }
}

pub fn view_token() -> ViewToken {
    ViewToken { token: SecretString::from(VIEW_TOKEN), sid: SecretString::from(VIEW_SID), kind: None }
}

pub fn client(transport: Arc<Script>) -> Client {
    Client::new(transport, SecretString::from(KEY), session())
}

pub fn number() -> OrderNumber {
    OrderNumber::new("250720000007242").expect("a number")
}

pub fn place_order() -> PlaceOrder {
    PlaceOrder {
        segment: Segment::NseCm,
        trading_symbol: "ITBEES-EQ".to_owned(),
        side: Side::Buy,
        quantity: 12,
        order_type: OrderType::Limit,
        price: Amount::parse("9.39").expect("an amount"),
        trigger: Amount::ZERO,
        product: Product::Cnc,
        validity: Validity::Day,
        amo: false,
        disclosed_quantity: 0,
        market_protection: 0,
        tag: Some("tag-1".to_owned()),
    }
}

pub fn modify_order() -> ModifyOrder {
    ModifyOrder {
        order_no: number(),
        price: Amount::parse("9.4").expect("an amount"),
        order_type: OrderType::StopLimit,
        quantity: 15,
        validity: Validity::Day,
        trigger: Amount::parse("9.35").expect("an amount"),
        amo: true,
        disclosed_quantity: 0,
        market_protection: 0,
        token: Some("19084".to_owned()),
        product: Product::Cnc,
        trading_symbol: "ITBEES-EQ".to_owned(),
        side: Side::Sell,
        segment: Segment::NseCm,
        filled_quantity: Some(3),
    }
}

pub fn cancel_order() -> CancelOrder {
    CancelOrder { order_no: number(), amo: true, trading_symbol: Some("ITBEES-EQ".to_owned()) }
}

pub fn instrument() -> Instrument {
    Instrument { segment: Segment::NseCm, token: "Nifty 50".to_owned() }
}

pub fn candle_query() -> CandleQuery {
    let day = |day| NaiveDate::from_ymd_opt(2026, 10, day).expect("a day");
    CandleQuery {
        instrument: Instrument { segment: Segment::NseCm, token: "1333".to_owned() },
        interval: Interval::Min5,
        from: day(1),
        to: day(30),
    }
}

pub fn margin_query() -> MarginQuery {
    MarginQuery {
        segment: Segment::NseCm,
        token: "19084".to_owned(),
        side: Side::Buy,
        quantity: 2,
        order_type: OrderType::Limit,
        price: Amount::parse("19.095").expect("an amount"),
        trigger: Amount::ZERO,
        product: Product::Cnc,
    }
}

/// Every call that reads JSON.
pub const CALLS: [&str; 19] = [
    "view",
    "validate",
    "place",
    "modify",
    "cancel",
    "orders",
    "order",
    "history",
    "trades",
    "positions-v2",
    "positions-quick",
    "holdings",
    "limits",
    "margin",
    "client-ip",
    "quotes",
    "scrip-files",
    "candles",
    "scrip-master",
];
/// Of these, the lists for which "No Data" is an answer.
pub const LISTS: [&str; 7] =
    ["orders", "order", "history", "trades", "positions-v2", "positions-quick", "holdings"];

/// Makes one call by name and shows what it gave.
pub async fn call(transport: Arc<Script>, name: &str) -> Result<String, Error> {
    let client = client(transport.clone());
    let login = Login {
        transport,
        base_url: "https://mis.kotaksecurities.com/".to_owned(),
        timeout: Duration::from_secs(5),
    };
    let totp = SecretString::from(TOTP);
    fn shown<T: std::fmt::Debug>(value: T) -> String {
        format!("{value:?}")
    }
    match name {
        "view" => login.view(&credentials(), &totp).await.map(shown),
        "validate" => login.validate(&credentials(), &view_token()).await.map(shown),
        "place" => client.place(&place_order()).await.map(shown),
        "modify" => client.modify(&modify_order()).await.map(shown),
        "cancel" => client.cancel(&cancel_order()).await.map(shown),
        "orders" => client.orders().await.map(shown),
        "order" => client.order(&number()).await.map(shown),
        "history" => client.history(&number()).await.map(shown),
        "trades" => client.trades().await.map(shown),
        "positions-v2" => client.positions(PositionsPath::V2).await.map(shown),
        "positions-quick" => client.positions(PositionsPath::Quick).await.map(shown),
        "holdings" => client.holdings().await.map(shown),
        "limits" => client.limits().await.map(shown),
        "margin" => client.margin(&margin_query()).await.map(shown),
        "client-ip" => client.client_ip().await.map(shown),
        "quotes" => client.quotes(&[instrument()], QuoteFilter::All).await.map(shown),
        "scrip-files" => client.scrip_master_files().await.map(shown),
        "candles" => client.candles(&candle_query()).await.map(shown),
        "scrip-master" => {
            client.scrip_master("https://lapi.kotaksecurities.com/nse_cm-v1.csv").await.map(shown)
        }
        other => panic!("no call `{other}`"),
    }
}
