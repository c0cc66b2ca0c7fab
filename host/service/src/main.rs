//! `tradeagent`: an unattended trading host.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = tradeagent::cli::Cli::parse();
    match tradeagent::commands::dispatch(cli) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
