//! The host's side of a real broker account: session, adapter, order feed, live market, data.
//!
//! Order of life: [`Connection::open`] makes the parts and sends nothing; [`Connection::start`] begins what
//! runs beside the tasks; the first call of anybody logs in. Start reading at [`Connection`].

mod data;
mod events;
mod follow;
mod memory;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use broker::session::{Keeper, KeeperConfig, Memory, SessionEvent, Spawn, Surroundings, Totp};
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::transport::{Body, Method, Request, Transport};
use kotak_neo_broker::{KotakBroker, KotakLogin, Limits, MakeTransport, MarketSource, Rates, TradingDays};
use market::live::{LiveMarket, LiveOptions};
use market::{Dataset, ReplayMarket, ReplayOptions};
use model::clock::SharedClock;
use model::{BoxFuture, Date, InstrumentClass, Timestamp};
use oms::Desk;
use tokio::sync::{Mutex, Notify, mpsc};

use crate::clock::{PacedClock, SystemClock};
use crate::config::{Config, KotakNeoConfig};
use crate::control::SessionTeller;
use crate::credentials::{self, Credentials};
use crate::exit::{Exit, Failure};
use crate::lookout::{Lookout, NewsReceiver, Powers};
use crate::services::Sessions;
use crate::wiring::{Link, LiveLink};

pub use data::{DATA_UPDATE, DataFolder, DataUpdate};

/// Shares that trade every second of every session: whether quotes still move is told by them.
const PULSE: [&str; 3] = ["RELIANCE", "HDFCBANK", "SBIN"];
/// Events that wait to be written down; a keeper tells a handful a day.
const EVENTS_MAX: usize = 1_024;

/// What is handed in.
pub struct Parts {
    /// Who the account is.
    pub credentials: Credentials,
    /// Makes the transport of each login.
    pub transport: MakeTransport,
    /// Now.
    pub clock: SharedClock,
    /// Sessions.
    pub sessions: Sessions,
    /// What else could be logged in.
    pub conflicts: Arc<dyn broker::session::Conflicts>,
    /// The one that patrols, and its news; none where nothing is to be patrolled.
    pub lookout: Option<(Arc<Lookout>, NewsReceiver)>,
    /// What an earlier process knew of the account's logins.
    pub memory: Memory,
}

/// A connection to a broker account, with everything that hangs on its session.
pub struct Connection {
    /// The account behind the port.
    pub broker: KotakBroker,
    /// Its sessions.
    pub keeper: Arc<Keeper<KotakLogin>>,
    /// Its market.
    pub market: Arc<LiveMarket>,
    /// Where bars are kept, and of which shares.
    pub data: Arc<DataFolder>,
    clock: SharedClock,
    sessions: Sessions,
    transport: MakeTransport,
    renewed: Arc<Notify>,
    events: Mutex<Option<mpsc::Receiver<SessionEvent>>>,
    /// Looks for other programs on the account.
    pub lookout: Option<Arc<Lookout>>,
    news: Mutex<Option<NewsReceiver>>,
}

/// A made-up account has no other programs; nothing on this machine is looked at or stopped.
pub struct NobodyElse;

