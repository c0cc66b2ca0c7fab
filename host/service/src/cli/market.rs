//! The commands of made-up and stored markets: simulations, data, the paper exchange.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{Date, Money, Price};

use super::{ConfigArg, ServiceConfigArg, parse_moment, parse_money, parse_price};

/// `simulate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent simulate --data data
  tradeagent simulate --data data --from 2025-03-03 --to 2025-03-28 --param buy.trend_ema=50
  tradeagent simulate --data data --universe nifty50.txt --report report.html
  tradeagent simulate --data data --record recording")]
pub struct SimulateArgs {
    /// A folder made by `data import`
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The first day; default: the first with enough history
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// The last day; default: the last of the data
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// Symbols that strategies see, one a line; default: all
    #[arg(long, value_name = "FILE")]
    pub universe: Option<PathBuf>,
    /// Set a parameter of a strategy
    #[arg(long = "param", value_name = "STRATEGY.KEY=VALUE")]
    pub param: Vec<String>,
    /// Write one self-contained HTML page
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Fixes everything that chance decides
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Cash at the start, in rupees; default: the configuration's
    #[arg(long, value_name = "RUPEES", value_parser = parse_money)]
    pub cash: Option<Money>,
    /// Record every run into this folder, for `replay --from`
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Keep the journal in this file; default: in memory of the run
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Which configuration (strategies, limits, tariff)
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `backtest`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent backtest ema_cross.wasm --bars bars.csv
  tradeagent backtest ema_cross.wasm --bars bars.csv --param fast=5 --param slow=30 --json

Market orders fill at the next bar's open; one pending at the last bar is dropped.")]
pub struct BacktestArgs {
    /// The component, of role `trader`
    pub component: PathBuf,
    /// OHLCV bars; the header names the columns
    #[arg(long, value_name = "FILE.csv")]
    pub bars: PathBuf,
    /// The symbol, where the file has several or does not say
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// Cash at the start, in rupees
    #[arg(long, value_name = "RUPEES", value_parser = parse_money)]
    pub cash: Option<Money>,
    /// Set a parameter
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub param: Vec<String>,
    /// Take statutory charges off the cash
    #[arg(long)]
    pub charges: bool,
    /// Refuse prices off the tick grid, of this step
    #[arg(long, value_name = "RUPEES", value_parser = parse_price)]
    pub tick: Option<Price>,
    /// Refuse limits further than this from the last close
    #[arg(long, value_name = "PERCENT")]
    pub band: Option<u16>,
    /// Refuse buys that the cash does not cover
    #[arg(long)]
    pub cash_check: bool,
    /// Print the line as JSON even on a terminal (elsewhere it always is)
    #[arg(long)]
    pub json: bool,
}

/// `data`.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DataCommand,
}

/// `data …`.
#[derive(Debug, Clone, Subcommand)]
pub enum DataCommand {
    /// Read the exchange's daily files, or OHLCV CSV, into a folder
    Import(ImportArgs),
    /// Tell sessions, gaps and adjustment factors of a data folder
    Info(InfoArgs),
    /// Fill the daily bars of the universe from the broker, and add the day's from quotes
    Update(UpdateArgs),
}

/// `data update`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent data update --config tradeagent.toml
  tradeagent data update --config tradeagent.toml --bars 400

Goes on where an earlier run stopped. Bars of the exchange's own files are never replaced. A host that runs
does this by itself after the close (task data-update): while it holds the account, this exits with 75.")]
pub struct UpdateArgs {
    /// Which configuration
    #[command(flatten)]
    pub config: ServiceConfigArg,
    /// Daily bars of each share; default: history_bars of the configuration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub bars: Option<u32>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `data import`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent data import sec_bhavdata_full_*.csv.gz --into data
  tradeagent data import BhavCopy_NSE_CM_*.csv.zip --into data
  tradeagent data import reliance-1m.csv --symbol RELIANCE --into data

Known files: sec_bhavdata_full, the UDiFF bhavcopy of NSE and BSE, cm…bhav, and CSV whose header names
date or time, open, high, low, close and volume. Plain, gzip and zip.")]
pub struct ImportArgs {
    /// The files, or folders of files
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// The data folder; made when it is not there
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
    /// The symbol of a CSV that does not name one
    #[arg(long, value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `data info`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent data info data
  tradeagent data info data --json | jq .gaps")]
pub struct InfoArgs {
    /// The data folder
    pub dir: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `paper-exchange`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent paper-exchange --listen 127.0.0.1:7878
  tradeagent paper-exchange --listen 127.0.0.1:0 --from 2026-01-15T09:00

A host reaches it with `broker = \"paper-remote\"` and `address` in its [account.NAME].")]
pub struct PaperExchangeArgs {
    /// Where to listen; port 0 picks one and prints it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7878")]
    pub listen: SocketAddr,
    /// A folder made by `data import`; default: the embedded demo data
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Begin at this time in Mumbai and let each client's clock move it; default: the machine's time
    #[arg(long, value_name = "DATETIME", value_parser = parse_moment)]
    pub from: Option<chrono::NaiveDateTime>,
    /// Keep the account in this file, so that it survives a restart; default: it ends with the process
    #[arg(long, value_name = "FILE")]
    pub book: Option<PathBuf>,
    /// Cash at the start, in rupees; default: the configuration's
    #[arg(long, value_name = "RUPEES", value_parser = parse_money)]
    pub cash: Option<Money>,
    /// Fixes everything that chance decides
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Which configuration (volume share, tariff, opening positions)
    #[command(flatten)]
    pub config: ConfigArg,
}
