//! The price step and the day's band, as far as data without an instrument master tells them.

use model::{Date, Exchange, Price, Tick};

/// When NSE's present ladder began (NSE circular on tick sizes, effective 2025-04-15).
const LADDER_2025: (i32, u32, u32) = (2025, 4, 15);
/// When a paisa became the step below Rs 250 (effective 2024-06-10).
const LADDER_2024: (i32, u32, u32) = (2024, 6, 10);

/// Ladder since 2025-04-15: prices below the first figure (rupees) step by the second (paise).
const STEPS_2025: [(i64, i64); 5] = [(250, 1), (1_001, 5), (5_001, 10), (10_001, 50), (20_001, 100)];

/// The step of a share on `date`, by its last close of the month before.
///
/// BSE's own ladder is in its instrument master, which this data does not have: the same figures stand in.
pub fn tick(date: Date, reference_close: Price) -> Tick {
    let after = |(year, month, day)| Date::from_ymd_opt(year, month, day).is_some_and(|start| date >= start);
    let paise = if after(LADDER_2025) {
        step_2025(reference_close)
    } else if after(LADDER_2024) && reference_close < Price::from_rupees(250) {
        1
    } else {
        5
    };
    Tick::new(Price::from_paise(paise)).unwrap_or(Tick::PAISA)
}

/// Below 250: 0.01; 250 to 1,000: 0.05; above 1,000 to 5,000: 0.10; to 10,000: 0.50; to 20,000: 1; above: 5.
fn step_2025(close: Price) -> i64 {
    for (index, (rupees, paise)) in STEPS_2025.iter().enumerate() {
        // The first bound is exclusive, the others include their round figure.
        let within = if index == 0 {
            close < Price::from_rupees(*rupees)
        } else {
            close <= Price::from_rupees(rupees - 1)
        };
        if within {
            return *paise;
        }
    }
    500
}

/// Percent of the previous close that a share may move in a day, by its series.
///
/// Exchanges set 2, 5, 10 or 20 % per share by daily circular; data files do not carry it. Trade-to-trade
/// series mostly have 5 %, the others are taken at the widest fixed band. Shares with derivatives have a
/// dynamic band that starts at 10 % and widens; 20 % stands for it here.
pub fn band_percent(exchange: Exchange, series: &str) -> i64 {
    match (exchange, series) {
        (Exchange::Nse, "BE" | "BZ" | "BT" | "ST" | "SZ") => 5,
        (Exchange::Bse, "T" | "TS" | "XT" | "Z" | "ZP" | "ZY" | "MT") => 5,
        _ => 20,
    }
}

/// The lowest and highest valid price: the percentage of the previous close, rounded inward to the step.
pub fn band(previous_close: Price, percent: i64, tick: Tick) -> (Price, Price) {
    let low = tick.round_up(previous_close.plus_bps(-percent * 100)).max(tick.step());
    let high = tick.round_down(previous_close.plus_bps(percent * 100));
    // Of a very cheap share one step may be more than the band: the previous close itself stays valid.
    (low.min(tick.round_up(previous_close)), high.max(tick.round_down(previous_close)).max(tick.step()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i32, month: u32, day: u32) -> Date {
        Date::from_ymd_opt(year, month, day).expect("a date")
    }

    #[test]
    fn the_step_follows_the_ladder_of_its_date() {
        for (on, close, paise) in [
            (date(2024, 6, 9), 100, 5),
            (date(2024, 6, 10), 100, 1),
            (date(2025, 4, 14), 3_000, 5),
            (date(2025, 4, 15), 249, 1),
            (date(2025, 4, 15), 250, 5),
            (date(2025, 4, 15), 1_000, 5),
            (date(2025, 4, 15), 1_001, 10),
            (date(2025, 4, 15), 5_000, 10),
            (date(2025, 4, 15), 5_001, 50),
            (date(2025, 4, 15), 10_001, 100),
            (date(2025, 4, 15), 20_000, 100),
            (date(2025, 4, 15), 20_001, 500),
        ] {
            assert_eq!(tick(on, Price::from_rupees(close)).step(), Price::from_paise(paise), "{on} {close}");
        }
    }

    #[test]
    fn bands_round_inward() {
        let tick = Tick::new(Price::from_paise(5)).expect("positive");
        let close: Price = "333.33".parse().expect("a price");
        let (low, high) = band(close, 20, tick);
        assert_eq!((low.to_string(), high.to_string()), ("266.70".into(), "399.95".into()));
        assert_eq!(band_percent(Exchange::Nse, "BE"), 5);
        let (low, high) = band(Price::from_paise(7), 5, Tick::PAISA);
        assert_eq!((low, high), (Price::from_paise(7), Price::from_paise(7)));
    }
}
