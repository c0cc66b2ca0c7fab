//! The commands of whoever operates the machine: what runs on it, moving to it, keeping it well.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ReadArgs, ServiceConfigArg};

/// `services`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent services
  tradeagent services --json | jq '.conflicts[].fix'
  sudo tradeagent services                 root also sees the services of users

Exit codes: 0 nothing is in conflict, 10 something is, 69 it could not be looked at.")]
pub struct ServicesArgs {
    /// What to read
    #[command(flatten)]
    pub read: ReadArgs,
}

/// `guard`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent guard -- python3 run_sell_orders.py
  ExecStart=/usr/bin/tradeagent guard --config /etc/tradeagent/tradeagent.toml -- python3 run_sell_orders.py

Holds the account's lock while the command runs, so that neither logs in beside the other. Exit code: that of
the command; 75 when the host holds the account; 77 when this user may not see whether it does (the service's lock
is for root and the service).")]
pub struct GuardArgs {
    /// Which configuration
    #[command(flatten)]
    pub config: ServiceConfigArg,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// `service`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent service status --json
  sudo tradeagent service install
  sudo tradeagent service start

Exit codes of status: 0 it runs, 69 it does not.")]
pub struct ServiceArgs {
    /// What to do with it
    #[command(subcommand)]
    pub command: ServiceCommand,
}

/// What can be done with the operating system's service.
#[derive(Debug, Clone, Subcommand)]
pub enum ServiceCommand {
    /// Install and enable it (the .deb does this by itself)
    Install(InstallArgs),
    /// Stop, disable and remove it; configuration and journal stay
    #[command(after_help = "Examples:\n  sudo tradeagent service uninstall")]
    Uninstall,
    /// Start it
    #[command(after_help = "Examples:\n  sudo tradeagent service start")]
    Start,
    /// Stop it
    #[command(after_help = "Examples:\n  sudo tradeagent service stop")]
    Stop,
    /// Tell how it stands
    #[command(after_help = "Examples:\n  sudo tradeagent service status")]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `service install`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  sudo tradeagent service install
  sudo tradeagent service install --no-enable

Linux: two systemd units, tradeagent-unified.service and tradeagent-helper.service. Windows (without sudo, in a prompt
that was opened as administrator): the service tradeagent. What is there already is left when it is the same.")]
pub struct InstallArgs {
    /// Do not enable it
    #[arg(long)]
    pub no_enable: bool,
}

/// `migrate`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tradeagent migrate --dry-run --from /opt/modular_trade_agent
  sudo tradeagent migrate --from /opt/modular_trade_agent
  sudo tradeagent migrate --undo

Stops, disables and masks the services of the Python agent (on Windows: stops and disables its services, disables its
scheduled tasks), carries over its kotak_neo.env and its open trades, installs and enables ours, and checks the
result line by line. Safe to run twice.
`--undo` puts everything back as it was. Exit codes: 0 all is well, 10 a conflict is left, 77 no administrator,
78 something has to be filled in first (it says what).")]
pub struct MigrateArgs {
    /// Show the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Put everything back as it was
    #[arg(long, conflicts_with = "dry_run")]
    pub undo: bool,
    /// The folder of the Python agent; default: where its units say
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// The configuration of the new host
    #[arg(long = "config", value_name = "FILE.toml", env = "TRADEAGENT_CONFIG")]
    pub config: Option<PathBuf>,
    /// The client code, for a kotak_neo.env that has none
    #[arg(long, value_name = "UCC")]
    pub ucc: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `selftest`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  tradeagent selftest                      against a simulator in this process: nothing leaves the machine
  tradeagent selftest --json
  tradeagent selftest --env kotak_neo.env  against the real account, without an order: one login")]
pub struct SelftestArgs {
    /// Test the real account of these credentials, in a mode that can place nothing
    #[arg(long, value_name = "FILE")]
    pub env: Option<PathBuf>,
    /// Where logins of the real account go
    #[arg(long, value_name = "URL", requires = "env")]
    pub base_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `doctor`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  tradeagent doctor --config /etc/tradeagent/tradeagent.toml
  tradeagent doctor --json | jq '.checks[] | select(.state != \"well\")'
  sudo tradeagent doctor --fix             mends permissions and makes missing folders

Looks only: it makes no login and stops nothing. Exit codes: 0 all is well, 1 something is not.")]
pub struct DoctorArgs {
    /// What to read
    #[command(flatten)]
    pub read: ReadArgs,
    /// Mend what can be mended safely
    #[arg(long)]
    pub fix: bool,
}
