//! The account as the service has it: keeper, login and adapter over real sockets.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use broker::session::{Conflicts, Generation, Keeper, KeeperConfig, Memory, Spawn, Surroundings, Totp};
use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CallKind, CancelCall, ModifyCall, NetPosition,
    NotReady, PlaceCall, SendError,
};
use kotak_neo::credentials::Credentials;
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::scrip::ScripMaster;
use kotak_neo::transport::{
    BoxFuture as SocketFuture, FeedSocket, Request, Response, Transport, TransportError,
};
use kotak_neo_broker::{Directory, KotakBroker, KotakLogin, Limits, MakeTransport, Rates, TradingDays};
use model::clock::SharedClock;
use model::{BoxFuture, Date, Funds, Holding, Timestamp};
use secrecy::SecretString;

use crate::marks::Marks;

/// So many calls a second that none waits for its turn.
pub const UNHURRIED: u32 = 100_000;
/// Shares in the scrip master, about as many as NSE lists.
const SHARES: u32 = 2_000;

/// The adapter, with a note of when the desk calls it.
pub struct Marked {
    broker: KotakBroker,
    marks: Marks,
}

/// Logs in at `address`.
pub async fn log_in(address: SocketAddr, clock: SharedClock, marks: Marks) -> Marked {
    let noted = marks.clone();
    let transport: MakeTransport = Arc::new(move || {
        let inner = HttpTransport::new(HttpOptions::default()).map_err(|error| error.to_string())?;
        Ok(Arc::new(MarkedTransport { inner, marks: noted.clone() }))
    });
    let secret = |text: &str| SecretString::from(text);
    let credentials = Credentials {
        consumer_key: secret("access-token-of-the-bench"),
        mobile_number: secret("+910000000000"),
        ucc: secret("BENCH1"),
        mpin: secret("000000"),
    };
    let spawn: Spawn = Arc::new(|task| drop(tokio::spawn(task)));
    let keeper = Keeper::new(
        KeeperConfig::default(),
        Arc::new(KotakLogin::new(transport, format!("http://{address}"), credentials)),
        Totp::from_base32(&secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")).expect("base32"),
        Surroundings {
            conflicts: Arc::new(Nobody),
            clock: Arc::clone(&clock),
            spawn,
            events: Arc::new(|_| {}),
            memory: Memory::none(),
        },
    );
    keeper.renew(Generation::NONE).await.expect("a session");
    let rates = Rates { overall: UNHURRIED, cancel_reserve: 1, quotes: 1 };
    let limits = Limits::new(rates, Arc::clone(&clock));
    let broker = KotakBroker::new(keeper, limits, clock, Arc::new(SameDay));
    broker.set_directory(directory());
    Marked { broker, marks }
}

fn directory() -> Directory {
    let mut csv = "pSymbol,pExchSeg,pTrdSymbol,pSymbolName,pGroup,lLotSize,lFreezeQty,dTickSize\n".to_owned();
    for number in 0..SHARES {
        writeln!(csv, "{number},nse_cm,S{number}-EQ,S{number},EQ,1,100000,5").expect("a line");
    }
    let directory = Directory::new(&ScripMaster::parse(csv.as_bytes()).expect("a master").rows, |_| false);
    assert_eq!(directory.len(), SHARES as usize);
    directory
}

/// Nobody else is logged in.
struct Nobody;

impl Conflicts for Nobody {
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// Every order belongs to the session of its day.
struct SameDay;

impl TradingDays for SameDay {
    fn session_of(&self, at: Timestamp, _amo: bool) -> Date {
        at.ist_date()
    }
    fn takes_amo(&self, _at: Timestamp) -> bool {
        false
    }
    fn end_of(&self, session: Date) -> Timestamp {
        Timestamp::at_ist(session, 15, 30)
    }
}

/// Real sockets, with a note of when a request is handed over.
struct MarkedTransport {
    inner: HttpTransport,
    marks: Marks,
}

impl Transport for MarkedTransport {
    fn send(&self, request: Request) -> SocketFuture<'_, Result<Response, TransportError>> {
        self.marks.pass(|passed| &mut passed.transport);
        self.inner.send(request)
    }
    fn connect(&self, url: &str) -> SocketFuture<'_, Result<Box<dyn FeedSocket>, TransportError>> {
        self.inner.connect(url)
    }
}

impl Broker for Marked {
    fn ready(&self, kind: CallKind) -> BoxFuture<'_, Result<(), NotReady>> {
        self.marks.pass(|passed| &mut passed.ready);
        self.broker.ready(kind)
    }
    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        self.marks.pass(|passed| &mut passed.broker);
        self.broker.place(call)
    }
    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        self.broker.modify(call)
    }
    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        self.broker.cancel(call)
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        self.broker.orders()
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        self.broker.trades()
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        self.broker.positions()
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        self.broker.holdings()
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        self.broker.funds()
    }
}
