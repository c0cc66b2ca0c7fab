//! A small made-up market, generated in code from a seed: what `demo` runs on.
//!
//! Every symbol begins with `DEMO`, no price is real. 260 sessions lead up to day 0. The last days are
//! scripted so that a trading day has something to show:
//! - `DEMOALFA` is oversold above its EMA200 at day 0's close; day 1 opens below an after-market limit of
//!   close + 1 %.
//! - `DEMOBETA` becomes so at day 1's close.
//! - `DEMOGAMMA` is held. On day 1 it falls early, which lowers a target blended from EMA9 and the last
//!   price, then rises through it.
//! - The others do not qualify, each for a reason of its own (see `CAST`).

use std::sync::Arc;

use calendar::Calendar;
use model::clock::Rng;
use model::{Date, Exchange, Price, Quantity};

use crate::dataset::Dataset;
use crate::row::{Row, RowSource};
use crate::table::Table;

/// The session at whose end the demo begins.
pub const DAY0: Date = Date::from_ymd_opt(2026, 5, 12).expect("a date");
/// The session that the demo trades.
pub const DAY1: Date = Date::from_ymd_opt(2026, 5, 13).expect("a date");
/// Sessions before day 0.
pub const WARM_UP_SESSIONS: usize = 260;
/// What the demo account holds at the start, settled.
pub const SEEDED_SYMBOL: &str = "DEMOGAMMA";
/// What it was bought at.
pub const SEEDED_ENTRY_PRICE: Price = Price::from_paise(70_000);
/// How many shares.
pub const SEEDED_QUANTITY: Quantity = Quantity::new(150);
/// Oversold at day 0's close.
pub const BOUGHT_AFTER_DAY0: &str = "DEMOALFA";
/// Oversold at day 1's close.
pub const BOUGHT_AFTER_DAY1: &str = "DEMOBETA";

const SEED: u64 = 0x00de_7a11;
/// The made-up prices step by five paise, valid wherever the ladder says 0.05 or finer.
const STEP: i64 = 500;

/// One made-up share.
struct Role {
    symbol: &'static str,
    series: &'static str,
    /// First close, in rupees.
    start: i64,
    /// Mean daily change, in hundredths of a percent.
    drift: i64,
    /// Largest daily deviation from it, same unit.
    noise: i64,
    /// Mean daily volume.
    volume: u64,
    /// Changes of the last sessions up to day 1, same unit, in place of drift and noise.
    script: &'static [i64],
    /// Its first and last session, counted from the start (`usize::MAX`: to the end).
    listed: (usize, usize),
}

const ALWAYS: (usize, usize) = (0, usize::MAX);

/// The shares and why each is there.
const CAST: [Role; 10] = [
    Role {
        symbol: BOUGHT_AFTER_DAY0,
        series: "EQ",
        start: 300,
        drift: 22,
        noise: 90,
        volume: 1_400_000,
        script: &[-60, -120, -90, -140, -110, -160, -130, -170, 180],
        listed: ALWAYS,
    },
    Role {
        symbol: BOUGHT_AFTER_DAY1,
        series: "EQ",
        start: 420,
        drift: 20,
        noise: 90,
        volume: 1_100_000,
        script: &[60, -40, 50, -110, -120, -90, -60, -330],
        listed: ALWAYS,
    },
    // Day 1 is set relative to its EMA9 (see `seeded_day1`).
    Role {
        symbol: SEEDED_SYMBOL,
        series: "EQ",
        start: 450,
        drift: 14,
        noise: 80,
        volume: 1_600_000,
        script: &[-70, 40, -60, 50, -30, 20, 0],
        listed: ALWAYS,
    },
    // Rises steadily: never oversold.
    Role {
        symbol: "DEMODELTA",
        series: "EQ",
        start: 260,
        drift: 24,
        noise: 70,
        volume: 900_000,
        script: &[],
        listed: ALWAYS,
    },
    // Drifts down slowly: below its EMA200, not below 20.
    Role {
        symbol: "DEMOEPSILON",
        series: "EQ",
        start: 900,
        drift: -8,
        noise: 100,
        volume: 700_000,
        script: &[40, -30, 60, -50, 30, 20],
        listed: ALWAYS,
    },
    // Goes nowhere.
    Role {
        symbol: "DEMOZETA",
        series: "EQ",
        start: 500,
        drift: 0,
        noise: 60,
        volume: 2_000_000,
        script: &[30, -20, 40, -30, 20, 10],
        listed: ALWAYS,
    },
    // Oversold like the first, but hardly traded: under the volume floor.
    Role {
        symbol: "DEMOETA",
        series: "EQ",
        start: 350,
        drift: 22,
        noise: 90,
        volume: 4_000,
        script: &[-60, -120, -90, -140, -110, -160, -130, -170, -90],
        listed: ALWAYS,
    },
    // Trade to trade.
    Role {
        symbol: "DEMOTHETA",
        series: "BE",
        start: 270,
        drift: 10,
        noise: 80,
        volume: 300_000,
        script: &[20, -10, 30, 10, -20, 30],
        listed: ALWAYS,
    },
    // Listed two months ago and oversold: too little history.
    Role {
        symbol: "DEMOIOTA",
        series: "EQ",
        start: 640,
        drift: 25,
        noise: 60,
        volume: 800_000,
        script: &[-90, -120, -100, -140, -110, -160, -130, -170, -90],
        listed: (220, usize::MAX),
    },
    // Suspended twelve sessions before day 0: stale.
    Role {
        symbol: "DEMOKAPPA",
        series: "EQ",
        start: 380,
        drift: 5,
        noise: 90,
        volume: 500_000,
        script: &[],
        listed: (0, WARM_UP_SESSIONS - 12),
    },
];

