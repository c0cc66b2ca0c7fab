#![doc = include_str!("../README.md")]

mod logic;
mod memory;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use logic::{Action, Facts, View, Why};
use memory::Kept;
use settings::Settings;
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::Rupees;
use tradeagent_sdk::sell::market::{InstrumentClass, Interval, Phase, Session};
use tradeagent_sdk::sell::portfolio::Position;
use tradeagent_sdk::sell::types::{
    Instant, Order, OrderError, OrderRequest, OrderType, Placed, Product, Status, Validity,
};
use tradeagent_sdk::sell::{self, *};
use tradeagent_sdk::{day, describe, stage};

#[derive(Default)]
struct Sell(Option<Today>);

/// What is asked for once a day.
struct Today {
    number: day::DayNumber,
    key: String,
    session: Session,
    settings: Settings,
    symbols: BTreeMap<String, Known>,
}

/// What is known of one symbol today.
struct Known {
    facts: Facts,
    average: Option<f64>,
    kept: Kept,
}

impl Strategy for Sell {
    fn run(&mut self, tick: Tick) -> Result<Option<Report>, TaskError> {
        let number = day::number_at(tick.now);
        let today = match &mut self.0 {
            Some(today) if today.number == number => today,
            other => other.insert(Today::begin(number)?),
        };
        if !today.session.is_trading_day || !CLASSES.iter().any(|class| today.continuous(*class, tick.now)) {
            return Ok(None);
        }
        let positions = portfolio::get_positions()?;
        if positions.is_empty() {
            return Ok(None);
        }
        today.learn(&positions)?;
        let orders = order_book::get_own_orders()?;
        let mut report = Report::new("");
        let mut counts = Counts::default();
        for position in &positions {
            today.look_after(position, &orders, tick.now, &mut report, &mut counts);
        }
        report.summary = format!(
            "{} positions: {} placed, {} changed, {} cancelled, {} newly skipped",
            positions.len(),
            counts.placed,
            counts.changed,
            counts.cancelled,
            report.skipped.len()
        );
        let said_something = !report.skipped.is_empty() || !report.figures.is_empty();
        Ok(said_something.then_some(report))
    }
}

const CLASSES: [InstrumentClass; 2] = [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives];

#[derive(Default)]
struct Counts {
    placed: u32,
    changed: u32,
    cancelled: u32,
}

impl Today {
    fn begin(number: day::DayNumber) -> Result<Self, TaskError> {
        let session = market::get_session()?;
        let key = day::text(session.trading_day);
        memory::forget_other_days(&key);
        let settings = Settings::from_params(Params::read())?;
        Ok(Self { number, key, session, settings, symbols: BTreeMap::new() })
    }

    fn continuous(&self, class: InstrumentClass, now: Instant) -> bool {
        self.session.phases.iter().any(|window| {
            let holds = window.class == class && window.start <= now && now < window.end;
            holds && window.phase == Phase::Continuous
        })
    }

    /// Asks for the candles and instruments of positions that are new to this instance, in one call each.
    fn learn(&mut self, positions: &[Position]) -> Result<(), TaskError> {
        let new = positions.iter().map(|it| it.symbol.clone()).filter(|it| !self.symbols.contains_key(it));
        let new: Vec<String> = new.collect();
        if new.is_empty() {
            return Ok(());
        }
        let number = day::number(self.session.trading_day);
        for candles in market::get_candles(&new, Interval::Day, self.settings.history)? {
            let average = logic::average(&candles.start, &candles.close, number, &self.settings);
            let Some(facts) = facts(&candles.symbol) else { continue };
            let kept = memory::load(&self.key, &candles.symbol);
            self.symbols.insert(candles.symbol, Known { facts, average, kept });
        }
        Ok(())
    }

