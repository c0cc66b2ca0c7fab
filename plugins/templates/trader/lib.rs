#![doc = include_str!("../README.md")]

mod logic;

use logic::Act;
use tradeagent_sdk::describe;
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::Percent;
use tradeagent_sdk::trader::types::{OrderRequest, OrderType, Product, Validity};
use tradeagent_sdk::trader::{self, *};

#[derive(Default)]
struct Mine;

impl Strategy for Mine {
    fn run(&mut self, _: Tick) -> Result<Option<Report>, TaskError> {
        let params = Params::read();
        let symbol = params.get("symbol", "DEMOALFA".to_owned())?;
        let quantity = params.within("quantity", 10_u32, 1..=100_000)?;
        let step = params.within("step", Percent::whole(1), Percent(1)..=Percent::whole(50))?;
        params.done()?;
        let quote = market::get_quote(&symbol)?;
        let position = portfolio::get_positions()?.into_iter().find(|it| it.symbol == symbol);
        let (free, average) =
            position.map_or((0, 0), |it| (it.free, it.cost / i64::from(it.quantity.max(1))));
        let summary = match logic::decide(quote.last, quote.previous_close, free, average, step) {
            Act::Wait => return Ok(None),
            // One of each a day: the key names what the order is for.
            Act::Buy => buying::place(&order("buy", &symbol, quantity, quote.last)),
            Act::Sell => selling::place(&order("sell", &symbol, free, quote.last)),
        };
        Ok(Some(Report::new(match summary {
            Ok(placed) => format!("order {} is {}", placed.id, tradeagent_sdk::stage::name(&placed.status)),
            Err(error) => describe::order_error(&error),
        })))
    }
}

fn order(what: &str, symbol: &str, quantity: u32, price: i64) -> OrderRequest {
    OrderRequest {
        key: format!("{what}:{symbol}"),
        symbol: symbol.to_owned(),
        order_type: OrderType::Limit,
        product: Product::Delivery,
        validity: Validity::Day,
        quantity,
        price,
        trigger: None,
        amo: false,
        send_by: None,
        reason: format!("{what} at the step"),
    }
}

trader::export!(Mine);
