//! `tradeagent`: an unattended trading host.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // Once more as a user, to speak with that user's own service manager.
    #[cfg(target_os = "linux")]
    if let Some(ended) = tradeagent::lookout::as_user_manager() {
        return ended;
    }
    let cli = tradeagent::cli::Cli::parse();
    match tradeagent::commands::dispatch(cli) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
