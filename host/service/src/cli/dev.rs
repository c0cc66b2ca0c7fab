//! `plugin dev`.

use std::path::PathBuf;

use clap::Args;

/// `plugin dev`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin dev .
  tradeagent plugin dev my-seller --pace 0
  tradeagent plugin dev my-python-bot --build './build.sh'

Builds the project, and again at each save. Where a host runs with the project's configuration (`tradeagent run
--config tradeagent.toml` in another terminal), that host takes each version over, and what became of it is told
here. Otherwise two days are traded here, on simulated time, at an account of the embedded kotak-neo-sim: one tick
each --pace milliseconds, and at once when a version has been saved. When the days are over the next save begins
them anew. A build that fails shows the compiler's own words, and the version before it stays.")]
pub struct DevArgs {
    /// The project's folder
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Which configuration; default: tradeagent.toml of the project
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What builds the component, run by the shell in the project's folder; default: cargo, for wasm32-wasip2
    #[arg(long, value_name = "COMMAND")]
    pub build: Option<String>,
    /// Milliseconds between two ticks of the simulated days
    #[arg(long, value_name = "MILLIS", default_value_t = 250, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub pace: u64,
    /// Trade the days once, then end
    #[arg(long)]
    pub once: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}
