//! The incident, replayed through the whole host on simulated time: conflict, contest, stop, recovery.

use std::sync::{Arc, Mutex};

use broker::session::{Conflicts, Memory};
use journal::{Entry, MemoryJournal};
use kotak_neo::transport::Transport;
use kotak_neo_broker::MakeTransport;
use kotak_neo_sim::{Fault, Kind, Sim, SimConfig};
use market::Market;
use market::demo::{DAY1, SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL};
use model::Timestamp;
use model::clock::SharedClock;
use oms::Blocking;
use runtime::{Mode, Profile, Turns};
use tokio::sync::watch;
use tradeagent::clock::{SimulatedClock, simulated_runtime};
use tradeagent::config::{BrokerKind, Config, KotakNeoConfig, PositionConfig};
use tradeagent::credentials::Credentials;
use tradeagent::host::Host;
use tradeagent::live::{Connection, Parts};
use tradeagent::wiring::{PaperMarket, Ways, World};

/// What the look for conflicts finds.
struct Found(Arc<Mutex<Result<Vec<String>, String>>>);

impl Conflicts for Found {
    fn look(&self) -> model::BoxFuture<'_, Result<Vec<String>, String>> {
        let found = self.0.lock().expect("not poisoned").clone();
        Box::pin(std::future::ready(found))
    }
}

struct Morning {
    sim: Arc<Sim>,
    connection: Arc<Connection>,
    host: Host,
    clock: SharedClock,
    found: Arc<Mutex<Result<Vec<String>, String>>>,
}

fn open(from: Timestamp) -> Morning {
    let mut config = Config::default();
    config.account.positions = vec![PositionConfig {
        symbol: SEEDED_SYMBOL.into(),
        quantity: SEEDED_QUANTITY,
        price: SEEDED_ENTRY_PRICE,
    }];
    let clock: SharedClock = Arc::new(SimulatedClock::starting_at(from));
    let paper = PaperMarket::load(&config, None).expect("the demo's data");
    let exchange = paper.exchange(&config, 1);
    let kotak = KotakNeoConfig { base_url: "http://sim.invalid".to_owned(), ..Config::kotak_neo_defaults() };
    config.account.broker = BrokerKind::KotakNeo(kotak.clone());
    config.state_dir = std::env::temp_dir().join("tradeagent-incident-has-no-state");
    let listing = paper.data.histories().iter().map(|history| history.symbol.clone());
    let sim_config = SimConfig { calendar: paper.sessions.calendar.clone(), ..SimConfig::new(listing) };
    let known = sim_config.credentials.clone();
    let sim = Sim::new(sim_config, exchange, Arc::clone(&paper.market), Arc::clone(&clock));
    let behind = Arc::clone(&sim);
    let transport: MakeTransport = Arc::new(move || Ok(Arc::new(behind.transport()) as Arc<dyn Transport>));
    let found: Arc<Mutex<Result<Vec<String>, String>>> = Arc::new(Mutex::new(Ok(Vec::new())));
    let parts = Parts {
        credentials: Credentials::of_simulator(&known),
        transport,
        clock: Arc::clone(&clock),
        sessions: paper.sessions.clone(),
        conflicts: Arc::new(Found(Arc::clone(&found))),
        lookout: None,
        memory: Memory::none(),
    };
    let connection = Connection::open(&config, &kotak, parts).expect("its parts");
    let link = connection.link_on(Arc::clone(&paper.market) as Arc<dyn Market>);
    let ways = Ways {
        clock: Arc::clone(&clock),
        blocking: Blocking::Local,
        profile: Profile::Live,
        turns: Turns::Whole,
        cache: None,
        seed: 1,
        book: None,
    };
    let world = World::build(&config, link, Box::new(MemoryJournal::new()), ways).expect("a host");
    let tasks: Vec<_> = config.tasks.into_iter().filter(|task| task.name != "data-update").collect();
    let host = Host::start(world, tasks, Mode::Live, Arc::new(|_| {}));
    Morning { sim, connection, host, clock, found }
}

fn entries(morning: &Morning) -> Vec<Entry> {
    let desk = &morning.host.world.desk;
    let entries = desk.with_journal(|journal| journal.entries(0, 100_000)).expect("entries");
    entries.into_iter().map(|recorded| recorded.entry).collect()
}

