//! `selftest`: what the incident was made of, tried now and without waiting for scheduled times.
//!
//! Against a simulator in this process, whose time is handed on where a one-time code would be waited for;
//! or against the real account, with reports only: nothing here can place an order.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use broker::Broker as _;
use broker::session::{Generation, Memory};
use conflicts::{FakeMachine, Names, made_up_script};
use kotak_neo_sim::{Endpoint, Fault, Kind, PacedClock, Server, Sim, SimConfig, Spelling};
use market::demo::DAY1;
use model::Timestamp;
use model::clock::SharedClock;
use serde::Serialize;

use crate::cli::SelftestArgs;
use crate::clock::SystemClock;
use crate::config::{BrokerKind, Config, KotakNeoConfig};
use crate::credentials::Credentials;
use crate::exit::{Exit, Failure};
use crate::live::{self, Connection, NobodyElse, Parts};
use crate::lock::AccountLock;
use crate::lookout::{Lookout, Powers};
use crate::output::{self, Align, Table, Tone};
use crate::wiring::PaperMarket;

/// Calls at once: as many as the request budget lets wait.
const CALLS: usize = 32;

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was tried.
    pub name: &'static str,
    /// Whether it went well.
    pub passed: bool,
    /// What was seen.
    pub seen: String,
}

type Seen = Result<String, String>;

fn check(name: &'static str, seen: Seen) -> Check {
    match seen {
        Ok(seen) => Check { name, passed: true, seen },
        Err(seen) => Check { name, passed: false, seen },
    }
}

/// Runs it. Exit 1 when a check failed.
pub fn run(args: &SelftestArgs) -> Result<Exit, Failure> {
    let checks = match &args.env {
        None => {
            let mut checks = super::block_on(on_the_simulator())??;
            checks.push(check("every task once", every_task()));
            checks
        }
        Some(env) => super::block_on(on_the_account(env, args.base_url.as_deref()))??,
    };
    let passed = checks.iter().all(|check| check.passed);
    if args.json {
        output::json_versioned(serde_json::json!({ "passed": passed, "checks": checks }))?;
    } else {
        let mut table = Table::new(&[("check", Align::Left), ("", Align::Left), ("seen", Align::Left)]);
        for check in &checks {
            let (word, tone) = if check.passed { ("passed", Tone::Good) } else { ("FAILED", Tone::Bad) };
            table.row([
                (check.name.to_owned(), Tone::Plain),
                (word.to_owned(), tone),
                (output::plain(&check.seen), Tone::Plain),
            ]);
        }
        table.print();
    }
    Ok(if passed { Exit::Ok } else { Exit::General })
}

/// The simulator, its time, and a connection to it.
struct Stage {
    clock: Arc<PacedClock>,
    sim: Arc<Sim>,
    connection: Arc<Connection>,
    _server: Server,
}

fn stage() -> Result<Stage, Failure> {
    let mut config = Config::default();
    let paper = PaperMarket::load(&config, None)?;
    let clock = Arc::new(PacedClock::starting_at(Timestamp::at_ist(DAY1, 10, 0)));
    let listing = paper.data.histories().iter().map(|history| history.symbol.clone());
    let sim_config = SimConfig { calendar: paper.sessions.calendar.clone(), ..SimConfig::new(listing) };
    let known = sim_config.credentials.clone();
    let exchange = paper.exchange(&config, 1);
    let shared = Arc::clone(&clock) as SharedClock;
    let sim = Sim::new(sim_config, exchange, Arc::clone(&paper.market), Arc::clone(&shared));
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&sim))
        .map_err(|error| Failure::general(anyhow!("the simulator cannot listen: {error}")))?;
    let kotak =
        KotakNeoConfig { base_url: format!("http://{}", server.address()), ..Config::kotak_neo_defaults() };
    config.account.broker = BrokerKind::KotakNeo(kotak.clone());
    let parts = Parts {
        credentials: Credentials::of_simulator(&known),
        transport: live::real_sockets(),
        clock: shared,
        sessions: paper.sessions.clone(),
        conflicts: Arc::new(NobodyElse),
        lookout: None,
        memory: Memory::none(),
    };
    let connection = Connection::open(&config, &kotak, parts)?;
    Ok(Stage { clock, sim, connection, _server: server })
}

async fn on_the_simulator() -> Result<Vec<Check>, Failure> {
    let stage = stage()?;
    let mut checks = vec![check("conflict detection", conflict_detection().await)];
    checks.push(check("concurrent client access", concurrent_access(&stage).await));
    checks.push(check("re-authentication", re_authentication(&stage).await));
    checks.push(check("concurrent calls", concurrent_calls(&stage).await));
    stage.connection.keeper.end().await;
    let open = stage.sim.audit().sessions.iter().filter(|session| session.ended.is_none()).count();
    checks.push(check(
        "logout",
        if open == 0 {
            Ok("no session is left open".to_owned())
        } else {
            Err(format!("{open} sessions are open"))
        },
    ));
    Ok(checks)
}

/// A made-up machine with a legacy script is found out, and this one can be looked at.
async fn conflict_detection() -> Seen {
    let fake = FakeMachine::default();
    fake.add_process(made_up_script(4711, None));
    let config = Config::default();
    let (made_up, _news) = Lookout::on(fake.machine(Names::default()), &config, Powers::LOOKS);
    if made_up.look().await.map_or(0, |(_, found)| found.len()) != 1 {
        return Err("a made-up conflict was not found".to_owned());
    }
    let (real, _news) = Lookout::new(&config, Powers::LOOKS);
    match real.look().await {
        Ok((_, found)) if found.is_empty() => {
            Ok("a made-up one is found; nothing on this machine".to_owned())
        }
        Ok((_, found)) => {
            Ok(format!("a made-up one is found; on this machine: {} (`tradeagent services`)", found.len()))
        }
        Err(why) => Err(why),
    }
}

