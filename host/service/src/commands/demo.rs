//! `demo`: the real service on simulated time, then the account.
//!
//! The broker is the embedded `kotak-neo-sim`, over loopback HTTP and through the real adapter. Its script
//! has one session that dies under an order and one answer that is lost after the order was taken.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use journal::{RunOutcome, SqliteJournal};
use kotak_neo_sim::{Endpoint, Fault, Faults, Kind, Spelling};
use market::PriceSource;
use market::demo::{DAY0, DAY1, SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL};
use model::clock::SharedClock;
use model::{Date, Money, PositionView, Timestamp};
use oms::Desk;
use runtime::Mode;
use serde::Serialize;
use tokio::sync::watch;

use crate::cli::DemoArgs;
use crate::clock::{SimulatedClock, simulated_runtime};
use crate::commands::journal_line;
use crate::config::{Config, PositionConfig};
use crate::exit::Failure;
use crate::host::{Host, HostError};
use crate::output;
use crate::scheduler::{HostEvent, Observer};
use crate::sim_account::SimAccount;
use crate::simulate::{Simulation, collect};
use crate::wiring::{PaperMarket, World};

mod survived;

use survived::Survived;

/// The account at the end, in figures that add up.
#[derive(Debug, Serialize)]
struct Account {
    opening_cash: Money,
    bought: Money,
    sold: Money,
    charges: Money,
    /// `opening_cash - bought + sold - charges`.
    closing_cash: Money,
    /// What the exchange says it is: the same, or the demo fails.
    exchange_cash: Money,
    blocked: Money,
    positions_cost: Money,
    positions_value: Money,
    equity: Money,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    from: Timestamp,
    until: Timestamp,
    account: Account,
    survived: Survived,
    positions: &'a [PositionView],
    #[serde(flatten)]
    simulation: &'a Simulation,
}

/// Runs it.
pub fn run(args: &DemoArgs) -> Result<(), Failure> {
    let scratch = tempfile::tempdir().context("no scratch folder can be made")?;
    let folder: PathBuf = match &args.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
            folder.clone()
        }
        None => scratch.path().to_owned(),
    };
    let path = folder.join("demo.sqlite");
    if path.exists() {
        return Err(Failure::general(anyhow::anyhow!(
            "{} exists already: the demo begins on an empty journal; name another folder",
            path.display()
        )));
    }
    let mut config = Config::default();
    config.account.positions = vec![PositionConfig::seeded()];
    let from = Timestamp::at_ist(DAY0, 15, 55);
    let until = Timestamp::at_ist(DAY1, 18, 5);
    let runtime = simulated_runtime().context("the demo's runtime cannot start")?;
    let io = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("the demo's network runtime cannot start")?;
    let (world, prices, ended) = runtime.block_on(async {
        let clock: SharedClock = Arc::new(SimulatedClock::starting_at(from));
        let paper = PaperMarket::load(&config, None)?;
        let account = SimAccount::open(&config, &paper, &clock, io.handle(), from)?;
        script(&account.faults);
        let journal = SqliteJournal::open(&path).map_err(anyhow::Error::from)?;
        let world = account.world(&config, &paper, &clock, Box::new(journal))?;
        if !args.json {
            greet(&config, from, until);
        }
        let timeline = Arc::new(Mutex::new(Timeline::new(world.desk.clone())));
        let quiet = args.json;
        let observer: Observer = Arc::new(move |event| {
            if !quiet {
                timeline.lock().unwrap_or_else(PoisonError::into_inner).show(&event);
            }
        });
        let host = Host::start(world, config.tasks.clone(), Mode::Paper, observer);
        let running = account.connection.start_session(&host.world.desk);
        let (_keep, stop) = watch::channel(false);
        let ended = host.run(Some(until), stop).await.map_err(stopped)?;
        running.end().await;
        Ok::<_, Failure>((host.world, paper.market, ended))
    })?;
    drop(io);
    tracing::debug!(?ended, "the demo's host has ended");
    let simulation = collect(&world.desk, Vec::new())?;
    let positions = world.desk.positions(DAY1);
    let account = account(&world, prices.as_ref(), &config, &simulation, &positions, DAY1)?;
    let survived = Survived::read(&world.desk)?;
    if args.json {
        output::json(&Answer {
            version: 1,
            from,
            until,
            account,
            survived,
            positions: &positions,
            simulation: &simulation,
        })?;
    } else {
        farewell(&account, &simulation, &positions);
        survived.show();
        if args.keep.is_some() {
            output::line(&format!("journal   {}", path.display()));
        }
    }
    Ok(())
}

/// What stops the desk is a journal that cannot be written: the same exit code from wherever it is told.
fn stopped(error: HostError) -> Failure {
    match error {
        HostError::Journal(error) => error.into(),
        HostError::Desk(_) => Failure::unavailable(error.into()),
    }
}