impl Dataset {
    /// The made-up data set of the demo, by the bundled calendar.
    pub fn demo() -> Arc<Self> {
        let calendar = Calendar::bundled();
        Arc::new(Self::build(table(&calendar), &calendar))
    }
}

fn sessions(calendar: &Calendar) -> Vec<Date> {
    let mut dates = vec![DAY1, DAY0];
    while dates.len() < WARM_UP_SESSIONS + 2 {
        let Some(before) =
            dates.last().and_then(|date| calendar.previous_trading_day(Exchange::Nse, *date).ok())
        else {
            break;
        };
        dates.push(before);
    }
    dates.reverse();
    dates
}

fn table(calendar: &Calendar) -> Table {
    let dates = sessions(calendar);
    let mut table = Table::default();
    for role in &CAST {
        let Some(series) = table.series_index(role.series) else { continue };
        let isin = format!("{}0000", role.symbol);
        for (at, row) in rows(role, dates.len()) {
            table.insert_daily(role.symbol, &isin, dates[at], Row { series, ..row }, true);
        }
    }
    table
}

/// `base` changed by so many hundredths of a percent, on the made-up grid.
fn changed(base: i64, hundredths: i64) -> i64 {
    (base * (10_000 + hundredths) / 10_000 + STEP / 2) / STEP * STEP
}

fn rows(role: &Role, sessions: usize) -> Vec<(usize, Row)> {
    let mut rng = Rng::new(SEED).fork(role.symbol);
    let mut deviation = |size: i64| rng.below(2 * size.unsigned_abs() + 1) as i64 - size;
    let mut previous = role.start * 10_000;
    let mut rows: Vec<(usize, Row)> = Vec::with_capacity(sessions);
    for at in 0..sessions {
        // Drawn for every session, listed or not, so that a change of one figure leaves the others.
        let (noise, gap, above, below, bustle) =
            (deviation(role.noise), deviation(20), deviation(25) + 30, deviation(25) + 30, deviation(15));
        if at < role.listed.0 || at >= role.listed.1 {
            continue;
        }
        let scripted = (at + role.script.len()).checked_sub(sessions).map(|index| role.script[index]);
        let close = changed(previous, scripted.unwrap_or(role.drift + noise));
        let open = changed(previous, gap);
        let high = changed(open.max(close), above);
        let low = changed(open.min(close), -below);
        // Scripted days are busy ones.
        let volume = role.volume * (100 + bustle + if scripted.is_some() { 45 } else { 0 }) as u64 / 100;
        let mut row = Row {
            open,
            high,
            low,
            close,
            prev_close: previous,
            volume,
            series: 0,
            source: RowSource::ExchangeFile,
        };
        if at + 1 == sessions {
            match role.symbol {
                SEEDED_SYMBOL => row = seeded_day1(&rows, row),
                BOUGHT_AFTER_DAY0 => row.open = changed(previous, 30),
                _ => {}
            }
        }
        row.low = row.low.min(row.open);
        row.high = row.high.max(row.open);
        previous = row.close;
        rows.push((at, row));
    }
    rows
}

/// The held share's day 1: opens 1.5 % under yesterday's EMA9, falls to 2.5 % under it, rises to 1.2 %
/// above. A target of `0.2 * last + 0.8 * EMA9` comes down to 0.5 % under the EMA9 and is then reached.
fn seeded_day1(before: &[(usize, Row)], row: Row) -> Row {
    let closes: Vec<f64> = before.iter().map(|(_, row)| row.close as f64).collect();
    let ema = closes
        .iter()
        .skip(1)
        .fold(closes.first().copied().unwrap_or(0.0), |ema, close| ema + (close - ema) * 0.2);
    let ema = ema.round() as i64;
    Row {
        open: changed(ema, -150),
        low: changed(ema, -250),
        high: changed(ema, 120),
        close: changed(ema, 50),
        ..row
    }
}

#[cfg(test)]
mod tests;
