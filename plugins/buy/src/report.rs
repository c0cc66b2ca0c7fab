//! What the run has to say.

use std::collections::BTreeMap;

use tradeagent_sdk::Report;
use tradeagent_sdk::price::Rupees;

use crate::screen::{Candidate, Miss};
use crate::settings::Settings;
use crate::size::{Terms, Unsized};

/// Counts of a run.
pub struct Tally {
    /// Symbols looked at.
    pub screened: usize,
    /// Of those, the ones that passed.
    pub candidates: usize,
    /// Positions and pending buys before this run.
    pub counted: usize,
    /// Why the list was not gone through to its end.
    pub stop: Option<String>,
    session: String,
    misses: BTreeMap<Miss, usize>,
    buys: usize,
    report: Report,
}

/// Why a candidate got no order, in words.
pub const fn unsized_text(why: Unsized) -> &'static str {
    match why {
        Unsized::Band => "no valid price in the next session's band",
        Unsized::Capital => "one lot costs more than capital_per_position",
        Unsized::Liquidity => "its share of the average volume is too small",
        Unsized::Cash => "the free cash is too little for it",
    }
}

impl Tally {
    /// Of a run that places orders for `session`.
    pub fn new(session: String) -> Self {
        Self {
            screened: 0,
            candidates: 0,
            counted: 0,
            stop: None,
            session,
            misses: BTreeMap::new(),
            buys: 0,
            report: Report::new(""),
        }
    }

    /// Counts a symbol that is no candidate.
    pub fn miss(&mut self, miss: Miss) {
        *self.misses.entry(miss).or_default() += 1;
    }

    /// Records a candidate that got no order.
    pub fn skip(&mut self, symbol: &str, reason: impl Into<String>) {
        self.report.skip(symbol, reason);
    }

    /// Records an order.
    pub fn bought(&mut self, candidate: &Candidate, terms: Terms) {
        self.buys += 1;
        let Terms { price, quantity } = terms;
        let text = format!("buy {quantity} at {}, RSI {:.1}", Rupees(price), candidate.rsi);
        self.report.figure(candidate.symbol.clone(), text);
    }

    fn missed(&self, miss: Miss) -> usize {
        self.misses.get(&miss).copied().unwrap_or(0)
    }

    /// The report.
    pub fn finish(mut self, settings: &Settings) -> Report {
        self.report.summary = self.summary(settings);
        self.report.figure("screened", self.screened);
        self.report.figure("candidates", self.candidates);
        self.report.figure("bought", self.buys);
        self.report.figure("counted against the cap before", self.counted);
        let names = [
            (Miss::ShortHistory, "short history"),
            (Miss::StaleHistory, "stale history"),
            (Miss::BrokenHistory, "broken history"),
            (Miss::Price, "price too low"),
            (Miss::Volume, "volume too low"),
            (Miss::Strength, "not oversold"),
        ];
        for (miss, name) in names {
            let count = self.missed(miss);
            self.report.figure(name, count);
        }
        // Data that are missing are skips; a stock that is not oversold is not.
        let bars = settings.bars_min();
        let data = [
            (Miss::ShortHistory, format!("fewer than {bars} daily bars")),
            (Miss::StaleHistory, "no daily bar of the trading day".to_owned()),
            (Miss::BrokenHistory, "a daily bar without a price".to_owned()),
        ];
        for (miss, reason) in data {
            let count = self.missed(miss);
            if count > 0 {
                self.report.skip(format!("{count} symbols"), reason);
            }
        }
        if let Some(reason) = self.stop.take() {
            self.report.skip("the rest of the candidates", reason);
        }
        self.report
    }

    fn summary(&self, settings: &Settings) -> String {
        let (screened, short) = (self.screened, self.missed(Miss::ShortHistory));
        if screened == 0 {
            return "0 bought: no instrument is in the series and universe asked for".to_owned();
        }
        if short == screened {
            let (bars, trend) = (settings.bars_min(), settings.trend_ema);
            return format!(
                "0 bought: {short} of {screened} symbols have fewer than {bars} daily bars (trend_ema={trend})"
            );
        }
        let stale = self.missed(Miss::StaleHistory);
        if stale + short == screened {
            return format!("0 bought: {stale} of {screened} symbols have no daily bar of the trading day");
        }
        let mut text = format!(
            "{} bought for {}: {} candidates of {screened} symbols",
            self.buys, self.session, self.candidates
        );
        if short + stale > 0 {
            text += &format!(", {} without enough or fresh history", short + stale);
        }
        if let Some(stop) = &self.stop {
            text += &format!("; {stop}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradeagent_sdk::params::Params;

    fn settings() -> Settings {
        Settings::from_params(Params::from_pairs([])).expect("defaults")
    }

    fn tally(misses: &[(Miss, usize)]) -> Tally {
        let mut tally = Tally::new("2025-07-02".to_owned());
        for (miss, count) in misses {
            for _ in 0..*count {
                tally.miss(*miss);
                tally.screened += 1;
            }
        }
        tally
    }

    #[test]
    fn a_cold_history_is_said_in_one_line() {
        let report = tally(&[(Miss::ShortHistory, 1_834)]).finish(&settings());
        assert_eq!(
            report.summary,
            "0 bought: 1834 of 1834 symbols have fewer than 200 daily bars (trend_ema=200)"
        );
        assert_eq!(report.skipped.len(), 1);
    }

    #[test]
    fn a_usual_day_tells_what_was_left_out() {
        let mut tally = tally(&[(Miss::ShortHistory, 2), (Miss::Strength, 7)]);
        tally.stop = Some("the cap of 6 positions is reached".to_owned());
        let report = tally.finish(&settings());
        assert_eq!(
            report.summary,
            "0 bought for 2025-07-02: 0 candidates of 9 symbols, 2 without enough or fresh history; \
             the cap of 6 positions is reached"
        );
        assert_eq!(report.skipped.len(), 2);
    }

    #[test]
    fn the_readme_tells_every_parameter_and_its_default() {
        tradeagent_sdk::params::assert_documented(include_str!("../README.md"), Settings::from_params);
    }
}
