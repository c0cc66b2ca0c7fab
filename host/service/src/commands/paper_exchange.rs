//! `paper-exchange`: the exchange as its own process.

use std::sync::PoisonError;

use anyhow::Context as _;
use model::Timestamp;

use crate::cli::PaperExchangeArgs;
use crate::clock;
use crate::config::Config;
use crate::exit::Failure;
use crate::output;
use crate::wiring::PaperMarket;

/// Serves until it is killed.
pub fn run(args: &PaperExchangeArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.path.as_deref())?;
    if let Some(cash) = args.cash {
        config.account.cash = cash;
    }
    let paper = PaperMarket::load(&config, args.data.as_deref())?;
    let exchange = paper.exchange(&config, args.seed);
    let clock = match args.from {
        Some(from) => {
            let from = Timestamp::from_ist(from.date(), from.time());
            exchange.lock().unwrap_or_else(PoisonError::into_inner).advance(from);
            None
        }
        None => Some(clock::system()),
    };
    let server = paper::serve(args.listen, exchange, clock)
        .with_context(|| format!("{} cannot be listened on", args.listen))?;
    output::line(&format!("listening on {}", server.address()));
    server.wait();
    Ok(())
}
