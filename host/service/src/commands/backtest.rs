//! `backtest`: one component, bar by bar.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use market::bars::{ReadOptions, read};
use model::charges::ChargeSchedule;
use model::{Money, StrategyName, Symbol, Tick};
use runtime::{Grants, Limits, Profile, Role, Runtime, RuntimeOptions};
use serde::Serialize;

use crate::backtest::{Backtest, Checks};
use crate::cli::BacktestArgs;
use crate::exit::Failure;
use crate::output;

/// Cash at the start, when the command line does not say.
const CASH: Money = Money::from_rupees(1_000_000);

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    bars: usize,
    seconds: f64,
    bars_per_s: f64,
    final_equity: serde_json::Number,
    n_trades: u64,
    peak_rss_mb: f64,
}

/// Runs it and prints one line.
pub fn run(args: &BacktestArgs) -> Result<(), Failure> {
    let bytes = crate::strategies::read_component(&args.component)
        .with_context(|| format!("the component {} cannot be read", args.component.display()))?;
    let runtime = Runtime::new(RuntimeOptions {
        cache_dir: Some(crate::config::Config::default().plugin_cache()),
        ..RuntimeOptions::new(Profile::Deterministic)
    })
    .map_err(anyhow::Error::from)?;
    let loaded = runtime
        .load(&bytes, Grants::of(Role::Trader), Limits::default())
        .with_context(|| format!("{} is not loaded", args.component.display()))?;
    drop(runtime);
    drop(bytes);
    let file = read(&args.bars, &ReadOptions { symbol: args.symbol.clone(), ..ReadOptions::default() })
        .map_err(anyhow::Error::from)?;
    let name =
        args.component.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let bars = Arc::new(file.bars);
    let count = bars.len();
    let mut prepared = Backtest {
        loaded,
        name: StrategyName::from(&name),
        symbol: Symbol::from(file.symbol),
        bars,
        cash: args.cash.unwrap_or(CASH),
        params: params(&args.param)?,
        checks: Checks {
            charges: args.charges.then(ChargeSchedule::bundled),
            tick: args.tick.and_then(Tick::new),
            band_percent: args.band,
            cash: args.cash_check,
        },
    }
    .prepare()
    .map_err(anyhow::Error::from)?;
    let start = stopwatch();
    let summary = prepared.run().map_err(anyhow::Error::from)?;
    let seconds = start();
    let line = Line {
        name,
        bars: count,
        seconds,
        bars_per_s: (count as f64 / seconds.max(f64::MIN_POSITIVE)).round(),
        final_equity: number(summary.final_equity)?,
        n_trades: summary.n_trades,
        peak_rss_mb: peak_rss_mb(),
    };
    output::line(&serde_json::to_string(&line).context("the result cannot be written as JSON")?);
    Ok(())
}

/// Real seconds since the call: what a backtest reports of itself.
#[expect(clippy::disallowed_methods, reason = "measures this program's own speed, decides nothing")]
fn stopwatch() -> impl Fn() -> f64 {
    let start = std::time::Instant::now();
    move || start.elapsed().as_secs_f64()
}

/// An exact amount as a JSON number.
fn number(money: Money) -> Result<serde_json::Number, Failure> {
    money.to_string().parse().map_err(|error| Failure::general(anyhow!("{money} is no JSON number: {error}")))
}

fn params(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    texts
        .iter()
        .map(|text| {
            let (key, value) = text.split_once('=').ok_or_else(|| {
                Failure::usage(anyhow!("--param {text}: write it as KEY=VALUE, such as --param fast=5"))
            })?;
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

/// The most memory this process has held, in megabytes of 1,000,000 bytes: `VmHWM` of Linux; elsewhere
/// what it holds now.
fn peak_rss_mb() -> f64 {
    let kib = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    let bytes = kib.map_or_else(present_rss, |kib| kib * 1024.0);
    (bytes / 1e5).round() / 10.0
}

fn present_rss() -> f64 {
    let Ok(pid) = sysinfo::get_current_pid() else { return 0.0 };
    let Ok(mut system) = sysinfo::System::new() else { return 0.0 };
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
    system.process(pid).map_or(0.0, |process| process.memory() as f64)
}
