#![doc = include_str!("../README.md")]

mod logic;
mod settings;

use logic::View;
use settings::Settings;
use tradeagent_sdk::monitor::market::Interval;
use tradeagent_sdk::monitor::portfolio::Position;
use tradeagent_sdk::monitor::{self, *};
use tradeagent_sdk::params::Params;
use tradeagent_sdk::{day, describe};

#[derive(Default)]
struct Monitor;

impl Strategy for Monitor {
    fn run(&mut self, tick: Tick) -> Result<Option<Report>, TaskError> {
        let settings = Settings::from_params(Params::read())?;
        let mut positions = portfolio::get_positions()?;
        positions.retain(|position| position.quantity > 0);
        let mut report = Report::new("");
        let (mut sent, mut repeated) = (0, 0);
        if !positions.is_empty() {
            let symbols: Vec<String> = positions.iter().map(|it| it.symbol.clone()).collect();
            let candles = market::get_candles(&symbols, Interval::Day, settings.history)?;
            let today = day::number(tick.about().trading_day);
            for position in &positions {
                let own = candles.iter().find(|it| it.symbol == position.symbol);
                for alert in look_at(position, own, today, &settings, &mut report) {
                    match notify::alert(&alert.key, alert.severity, &alert.text) {
                        true => sent += 1,
                        false => repeated += 1,
                    }
                }
            }
        }
        report.summary =
            format!("{} positions: {sent} alerts, {repeated} of today still hold", positions.len());
        report.figure("alerts", sent);
        Ok(Some(report))
    }
}

fn look_at(
    position: &Position,
    candles: Option<&market::Candles>,
    today: day::DayNumber,
    settings: &Settings,
    report: &mut Report,
) -> Vec<logic::Alert> {
    let symbol = &position.symbol;
    let quote = match market::get_quote(symbol) {
        Ok(quote) => quote,
        Err(error) => {
            report.skip(symbol.clone(), describe::read_error(&error));
            return Vec::new();
        }
    };
    let figures = candles.and_then(|it| logic::figures(&it.start, &it.close, quote.last, today, settings));
    if figures.is_none() {
        report.skip(symbol.clone(), "too few or too old daily candles for EMA and RSI");
    }
    let view = View {
        symbol,
        quantity: position.quantity,
        cost: position.cost,
        days_held: today - day::number(position.opened),
        last: quote.last,
        figures,
    };
    logic::alerts(&view, settings)
}

monitor::export!(Monitor);
