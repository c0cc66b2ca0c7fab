//! Puts a host together: data, broker, desk, runtime, strategies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ::broker::Broker;
use calendar::Calendar;
use journal::{Durability, Entry, Journal};
use market::{Dataset, LiveMarket, Market, PriceSource, ReplayMarket, ReplayOptions};
use model::clock::SharedClock;
use model::{
    Account, BoxFuture, Date, Exchange, LedgerEntry, LedgerKind, Money, Product, Side, StrategyName,
};
use oms::{Blocking, ChargeRules, Desk, DeskConfig};
use paper::{Opening, PaperBroker, PaperConfig, RemotePaper};
use runtime::tape::TapeSink;
use runtime::{Profile, Runtime, RuntimeOptions, Services, Turns};
use tokio::sync::Notify;

use crate::config::{BrokerKind, Config};
use crate::control::SessionTeller;
use crate::exit::Failure;
use crate::hotswap::Standings;
use crate::scheduler::Gate;
use crate::scheduler::{OwnWork, WhileDue};
use crate::services::{DeskView, HostServices, Sessions};
use crate::strategies::{self, Strategy};

/// The market a paper host trades on.
pub struct PaperMarket {
    /// The calendar, closures of the operator included.
    pub sessions: Sessions,
    /// The data.
    pub data: Arc<Dataset>,
    /// The data as strategies and exchange see them.
    pub market: Arc<ReplayMarket>,
}

impl PaperMarket {
    /// Loads what the config names; without a folder the embedded demo data.
    pub fn load(config: &Config, data: Option<&Path>) -> Result<Self, Failure> {
        let calendar = config.calendar()?;
        let folder = data.or(config.data.dir.as_deref());
        let data = match folder {
            Some(folder) => {
                Arc::new(Dataset::load(folder, &calendar).map_err(|error| Failure::general(error.into()))?)
            }
            None => Dataset::demo(),
        };
        Ok(Self::new(config, calendar, data))
    }

    /// On these data.
    pub fn new(config: &Config, calendar: Calendar, data: Arc<Dataset>) -> Self {
        let market =
            Arc::new(ReplayMarket::new(Arc::clone(&data), calendar.clone(), ReplayOptions::default()));
        Self { sessions: Sessions { calendar, exchange: Exchange::Nse, amo: config.amo }, data, market }
    }

    /// The rules of the paper exchange that the config asks for.
    pub fn paper_config(&self, config: &Config, seed: u64) -> PaperConfig {
        let account = &config.account;
        let mut paper = PaperConfig::new(account.cash);
        paper.tariff = account.tariff.clone();
        paper.volume_share_percent = account.volume_share_percent;
        paper.amo_window = config.amo;
        paper.seed = seed;
        paper.opening = account
            .positions
            .iter()
            .map(|seed| Opening {
                symbol: seed.symbol.clone(),
                quantity: seed.quantity,
                price: seed.price,
                settles: self.sessions.calendar.known_from(),
            })
            .collect();
        paper
    }

    /// An exchange on these data.
    pub fn exchange(&self, config: &Config, seed: u64) -> Arc<Mutex<paper::Exchange>> {
        let source: Arc<dyn PriceSource> = Arc::clone(&self.market) as Arc<dyn PriceSource>;
        let rules = self.paper_config(config, seed);
        Arc::new(Mutex::new(paper::Exchange::new(source, self.sessions.calendar.clone(), rules)))
    }
}

/// A host that stands, and has not begun.
pub struct World {
    /// Whose.
    pub account: Account,
    /// Now.
    pub clock: SharedClock,
    /// Sessions.
    pub sessions: Sessions,
    /// The order desk.
    pub desk: Desk,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Where host functions lead.
    pub services: Arc<dyn Services>,
    /// The same without asking the broker for fresh prices: for versions in shadow.
    pub quiet: Arc<dyn Services>,
    /// Where it is kept which versions are live.
    pub standings: Standings,
    /// Where runs are recorded; none: nowhere.
    pub tapes: Option<Arc<dyn TapeSink>>,
    /// The strategies, by name.
    pub strategies: BTreeMap<model::StrategyName, Strategy>,
    /// What loads their next versions.
    pub runtime: Runtime,
    /// The exchange, when it is in this process.
    pub exchange: Option<Arc<Mutex<paper::Exchange>>>,
    /// What a connection to a real broker brings along.
    pub live: Option<Arc<LiveLink>>,
    /// Passed before what is due begins.
    pub gate: Option<Gate>,
    /// Whether a new version ends its strategy's quarantine: where no command of an operator's reaches.
    pub lifts_quarantine: bool,
}

