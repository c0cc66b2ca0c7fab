#![doc = include_str!("../README.md")]

mod logic;
#[cfg(test)]
mod tests;

use logic::Act;
use tradeagent_sdk::describe;
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::{Percent, Price, Quantity};
use tradeagent_sdk::trader::types::OrderRequest;
use tradeagent_sdk::trader::{self, *};

#[derive(Default)]
struct Mine;

impl Strategy for Mine {
    fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
        let params = Params::read();
        let symbol = params.get("symbol", "DEMOALFA".to_owned())?;
        let quantity = params.within("quantity", Quantity(10), Quantity(1)..=Quantity(100_000))?;
        let step = params.within("step", Percent::whole(1), Percent(1)..=Percent::whole(50))?;
        params.done()?;
        let quote = market::get_quote(&symbol)?;
        let position = portfolio::get_positions()?.into_iter().find(|it| it.symbol == symbol);
        let (free, average) =
            position.map_or((0, 0), |it| (it.free, it.cost / i64::from(it.quantity.max(1))));
        let (last, free) = (Price(quote.last), Quantity(free));
        let act = logic::decide(last, Price(quote.previous_close), free, Price(average), step);
        let summary = match act {
            Act::Wait => return Ok(None),
            // One of each a day: the key names what the order is for.
            Act::Buy => buying::place(&order("buy", &symbol, quantity, last)),
            Act::Sell => selling::place(&order("sell", &symbol, free, last)),
        };
        Ok(Some(Report::new(match summary {
            Ok(placed) => format!("order {} is {}", placed.id, tradeagent_sdk::stage::name(&placed.status)),
            Err(error) => describe::order_error(&error),
        })))
    }
}

fn order(what: &str, symbol: &str, quantity: Quantity, price: Price) -> OrderRequest {
    OrderRequest::limit(format!("{what}:{symbol}"), symbol, quantity, price)
        .because(format!("{what} at the step"))
}

trader::export!(Mine);
