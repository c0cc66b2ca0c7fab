//! The broker's list of instruments for one session.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use model::{Date, Instrument, Symbol, Tick};

use crate::bounds;

/// The fixed daily bands of the exchanges, in percent.
const BANDS_PERCENT: [i64; 4] = [2, 5, 10, 20];

/// Instruments as announced before the open of `session`.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The session whose bands, steps and freeze quantities these are.
    pub session: Date,
    by_symbol: BTreeMap<Symbol, Instrument>,
}

impl Snapshot {
    /// Of `session`.
    pub fn new(session: Date, instruments: Vec<Instrument>) -> Self {
        let by_symbol = instruments.into_iter().map(|it| (it.symbol.clone(), it)).collect();
        Self { session, by_symbol }
    }

    /// One of them.
    pub fn get(&self, symbol: &Symbol) -> Option<&Instrument> {
        self.by_symbol.get(symbol)
    }

    /// All of them, by symbol.
    pub fn all(&self) -> impl Iterator<Item = &Instrument> {
        self.by_symbol.values()
    }

    /// The instrument `announced` in this list as it trades on `trading_day`. In the evening that day's list
    /// is not out yet: then the previous close follows from the bars (`derived`), the band from it by the
    /// announced percentage, and what does not change overnight stays as announced. Without bars everything
    /// stays: the exchange checks it again.
    pub fn on(
        &self,
        announced: &Instrument,
        trading_day: Date,
        derived: impl FnOnce() -> Option<Instrument>,
    ) -> Instrument {
        if self.session == trading_day {
            return announced.clone();
        }
        match derived() {
            Some(derived) => {
                // Steps are set for a month.
                let is_same_month =
                    (self.session.year(), self.session.month()) == (trading_day.year(), trading_day.month());
                let tick = if is_same_month { announced.tick } else { derived.tick };
                Instrument {
                    tick,
                    band: next_band(announced, &derived, tick),
                    previous_close: derived.previous_close,
                    ..announced.clone()
                }
            }
            None => announced.clone(),
        }
    }
}

/// The band of the day after: as wide as the announced one, where that is one of the fixed widths.
fn next_band(announced: &Instrument, derived: &Instrument, tick: Tick) -> (model::Price, model::Price) {
    let (close, high) = (announced.previous_close.units(), announced.band.1.units());
    // Bands are rounded inward by up to a step, which of a cheap share is a good part of a percent.
    let percent = BANDS_PERCENT.into_iter().find(|percent| {
        let exact = close + close * percent / 100;
        close > 0 && high <= exact && exact - high <= tick.step().units() + close / 1_000
    });
    match percent {
        Some(percent) => bounds::band(derived.previous_close, percent, tick),
        None => derived.band,
    }
}

#[cfg(test)]
mod tests {
    use model::{Exchange, Price, Quantity, Series};

    use super::*;
    use crate::live::testkit::{date, rupees};

    fn instrument(close: i64, band: (i64, i64)) -> Instrument {
        Instrument {
            symbol: "ABC".into(),
            exchange: Exchange::Nse,
            isin: "INE1".into(),
            series: Series("EQ".into()),
            tick: Tick::new(Price::from_paise(10)).expect("positive"),
            lot: Quantity::new(1),
            freeze: Quantity::new(5_000),
            band: (rupees(band.0), rupees(band.1)),
            previous_close: rupees(close),
            has_derivatives: false,
        }
    }

    #[test]
    fn in_the_evening_the_band_moves_with_the_close_and_keeps_its_width() {
        let announced = instrument(1_000, (900, 1_100));
        let snapshot = Snapshot::new(date("2026-11-26"), vec![announced.clone()]);
        assert_eq!(snapshot.on(&announced, date("2026-11-26"), || None), announced);
        let paisa = Instrument {
            tick: Tick::PAISA,
            freeze: Quantity::ZERO,
            isin: String::new(),
            ..instrument(1_050, (840, 1_260))
        };
        let next = snapshot.on(&announced, date("2026-11-27"), || Some(paisa.clone()));
        assert_eq!((next.previous_close, next.band), (rupees(1_050), (rupees(945), rupees(1_155))));
        assert_eq!((next.tick, next.freeze, next.isin.as_str()), (announced.tick, announced.freeze, "INE1"));
        let december = snapshot.on(&announced, date("2026-12-01"), || Some(paisa.clone()));
        assert_eq!(december.tick, Tick::PAISA, "another month, another step");
        let dynamic = instrument(1_000, (870, 1_130));
        let next = snapshot.on(&dynamic, date("2026-11-27"), || Some(paisa));
        assert_eq!(next.band, (rupees(840), rupees(1_260)), "no fixed width: as the bars tell");
        assert_eq!(snapshot.on(&announced, date("2026-11-27"), || None), announced);
    }
}