#[test]
fn two_programs_on_one_account_stop_the_trading_and_it_goes_on_by_itself() {
    simulated_runtime().expect("a runtime").block_on(async {
        let from = Timestamp::at_ist(DAY1, 9, 10);
        let morning = open(from);
        let legacy = "process 4711 runs run_sell_orders.py: `kill 4711` stops it";
        // The legacy service fires at 09:15 and logs in 13 s after each login of ours.
        let (noisy, quiet) = (Timestamp::at_ist(DAY1, 9, 14), Timestamp::at_ist(DAY1, 10, 0));
        morning.sim.faults().add(Fault::new(Kind::ForeignLogin { after_s: 13 }).between(noisy, quiet));
        let session = Arc::clone(&morning.host.world.live.as_ref().expect("live").session);
        let mut running = morning.connection.start_session(&morning.host.world.desk);
        morning.connection.watch_young(&mut running);
        let (_keep, stop) = watch::channel(false);
        let sim = Arc::clone(&morning.sim);
        let (clock, found) = (Arc::clone(&morning.clock), Arc::clone(&morning.found));
        let (tell, told) = (Arc::clone(&session), Arc::new(Mutex::new(None)));
        let kept = Arc::clone(&told);
        tokio::spawn(async move {
            // The other program's first login is the one that ends ours.
            clock.sleep_until(Timestamp::at_ist(DAY1, 9, 15).plus_seconds(19)).await;
            sim.foreign_login();
            // It shows among the processes only when two of our sessions are dead already.
            clock.sleep_until(Timestamp::at_ist(DAY1, 9, 16).plus_seconds(30)).await;
            *found.lock().expect("not poisoned") = Ok(vec![legacy.to_owned()]);
            clock.sleep_until(Timestamp::at_ist(DAY1, 9, 30).plus_seconds(30)).await;
            *kept.lock().expect("not poisoned") = Some((tell(clock.now()), sim.audit().logins));
            clock.sleep_until(Timestamp::at_ist(DAY1, 10, 0)).await;
            *found.lock().expect("not poisoned") = Ok(Vec::new());
        });
        morning.host.run(Some(Timestamp::at_ist(DAY1, 12, 0)), stop).await.expect("it ends well");
        running.end().await;

        let (line, logins) = told.lock().expect("not poisoned").take().expect("it was looked at");
        let why = line.reason.clone().unwrap_or_else(|| panic!("no reason: {line:#?} {logins}"));
        assert!(why.contains("another program"), "{why}");
        assert!(why.contains("run_sell_orders.py"), "the cause is named: {why}");
        assert!(logins <= 3, "{logins} logins by half past nine");

        let entries = entries(&morning);
        let alerts: Vec<&str> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Alert(alert) if alert.source == "session" => Some(alert.text.as_str()),
                _ => None,
            })
            .collect();
        assert!(alerts.iter().any(|text| text.contains("another program")), "{alerts:?}");
        // With the other program gone the host is back by itself, and the sell strategy works again.
        assert_eq!(session(morning.clock.now()).state, "ended");
        let after = Timestamp::at_ist(DAY1, 10, 30);
        let sold = entries.iter().any(|entry| matches!(entry, Entry::Intent(intent) if intent.at > after));
        assert!(sold, "trading went on: {alerts:?}");
        let audit = morning.sim.audit();
        assert!(audit.logins <= 6, "{} logins in all", audit.logins);
        for (tag, ids) in &audit.accepted {
            assert_eq!(ids.len(), 1, "{tag}");
        }
    });
}

#[test]
fn a_conflict_on_this_machine_blocks_the_login_and_is_named() {
    simulated_runtime().expect("a runtime").block_on(async {
        let morning = open(Timestamp::at_ist(DAY1, 9, 10));
        *morning.found.lock().expect("not poisoned") = Err("the processes cannot be read".to_owned());
        let session = Arc::clone(&morning.host.world.live.as_ref().expect("live").session);
        let running = morning.connection.start_session(&morning.host.world.desk);
        let (stop, stopping) = watch::channel(false);
        let clock = Arc::clone(&morning.clock);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (kept, found, tell) = (Arc::clone(&lines), Arc::clone(&morning.found), Arc::clone(&session));
        tokio::spawn(async move {
            clock.sleep_until(Timestamp::at_ist(DAY1, 9, 12)).await;
            kept.lock().expect("not poisoned").push(tell(clock.now()));
            *found.lock().expect("not poisoned") = Ok(vec!["process 4711 runs run_auto_trade.py".to_owned()]);
            clock.sleep_until(Timestamp::at_ist(DAY1, 9, 20)).await;
            kept.lock().expect("not poisoned").push(tell(clock.now()));
            let _ = stop.send(true);
        });
        morning.host.run(Some(Timestamp::at_ist(DAY1, 10, 0)), stopping).await.expect("it stops");
        running.end().await;
        let lines = lines.lock().expect("not poisoned").clone();
        let reason = |at: usize| lines[at].reason.clone().expect("a reason");
        assert!(reason(0).contains("could not be found out"), "{}", reason(0));
        assert!(reason(1).contains("run_auto_trade.py"), "{}", reason(1));
        assert_eq!(morning.sim.audit().logins, 0, "a check that fails blocks the login as well");
    });
}