impl broker::session::Conflicts for NobodyElse {
    fn look(&self) -> BoxFuture<'_, Result<Vec<String>, String>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// A transport of its own for each login, over real sockets.
pub fn real_sockets() -> MakeTransport {
    Arc::new(|| {
        HttpTransport::new(HttpOptions::default())
            .map(|transport| Arc::new(transport) as Arc<dyn Transport>)
            .map_err(|error| error.to_string())
    })
}

/// A connection to the account that the configuration names, over real sockets.
///
/// The caller holds the account's lock: the record of its logins is read and written in the state folder.
///
/// # Errors
/// What is wrong with configuration, credentials or the record, with what to type.
pub fn connect(
    config: &Config,
    kotak: &KotakNeoConfig,
    clock: SharedClock,
    powers: Powers,
) -> Result<Arc<Connection>, Failure> {
    let places = credentials::Places::of_this_process(kotak.env_file.as_deref(), config.path.as_deref());
    let credentials = credentials::read(&places)?;
    let sessions = Sessions { calendar: config.calendar()?, exchange: model::Exchange::Nse, amo: config.amo };
    let transport = real_sockets();
    let is_simulator = config.rehearsal.is_some() || kotak.base_url.starts_with("http://");
    let memory = memory::Place::new(&config.state_dir, &config.account.name, is_simulator)
        .recall(credentials.digest(), Arc::clone(&clock))?;
    let (lookout, news) = Lookout::new(config, powers);
    let lookout = Arc::new(lookout);
    let conflicts = Arc::clone(&lookout) as Arc<dyn broker::session::Conflicts>;
    let lookout = Some((lookout, news));
    let parts = Parts { credentials, transport, clock, sessions, conflicts, lookout, memory };
    Connection::open(config, kotak, parts)
}

/// The clock of a live account: the machine's, or in a rehearsal the simulator's.
///
/// # Errors
/// When a rehearsal's simulator does not answer.
pub async fn clock_of(config: &Config, kotak: &KotakNeoConfig) -> Result<SharedClock, Failure> {
    match config.rehearsal {
        None => Ok(Arc::new(SystemClock)),
        Some(_) => Ok(Arc::new(PacedClock::showing(simulators_time(&kotak.base_url).await?))),
    }
}

/// What a broker says to somebody who is not logged in.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// The HTTP status.
    pub status: u16,
    /// Its time, whole seconds.
    pub time: Option<Timestamp>,
    /// This machine's address as it sees it.
    pub address: Option<String>,
}

/// Asks the broker at `base_url` for this machine's address, without a login.
///
/// # Errors
/// In a sentence, when nobody answers there.
pub async fn greet(base_url: &str) -> Result<Greeting, String> {
    let transport = HttpTransport::new(HttpOptions::default()).map_err(|error| error.to_string())?;
    let request = Request {
        method: Method::Get,
        url: format!("{base_url}/login/1.0/get-client-ip"),
        headers: Vec::new(),
        body: Body::Empty,
        timeout: std::time::Duration::from_secs(5),
        answer_bytes_max: 64 * 1024,
    };
    let answer = transport.send(request).await.map_err(|error| error.to_string())?;
    let date = answer.header("date").and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let address = ["ip", "clientIp", "client_ip"]
        .iter()
        .find_map(|key| told[*key].as_str().or_else(|| told["data"][*key].as_str()).map(str::to_owned));
    let time = date.and_then(|date| date.timestamp_nanos_opt()).map(Timestamp::from_nanos);
    Ok(Greeting { status: answer.status, time, address })
}

/// The present instant of the simulator at `base_url`.
///
/// # Errors
/// When nobody answers there.
async fn simulators_time(base_url: &str) -> Result<Timestamp, Failure> {
    let missing = |why: String| {
        Failure::unavailable(anyhow::anyhow!("no kotak-neo-sim answers at {base_url}: {why}"))
            .hint("start it with `kotak-neo-sim --listen ADDR`, or correct base_url")
    };
    let greeting = greet(base_url).await.map_err(missing)?;
    greeting.time.ok_or_else(|| missing("its answer has no Date".to_owned()))
}

/// When orders of an instant trade, by the calendar.
struct Days(Sessions);

impl TradingDays for Days {
    fn session_of(&self, at: Timestamp, amo: bool) -> Date {
        let Sessions { calendar, exchange, amo: window } = &self.0;
        let date = at.ist_date();
        if amo && let Ok(session) = calendar.amo_session(*exchange, at, *window) {
            return session;
        }
        date
    }

    fn takes_amo(&self, at: Timestamp) -> bool {
        let Sessions { calendar, exchange, amo } = &self.0;
        calendar.amo_session(*exchange, at, *amo).is_ok()
    }

    fn end_of(&self, session: Date) -> Timestamp {
        let Sessions { calendar, exchange, .. } = &self.0;
        match calendar.session(*exchange, session) {
            // What the exchange cancels it cancels when continuous trading of the share ends.
            Ok(Some(session)) => session.close(InstrumentClass::WithoutDerivatives),
            // Beyond the calendar nothing is known to have ended.
            _ => Timestamp::from_nanos(i64::MAX),
        }
    }
}

