#![doc = include_str!("../README.md")]

mod logic;

use tradeagent_sdk::buy::types::{OrderRequest, OrderType, Product, Validity};
use tradeagent_sdk::buy::{self, *};
use tradeagent_sdk::describe;
use tradeagent_sdk::params::Params;

#[derive(Default)]
struct Mine;

impl Strategy for Mine {
    fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
        let params = Params::read();
        let days = params.within("days", 20_u32, 2..=250)?;
        let quantity = params.within("quantity", 10_u32, 1..=100_000)?;
        params.done()?;
        let all = market::get_instruments(&market::InstrumentFilter { series: vec![], symbols: vec![] })?;
        let symbols: Vec<String> = all.iter().map(|instrument| instrument.symbol.clone()).collect();
        let candles = market::get_candles(&symbols, market::Interval::Day, days)?;
        let held = portfolio::get_positions()?;
        let mut report = Report::new("");
        let mut bought = 0;
        for (instrument, bars) in all.iter().zip(&candles) {
            let symbol = &instrument.symbol;
            if held.iter().any(|position| position.symbol == *symbol) {
                continue;
            }
            match logic::signal(&bars.close, days) {
                Err(why) => report.skip(symbol, why),
                Ok(false) => {}
                Ok(true) => match place(symbol, quantity, instrument.previous_close) {
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
fn place(symbol: &str, quantity: u32, price: i64) -> Result<(), String> {
    let request = OrderRequest {
        key: format!("dip:{symbol}"),
        symbol: symbol.to_owned(),
        order_type: OrderType::Limit,
        product: Product::Delivery,
        validity: Validity::Day,
        quantity,
        price,
        trigger: None,
        amo: true,
        send_by: None,
        reason: "its close is the lowest of its days".to_owned(),
    };
    buying::place(&request).map(drop).map_err(|error| describe::order_error(&error))
}

buy::export!(Mine);