fn account(
    world: &World,
    prices: &dyn PriceSource,
    config: &Config,
    simulation: &Simulation,
    positions: &[PositionView],
    day: Date,
) -> Result<Account, Failure> {
    let opening_cash = config.account.cash;
    let trades = || simulation.fills.iter().filter(|fill| fill.order.is_some());
    let value = |side: model::Side| -> Money {
        trades().filter(|fill| fill.side == side).map(|fill| fill.price * fill.quantity).sum()
    };
    let (bought, sold) = (value(model::Side::Buy), value(model::Side::Sell));
    let charges: Money = trades().map(|fill| fill.charges).sum();
    let closing_cash = opening_cash - bought + sold - charges;
    let funds = world.exchange.as_ref().map_or_else(Default::default, |exchange| {
        exchange.lock().unwrap_or_else(PoisonError::into_inner).funds()
    });
    let positions_value: Money = positions
        .iter()
        .map(|view| {
            let close = prices.auction_price(&view.position.symbol, day);
            close.unwrap_or_else(|| view.position.entry_price()) * view.position.quantity
        })
        .sum();
    let exchange_cash = funds.available + funds.blocked;
    if exchange_cash != closing_cash {
        return Err(Failure::general(anyhow::anyhow!(
            "the account does not add up: the exchange has {exchange_cash}, fills and charges make {closing_cash}"
        )));
    }
    Ok(Account {
        opening_cash,
        bought,
        sold,
        charges,
        closing_cash,
        exchange_cash,
        blocked: funds.blocked,
        positions_cost: positions.iter().map(|view| view.position.cost).sum(),
        positions_value,
        equity: exchange_cash + positions_value,
    })
}

fn greet(config: &Config, from: Timestamp, until: Timestamp) {
    output::line("A made-up market, the real service on simulated time, a Kotak Neo account at the embedded");
    output::line(
        "kotak-neo-sim over loopback HTTP. One session will die under an order, one answer will be lost.",
    );
    output::line(&format!("{from} to {until}"));
    output::line(&format!(
        "cash {}; {SEEDED_QUANTITY} {SEEDED_SYMBOL} bought at {SEEDED_ENTRY_PRICE}",
        output::money(config.account.cash)
    ));
    output::line("");
}

/// Tells what the journal learns, as it does.
struct Timeline {
    desk: Desk,
    next_seq: u64,
    ticks: u64,
}

impl Timeline {
    const fn new(desk: Desk) -> Self {
        Self { desk, next_seq: 0, ticks: 0 }
    }

    fn show(&mut self, event: &HostEvent) {
        let entries = match self.desk.with_journal(|journal| journal.entries(self.next_seq, 1_000)) {
            Ok(entries) => entries,
            Err(error) => return tracing::error!(%error, "the journal cannot be read"),
        };
        if let Some(last) = entries.last() {
            self.next_seq = last.seq + 1;
        }
        for recorded in &entries {
            if let Some((at, text)) = journal_line::line(&recorded.entry) {
                output::line(&format!("{}  {text}", at.ist().format("%d %b %H:%M:%S")));
            }
        }
        if let HostEvent::Run { task, outcome: RunOutcome::Done { .. }, scheduled } = event
            && task == "sell"
        {
            self.ticks += 1;
            if self.ticks.is_multiple_of(94) {
                output::line(&format!(
                    "{}  sell: {} ticks so far",
                    scheduled.ist().format("%d %b %H:%M:%S"),
                    self.ticks
                ));
            }
        }
    }
}

fn farewell(account: &Account, simulation: &Simulation, positions: &[PositionView]) {
    output::line("");
    let rows: Vec<Vec<String>> = simulation
        .runs
        .iter()
        .map(|(task, outcomes)| {
            let outcomes: Vec<String> =
                outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
            vec![task.clone(), outcomes.join(", ")]
        })
        .collect();
    output::table(&["task", "runs"], &rows);
    let rows: Vec<Vec<String>> = positions
        .iter()
        .map(|view| {
            let position = &view.position;
            vec![
                position.symbol.to_string(),
                position.quantity.to_string(),
                position.settled.to_string(),
                position.entry_price().to_string(),
                output::money(position.cost),
            ]
        })
        .collect();
    output::table(&["position", "shares", "settled", "price paid", "cost"], &rows);
    for (what, amount) in [
        ("opening cash", account.opening_cash),
        ("bought", -account.bought),
        ("sold", account.sold),
        ("charges", -account.charges),
        ("closing cash", account.closing_cash),
        ("positions", account.positions_value),
        ("equity", account.equity),
    ] {
        output::line(&format!("{what:<14}{:>18}", output::money(amount)));
    }
    output::line(&format!(
        "of the closing cash {} is blocked by orders that wait for the next open",
        output::money(account.blocked)
    ));
    output::line(&format!("trace {}", simulation.trace_hash));
}

/// What goes wrong: the session dies under the first order; the answer to the next one is lost after the
/// broker took it.
fn script(faults: &Faults) {
    let dies = Kind::Expired { spelling: Spelling::Code100022, kills: true };
    faults.add(Fault::new(dies).on([Endpoint::Place]).nth(1));
    faults.add(Fault::new(Kind::Dropped { after: true }).on([Endpoint::Place]).nth(3));
}
