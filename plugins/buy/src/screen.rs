//! Which symbols are candidates. Pure: one symbol's daily bars come in, a verdict goes out.

use tradeagent_sdk::day::{self, DayNumber};
use tradeagent_sdk::indicators;

use crate::settings::Settings;

/// One symbol's daily bars, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    pub start: &'a [i64],
    pub close: &'a [i64],
    pub volume: &'a [u64],
}

/// A symbol that passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub symbol: String,
    pub close: i64,
    pub rsi: f64,
    pub above_trend: bool,
    /// Average of the last `volume_days` days.
    pub volume: u64,
    /// The last day's volume x close; for the order among equals.
    pub turnover: i128,
}

/// Why a symbol is no candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Miss {
    /// Fewer bars than the figures need.
    ShortHistory,
    /// The last bar is not the trading day's.
    StaleHistory,
    /// The columns differ in length or hold a price of 0 or less.
    BrokenHistory,
    /// The price is under `price_min`.
    Price,
    /// The volume is under `volume_min` or under `volume_ratio` x average.
    Volume,
    /// Not oversold.
    Strength,
}

/// Looks at one symbol on `today`.
///
/// # Errors
/// Why it is no candidate.
pub fn screen(
    symbol: &str,
    bars: Bars<'_>,
    today: DayNumber,
    settings: &Settings,
) -> Result<Candidate, Miss> {
    let Bars { start, close, volume } = bars;
    if close.len() != start.len() || volume.len() != start.len() || close.iter().any(|price| *price <= 0) {
        return Err(Miss::BrokenHistory);
    }
    let (Some(last_start), Some(&last), Some(&last_volume)) = (start.last(), close.last(), volume.last())
    else {
        return Err(Miss::ShortHistory);
    };
    if close.len() < settings.bars_min() as usize {
        return Err(Miss::ShortHistory);
    }
    if day::number_at(*last_start) != today {
        return Err(Miss::StaleHistory);
    }
    if last < settings.price_min.0 {
        return Err(Miss::Price);
    }
    let average = indicators::mean(volume, settings.volume_days).ok_or(Miss::ShortHistory)?;
    if last_volume < settings.volume_min || (last_volume as f64) < settings.volume_ratio * average as f64 {
        return Err(Miss::Volume);
    }
    let rsi = indicators::rsi(close, settings.rsi_period).ok_or(Miss::ShortHistory)?;
    let trend = indicators::ema(close, settings.trend_ema).ok_or(Miss::ShortHistory)?;
    let above_trend = last as f64 > trend;
    let rsi_max = if above_trend { settings.rsi_above_trend } else { settings.rsi_below_trend };
    if rsi >= rsi_max {
        return Err(Miss::Strength);
    }
    let turnover = i128::from(last_volume) * i128::from(last);
    Ok(Candidate { symbol: symbol.to_owned(), close: last, rsi, above_trend, volume: average, turnover })
}

/// The best first: lowest RSI, then highest turnover, then by symbol.
pub fn rank(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| {
        a.rsi.total_cmp(&b.rsi).then(b.turnover.cmp(&a.turnover)).then_with(|| a.symbol.cmp(&b.symbol))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradeagent_sdk::params::Params;

    const DAY: i64 = 86_400_000_000_000;
    const TODAY: DayNumber = 20_300;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Settings::from_params(Params::from_pairs(pairs)).expect("good parameters")
    }

    /// A long rise from 100 rupees, then `falls` days of 1 per cent each.
    fn history(days: i64, falls: i64) -> (Vec<i64>, Vec<i64>, Vec<u64>) {
        let start = (0..days).map(|n| (TODAY - days + 1 + n) * DAY).collect();
        let mut price = 1_000_000.0;
        let close = (0..days).map(|n| {
            price *= if n >= days - falls { 0.99 } else { 1.01 };
            price as i64
        });
        (start, close.collect(), vec![200_000; days as usize])
    }

    fn look(history: &(Vec<i64>, Vec<i64>, Vec<u64>), settings: &Settings) -> Result<Candidate, Miss> {
        let (start, close, volume) = history;
        screen("X", Bars { start, close, volume }, TODAY, settings)
    }

    #[test]
    fn an_oversold_stock_above_its_trend_passes() {
        let found = look(&history(220, 14), &settings(&[])).expect("a candidate");
        assert!(found.above_trend && found.rsi < 30.0, "{found:?}");
        assert_eq!(found.volume, 200_000);
        assert_eq!(look(&history(220, 3), &settings(&[])), Err(Miss::Strength));
    }

    #[test]
    fn below_the_trend_it_must_be_weaker() {
        let mut fallen = history(220, 100);
        let found = look(&fallen, &settings(&[])).expect("an RSI near 0");
        assert!(!found.above_trend);
        // Up a little: an RSI between 20 and 30 is enough above the trend only.
        let last = fallen.1.len() - 1;
        fallen.1[last] = (fallen.1[last - 1] as f64 * 1.03) as i64;
        let rsi = indicators::rsi(&fallen.1, 10).expect("enough closes");
        assert!((20.0..30.0).contains(&rsi), "{rsi}");
        assert_eq!(look(&fallen, &settings(&[])), Err(Miss::Strength));
        assert!(look(&fallen, &settings(&[("rsi_below_trend", "30")])).is_ok());
    }

    #[test]
    fn too_short_and_stale_histories_are_told_apart() {
        assert_eq!(look(&history(199, 14), &settings(&[])), Err(Miss::ShortHistory));
        assert!(look(&history(199, 14), &settings(&[("trend_ema", "50")])).is_ok());
        let (start, close, volume) = history(220, 14);
        let bars = Bars { start: &start, close: &close, volume: &volume };
        assert_eq!(screen("X", bars, TODAY + 1, &settings(&[])), Err(Miss::StaleHistory));
        assert_eq!(
            screen("X", Bars { start: &[], close: &[], volume: &[] }, TODAY, &settings(&[])),
            Err(Miss::ShortHistory)
        );
        let bars = Bars { start: &start, close: &close[1..], volume: &volume };
        assert_eq!(screen("X", bars, TODAY, &settings(&[])), Err(Miss::BrokenHistory));
    }

    #[test]
    fn floors_of_price_and_volume_hold() {
        let it = history(220, 14);
        assert_eq!(look(&it, &settings(&[("price_min", "5000")])), Err(Miss::Price));
        assert_eq!(look(&it, &settings(&[("volume_min", "200001")])), Err(Miss::Volume));
        assert!(look(&it, &settings(&[("volume_min", "200000")])).is_ok());
        let mut quiet = it;
        *quiet.2.last_mut().expect("bars") = 190_000;
        assert_eq!(look(&quiet, &settings(&[("volume_ratio", "1")])), Err(Miss::Volume));
        assert!(look(&quiet, &settings(&[])).is_ok(), "no such floor by default");
    }

    #[test]
    fn the_weakest_comes_first_and_ties_are_settled() {
        let one = |symbol: &str, rsi, turnover| Candidate {
            symbol: symbol.to_owned(),
            close: 1,
            rsi,
            above_trend: true,
            volume: 1,
            turnover,
        };
        let mut all = [one("D", 25.0, 9), one("B", 20.0, 5), one("A", 20.0, 5), one("C", 20.0, 7)];
        rank(&mut all);
        assert_eq!(all.map(|it| it.symbol), ["C", "A", "B", "D"]);
    }
}
