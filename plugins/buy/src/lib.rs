#![doc = include_str!("../README.md")]

mod report;
mod screen;
mod settings;
mod size;

use std::collections::BTreeSet;

use report::Tally;
use screen::{Bars, Candidate};
use settings::Settings;
use size::{Terms, Unsized};
use tradeagent_sdk::buy::market::{Instrument, InstrumentFilter, Interval};
use tradeagent_sdk::buy::types::{OrderError, OrderRequest, OrderType, Product, Side, Status, Validity};
use tradeagent_sdk::buy::{self, *};
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::Rupees;
use tradeagent_sdk::{day, describe, stage};

/// Symbols per call for candles: 200 x 260 bars are 2.5 MB.
const CHUNK: usize = 200;

#[derive(Default)]
struct Buy;

impl Strategy for Buy {
    fn run(&mut self, tick: Tick) -> Result<Option<Report>, TaskError> {
        let settings = Settings::from_params(Params::read())?;
        let about = tick.about();
        let Some(session) = about.for_session else {
            let mut report = Report::new("0 bought: it is not the time for after-market orders");
            report.skip("all", "outside the after-market window");
            return Ok(Some(report));
        };
        let filter = InstrumentFilter { series: settings.series.clone(), symbols: settings.universe.clone() };
        let instruments = market::get_instruments(&filter)?;
        let taken = taken()?;
        let today = day::number(about.trading_day);
        let mut tally = Tally::new(day::text(session));
        let mut candidates = candidates(&instruments, today, &settings, &mut tally)?;
        screen::rank(&mut candidates);
        buy_best(&candidates, &instruments, taken, &settings, &mut tally)?;
        Ok(Some(tally.finish(&settings)))
    }
}

/// What is held or may come to be.
struct Taken {
    /// Symbols that must not be bought now.
    symbols: BTreeSet<String>,
    /// Of those, the system's: they count against the cap.
    ours: usize,
}

/// A failed read ends the run: without knowing what is held nothing may be bought.
fn taken() -> Result<Taken, TaskError> {
    let held = portfolio::get_positions()?.into_iter().filter(|it| it.quantity > 0);
    let mut ours: BTreeSet<String> = held.map(|it| it.symbol).collect();
    let mut symbols = ours.clone();
    for order in order_book::get_account_orders()? {
        if order.side == Side::Buy && stage::of(&order.status) != stage::Stage::Final {
            symbols.insert(order.symbol.clone());
            if order.strategy.is_some() {
                ours.insert(order.symbol);
            }
        }
    }
    Ok(Taken { symbols, ours: ours.len() })
}

fn candidates(
    instruments: &[Instrument],
    today: day::DayNumber,
    settings: &Settings,
    tally: &mut Tally,
) -> Result<Vec<Candidate>, TaskError> {
    let symbols: Vec<String> = instruments.iter().map(|it| it.symbol.clone()).collect();
    let mut found = Vec::new();
    for chunk in symbols.chunks(CHUNK) {
        for it in market::get_candles(chunk, Interval::Day, settings.bars_wanted())? {
            let bars = Bars { start: &it.start, close: &it.close, volume: &it.volume };
            match screen::screen(&it.symbol, bars, today, settings) {
                Ok(candidate) => found.push(candidate),
                Err(miss) => tally.miss(miss),
            }
            tally.screened += 1;
        }
    }
    tally.candidates = found.len();
    Ok(found)
}

/// Goes down the ranked list until the cap or the cash ends it.
fn buy_best(
    candidates: &[Candidate],
    instruments: &[Instrument],
    taken: Taken,
    settings: &Settings,
    tally: &mut Tally,
) -> Result<(), TaskError> {
    tally.counted = taken.ours;
    let mut room = (settings.positions_max as usize).saturating_sub(taken.ours);
    if candidates.is_empty() {
        return Ok(());
    }
    let mut cash = portfolio::get_funds()?.available;
    for candidate in candidates {
        if taken.symbols.contains(&candidate.symbol) {
            tally.skip(&candidate.symbol, "held already, or a buy is pending");
            continue;
        }
        if room == 0 {
            tally.stop = Some(format!("the cap of {} positions is reached", settings.positions_max));
            return Ok(());
        }
        let Some(instrument) = instruments.iter().find(|it| it.symbol == candidate.symbol) else { continue };
        let terms = match size::terms(candidate, instrument, cash, settings) {
            Ok(terms) => terms,
            Err(Unsized::Cash) if cash < settings.order_value_min.0 => {
                tally.stop = Some(format!("the free cash of {} is used up", Rupees(cash)));
                return Ok(());
            }
            Err(why) => {
                tally.skip(&candidate.symbol, report::unsized_text(why));
                continue;
            }
        };
        match place(candidate, terms) {
            Outcome::Counts => {
                room -= 1;
                cash -= size::cost(terms, settings);
                tally.bought(candidate, terms);
            }
            Outcome::Unknown(reason) => {
                room -= 1;
                cash -= size::cost(terms, settings);
                tally.skip(&candidate.symbol, reason);
            }
            Outcome::Next(reason) => tally.skip(&candidate.symbol, reason),
            Outcome::Stop(reason) => {
                tally.skip(&candidate.symbol, &reason);
                tally.stop = Some(reason);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What an answer means for the rest of the list.
enum Outcome {
    /// Taken.
    Counts,
    /// Sent, fate unknown: it counts as bought in cap and cash.
    Unknown(String),
    /// Not this one.
    Next(String),
    /// None any more.
    Stop(String),
}

fn place(candidate: &Candidate, terms: Terms) -> Outcome {
    let trend = if candidate.above_trend { "above" } else { "below" };
    let answer = buying::place(&OrderRequest {
        key: format!("buy:{}", candidate.symbol),
        symbol: candidate.symbol.clone(),
        order_type: OrderType::Limit,
        product: Product::Delivery,
        validity: Validity::Day,
        quantity: terms.quantity,
        price: terms.price,
        trigger: None,
        amo: true,
        send_by: None,
        reason: format!("RSI {:.1}, {trend} the trend average", candidate.rsi),
    });
    match answer {
        Ok(placed) if matches!(placed.status, Status::Unknown | Status::Parked) => {
            Outcome::Unknown("an earlier order for it is not resolved".to_owned())
        }
        Ok(placed) if placed.status == Status::Filled || stage::of(&placed.status) != stage::Stage::Final => {
            Outcome::Counts
        }
        Ok(placed) => Outcome::Next(format!("today's order for it is {}", stage::name(&placed.status))),
        Err(error) => {
            let text = describe::order_error(&error);
            match error {
                OrderError::Unknown(_) => Outcome::Unknown(text),
                OrderError::NotNow(_) => Outcome::Stop(text),
                OrderError::Denied(_) | OrderError::Refused(_) | OrderError::Other(_) => Outcome::Next(text),
            }
        }
    }
}

buy::export!(Buy);
