//! The command line: what can be typed, and nothing of what it does.
//!
//! stdout is data, stderr is talk. Every command that reads has `--json`; its answers carry a version.

mod dev;
mod market;
mod operate;
mod plugin;
mod replay;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{Date, Money, Price};

pub use dev::DevArgs;
pub use market::{
    BacktestArgs, DataArgs, DataCommand, ImportArgs, InfoArgs, PaperExchangeArgs, SimulateArgs, UpdateArgs,
};
pub use operate::{
    DoctorArgs, GuardArgs, InstallArgs, MigrateArgs, SelftestArgs, ServiceArgs, ServiceCommand, ServicesArgs,
};

pub use plugin::{
    CheckArgs, CompileArgs, InspectArgs, KeygenArgs, Language, NewArgs, PluginArgs, PluginCommand,
    PromoteArgs, ReleaseArgs, SignArgs, VerifyArgs,
};
pub use replay::ReplayArgs;

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
    /// Have recorded runs again: the same as they were, or as another component would have done
    Replay(ReplayArgs),
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
    /// Started by the service control manager
    #[cfg(windows)]
    #[arg(long, hide = true)]
    pub service: bool,
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
    pub config: ServiceConfigArg,
    /// Print the result as JSON
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

/// Which configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArg {
    /// The configuration; without one: a paper account on the embedded data
    #[arg(long = "config", value_name = "FILE.toml", env = "TRADEAGENT_CONFIG")]
    pub path: Option<PathBuf>,
}

/// Which configuration, for what an operator asks: of the service, where there is one.
#[derive(Debug, Clone, Default, Args)]
pub struct ServiceConfigArg {
    /// The configuration; without one: that of this machine's service, or else a paper account
    #[arg(long = "config", value_name = "FILE.toml", env = "TRADEAGENT_CONFIG")]
    named: Option<PathBuf>,
}

impl ServiceConfigArg {
    /// The file, if there is any.
    pub fn path(&self) -> Option<PathBuf> {
        self.named.clone().or_else(|| Some(crate::places::config_file()).filter(|path| path.exists()))
    }
}

/// What every command has that asks the host or its journal.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadArgs {
    /// Which configuration
    #[command(flatten)]
    pub config: ServiceConfigArg,
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

fn parse_price(text: &str) -> Result<Price, String> {
    let price: Price = text.parse().map_err(|error: model::PriceError| error.to_string())?;
    if price.is_positive() { Ok(price) } else { Err(format!("{text} is not above zero")) }
}

fn parse_money(text: &str) -> Result<Money, String> {
    let money: Money = text.parse().map_err(|error: model::PriceError| error.to_string())?;
    if money < Money::ZERO { Err(format!("{text} is below zero")) } else { Ok(money) }
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
