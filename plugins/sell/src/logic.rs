//! What to do about one position now. Pure: everything that is known comes in, one action goes out.

use tradeagent_sdk::price::{Percent, nearest, round_up};
use tradeagent_sdk::sell::portfolio::Position;
use tradeagent_sdk::sell::types::{Date, Order, OrderType, Side, Status};
use tradeagent_sdk::stage::{self, Stage};
use tradeagent_sdk::{day, indicators};

use crate::settings::Settings;

/// Why nothing is done about a position, or not all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// An order is on its way or its fate is not known.
    InFlight,
    /// An order of an earlier session is still open.
    EarlierSession,
    /// No share is settled and free.
    NothingFree,
    /// Too few or too old daily candles for an average.
    NoAverage,
    /// No price that is fresh enough.
    NoPrice,
    /// The target is further under entry than allowed.
    UnderEntry,
    /// The target is outside the day's band.
    OutsideBand,
    /// The broker has refused too many orders today.
    Refused,
    /// The host did not take the last order or change.
    NotTaken,
}

impl Why {
    /// For the record. Without figures: it is written once per cause, not once a minute.
    pub const fn text(self) -> &'static str {
        match self {
            Self::InFlight => "an order is on its way or its fate is not known: left alone",
            Self::EarlierSession => "a sell order of an earlier session is still open: left alone",
            Self::NothingFree => "no share is settled and free to sell",
            Self::NoAverage => "too few or too old daily candles for the average",
            Self::NoPrice => "no price that is fresh enough",
            Self::UnderEntry => "the target is further under entry than loss_max",
            Self::OutsideBand => "the target is outside the day's band",
            Self::Refused => "the broker refused attempts_max orders today",
            Self::NotTaken => "the order was not taken; see the log",
        }
    }
}

/// What is fixed for the day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    pub tick: i64,
    pub band_low: i64,
    pub band_high: i64,
    pub trade_to_trade: bool,
    pub has_derivatives: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// All is as it should be.
    Keep,
    /// Nothing can be done now.
    Skip(Why),
    /// A new order.
    Place { price: i64, quantity: u32, number: u32 },
    /// Another limit or total quantity for the working order.
    Change { order: String, price: i64, total: u32, number: u32 },
    /// The shares behind the working order are gone.
    Cancel { order: String },
}

/// The target: yesterday's average with the last price blended in, up to the tick.
pub fn target(average: f64, last: i64, tick: i64, settings: &Settings) -> i64 {
    round_up(nearest(indicators::blend(average, last as f64, settings.ema_days)), tick)
}

/// Yesterday's average from daily candles; nothing when they are too few or too old. A candle of `today` or
/// later is left out.
pub fn average(starts: &[i64], closes: &[i64], today: day::DayNumber, settings: &Settings) -> Option<f64> {
    let until = starts.iter().take_while(|start| day::number_at(**start) < today).count();
    let age = today - day::number_at(*starts[..until].last()?);
    if until < settings.ema_days as usize || age > i64::from(settings.history_age_days_max) {
        return None;
    }
    indicators::ema(closes.get(..until)?, settings.ema_days)
}

/// Whether `target` may be the price of a sale.
///
/// # Errors
/// Why it may not.
pub fn allowed(target: i64, position: &Position, facts: &Facts, loss_max: Percent) -> Result<(), Why> {
    let quantity = i128::from(position.quantity);
    // target >= cost / quantity x (1 - loss_max), in whole numbers.
    if i128::from(target) * quantity * 10_000 < i128::from(position.cost) * i128::from(10_000 - loss_max.0) {
        return Err(Why::UnderEntry);
    }
    if target < facts.band_low || target > facts.band_high {
        return Err(Why::OutsideBand);
    }
    Ok(())
}

/// The number at the end of a key such as `sell:BSE:X:3`.
pub fn number_of(key: &str) -> Option<u32> {
    key.rsplit_once(':')?.1.parse().ok()
}

/// What is known of a position now.
pub struct View<'a> {
    pub position: &'a Position,
    pub facts: &'a Facts,
    /// This strategy's orders.
    pub orders: &'a [Order],
    pub trading_day: Date,
    /// The price to ask, or why there is none.
    pub price: Result<i64, Why>,
    /// The first number that may be used for a new order.
    pub number_min: u32,
}

/// What to do about one position.
pub fn decide(view: &View<'_>, settings: &Settings) -> Action {
    let position = view.position;
    let mut working: Option<&Order> = None;
    let (mut last_number, mut refused) = (0, 0);
    for order in view.orders.iter().filter(|it| it.side == Side::Sell && it.symbol == position.symbol) {
        let today = order.for_session == view.trading_day;
        match stage::of(&order.status) {
            Stage::InFlight => return Action::Skip(Why::InFlight),
            Stage::Working if !today => return Action::Skip(Why::EarlierSession),
            // Only one is ever placed; should there be two, none is touched.
            Stage::Working if working.is_some() || order.order_type != OrderType::Limit => {
                return Action::Skip(Why::InFlight);
            }
            Stage::Working => working = Some(order),
            Stage::Final if today && matches!(order.status, Status::Rejected | Status::NotPlaced) => {
                refused += 1
            }
            Stage::Final => {}
        }
        if today {
            last_number = last_number.max(number_of(&order.key).unwrap_or(0));
        }
    }

    let unsettled_too = settings.sell_unsettled && !view.facts.trade_to_trade;
    let sellable = if unsettled_too { position.quantity } else { position.settled };
    let ours = working.map_or(0, |order| order.quantity.saturating_sub(order.filled));
    // What other working sells have taken is not ours to sell.
    let wanted = sellable.saturating_sub(position.in_working_sells.saturating_sub(ours));

    let Some(order) = working else {
        return match view.price {
            _ if wanted == 0 => Action::Skip(Why::NothingFree),
            _ if refused >= settings.attempts_max => Action::Skip(Why::Refused),
            Err(why) => Action::Skip(why),
            Ok(price) => {
                Action::Place { price, quantity: wanted, number: view.number_min.max(last_number + 1) }
            }
        };
    };
    if wanted == 0 {
        return Action::Cancel { order: order.id.clone() };
    }
    // Without a price of its own the order keeps its limit; its quantity is set right all the same.
    let price = view.price.map_or(order.price, |price| price.min(order.price));
    let total = order.filled + wanted;
    if price == order.price && total == order.quantity {
        return view.price.map_or_else(Action::Skip, |_| Action::Keep);
    }
    let number = number_of(&order.key).unwrap_or(last_number);
    Action::Change { order: order.id.clone(), price, total, number }
}
