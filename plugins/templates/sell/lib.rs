#![doc = include_str!("../README.md")]

mod logic;
#[cfg(test)]
mod tests;

use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::{Percent, Price, Quantity};
use tradeagent_sdk::sell::types::OrderRequest;
use tradeagent_sdk::sell::{self, *};
use tradeagent_sdk::{describe, stage};

#[derive(Default)]
struct Mine;

impl Strategy for Mine {
    fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
        let params = Params::read();
        let profit = params.within("profit", Percent::whole(5), Percent(1)..=Percent::whole(1_000))?;
        params.done()?;
        let mut report = Report::new("");
        let mut standing = 0;
        for position in portfolio::get_positions()? {
            let placed = market::get_instrument(&position.symbol)
                .map_err(|error| describe::read_error(&error))
                .and_then(|instrument| {
                    let quantity = Quantity(position.quantity);
                    let price = logic::target(position.cost, quantity, profit, Price(instrument.tick));
                    if price > Price(instrument.band_high) {
                        return Err("its target is above the day's highest valid price".to_owned());
                    }
                    place(&position, price)
                });
            match placed {
                Ok(()) => standing += 1,
                Err(why) => report.skip(&position.symbol, why),
            }
        }
        report.summary = format!("{standing} orders stand");
        Ok(Some(report))
    }
}

/// One order for each position and day: the key names what it is for, so the next tick places nothing again.
fn place(position: &portfolio::Position, price: Price) -> Result<(), String> {
    // What stands already answers with its state; its quantity may not be free any more.
    if position.free == 0 {
        return if position.in_working_sells > 0 { Ok(()) } else { Err("not settled yet".to_owned()) };
    }
    let symbol = &position.symbol;
    let request = OrderRequest::limit(format!("target:{symbol}"), symbol, position.free, price)
        .because("the target over what was paid");
    // The same key again answers with today's order, dead or alive.
    match selling::place(&request) {
        Ok(placed) if stage::of(&placed.status) == stage::Stage::Final => {
            Err(format!("today's order for it is {}", stage::name(&placed.status)))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(describe::order_error(&error)),
    }
}

sell::export!(Mine);
