//! `replay`.

use std::path::PathBuf;

use clap::Args;
use model::StrategyName;

use super::ServiceConfigArg;

/// `replay`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tradeagent replay                                      all that was recorded, to the same hash
  tradeagent replay buy@2026-01-15T16:05:00              one run
  tradeagent replay --since 5d --with new.wasm           what another component would have done
  tradeagent replay buy@2026-01-15T16:05:00 --with new.wasm
                                                         on that day, up to that run
  tradeagent replay --from recording --param buy.price_min=50 --json

Exit code 1 when a run does not come out as it was recorded, or a day cannot be had again. With --with or --param it
tells what would have been different and ends with 0: market and account are as they were recorded, and an order that
was not placed then stands unfilled until its session ends. --with takes the place of the only strategy whose role
fits the component, and --strategy names another; with RUN-ID it is that run's day and strategy, up to that run.")]
pub struct ReplayArgs {
    /// One run, as `TASK@TIME`; default: all
    #[arg(value_name = "RUN-ID")]
    pub run: Option<String>,
    /// Only the last so many trading days of the recording
    #[arg(long, value_name = "Nd", value_parser = parse_days)]
    pub since: Option<u32>,
    /// The folder of the recording; default: that of the service
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// Which configuration
    #[command(flatten)]
    pub config: ServiceConfigArg,
    /// Another component in place of the recorded one; whose, is told by its imports or by --strategy
    #[arg(long, value_name = "NEW.wasm")]
    pub with: Option<PathBuf>,
    /// Only the runs of this strategy
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<StrategyName>,
    /// Set a parameter over the recorded ones
    #[arg(long = "param", value_name = "STRATEGY.KEY=VALUE")]
    pub param: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

fn parse_days(text: &str) -> Result<u32, String> {
    text.strip_suffix('d')
        .and_then(|days| days.parse().ok())
        .filter(|days| *days > 0)
        .ok_or_else(|| "write a number of trading days, such as 5d".to_owned())
}