/// A broker, and where prices come from.
pub struct Link {
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// What strategies and the desk read.
    pub market: Arc<dyn Market>,
    /// Sessions.
    pub sessions: Sessions,
    /// The exchange, when it is in this process.
    pub exchange: Option<Arc<Mutex<paper::Exchange>>>,
    /// What a connection to a real broker brings along.
    pub live: Option<Arc<LiveLink>>,
}

/// What a connection to a real broker brings along.
#[derive(Clone)]
pub struct LiveLink {
    /// Told when a new session was opened.
    pub renewed: Arc<Notify>,
    /// Told before each run, so that a login before the daily hour is allowed.
    pub while_due: WhileDue,
    /// How the session stands.
    pub session: SessionTeller,
    /// The host's own scheduled work, by name.
    pub own_work: BTreeMap<StrategyName, OwnWork>,
    /// Reads what strategies need before the first of them runs: today's shares.
    pub prepare: Prepare,
    /// Asked for a fresh quote before a strategy reads it; none where prices come from stored data.
    pub quotes: Option<Arc<LiveMarket>>,
}

/// Reads what strategies need; an error is one sentence, and it may be tried again.
pub type Prepare = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

impl Link {
    /// The paper exchange that the config names, on `paper`'s data.
    pub fn paper(config: &Config, paper: &PaperMarket, ways: &Ways) -> Result<Self, Failure> {
        let clock = &ways.clock;
        let (broker, exchange): (Arc<dyn Broker>, _) = match &config.account.broker {
            BrokerKind::PaperRemote { address } => {
                (Arc::new(RemotePaper::new(*address, Arc::clone(clock))), None)
            }
            BrokerKind::Paper | BrokerKind::KotakNeo(_) => {
                let exchange = paper.exchange(config, ways.seed);
                let broker = match &ways.book {
                    Some(path) => PaperBroker::durable(
                        Arc::clone(&exchange),
                        Arc::clone(clock),
                        path,
                        &market_name(config),
                    )
                    .map_err(|error| Failure::general(error.into()))?,
                    None => PaperBroker::new(Arc::clone(&exchange), Arc::clone(clock)),
                };
                (Arc::new(broker), Some(exchange))
            }
        };
        Ok(Self {
            broker,
            market: Arc::clone(&paper.market) as Arc<dyn Market>,
            sessions: paper.sessions.clone(),
            exchange,
            live: None,
        })
    }
}

/// How a host is run.
pub struct Ways {
    /// Now.
    pub clock: SharedClock,
    /// How the desk runs.
    pub blocking: Blocking,
    /// How computing is bounded.
    pub profile: Profile,
    /// Who computes while a live strategy does.
    pub turns: Turns,
    /// Where compiled code is kept.
    pub cache: Option<std::path::PathBuf>,
    /// Fixes what chance decides on paper.
    pub seed: u64,
    /// The file in which the paper account survives this process; none: it ends with it.
    pub book: Option<std::path::PathBuf>,
}

impl World {
    /// Puts a host together on `link` and `journal`.
    pub fn build(
        config: &Config,
        link: Link,
        journal: Box<dyn Journal>,
        ways: Ways,
    ) -> Result<Self, Failure> {
        Self::build_with(config, link, journal, ways, |runtime| {
            strategies::load(runtime, &config.strategies).map_err(|error| Failure::config(error.into()))
        })
    }

