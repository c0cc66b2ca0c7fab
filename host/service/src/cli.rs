//! The command line: what can be typed, and nothing of what it does.
//!
//! stdout is data, stderr is talk. Every command that reads has `--json`; its answers carry a version.

mod operate;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{Date, Money, Price};

pub use operate::{
    DoctorArgs, GuardArgs, InstallArgs, MigrateArgs, SelftestArgs, ServiceArgs, ServiceCommand, ServicesArgs,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// An unattended trading host: strategies are sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "tradeagent", version, propagate_version = true, styles = STYLES, max_term_width = 100)]
#[command(after_help = "\
Examples:
  tradeagent demo                          watch a trading day run
  tradeagent run                           the service, on a paper account
  tradeagent status                        what is going on
  tradeagent kill-switch on                stop: only cancellations go out from now on

Exit codes:
  0 it went well            1 it did not               2 the command line is wrong
  10 conflict               11 orders are unknown      12 the kill switch is on
  69 unavailable            75 the lock is held        77 permission    78 configuration")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch a made-up trading day: the real service on simulated time, then the day's account
    Demo(DemoArgs),
    /// Run the service until SIGTERM (without a config: paper)
    Run(RunArgs),
    /// Run imported trading days at full speed
    Simulate(SimulateArgs),
    /// Drive one component bar by bar
    Backtest(BacktestArgs),
    /// Log in to the broker account once, show what the session is, log out
    Login(LoginArgs),
    /// Tell what is going on
    Status(StatusArgs),
    /// List orders, tell one order's trail, or resolve one that nobody else can tell about
    Orders(OrdersArgs),
    /// List the positions that the system owns
    #[command(after_help = "\
Examples:
  tradeagent positions
  tradeagent positions --json | jq '.positions[].symbol'")]
    Positions(ReadArgs),
    /// List runs: done, running, skipped, missed
    Runs(RunsArgs),
    /// Stop trading, allow exits only, or allow everything
    KillSwitch(KillSwitchArgs),
    /// Import market data, or tell what a data folder holds
    Data(DataArgs),
    /// Look at a component
    Plugin(PluginArgs),
    /// Run the paper exchange as its own process
    PaperExchange(PaperExchangeArgs),
    /// List every unit, timer and process that could be logged in to the account
    Services(ServicesArgs),
    /// Run another program under the account's lock, or not at all
    Guard(GuardArgs),
    /// Look at everything that an unattended host stands on
    Doctor(DoctorArgs),
    /// Move from the Python agent's services to this one, or back
    Migrate(MigrateArgs),
    /// Try logins, renewals and a whole day, now: on a simulator, or on the account without an order
    Selftest(SelftestArgs),
    /// Install, remove, start or stop the operating system's service
    Service(ServiceArgs),
}

/// `demo`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tradeagent demo
  tradeagent demo --json | jq .account
  tradeagent demo --keep /tmp/demo         keep the journal, to look into it afterwards")]
