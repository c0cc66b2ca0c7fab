//! An account at the embedded sim, reached over a real socket from simulated time: what `demo` and `plugin dev`
//! trade on.

use std::sync::{Arc, Mutex};

use anyhow::anyhow;
use broker::session::Memory;
use journal::Journal;
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::transport::Transport;
use kotak_neo_broker::MakeTransport;
use kotak_neo_sim::{Faults, Server, SharedInstant, Sim, SimConfig};
use market::Market;
use model::Timestamp;
use model::clock::SharedClock;
use oms::Blocking;
use runtime::{Profile, Turns};
use tokio::runtime::Handle;

use crate::config::{BrokerKind, Config, KotakNeoConfig};
use crate::credentials::Credentials;
use crate::exit::Failure;
use crate::live::{Connection, NobodyElse, Parts};
use crate::offload::Offloaded;
use crate::wiring::{PaperMarket, Ways, World};

/// The account, its exchange and its server.
pub struct SimAccount {
    /// The connection to it.
    pub connection: Arc<Connection>,
    /// Its exchange.
    pub exchange: Arc<Mutex<paper::Exchange>>,
    /// What is to go wrong at it.
    pub faults: Faults,
    sim: Arc<Sim>,
    _server: Server,
}

impl SimAccount {
    /// Starts the sim on `paper`'s market, and connects to it from `clock`'s simulated time by way of the
    /// real time of `io`.
    pub fn open(
        config: &Config,
        paper: &PaperMarket,
        clock: &SharedClock,
        io: &Handle,
        from: Timestamp,
    ) -> Result<Self, Failure> {
        let exchange = paper.exchange(config, 1);
        let listing = paper.data.histories().iter().map(|history| history.symbol.clone());
        let sim_config = SimConfig { calendar: paper.sessions.calendar.clone(), ..SimConfig::new(listing) };
        let login = sim_config.credentials.clone();
        let shared = Arc::new(SharedInstant::at(from));
        let market = Arc::clone(&paper.market);
        let sim = Sim::new(sim_config, Arc::clone(&exchange), market, Arc::clone(&shared) as SharedClock);
        let (faults, audited) = (sim.faults(), Arc::clone(&sim));
        let server = Server::start(([127, 0, 0, 1], 0).into(), sim)
            .map_err(|error| Failure::general(anyhow!("the embedded sim cannot listen: {error}")))?;
        let kotak = KotakNeoConfig {
            base_url: format!("http://{}", server.address()),
            ..Config::kotak_neo_defaults()
        };
        let mut config = config.clone();
        config.account.broker = BrokerKind::KotakNeo(kotak.clone());
        let (io, told) = (io.clone(), Arc::clone(clock));
        let transport: MakeTransport = Arc::new(move || {
            let real = HttpTransport::new(HttpOptions::default()).map_err(|error| error.to_string())?;
            let shared = Arc::clone(&shared);
            let tell = Arc::new(move |now| shared.tell(now));
            let offloaded = Offloaded::new(Arc::new(real), io.clone(), Arc::clone(&told), tell);
            Ok(Arc::new(offloaded) as Arc<dyn Transport>)
        });
        let parts = Parts {
            credentials: Credentials::of_simulator(&login),
            transport,
            clock: Arc::clone(clock),
            sessions: paper.sessions.clone(),
            conflicts: Arc::new(NobodyElse),
            lookout: None,
            memory: Memory::none(),
        };
        let connection = Connection::open(&config, &kotak, parts)?;
        Ok(Self { connection, exchange, faults, sim: audited, _server: server })
    }
    /// A host on this account with `paper`'s prices: strategies take whole turns and the desk works in the host's one
    /// thread, so that the same day comes out the same.
    pub fn world(
        &self,
        config: &Config,
        paper: &PaperMarket,
        clock: &SharedClock,
        journal: Box<dyn Journal>,
    ) -> Result<World, Failure> {
        let ways = Ways {
            clock: Arc::clone(clock),
            blocking: Blocking::Local,
            profile: Profile::Live,
            turns: Turns::Whole,
            cache: Some(config.plugin_cache()),
            seed: 1,
            book: None,
        };
        let mut link = self.connection.link_on(Arc::clone(&paper.market) as Arc<dyn Market>);
        link.exchange = Some(Arc::clone(&self.exchange));
        World::build(config, link, journal, ways)
    }

    /// Orders that reached its exchange, by how often each did: the tag of an order is its identity.
    pub fn orders_by_tag(&self) -> std::collections::BTreeMap<String, usize> {
        self.sim.audit().by_tag()
    }
}
