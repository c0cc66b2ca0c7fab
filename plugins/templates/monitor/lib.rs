#![doc = include_str!("../README.md")]

mod logic;
#[cfg(test)]
mod tests;

use tradeagent_sdk::monitor::{self, *};
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::Percent;

#[derive(Default)]
struct Mine;

impl Strategy for Mine {
    fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
        let params = Params::read();
        let fall = params.within("fall", Percent::whole(5), Percent(1)..=Percent::whole(100))?;
        params.done()?;
        let positions = portfolio::get_positions()?;
        let mut report = Report::new(format!("{} positions looked at", positions.len()));
        for position in positions {
            // What is not known is told, and never taken for a price.
            let quote = match market::get_quote(&position.symbol) {
                Ok(quote) => quote,
                Err(error) => {
                    report.skip(&position.symbol, tradeagent_sdk::describe::read_error(&error));
                    continue;
                }
            };
            if logic::has_fallen(position.cost, position.quantity, quote.last, fall) {
                // The same key goes out once a day, however often this runs.
                let key = format!("fall:{}", position.symbol);
                let text = format!("{} is more than {fall} % below what was paid", position.symbol);
                notify::alert(&key, notify::Severity::Warning, &text);
            }
        }
        Ok(Some(report))
    }
}

monitor::export!(Mine);