/// Many calls at once on an account without a session: one login for all.
async fn concurrent_access(stage: &Stage) -> Seen {
    all_at_once(stage).await?;
    let logins = stage.sim.audit().logins;
    if logins == 1 { Ok(format!("{CALLS} calls at once, 1 login")) } else { Err(format!("{logins} logins")) }
}

/// The session dies: the next call succeeds under a new one, made by a new client.
async fn re_authentication(stage: &Stage) -> Seen {
    let before = generation(stage);
    stage.clock.advance(std::time::Duration::from_secs(600));
    let dies = Kind::Expired { spelling: Spelling::Code100022, kills: true };
    stage.sim.faults().add(Fault::new(dies).on([Endpoint::Orders]).nth(1));
    stage.connection.broker.orders().await.map_err(|error| error.to_string())?;
    stage.sim.faults().clear();
    let after = generation(stage);
    if after == before + 1 {
        Ok(format!("session {before} died, the same call was answered under session {after}"))
    } else {
        Err(format!("session {before}, then {after}"))
    }
}

/// Many calls at once see one expiry: one login, and nobody carries the old token afterwards.
async fn concurrent_calls(stage: &Stage) -> Seen {
    let before = generation(stage);
    stage.clock.advance(std::time::Duration::from_secs(600));
    let dies = Kind::Expired { spelling: Spelling::Code100021, kills: true };
    stage.sim.faults().add(Fault::new(dies).on([Endpoint::Orders]).nth(1));
    all_at_once(stage).await?;
    stage.sim.faults().clear();
    let (after, audit) = (generation(stage), stage.sim.audit());
    if after == before + 1 && audit.logins == after {
        Ok(format!("{CALLS} calls at once on a dead session, 1 login, all answered"))
    } else {
        Err(format!("session {before}, then {after}; {} logins", audit.logins))
    }
}

fn generation(stage: &Stage) -> u64 {
    stage.connection.keeper.current().map_or(0, |session| session.generation.get())
}

async fn all_at_once(stage: &Stage) -> Result<(), String> {
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let broker = stage.connection.broker.clone();
        calls.spawn(async move { broker.orders().await.map(|orders| orders.len()) });
    }
    // The request budget holds the calls apart: its time is handed on.
    let clock = Arc::clone(&stage.clock);
    let ticking = tokio::spawn(async move {
        loop {
            tokio::task::yield_now().await;
            clock.advance(std::time::Duration::from_millis(1));
        }
    });
    let mut failed = None;
    while let Some(call) = calls.join_next().await {
        match call {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => failed = Some(error.to_string()),
            Err(error) => failed = Some(error.to_string()),
        }
    }
    ticking.abort();
    failed.map_or(Ok(()), Err)
}

/// A whole made-up day by the real service: the demo, in a process of its own.
fn every_task() -> Seen {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = std::process::Command::new(program).args(["demo", "--json"]).output();
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let day: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let tasks = ["sell", "buy", "monitor", "eod"];
    let runs = |task: &str| day["last_summary"][task].as_str().map(str::to_owned);
    let missing: Vec<&str> = tasks.into_iter().filter(|task| runs(task).is_none()).collect();
    if missing.is_empty() {
        Ok(format!("{} ran; {}", tasks.join(", "), runs("eod").unwrap_or_default()))
    } else {
        Err(format!("not done: {}", missing.join(", ")))
    }
}

/// The real account, reports only: the broker is reached by way of a client that is asked nothing else.
async fn on_the_account(env: &Path, base_url: Option<&str>) -> Result<Vec<Check>, Failure> {
    let mut config = Config::default();
    let mut kotak = Config::kotak_neo_defaults();
    if let Some(base_url) = base_url {
        base_url.clone_into(&mut kotak.base_url);
    }
    kotak.env_file = Some(env.to_owned());
    config.account.broker = BrokerKind::KotakNeo(kotak.clone());
    let clock: SharedClock = Arc::new(SystemClock);
    let _lock = AccountLock::acquire(&config.lock_dir, &config.account.name, "selftest", clock.now())?;
    let connection = live::connect(&config, &kotak, clock, Powers::LOOKS)?;
    super::login::say_when(&connection);
    let due = connection.keeper.due();
    let mut checks = vec![check("conflict detection", conflict_detection().await)];
    let login = connection.keeper.renew(Generation::NONE).await;
    let failed = login.is_err();
    checks.push(check(
        "login",
        login.map(|session| format!("session {}", session.generation)).map_err(|error| error.to_string()),
    ));
    if !failed {
        checks.push(check("concurrent reports", reports(&connection).await));
    }
    drop(due);
    connection.keeper.end().await;
    Ok(checks)
}

async fn reports(connection: &Arc<Connection>) -> Seen {
    let broker = &connection.broker;
    let (orders, trades, holdings) = tokio::join!(broker.orders(), broker.trades(), broker.holdings());
    let mut told = Vec::new();
    for (name, count) in [
        ("orders", orders.map(|rows| rows.len())),
        ("trades", trades.map(|rows| rows.len())),
        ("holdings", holdings.map(|rows| rows.len())),
    ] {
        told.push(format!("{} {name}", count.map_err(|error| format!("{name}: {error}"))?));
    }
    Ok(told.join(", "))
}