pub struct DemoArgs {
    /// Print the day's account as JSON
    #[arg(long)]
    pub json: bool,
    /// Keep the journal in this folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// `run`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tradeagent run                                      a paper account on the embedded data
  tradeagent run --config /etc/tradeagent.toml
  tradeagent run --param buy.max_positions=5

Exit codes: 10 another program uses the account, 75 another host holds it, 77 permission, 78 configuration.
SIGTERM: no new intents; what is on the wire at 8 s is journaled Unknown; exit within 10 s.")]
pub struct RunArgs {
    /// Which configuration
    #[command(flatten)]
    pub config: ConfigArg,
    /// Set a parameter of a strategy, over the configuration
    #[arg(long = "param", value_name = "STRATEGY.KEY=VALUE")]
    pub param: Vec<String>,
    /// Log in although other programs on the account could not be looked for
    #[arg(long)]
    pub allow_unknown_conflicts: bool,
}

/// `login`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent login --check --config tradeagent.toml
  tradeagent login --check --config tradeagent.toml --json

Makes one login, which on this broker ends every other session of the account: it is refused while a host
holds the account (exit 75). Exit codes: 10 another program may be logged in, 69 the broker does not answer,
77 others can read the credentials, 78 credentials or configuration.")]
pub struct LoginArgs {
    /// Check the credentials with one login
    #[arg(long, required = true)]
    pub check: bool,
    /// Which configuration
    #[command(flatten)]
    pub config: ConfigArg,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `simulate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent simulate --data data
  tradeagent simulate --data data --from 2025-03-03 --to 2025-03-28 --param buy.trend_ema=50
  tradeagent simulate --data data --universe nifty50.txt --report report.html")]
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

/// `status`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tradeagent status
  tradeagent status --json | jq .trading
  tradeagent status || echo 'look at it'

Exit codes: 0 all is well, 11 orders whose outcome is unknown, 12 the kill switch is on
(also for exits only), 69 no host runs and there is no journal yet.
With the host down the journal is read, and the answer says so.")]
pub struct StatusArgs {
    /// How to reach the account
    #[command(flatten)]
    pub read: ReadArgs,
}

/// `orders`.
#[derive(Debug, Clone, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  tradeagent orders                        of today, and what still works
  tradeagent orders --day 2026-01-15
  tradeagent orders --unresolved
  tradeagent orders KQ4…                   one order's trail
  tradeagent orders resolve KQ4… --not-placed --note 'broker confirmed by phone'")]
pub struct OrdersArgs {
    /// What to do other than to list
    #[command(subcommand)]
    pub command: Option<OrdersCommand>,
    /// How to reach the account
    #[command(flatten)]
    pub read: ReadArgs,
    /// Orders placed on, or meant for, this day; default: today
    #[arg(long, value_name = "DATE")]
    pub day: Option<Date>,
    /// Only orders whose outcome is not known
    #[arg(long)]
    pub unresolved: bool,
    /// Tell the trail of this order
    #[arg(value_name = "ORDER")]
    pub order: Option<String>,
}

/// `orders …`.
#[derive(Debug, Clone, Subcommand)]
pub enum OrdersCommand {
    /// Give your word on an order that nobody else can tell about; it is journaled as your evidence
    Resolve(ResolveArgs),
}

/// `orders resolve`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("verdict").required(true))]
#[command(after_help = "\
Examples:
  tradeagent orders resolve KQ4… --not-placed
  tradeagent orders resolve KQ4… --filled 10 --price 1523.50 --note 'contract note of 15 Jan'
  tradeagent orders resolve KQ4… --canceled

Look into the broker's own application first. With the host down the word is written into the
journal, under the account lock.")]
pub struct ResolveArgs {
    /// How to reach the account
    #[command(flatten)]
    pub read: ReadArgs,
    /// The order, as `tradeagent orders` shows it
    #[arg(value_name = "ORDER")]
    pub order: String,
    /// It (or the change to it) never reached the exchange
    #[arg(long, group = "verdict")]
    pub not_placed: bool,
    /// So many shares filled in all, and nothing of it works any more
    #[arg(long, value_name = "SHARES", group = "verdict", requires = "price")]
    pub filled: Option<u32>,
    /// It ended without further fills
    #[arg(long, group = "verdict")]
    pub canceled: bool,
    /// Average price of the filled shares
    #[arg(long, value_name = "RUPEES", value_parser = parse_price, requires = "filled")]
    pub price: Option<Price>,
    /// How you know, for the auditor
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// `runs`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tradeagent runs                          the newest
  tradeagent runs --day 2026-01-15
  tradeagent runs --json | jq '.runs[] | select(.outcome != \"done\")'")]
pub struct RunsArgs {
    /// How to reach the account
    #[command(flatten)]
    pub read: ReadArgs,
    /// The runs of this trading day, in order
    #[arg(long, value_name = "DATE")]
    pub day: Option<Date>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
}

/// `kill-switch`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent kill-switch on                only cancellations
  tradeagent kill-switch exits             sales of what the system owns, and cancellations
  tradeagent kill-switch off               everything
  tradeagent kill-switch show

It is durable, and works with the host down: the next start obeys it.")]
pub struct KillSwitchArgs {
    /// What may be done from now on
    #[arg(value_enum)]
    pub to: Switch,
    /// How to reach the account
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Positions of the kill switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Only cancellations
    On,
    /// Only what lowers exposure, and cancellations
    Exits,
    /// Everything
    Off,
    /// Tell how it stands
    Show,
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
    pub config: ConfigArg,
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

/// `plugin`.
#[derive(Debug, Clone, Args)]
pub struct PluginArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PluginCommand,
}

/// `plugin …`.
#[derive(Debug, Clone, Subcommand)]
pub enum PluginCommand {
    /// Tell what a component is, what it imports, and which roles would allow it
    Inspect(InspectArgs),
    /// Take a strategy out of quarantine after three strikes
    Release(ReleaseArgs),
}

/// `plugin release`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin release sell

A strategy that trapped or met a limit three times is kept from running until this is said.")]
pub struct ReleaseArgs {
    /// The strategy, as the configuration names it
    pub strategy: String,
    /// How to reach the account
    #[command(flatten)]
    pub read: ReadArgs,
}

/// `plugin inspect`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin inspect my_strategy.wasm
  tradeagent plugin inspect my_strategy.wasm --json")]
pub struct InspectArgs {
    /// The component
    pub file: PathBuf,
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

/// Which configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArg {
    /// The configuration; without one: a paper account on the embedded data
    #[arg(long = "config", value_name = "FILE.toml", env = "TRADEAGENT_CONFIG")]
    pub path: Option<PathBuf>,
}

/// What every command has that asks the host or its journal.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadArgs {
    /// Which configuration
    #[command(flatten)]
    pub config: ConfigArg,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn parse_moment(text: &str) -> Result<chrono::NaiveDateTime, String> {
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok())
        .ok_or_else(|| "write date and time in Mumbai, such as 2026-01-15T09:00".to_owned())
}

fn parse_money(text: &str) -> Result<Money, String> {
    let money: Money = text.parse().map_err(|error: model::PriceError| error.to_string())?;
    if money < Money::ZERO { Err(format!("{text} is below zero")) } else { Ok(money) }
}

fn parse_price(text: &str) -> Result<Price, String> {
    let price: Price = text.parse().map_err(|error: model::PriceError| error.to_string())?;
    if price.is_positive() { Ok(price) } else { Err(format!("{text} is not above zero")) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        fn check(command: &clap::Command) {
            if command.get_subcommands().next().is_some() && command.get_name() != "orders" {
                command.get_subcommands().filter(|sub| sub.get_name() != "help").for_each(check);
            } else {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("tradeagent "), "{} has no example", command.get_name());
            }
        }
        Cli::command().get_subcommands().for_each(check);
    }

    #[test]
    fn orders_lists_tells_or_resolves() {
        let Command::Orders(list) = parse("tradeagent orders --json").expect("lists").command else {
            panic!()
        };
        assert!(list.read.json && list.command.is_none() && list.order.is_none());
        let Command::Orders(one) = parse("tradeagent orders ABC").expect("tells").command else { panic!() };
        assert_eq!(one.order.as_deref(), Some("ABC"));
        let line = "tradeagent orders resolve ABC --filled 10 --price 12.5";
        let Command::Orders(resolve) = parse(line).expect("resolves").command else { panic!() };
        let Some(OrdersCommand::Resolve(args)) = resolve.command else { panic!() };
        assert_eq!((args.filled, args.price), (Some(10), "12.5".parse().ok()));
        for bad in [
            "tradeagent orders resolve ABC",
            "tradeagent orders resolve ABC --filled 10",
            "tradeagent orders resolve ABC --not-placed --canceled",
        ] {
            assert_eq!(parse(bad).expect_err(bad).exit_code(), 2, "{bad}");
        }
    }

    #[test]
    fn amounts_are_exact_and_signed_right() {
        let bad = parse("tradeagent simulate --data d --cash -5").expect_err("below zero");
        assert_eq!(bad.exit_code(), 2);
        let bad = parse("tradeagent simulate --data d --cash 1.23456").expect_err("too fine");
        assert!(bad.to_string().contains("more than four decimals"), "{bad}");
        let Command::Simulate(args) =
            parse("tradeagent simulate --data d --from 2025-03-03").expect("ok").command
        else {
            panic!()
        };
        assert_eq!(args.seed, 1);
        assert_eq!(args.from, "2025-03-03".parse().ok());
    }
}
