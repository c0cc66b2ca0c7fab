//! `plugin …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{DevArgs, ReadArgs, ServiceConfigArg, parse_money};

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
    /// Begin a strategy: a project that builds, tests and trades a day as it stands
    New(NewArgs),
    /// Tell what a component is, what it imports, and which roles would allow it
    Inspect(InspectArgs),
    /// Work on a strategy: each save is live within a second
    Dev(DevArgs),
    /// Try a component on two made-up days, and tell what it may do and whether it is safe to restart
    Check(CheckArgs),
    /// Make a key to sign components with
    Keygen(KeygenArgs),
    /// Sign a component: what it is, and what it asks for at most
    Sign(SignArgs),
    /// Tell who has signed a component, and whether the configuration trusts them
    Verify(VerifyArgs),
    /// Let exactly this component trade on a real account, whoever signed it
    Promote(PromoteArgs),
    /// Take a strategy out of quarantine after three strikes
    Release(ReleaseArgs),
    /// Compile a component that comes on standard input: a host lets a stranger's be compiled by this
    #[command(hide = true)]
    Compile(CompileArgs),
}

/// `plugin compile`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin compile --cache state/plugins < my_strategy.wasm

Within 120 s of computing and 2 GiB; what comes of it is an entry of the folder.")]
pub struct CompileArgs {
    /// Where compiled code is kept
    #[arg(long, value_name = "DIR")]
    pub cache: PathBuf,
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

/// `plugin new`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin new my-monitor --world monitor
  tradeagent plugin new dip-buyer --world buy --dir ~/strategies/dip-buyer
  tradeagent plugin new dip-buyer --world buy --lang python

A project with the contract in it, and in Rust the SDK; it needs no other file of tradeagent.")]
pub struct NewArgs {
    /// Its name: small letters, digits and `-`
    pub name: String,
    /// What it may do
    #[arg(long, value_name = "sell|buy|monitor|eod|trader")]
    pub world: runtime::Role,
    /// In which language
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub lang: Language,
    /// Where; default: a folder of its name
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// What a strategy is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// A component of some hundred kilobytes
    Rust,
    /// A component of 19 MB that carries its Python along; componentize-py builds it
    Python,
}

/// `plugin keygen`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin keygen ~/.config/tradeagent/author.key

Prints the public half, which operators put into trusted_keys under [plugins].")]
pub struct KeygenArgs {
    /// Where the secret half is kept; it must not be there yet
    pub file: PathBuf,
}

/// `plugin sign`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin sign my_seller.wasm --key author.key
  tradeagent plugin sign dip_buyer.wasm --key author.key --max-orders-per-day 5 --max-order-value 50000

Writes FILE.sig beside the component. A configuration that grants more than was asked for is refused.")]
pub struct SignArgs {
    /// The component
    pub file: PathBuf,
    /// The author's key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Its world; default: the narrowest that has all it imports
    #[arg(long, value_name = "sell|buy|monitor|eod|trader")]
    pub world: Option<runtime::Role>,
    /// A symbol that it trades; without any, it asks for all
    #[arg(long, value_name = "SYMBOL", value_parser = parse_symbol)]
    pub symbol: Vec<model::Symbol>,
    /// The largest order that it asks for, in rupees
    #[arg(long, value_name = "RUPEES", value_parser = parse_money)]
    pub max_order_value: Option<model::Money>,
    /// Orders a day that it asks for
    #[arg(long, value_name = "N")]
    pub max_orders_per_day: Option<u32>,
}

/// `plugin verify`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin verify dip_buyer.wasm --config tradeagent.toml

Exit 1 when there is no right signature beside it, or one by a stranger of a component that is not promoted. Role and
grants of a configuration are compared with what was asked for when the host starts.")]
pub struct VerifyArgs {
    /// The component
    pub file: PathBuf,
    /// Which configuration
    #[command(flatten)]
    pub config: ServiceConfigArg,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `plugin promote`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  sudo tradeagent plugin promote 5f2c19aa8d1e4b7093c6a2f15d8e7b40
  sudo tradeagent plugin promote /etc/tradeagent/dip_buyer.wasm

Noted in the state folder by the component's bytes: after a change it is another component. `tradeagent status` shows
what waits, and what it would have done. A running host takes it over at its strategy's next tick, unless what became
of an order of that strategy is not known.")]
pub struct PromoteArgs {
    /// The component: its hash (the beginning is enough for one that waits), or its file
    #[arg(value_name = "HASH|FILE")]
    pub component: String,
    /// Which configuration
    #[command(flatten)]
    pub config: ServiceConfigArg,
}

/// `plugin check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent plugin check target/wasm32-wasip2/release/my_strategy.wasm
  tradeagent plugin check my_strategy.wasm --param quantity=5 --json
  tradeagent plugin check my_strategy.wasm --config tradeagent.toml

Trades two made-up days three times: as the host would, once more, and with a new instance at each tick. Exit 1
when the component is refused, when the days differ, or when not one run did its work.")]
pub struct CheckArgs {
    /// The component
    pub file: PathBuf,
    /// The world to try it in; default: the narrowest that has all it imports
    #[arg(long, value_name = "sell|buy|monitor|eod|trader")]
    pub world: Option<runtime::Role>,
    /// Set a parameter of it
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// Keep what it is compiled to in this configuration's state folder, for simulations and the service too
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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

/// As the exchange writes them: capitals, digits, `&`, `-` and `_`.
fn parse_symbol(text: &str) -> Result<model::Symbol, String> {
    let is_of_one =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'&' | b'-' | b'_');
    if text.is_empty() || !text.bytes().all(is_of_one) {
        return Err("write it as the exchange does, such as RELIANCE or M&M".to_owned());
    }
    Ok(text.into())
}
