//! `run`: the service, until SIGTERM.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use journal::SqliteJournal;
use model::clock::SharedClock;
use model::{Clock as _, Timestamp};
use oms::Blocking;
use paper::RemotePaper;
use runtime::{Mode, Profile, Turns};
use tokio::sync::watch;

use crate::cli::RunArgs;
use crate::clock::{SimulatedClock, SystemClock, simulated_runtime};
use crate::config::{BrokerKind, Config, KotakNeoConfig, Rehearsal};
use crate::control::views::NextTask;
use crate::control::{ControlServer, LiveHost};
use crate::exit::{Exit, Failure};
use crate::host::Host;
use crate::hotswap::{Rules, Watch};
use crate::live;
use crate::lock::AccountLock;
use crate::lookout::Powers;
use crate::notify;
use crate::output;
use crate::recording;
use crate::scheduler::{Ended, Observer, Scheduler};
use crate::supervisor;
use crate::wiring::{Link, PaperMarket, Ways, World};

/// How long the runtime may take to end after the host has: with the eight seconds of the desk it stays
/// under the ten that are promised.
const LAST_WORDS: Duration = Duration::from_millis(1_000);

/// Runs it.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    #[cfg(windows)]
    if args.service {
        return as_service(args);
    }
    let config = load(args)?;
    output::log_to_stderr();
    hold(args, &config)
}

/// The same, started by the service control manager of Windows: nobody reads its standard error.
#[cfg(windows)]
fn as_service(args: &RunArgs) -> Result<(), Failure> {
    let args = args.clone();
    let work = move || {
        let ended = load(&args).and_then(|config| {
            output::log_as_service(&config.state_dir.join("log"))?;
            hold(&args, &config)
        });
        match ended {
            Ok(()) => 0,
            Err(failure) => {
                output::log_last_words(&failure.text());
                failure.exit.code()
            }
        }
    };
    supervisor::as_service(work).map_err(|why| {
        Failure::usage(anyhow!("this is no service: {why}"))
            .hint("`tradeagent service start` starts it; in a prompt leave --service out")
    })
}

fn load(args: &RunArgs) -> Result<Config, Failure> {
    let mut config = Config::load(args.config.path.as_deref())?;
    config.apply_params(&args.param)?;
    Ok(config)
}

/// Holds the account and trades until it is told to stop.
fn hold(args: &RunArgs, config: &Config) -> Result<(), Failure> {
    std::fs::create_dir_all(&config.state_dir)
        .with_context(|| format!("the state folder {} cannot be made", config.state_dir.display()))
        .map_err(|error| {
            Failure::new(Exit::Permission, error)
                .hint("run as a user that may write there, or set state_dir in the configuration")
        })?;
    let lock = AccountLock::acquire(&config.lock_dir, &config.account.name, "run", SystemClock.now())?;
    let rehearsal = config.rehearsal;
    let is_simulated = rehearsal.is_some() && !matches!(config.account.broker, BrokerKind::KotakNeo(_));
    let runtime = if is_simulated {
        simulated_runtime()
    } else {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()
    };
    let runtime = runtime.context("the runtime cannot start")?;
    let ended = runtime.block_on(serve(config, rehearsal, args.allow_unknown_conflicts));
    runtime.shutdown_timeout(LAST_WORDS);
    drop(lock);
    match ended? {
        Ended::Stopped | Ended::Finished => Ok(()),
        Ended::CalendarEnds => Err(Failure::new(
            Exit::Unavailable,
            anyhow!("the calendar knows no further session: nothing is traded beyond it"),
        )
        .hint("update tradeagent, or name a newer calendar file in [calendar]")),
    }
}

