//! `data update`: the daily bars of a live account's universe, from the broker.

use anyhow::{Context as _, anyhow};
use broker::session::Generation;
use model::Clock as _;

use super::login::{live_account, no_session, say_when};
use crate::cli::UpdateArgs;
use crate::clock::SystemClock;
use crate::config::{BrokerKind, Config, KotakNeoConfig};
use crate::exit::{Exit, Failure};
use crate::live::{self, DataUpdate};
use crate::lock::{AccountLock, LockError};
use crate::lookout::Powers;
use crate::output::{self, Progress};

/// Runs it.
pub fn run(args: &UpdateArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.path().as_deref())?;
    live_account(&config)?;
    if let (Some(bars), BrokerKind::KotakNeo(kotak)) = (args.bars, &mut config.account.broker) {
        kotak.history_bars = bars;
    }
    output::log_to_stderr();
    let lock = AccountLock::acquire(&config.lock_dir, &config.account.name, "data update", SystemClock.now());
    let _lock = lock.map_err(|error| {
        let held = matches!(error, LockError::Held { .. });
        let failure = Failure::from(error);
        if held {
            failure.hint("a host that runs keeps the bars up to date by itself (task data-update); a second login would end its session")
        } else {
            failure
        }
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let kotak = live_account(&config)?;
    let update = runtime.context("the runtime cannot start")?.block_on(update(&config, kotak))?;
    if args.json {
        output::json_versioned(&update)?;
    } else {
        output::line(&update.summary());
    }
    // Wherever a pipeline waits for fresh bars, it has to hear that they are not.
    match &update.readiness {
        Some(readiness) if readiness.lacking() > 0 => Err(Failure::new(
            Exit::Unavailable,
            anyhow!("{} of {} shares are not up to date", readiness.lacking(), readiness.of()),
        )),
        _ => Ok(()),
    }
}

async fn update(config: &Config, kotak: &KotakNeoConfig) -> Result<DataUpdate, Failure> {
    let connection = live::connect(config, kotak, live::clock_of(config, kotak).await?, Powers::LOOKS)?;
    let due = connection.keeper.due();
    say_when(&connection);
    let outcome = match connection.keeper.renew(Generation::NONE).await {
        Ok(_) => {
            let mut bar: Option<Progress> = None;
            let done = connection
                .run_update(|progress| {
                    let bar = bar.get_or_insert_with(|| Progress::new("data update", progress.of as u64));
                    bar.set(progress.done as u64, &format!("{}: {} bars", progress.symbol, progress.bars));
                })
                .await;
            if let Some(bar) = bar {
                bar.finish();
            }
            done.map_err(|why| Failure::new(Exit::Unavailable, anyhow!(why)))
        }
        Err(error) => Err(no_session(error)),
    };
    drop(due);
    connection.keeper.end().await;
    outcome
}
