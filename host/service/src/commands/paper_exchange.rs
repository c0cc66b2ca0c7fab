//! `paper-exchange`: the exchange as its own process.

use std::sync::PoisonError;

use anyhow::Context as _;
use model::Timestamp;

use crate::cli::PaperExchangeArgs;
use crate::clock;
use crate::config::Config;
use crate::exit::Failure;
use crate::output;
use crate::wiring::{PaperMarket, market_name};

/// Serves until it is killed.
pub fn run(args: &PaperExchangeArgs) -> Result<(), Failure> {
    let mut config = Config::load(args.config.path.as_deref())?;
    if let Some(cash) = args.cash {
        config.account.cash = cash;
    }
    if let Some(folder) = &args.data {
        config.data.dir = Some(folder.clone());
    }
    let paper = PaperMarket::load(&config, None)?;
    let exchange = paper.exchange(&config, args.seed);
    let clock = args.from.is_none().then(clock::system);
    let start =
        args.from.map_or_else(|| clock::system().now(), |from| Timestamp::from_ist(from.date(), from.time()));
    let log = {
        let mut exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner);
        match &args.book {
            Some(path) => Some(
                paper::BookLog::open(path, &market_name(&config), start, &mut exchange)
                    .map_err(|error| Failure::general(error.into()))?,
            ),
            None => {
                exchange.advance(start);
                None
            }
        }
    };
    let server = paper::serve_kept(args.listen, exchange, clock, log)
        .with_context(|| format!("{} cannot be listened on", args.listen))?;
    output::line(&format!("listening on {}", server.address()));
    server.wait();
    Ok(())
}