async fn serve(config: &Config, rehearsal: Option<Rehearsal>, allow_unknown: bool) -> Result<Ended, Failure> {
    let stop = stop_signal()?;
    if let BrokerKind::KotakNeo(kotak) = &config.account.broker {
        return serve_live(config, kotak, rehearsal, allow_unknown, stop).await;
    }
    let paper = PaperMarket::load(config, None)?;
    let in_process = config.account.broker == BrokerKind::Paper;
    if rehearsal.is_some() && in_process && config.journal_path().exists() {
        return Err(Failure::config(anyhow!(
            "{} is there already: a rehearsal with the exchange in this process begins on an empty state_dir",
            config.journal_path().display()
        ))
        .hint("name another state_dir, or use broker = \"paper-remote\", with which a rehearsal goes on after a restart"));
    }
    let journal = SqliteJournal::open(config.journal_path()).map_err(anyhow::Error::from)?;
    let (clock, until) = clock(config, rehearsal)?;
    let blocking = if rehearsal.is_some() { Blocking::Local } else { Blocking::Threaded };
    let ways = Ways {
        clock: Arc::clone(&clock),
        blocking,
        profile: Profile::Live,
        turns: Turns::Slices,
        cache: Some(config.plugin_cache()),
        seed: 1,
        book: rehearsal.is_none().then(|| config.state_dir.join("paper-book.jsonl")),
    };
    let link = Link::paper(config, &paper, &ways)?;
    let must_vouch = config.vouch_everywhere;
    let mut world = World::rebuild(config, link, Box::new(journal), ways, must_vouch)?;
    world.tapes = recording::start(config);
    greet(config, &paper, &world, rehearsal.is_some());
    let observer: Observer = Arc::new(|event| tracing::info!(target: "host", "{event}"));
    let host = Host::start(world, config.tasks.clone(), Mode::Paper, observer);
    let _control = control(config, &host, rehearsal.is_some())?;
    let _versions = versions(config, &host, must_vouch)?;
    let _outbox = notify::start(config, &host.world.desk, &host.world.clock)?;
    let _told = supervisor::ready(host.pulse.clone(), || "paper trading".to_owned());
    let ended = host.run(until, stop).await;
    ended.map_err(|error| Failure::unavailable(error.into()))
}

/// A real account: nothing is simulated, and real orders are sent.
async fn serve_live(
    config: &Config,
    kotak: &KotakNeoConfig,
    rehearsal: Option<Rehearsal>,
    allow_unknown: bool,
    stop: watch::Receiver<bool>,
) -> Result<Ended, Failure> {
    let clock = live::clock_of(config, kotak).await?;
    let until = rehearsal.map(|it| Timestamp::from_ist(it.until.date(), it.until.time()));
    let powers = Powers {
        // What trades at a simulator is in nobody's way.
        stops: config.conflicts.auto_stop && rehearsal.is_none(),
        trusts_the_unknown: allow_unknown,
    };
    let connection = live::connect(config, kotak, Arc::clone(&clock), powers)?;
    let journal = SqliteJournal::open(config.journal_path()).map_err(anyhow::Error::from)?;
    let ways = Ways {
        clock,
        blocking: Blocking::Threaded,
        profile: Profile::Live,
        turns: Turns::Slices,
        cache: Some(config.plugin_cache()),
        seed: 1,
        book: None,
    };
    // In a rehearsal nothing real is traded: an author tries a strategy there as it is.
    let must_vouch = rehearsal.is_none() || config.vouch_everywhere;
    let mut world = World::rebuild(config, connection.link(), Box::new(journal), ways, must_vouch)?;
    world.tapes = recording::start(config);
    match rehearsal {
        None => tracing::info!("account {} at {}: real orders are sent", config.account.name, kotak.base_url),
        Some(_) => tracing::info!(
            "account {} at the simulator {}: a rehearsal, its clock shows {}",
            config.account.name,
            kotak.base_url,
            world.clock.now()
        ),
    }
    for warning in world.sessions.calendar.warnings(world.clock.now().ist_date()) {
        tracing::warn!("{warning}");
    }
    let observer: Observer = Arc::new(|event| tracing::info!(target: "host", "{event}"));
    let host = Host::start(world, config.tasks.clone(), Mode::Live, observer);
    let running = connection.start(&host.world.desk);
    connection.first_look().await?;
    let _control = control(config, &host, rehearsal.is_some())?;
    let _versions = versions(config, &host, must_vouch)?;
    let _outbox = notify::start(config, &host.world.desk, &host.world.clock)?;
    let told = supervisor::ready(host.pulse.clone(), status_line(&host));
    let ended = host.run(until, stop).await;
    drop(told);
    running.end().await;
    ended.map_err(|error| Failure::unavailable(error.into()))
}

/// What `systemctl status` shows.
fn status_line(host: &Host) -> impl Fn() -> String + Send + 'static {
    let session = host.world.live.as_ref().map(|live| Arc::clone(&live.session));
    let (clock, scheduler) = (Arc::clone(&host.world.clock), Arc::clone(&host.scheduler));
    move || {
        let now = clock.now();
        let session = session.as_ref().map(|tell| tell(now));
        let state = session.as_ref().map_or("none", |line| line.state.as_str());
        let why = session.as_ref().and_then(|line| line.reason.clone()).map(|why| format!(" ({why})"));
        let next = scheduler.next_run(now).map(|(at, task)| format!("; next: {} at {at}", task.name));
        format!("session {state}{}{}", why.unwrap_or_default(), next.unwrap_or_default())
    }
}