/// The keeper's numbers as the operator has set them.
fn keeper_config(kotak: &KotakNeoConfig) -> KeeperConfig {
    KeeperConfig {
        daily_hour: kotak.login_at,
        logins_per_day: kotak.logins_per_day,
        cool_down: std::time::Duration::from_secs(u64::from(kotak.cool_down_minutes) * 60),
        // A unit that is stopped may take its time to end.
        look_bound: std::time::Duration::from_secs(300),
        ..KeeperConfig::default()
    }
}

impl Connection {
    /// Makes the parts. Nothing is sent. Must be called inside the async runtime.
    pub fn open(config: &Config, kotak: &KotakNeoConfig, parts: Parts) -> Result<Arc<Self>, Failure> {
        let Parts { credentials, transport, clock, sessions, conflicts, lookout, memory } = parts;
        let (lookout, news) = lookout.unzip();
        let totp = Totp::from_base32(&credentials.totp_secret)
            .map_err(|error| Failure::config(anyhow::Error::from(error)))?;
        let login =
            Arc::new(KotakLogin::new(Arc::clone(&transport), kotak.base_url.clone(), credentials.login));
        let (tell, events) = mpsc::channel(EVENTS_MAX);
        let runtime = tokio::runtime::Handle::current();
        let spawn: Spawn = Arc::new(move |task: BoxFuture<'static, ()>| drop(runtime.spawn(task)));
        let keeper = Keeper::new(
            keeper_config(kotak),
            login,
            totp,
            Surroundings {
                conflicts,
                clock: Arc::clone(&clock),
                spawn,
                events: Arc::new(move |event| {
                    if tell.try_send(event).is_err() {
                        tracing::error!("an event of the broker session could not be kept: too many wait");
                    }
                }),
                memory,
            },
        );
        let limits = Limits::new(Rates::default(), Arc::clone(&clock));
        let days = Arc::new(Days(sessions.clone()));
        let broker = KotakBroker::new(Arc::clone(&keeper), limits, Arc::clone(&clock), days);
        let data = Arc::new(DataFolder::of(config, kotak));
        let bars = data.load(&sessions.calendar)?;
        let history = ReplayMarket::new(Arc::new(bars), sessions.calendar.clone(), ReplayOptions::default());
        let options = LiveOptions {
            max_age_seconds: i64::from(kotak.quote_seconds_max),
            poll_seconds: i64::from(kotak.quote_seconds_max / 2).max(1),
            pulse: PULSE.map(Into::into).to_vec(),
            ..LiveOptions::default()
        };
        let market = Arc::new(LiveMarket::new(
            history,
            Arc::new(MarketSource::new(broker.clone())),
            sessions.calendar.clone(),
            Arc::clone(&clock),
            options,
        ));
        Ok(Arc::new(Self {
            broker,
            keeper,
            market,
            data,
            clock,
            sessions,
            transport,
            renewed: Arc::default(),
            events: Mutex::new(Some(events)),
            lookout,
            news: Mutex::new(news),
        }))
    }

    /// Now, by the account's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The same on stored prices, for a market that exists nowhere else: quotes are not asked for.
    pub fn link_on(self: &Arc<Self>, market: Arc<dyn market::Market>) -> Link {
        let mut link = self.link();
        link.market = market;
        link.live = link.live.map(|live| Arc::new(LiveLink { quotes: None, ..LiveLink::clone(&live) }));
        link
    }

    /// What the host is built on.
    pub fn link(self: &Arc<Self>) -> Link {
        let due = Arc::clone(&self.keeper);
        let (session, update) = (Arc::clone(&self.keeper), Arc::clone(self));
        let prepare = Arc::clone(self);
        let teller: SessionTeller = Arc::new(move |now| view::line(&session.status(), now));
        let work: crate::scheduler::OwnWork = Arc::new(move || {
            let connection = Arc::clone(&update);
            Box::pin(async move { connection.update_data().await })
        });
        Link {
            broker: Arc::new(self.broker.clone()),
            market: Arc::clone(&self.market) as Arc<dyn market::Market>,
            sessions: self.sessions.clone(),
            exchange: None,
            live: Some(Arc::new(LiveLink {
                renewed: Arc::clone(&self.renewed),
                while_due: Arc::new(move || Box::new(due.due())),
                session: teller,
                own_work: BTreeMap::from([(DATA_UPDATE.into(), work)]),
                prepare: Arc::new(move || {
                    let connection = Arc::clone(&prepare);
                    Box::pin(async move { connection.prepare().await })
                }),
                quotes: Some(Arc::clone(&self.market)),
            })),
        }
    }

    /// Begins what runs beside the tasks, until it is dropped.
    pub fn start(self: &Arc<Self>, desk: &Desk) -> Running {
        let mut running = self.start_session(desk);
        self.watch_young(&mut running);
        running.tasks.spawn(follow::feed(Arc::clone(self), desk.clone()));
        running.tasks.spawn(follow::quotes(Arc::clone(self), desk.clone()));
        running
    }

    /// Sees early when a young session dies. Its calls fall between the tasks' own, so a simulated day whose
    /// order of calls is to be the same each time goes without.
    pub fn watch_young(self: &Arc<Self>, running: &mut Running) {
        running.tasks.spawn(follow::watch_young(Arc::clone(self)));
    }

    /// The part of it that belongs on simulated time: a feed and a poller have none.
    pub fn start_session(self: &Arc<Self>, desk: &Desk) -> Running {
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(events::keep(Arc::clone(self), desk.clone()));
        tasks.spawn(events::keep_news(Arc::clone(self), desk.clone()));
        tasks.spawn(follow::tend_session(Arc::clone(self)));
        tasks.spawn(follow::patrol(Arc::clone(self)));
        Running { tasks, connection: Arc::clone(self) }
    }

    /// Before anything else: other programs on the account are stopped, or named with what to type.
    ///
    /// # Errors
    /// Exit 10 when something is in the way, or when nothing is known.
    pub async fn first_look(&self) -> Result<(), Failure> {
        let Some(lookout) = &self.lookout else { return Ok(()) };
        let found = match lookout.clear_the_way().await {
            Ok(found) => found,
            Err(why) => {
                let error =
                    anyhow::anyhow!("whether another program is logged in to this account is unknown: {why}");
                return Err(Failure::new(Exit::Conflict, error));
            }
        };
        if found.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = found.iter().map(conflicts::Conflict::name).collect();
        let error = anyhow::anyhow!(
            "other programs on this machine log in to the account: {}. Each login ends the other's session, so no order \
             of either is safe",
            names.join(", ")
        );
        let failure = Failure::new(Exit::Conflict, error);
        Err(found.iter().fold(failure, |failure, conflict| failure.hint(conflict.to_string())))
    }

    /// Today's shares and bars, as the strategies will see them. Logs in when there is no session.
    async fn prepare(&self) -> Result<(), String> {
        let now = self.clock.now();
        let session = follow::listed_session(&self.sessions, now);
        if self.market.instruments_session() == Some(session) {
            return Ok(());
        }
        kotak_neo_broker::load_scrips(&self.broker).await.map_err(|error| error.to_string())?;
        let instruments = self.broker.directory().instruments().cloned().collect();
        self.market.set_instruments(session, instruments);
        self.reload();
        Ok(())
    }

    fn reload(&self) {
        let folder: &PathBuf = &self.data.dir;
        if market::store::exists(folder)
            && let Err(error) = self.market.reload(folder)
        {
            tracing::error!(%error, "the daily bars could not be read again; the old ones stay");
        }
    }
}

/// What runs beside the tasks; ends when it is dropped.
pub struct Running {
    tasks: tokio::task::JoinSet<()>,
    connection: Arc<Connection>,
}

impl Running {
    /// Logs out, best effort and bounded; there is no session after it.
    pub async fn end(self) {
        self.connection.keeper.end().await;
    }
}

/// The bars of a folder, or none where there is no folder yet.
fn bars_of(dir: &std::path::Path, calendar: &calendar::Calendar) -> Result<Dataset, Failure> {
    if !market::store::exists(dir) {
        return Ok(Dataset::build(market::table::Table::default(), calendar));
    }
    Dataset::load(dir, calendar).map_err(|error| Failure::general(error.into()))
}
