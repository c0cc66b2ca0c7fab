#![doc = include_str!("../README.md")]

mod logic;
#[cfg(test)]
mod tests;

use tradeagent_sdk::buy::types::OrderRequest;
use tradeagent_sdk::buy::{self, *};
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::{Price, Quantity};
use tradeagent_sdk::{describe, stage};

#[derive(Default)]
struct Mine;

impl Strategy for Mine {
    fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
        let params = Params::read();
        let days = params.within("days", 20_u32, 2..=250)?;
        let quantity = params.within("quantity", Quantity(10), Quantity(1)..=Quantity(100_000))?;
        let orders_max = params.within("orders_max", 5_u32, 1..=1_000)?;
        params.done()?;
        let day = tradeagent_sdk::day::number(market::get_session()?.trading_day);
        let all = market::get_instruments(&market::InstrumentFilter { series: vec![], symbols: vec![] })?;
        let symbols: Vec<String> = all.iter().map(|instrument| instrument.symbol.clone()).collect();
        let candles = market::get_candles(&symbols, market::Interval::Day, days)?;
        // What is owned, and what is on its way: not a second time.
        let mut taken: Vec<String> = portfolio::get_positions()?.into_iter().map(|it| it.symbol).collect();
        let orders = order_book::get_account_orders()?;
        let open = orders.into_iter().filter(|it| stage::of(&it.status) != stage::Stage::Final);
        taken.extend(open.map(|it| it.symbol));
        let mut report = Report::new("");
        let mut bought = 0;
        for (instrument, bars) in all.iter().zip(&candles) {
            let symbol = &instrument.symbol;
            if taken.contains(symbol) {
                continue;
            }
            // Bars of another day say nothing about this one.
            if bars.start.last().is_none_or(|start| tradeagent_sdk::day::number_at(*start) != day) {
                report.skip(symbol, "it has no bar of today");
                continue;
            }
            if bought == orders_max {
                report.skip(symbol, "enough orders for a day");
                continue;
            }
            match logic::signal(&bars.close, days) {
                Err(why) => report.skip(symbol, why),
                Ok(false) => {}
                Ok(true) => match place(symbol, quantity, Price(instrument.previous_close)) {
                    Ok(()) => bought += 1,
                    Err(why) => report.skip(symbol, why),
                },
            }
        }
        report.summary = format!("{bought} orders for the next open, of {} symbols", symbols.len());
        Ok(Some(report))
    }
}

/// An order for the next open, at most at the last close. The key names what it is for: a run that is repeated
/// places nothing twice.
fn place(symbol: &str, quantity: Quantity, price: Price) -> Result<(), String> {
    let request = OrderRequest::limit(format!("dip:{symbol}"), symbol, quantity, price)
        .after_market()
        .because("its close is the lowest of its days");
    buying::place(&request).map(drop).map_err(|error| describe::order_error(&error))
}

buy::export!(Mine);