/// The machine's time, or simulated time from where the rehearsal is: its start, or what the exchange in
/// its own process has seen already.
fn clock(config: &Config, rehearsal: Option<Rehearsal>) -> Result<(SharedClock, Option<Timestamp>), Failure> {
    let Some(Rehearsal { from, until }) = rehearsal else { return Ok((Arc::new(SystemClock), None)) };
    let ist = |moment: chrono::NaiveDateTime| Timestamp::from_ist(moment.date(), moment.time());
    let mut start = ist(from);
    if let BrokerKind::PaperRemote { address } = &config.account.broker {
        let address = *address;
        let exchange = RemotePaper::new(address, Arc::new(SystemClock));
        let seen = exchange.time().map_err(|error| {
            Failure::unavailable(anyhow!("the paper exchange at {address} does not answer: {error}")).hint(
                format!(
                    "start it with `tradeagent paper-exchange --listen {address} --from {}`",
                    from.format("%Y-%m-%dT%H:%M")
                ),
            )
        })?;
        start = seen.map_or(start, |seen| seen.max(start));
    }
    Ok((Arc::new(SimulatedClock::starting_at(start)), Some(ist(until))))
}

/// Turns true at SIGTERM or SIGINT.
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    let (tell, stop) = watch::channel(false);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
        tokio::spawn(async move {
            let what = tokio::select! {
                biased;
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!("{what}: no new intents; what is on the wire may take 8 s");
            let _ = tell.send(true);
        });
    }
    #[cfg(windows)]
    if let Some(stop) = supervisor::stop_wanted() {
        return Ok(stop);
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = tell.send(true);
        }
    });
    Ok(stop)
}

fn greet(config: &Config, paper: &PaperMarket, world: &World, rehearsal: bool) {
    let account = &config.account.name;
    tracing::info!(
        "account {account}: paper trading, no real order is sent{}",
        if rehearsal { ", on simulated time" } else { "" }
    );
    if config.path.is_none() {
        tracing::info!(
            "no configuration was given: a paper account on made-up data; `tradeagent run --help` tells how to give one"
        );
    }
    let now = world.clock.now().ist_date();
    if let Some(last) = paper.data.sessions(paper.sessions.exchange).dates.last()
        && *last < now
    {
        tracing::warn!(
            "the market data end on {last}: from then on there are no prices, and strategies refuse to act on old ones"
        );
    }
    for warning in world.sessions.calendar.warnings(now) {
        tracing::warn!("{warning}");
    }
}

/// Watches the components' files; `must_vouch`: only what is vouched for goes live.
fn versions(config: &Config, host: &Host, must_vouch: bool) -> Result<Watch, Failure> {
    let rules = Rules {
        config: Arc::new(config.clone()),
        must_vouch,
        clock: Arc::clone(&host.world.clock),
        machine: Arc::new(SystemClock),
    };
    Watch::start(rules, host.world.runtime.clone(), &host.scheduler.strategies)
        .context("the components' files cannot be watched")
        .map_err(Failure::general)
}

fn control(config: &Config, host: &Host, rehearsal: bool) -> Result<ControlServer, Failure> {
    let scheduler: Arc<Scheduler> = Arc::clone(&host.scheduler);
    let slots = Arc::clone(&host.scheduler);
    let live = LiveHost {
        account: host.world.account.clone(),
        broker: config.account.broker.as_str(),
        session: host.world.live.as_ref().map(|live| Arc::clone(&live.session)),
        desk: host.world.desk.clone(),
        sessions: host.world.sessions.clone(),
        clock: Arc::clone(&host.world.clock),
        rehearsal,
        since: host.world.clock.now(),
        next_due: Arc::new(move |after| {
            scheduler.next_run(after).map(|(at, task)| NextTask { task: task.name.clone(), at })
        }),
        versions: Arc::new(move |day| {
            slots.strategies.values().map(|strategy| strategy.slot.view(day)).collect()
        }),
        channels: notify::channels(&config.notify),
    };
    ControlServer::start(&config.control_socket, Arc::new(live))
        .map_err(|error| Failure::new(Exit::Permission, error))
}