    /// The same, in the versions that had proved themselves before the host was stopped. `must_vouch`: for each of a
    /// file somebody has to vouch.
    pub fn rebuild(
        config: &Config,
        link: Link,
        journal: Box<dyn Journal>,
        ways: Ways,
        must_vouch: bool,
    ) -> Result<Self, Failure> {
        let standings = Standings::of(config);
        let load = |runtime: &Runtime| standings.load(runtime, config, must_vouch);
        let world = Self::build_with(config, link, journal, ways, load)?;
        Ok(Self { standings, ..world })
    }

    fn build_with(
        config: &Config,
        link: Link,
        mut journal: Box<dyn Journal>,
        ways: Ways,
        load: impl FnOnce(&Runtime) -> Result<BTreeMap<StrategyName, Strategy>, Failure>,
    ) -> Result<Self, Failure> {
        let Ways { clock, blocking, profile, turns, cache, .. } = ways;
        let Link { broker, market, sessions, exchange, live } = link;
        let settings = &config.account;
        let account = settings.name.clone();
        adopt_opening(config, &sessions, journal.as_mut(), &clock)?;
        let mut desk_config = DeskConfig::new(account.clone());
        desk_config.limits = config.limits.clone();
        desk_config.blocking = blocking;
        desk_config.charges = Some(ChargeRules {
            schedule: model::charges::ChargeSchedule::bundled(),
            tariff: settings.tariff.clone(),
        });
        let view =
            DeskView { market: Arc::clone(&market), sessions: sessions.clone(), clock: Arc::clone(&clock) };
        let desk = Desk::open(desk_config, journal, Arc::clone(&broker), Arc::clone(&clock), Arc::new(view))
            .map_err(|error| Failure::general(error.into()))?;
        let runtime = Runtime::new(RuntimeOptions { profile, cache_dir: cache, turns })
            .map_err(|error| Failure::general(error.into()))?;
        let strategies = load(&runtime)?;
        let services = HostServices {
            desk: desk.clone(),
            market,
            quotes: live.as_ref().and_then(|live| live.quotes.clone()),
            sessions: sessions.clone(),
            clock: Arc::clone(&clock),
            orders_per_day: config
                .strategies
                .iter()
                .filter_map(|(name, strategy)| {
                    strategy.grants.max_orders_per_day.map(|orders| (name.clone(), orders))
                })
                .collect(),
        };
        let quiet = HostServices { quotes: None, ..services.clone() };
        Ok(Self {
            account,
            clock,
            sessions,
            desk,
            broker,
            services: Arc::new(services),
            quiet: Arc::new(quiet),
            standings: Standings::default(),
            tapes: None,
            strategies,
            runtime,
            exchange,
            live,
            gate: None,
            lifts_quarantine: false,
        })
    }
}

/// What a paper account belongs to and must not change under it: where its prices come from.
pub fn market_name(config: &Config) -> String {
    config.data.dir.as_ref().map_or_else(|| "demo".to_owned(), |dir| dir.display().to_string())
}

/// On a journal that has no ledger yet, takes over the shares that the config says are there.
fn adopt_opening(
    config: &Config,
    sessions: &Sessions,
    journal: &mut dyn Journal,
    clock: &SharedClock,
) -> Result<(), Failure> {
    let account = &config.account;
    if account.positions.is_empty() {
        return Ok(());
    }
    // Other entries may be there before: a kill switch that was set before the first start.
    let kept = journal.replay(&account.name, Date::MIN).map_err(|error| Failure::general(error.into()))?;
    if kept.iter().any(|recorded| matches!(recorded.entry, Entry::Ledger(_))) {
        return Ok(());
    }
    let now = clock.now();
    let settles = sessions.calendar.known_from();
    let entries: Vec<Entry> = account
        .positions
        .iter()
        .map(|seed| {
            Entry::Ledger(LedgerEntry {
                account: account.name.clone(),
                symbol: seed.symbol.clone(),
                side: Side::Buy,
                product: Product::Delivery,
                quantity: seed.quantity,
                price: seed.price,
                charges: Money::ZERO,
                at: now,
                session: settles,
                settles,
                why: LedgerKind::Adopted { basis: "positions of [account] in the configuration".to_owned() },
            })
        })
        .collect();
    journal.commit(&entries, Durability::Synced).map_err(|error| Failure::general(error.into()))
}
