//! A simulation as the data of its report page.

use std::collections::{BTreeMap, BTreeSet};

use market::{Interval, Market};
use model::charges::Charges;
use model::{Money, Price, StrategyName, Symbol, Timestamp};

use super::Simulation;
use crate::config::Config;
use crate::report::{EquityPoint, Ohlc, OrderTrail, ReportData, SkipLine, Trade};

/// What the page shows besides the simulation itself.
pub struct Frame<'a> {
    /// What fixed chance.
    pub seed: u64,
    /// Cash and opening positions at the start.
    pub opening: Money,
    /// Every charge, by kind.
    pub charges: Charges,
    /// Where parameters come from.
    pub config: &'a Config,
    /// Where prices come from.
    pub market: &'a dyn Market,
}

/// The data of the page; none when no day was simulated.
pub fn data(simulation: &Simulation, frame: &Frame<'_>) -> Option<ReportData> {
    let (first, last) = (simulation.days.first()?, simulation.days.last()?);
    let strategies: BTreeMap<_, &StrategyName> =
        simulation.orders.iter().map(|order| (order.id, &order.strategy)).collect();
    let trades: Vec<Trade> = simulation
        .fills
        .iter()
        .filter_map(|fill| {
            let order = fill.order?;
            Some(Trade {
                at: fill.at,
                session: fill.session,
                order: order.to_string(),
                strategy: strategies.get(&order).map(ToString::to_string).unwrap_or_default(),
                symbol: fill.symbol.clone(),
                side: fill.side,
                quantity: fill.quantity,
                price: fill.price,
                charges: fill.charges,
            })
        })
        .collect();
    let end = Timestamp::at_ist(last.date, 23, 59);
    let sessions = u32::try_from(simulation.days.len()).unwrap_or(u32::MAX).min(market::CANDLES_MAX);
    let symbols: BTreeSet<Symbol> = trades.iter().map(|trade| trade.symbol.clone()).collect();
    let prices =
        symbols.into_iter().map(|symbol| (symbol.clone(), history(frame.market, symbol, sessions, end)));
    Some(ReportData {
        title: format!("Simulation of {} to {}", first.date, last.date),
        from: first.date,
        to: last.date,
        seed: frame.seed,
        params: frame
            .config
            .strategies
            .iter()
            .flat_map(|(name, strategy)| {
                strategy.params.iter().map(move |(key, value)| (format!("{name}.{key}"), value.clone()))
            })
            .collect(),
        trace_hash: simulation.trace_hash.clone(),
        opening: frame.opening,
        equity: simulation
            .days
            .iter()
            .map(|day| EquityPoint {
                date: day.date,
                cash: day.cash,
                positions: day.positions_value,
                equity: day.equity,
            })
            .collect(),
        orders: simulation
            .orders
            .iter()
            .map(|order| OrderTrail {
                id: order.id.to_string(),
                at: order.at,
                strategy: order.strategy.to_string(),
                symbol: order.terms.symbol.clone(),
                side: order.terms.side,
                quantity: order.terms.quantity,
                price: order.terms.price,
                status: order.status.to_string(),
                reason: order.reason.clone(),
                trail: order.trail.clone(),
            })
            .collect(),
        charges_by_kind: frame
            .charges
            .by_kind()
            .into_iter()
            .map(|(kind, amount)| (kind.to_owned(), amount))
            .collect(),
        skipped: simulation
            .skipped
            .iter()
            .map(|skip| SkipLine {
                day: skip.day,
                task: skip.task.clone(),
                subject: skip.subject.clone(),
                reason: skip.reason.clone(),
            })
            .collect(),
        skips_by_reason: simulation
            .skips_by_reason
            .iter()
            .map(|(reason, count)| (reason.clone(), *count))
            .collect(),
        prices: prices.collect(),
        trades,
    })
}

/// A symbol's days; none where the data have none.
fn history(market: &dyn Market, symbol: Symbol, sessions: u32, end: Timestamp) -> Vec<Ohlc> {
    let Ok(mut found) = market.candles(&[symbol], Interval::Day, sessions, end) else { return Vec::new() };
    let Some(candles) = found.pop() else { return Vec::new() };
    (0..candles.len())
        .map(|at| Ohlc {
            date: Timestamp::from_nanos(candles.start[at]).ist_date(),
            open: Price::from_units(candles.open[at]),
            high: Price::from_units(candles.high[at]),
            low: Price::from_units(candles.low[at]),
            close: Price::from_units(candles.close[at]),
        })
        .collect()
}