    /// Decides about one position and does it.
    fn look_after(
        &mut self,
        position: &Position,
        orders: &[Order],
        now: Instant,
        report: &mut Report,
        counts: &mut Counts,
    ) {
        let symbol = &position.symbol;
        let Some(known) = self.symbols.get(symbol) else {
            // `learn` asks again at the next tick.
            log::write(log::Level::Warn, &format!("{symbol}: there is no such instrument today"));
            return;
        };
        let class = match known.facts.has_derivatives {
            true => InstrumentClass::WithDerivatives,
            false => InstrumentClass::WithoutDerivatives,
        };
        if !self.continuous(class, now) {
            return;
        }
        let Some(known) = self.symbols.get_mut(symbol) else { return };
        let before = known.kept.clone();

        let price = known.price(position, &self.settings);
        if let Ok(price) = price {
            known.kept.low = price;
        }
        let view = View {
            position,
            facts: &known.facts,
            orders,
            trading_day: self.session.trading_day,
            price,
            number_min: known.kept.number_min,
        };
        let outcome = match logic::decide(&view, &self.settings) {
            Action::Keep => Ok(()),
            Action::Skip(why) => Err(why),
            Action::Place { price, quantity, number } => {
                let done = known.place(symbol, price, quantity, number);
                note(done, report, &mut counts.placed, symbol, || {
                    format!("sell {quantity} at {}", Rupees(price))
                })
            }
            Action::Change { order, price, total, number } => {
                let key = format!("lower:{symbol}:{number}:{price}:{total}");
                let done = settled(selling::modify(&order, &key, price, total), symbol, "the change");
                let text = || format!("{total} in total at {}", Rupees(price));
                note(done, report, &mut counts.changed, symbol, text)
            }
            Action::Cancel { order } => {
                let answer = cancelling::cancel(&order, "the shares behind it are gone");
                let done = settled(answer, symbol, "the cancellation");
                note(done, report, &mut counts.cancelled, symbol, || "cancelled".to_owned())
            }
        };

        let why = outcome.err().map_or("", Why::text);
        if !why.is_empty() && why != known.kept.why {
            report.skip(symbol.clone(), why);
        }
        why.clone_into(&mut known.kept.why);
        if known.kept != before {
            memory::save(&self.key, symbol, &known.kept);
        }
    }
}

impl Known {
    /// The price to ask now: the target, but never above the lowest of the day.
    fn price(&mut self, position: &Position, settings: &Settings) -> Result<i64, Why> {
        let average = self.average.ok_or(Why::NoAverage)?;
        let quote = market::get_quote(&position.symbol).map_err(|_| Why::NoPrice)?;
        let target = logic::target(average, quote.last, self.facts.tick, settings);
        let mut verdict = logic::allowed(target, position, &self.facts, settings.loss_max);
        if verdict == Err(Why::OutsideBand) {
            // Bands of stocks with derivatives are widened within a day.
            if let Some(fresh) = facts(&position.symbol) {
                self.facts = fresh;
                verdict = logic::allowed(target, position, &self.facts, settings.loss_max);
            }
        }
        verdict?;
        Ok(if self.kept.low == 0 { target } else { target.min(self.kept.low) })
    }

    fn place(&mut self, symbol: &str, price: i64, quantity: u32, number: u32) -> Result<(), Why> {
        let answer = selling::place(&OrderRequest {
            key: format!("sell:{symbol}:{number}"),
            symbol: symbol.to_owned(),
            order_type: OrderType::Limit,
            product: Product::Delivery,
            validity: Validity::Day,
            quantity,
            price,
            trigger: None,
            amo: false,
            send_by: None,
            reason: "position at the average price target".to_owned(),
        });
        // The key belongs to another order: an earlier attempt whose content differs, or one that has ended.
        let spent = match &answer {
            Err(OrderError::Denied(denial)) => denial.rule == "key-reused",
            Ok(placed) => stage::of(&placed.status) == stage::Stage::Final && placed.status != Status::Filled,
            Err(_) => false,
        };
        if spent {
            self.kept.number_min = number + 1;
        }
        settled(answer, symbol, "the order")
    }
}

fn facts(symbol: &str) -> Option<Facts> {
    let it = market::get_instrument(symbol).ok()?;
    Some(Facts {
        tick: it.tick,
        band_low: it.band_low,
        band_high: it.band_high,
        trade_to_trade: it.trade_to_trade,
        has_derivatives: it.has_derivatives,
    })
}

/// An answer of the host; what was not taken is logged with its reason.
fn settled(answer: Result<Placed, OrderError>, symbol: &str, what: &str) -> Result<(), Why> {
    let (text, why) = match answer {
        // Complete already: the next tick sees the position as it is then.
        Ok(placed) if stage::of(&placed.status) != stage::Stage::Final => return Ok(()),
        Ok(placed) if matches!(placed.status, Status::Filled | Status::Canceled) => return Ok(()),
        Ok(placed) => (stage::name(&placed.status).to_owned(), Why::NotTaken),
        Err(error @ OrderError::Unknown(_)) => (describe::order_error(&error), Why::InFlight),
        Err(error) => (describe::order_error(&error), Why::NotTaken),
    };
    log::write(log::Level::Warn, &format!("{symbol}: {what}: {text}"));
    Err(why)
}

/// Counts what was done and puts it on record.
fn note(
    done: Result<(), Why>,
    report: &mut Report,
    count: &mut u32,
    symbol: &str,
    text: impl FnOnce() -> String,
) -> Result<(), Why> {
    if done.is_ok() {
        *count += 1;
        report.figure(symbol, text());
    }
    done
}

sell::export!(Sell);
