#![doc = include_str!("../README.md")]

mod logic;

use logic::{Cross, Signal};
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::RUPEE;
use tradeagent_sdk::trader::types::{Bar, OrderError, OrderRequest, OrderType, Placed, Product, Validity};
use tradeagent_sdk::trader::{self, *};
use tradeagent_sdk::{describe, stage};

/// What the operator can set; the table is in the README.
#[derive(Debug, Clone, Copy)]
struct Settings {
    fast: u32,
    slow: u32,
    quantity: u32,
}

impl Settings {
    fn from_params(params: Params) -> Result<Self, TaskError> {
        let settings = Self {
            fast: params.within("fast", 10, 1..=10_000)?,
            slow: params.within("slow", 20, 1..=10_000)?,
            quantity: params.within("quantity", 10, 1..=1_000_000)?,
        };
        params.done()?;
        Ok(settings)
    }
}

#[derive(Default)]
struct EmaCross(Option<Market>);

/// One symbol and where we stand in it.
struct Market {
    symbol: String,
    quantity: u32,
    cross: Cross,
    /// Shares that we own, or will when the last order is filled.
    held: u32,
}

impl Strategy for EmaCross {
    #[inline]
    fn run(&mut self, tick: Tick) -> Result<Option<Report>, TaskError> {
        let Cause::Bar(event) = &tick.cause else { return Ok(None) };
        if event.feed != 0 {
            return Ok(None);
        }
        let market = match &mut self.0 {
            Some(market) => market,
            none => none.insert(Market::open(&tick)?),
        };
        let signal = market.cross.push(event.bar.close as f64 / RUPEE as f64);
        match (signal, market.held) {
            (Signal::Above, 0) => market.buy(&event.bar),
            (Signal::Below, held) if held > 0 => market.sell(&event.bar),
            _ => {}
        }
        Ok(None)
    }
}

impl Market {
    #[cold]
    fn open(tick: &Tick) -> Result<Self, TaskError> {
        let Settings { fast, slow, quantity } = Settings::from_params(Params::read())?;
        let Some(feed) = tick.about().feeds.into_iter().next() else {
            return Err(TaskError::Config("this strategy needs a feed of bars".to_owned()));
        };
        let owned = portfolio::get_positions()?.into_iter().find(|it| it.symbol == feed.symbol);
        let held = owned.map_or(0, |position| position.quantity);
        Ok(Self { symbol: feed.symbol, quantity, cross: Cross::new(fast, slow), held })
    }

    fn buy(&mut self, bar: &Bar) {
        if sent(buying::place(&self.order(bar, self.quantity, "fast above slow"))) {
            self.held = self.quantity;
        }
    }

    fn sell(&mut self, bar: &Bar) {
        if sent(selling::place(&self.order(bar, self.held, "fast below slow"))) {
            self.held = 0;
        }
    }

    /// The key is the bar's time: one order a bar, the same whoever asks again.
    fn order(&self, bar: &Bar, quantity: u32, reason: &str) -> OrderRequest {
        OrderRequest {
            key: format!("b{}", bar.start / 1_000_000_000),
            symbol: self.symbol.clone(),
            order_type: OrderType::Market,
            product: Product::Delivery,
            validity: Validity::Day,
            quantity,
            price: 0,
            trigger: None,
            amo: false,
            send_by: None,
            reason: reason.to_owned(),
        }
    }
}

/// Whether the order is on its way or done. One whose fate is unknown counts: it must not be sent again.
fn sent(answer: Result<Placed, OrderError>) -> bool {
    use types::Status::Filled;
    match answer {
        Ok(placed) => stage::of(&placed.status) != stage::Stage::Final || placed.status == Filled,
        Err(OrderError::Unknown(_)) => true,
        Err(error) => {
            log::write(log::Level::Warn, &describe::order_error(&error));
            false
        }
    }
}

trader::export!(EmaCross);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_tells_every_parameter_and_its_default() {
        tradeagent_sdk::params::assert_documented(include_str!("../README.md"), Settings::from_params);
    }
}
