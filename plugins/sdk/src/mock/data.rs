//! What a mock host knows.

use std::collections::{BTreeMap, VecDeque};

use super::Alert;
use crate::bindings::tradeagent::strategy::market::{
    Candles, Instrument, InstrumentClass, Interval, Phase, PhaseWindow, Quote, Session,
};
use crate::bindings::tradeagent::strategy::portfolio::{DayAccount, Difference, Funds, Holding, Position};
use crate::bindings::tradeagent::strategy::types::{Date, Instant, Order, OrderError, ReadError};
use crate::bindings::tradeagent::strategy::{log, run};
use crate::price::{Percent, Price};
use crate::{day, stage};

const MINUTE: i64 = 60 * 1_000_000_000;

/// The phases of a day of shares without derivatives, in minutes after midnight.
const PHASES: [(Phase, i64, i64); 3] = [
    (Phase::PreOpen, 9 * 60, 9 * 60 + 15),
    (Phase::Continuous, 9 * 60 + 15, 15 * 60 + 30),
    (Phase::PostClose, 15 * 60 + 40, 16 * 60),
];

/// Everything a test has told, and everything the strategy has done.
pub(super) struct World {
    pub now: Instant,
    pub day: Date,
    pub instruments: BTreeMap<String, Instrument>,
    pub quotes: BTreeMap<String, Quote>,
    pub candles: BTreeMap<(bool, String), Candles>,
    pub positions: BTreeMap<String, Position>,
    pub holdings: Vec<Holding>,
    pub funds: Funds,
    pub differences: Vec<Difference>,
    pub account: Option<DayAccount>,
    pub feeds: Vec<run::Feed>,
    pub params: BTreeMap<String, String>,
    pub state: BTreeMap<String, Vec<u8>>,
    pub orders: Vec<Order>,
    /// What each key was used for: the order, and the request in words.
    pub keys: BTreeMap<String, (String, String)>,
    pub order_errors: VecDeque<OrderError>,
    pub failing: BTreeMap<String, ReadError>,
    pub alerts: Vec<Alert>,
    pub logs: Vec<(log::Level, String)>,
}

impl World {
    pub fn new() -> Self {
        let day = Date { year: 2026, month: 1, day: 5 };
        Self {
            now: instant(day, 10, 0),
            day,
            instruments: BTreeMap::new(),
            quotes: BTreeMap::new(),
            candles: BTreeMap::new(),
            positions: BTreeMap::new(),
            holdings: Vec::new(),
            funds: Funds { available: 0, blocked: 0, extras: Vec::new() },
            differences: Vec::new(),
            account: None,
            feeds: Vec::new(),
            params: BTreeMap::new(),
            state: BTreeMap::new(),
            orders: Vec::new(),
            keys: BTreeMap::new(),
            order_errors: VecDeque::new(),
            failing: BTreeMap::new(),
            alerts: Vec::new(),
            logs: Vec::new(),
        }
    }

    /// The error that a test wants of `call`.
    pub fn may(&self, call: &str) -> Result<(), ReadError> {
        self.failing.get(call).map_or(Ok(()), |error| Err(error.clone()))
    }

    pub fn session(&self) -> Session {
        let is_trading_day = is_weekday(self.day);
        let mut phases = Vec::new();
        for class in [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives] {
            for (phase, start, end) in PHASES.iter().filter(|_| is_trading_day) {
                let (start, end) = (instant(self.day, 0, *start), instant(self.day, 0, *end));
                phases.push(PhaseWindow { class, phase: phase.clone(), start, end });
            }
        }
        let now = phases.iter().find(|it| (it.start..it.end).contains(&self.now));
        Session {
            trading_day: self.day,
            is_trading_day,
            phase: now.map_or(Phase::Closed, |it| it.phase.clone()),
            phases,
            next_trading_day: weekday(self.day, 1),
            previous_trading_day: weekday(self.day, -1),
            extras: Vec::new(),
        }
    }

    /// The session in which an after-market order placed now would trade.
    pub fn for_session(&self) -> Option<Date> {
        if self.now >= instant(self.day, 15, 45) {
            Some(weekday(self.day, 1))
        } else {
            (self.now < instant(self.day, 9, 0)).then_some(self.day)
        }
    }

    pub fn day_account(&self) -> DayAccount {
        if let Some(account) = &self.account {
            return account.clone();
        }
        let mut orders = BTreeMap::<&str, u32>::new();
        for order in &self.orders {
            *orders.entry(stage::name(&order.status)).or_default() += 1;
        }
        DayAccount {
            day: self.day,
            orders: orders.into_iter().map(|(status, count)| (status.to_owned(), count)).collect(),
            fills: 0,
            bought: 0,
            sold: 0,
            realised: 0,
            charges: 0,
            charges_by_kind: Vec::new(),
            unrealised: 0,
            skipped: Vec::new(),
            extras: Vec::new(),
        }
    }

    pub fn run_info(&self) -> run::RunInfo {
        run::RunInfo {
            id: "mock".to_owned(),
            task: "mock".to_owned(),
            strategy: STRATEGY.to_owned(),
            scheduled: self.now,
            trading_day: self.day,
            for_session: self.for_session(),
            mode: run::Mode::Simulation,
            attempt: 1,
            feeds: self.feeds.clone(),
            extras: Vec::new(),
        }
    }

    /// At most the last `n` bars.
    pub fn bars(&self, symbol: &str, interval: Interval, n: u32) -> Candles {
        let Some(all) = self.candles.get(&(interval == Interval::Day, symbol.to_owned())) else {
            return bars(symbol, self.day, &[]).truncated(0);
        };
        all.clone().truncated(n as usize)
    }
}

/// The name that the strategy under test goes by.
pub(super) const STRATEGY: &str = "mine";

/// Hours and minutes of the exchange's clock on a day.
pub(super) fn instant(day: Date, hour: i64, minute: i64) -> Instant {
    day::begins(day::number(day)) + (hour * 60 + minute) * MINUTE
}

fn is_weekday(day: Date) -> bool {
    // 1970-01-01 was a Thursday.
    (day::number(day) + 3).rem_euclid(7) < 5
}

/// The weekday before (-1) or after (1) a day.
fn weekday(day: Date, step: i64) -> Date {
    let mut other = day::date(day::number(day) + step);
    while !is_weekday(other) {
        other = day::date(day::number(other) + step);
    }
    other
}

/// A share of series EQ whose previous close is `previous_close` whole rupees: ticks of 0.05, lots of one, a band
/// of 20 % either way. Change what a test is about.
///
/// ```
/// use tradeagent_sdk::mock::instrument;
/// use tradeagent_sdk::monitor::market::Instrument;
/// let tcs = Instrument { tick: 1_000, ..instrument("TCS", 3_000) };
/// assert_eq!((tcs.tick, tcs.band_high), (1_000, 36_000_000));
/// ```
pub fn instrument(symbol: &str, previous_close: i64) -> Instrument {
    let close = Price::rupees(previous_close);
    Instrument {
        symbol: symbol.to_owned(),
        exchange: "NSE".to_owned(),
        isin: String::new(),
        series: "EQ".to_owned(),
        tick: 500,
        lot: 1,
        freeze: 0,
        band_low: close.minus(Percent::whole(20)).0,
        band_high: close.plus(Percent::whole(20)).0,
        previous_close: close.0,
        trade_to_trade: false,
        has_derivatives: false,
        extras: Vec::new(),
    }
}

/// Daily bars with these closes, oldest first, on consecutive weekdays up to and with `last`.
///
/// ```
/// use tradeagent_sdk::{day, mock, monitor::types::Date, price::Price};
/// let monday = Date { year: 2026, month: 1, day: 5 };
/// let bars = mock::bars("TCS", monday, &[Price::rupees(2_990), Price::rupees(3_000)]);
/// assert_eq!(bars.close, [29_900_000, 30_000_000]);
/// assert_eq!(day::number_at(bars.start[0]), day::number(monday) - 3, "the Friday before");
/// ```
pub fn bars(symbol: &str, last: Date, closes: &[Price]) -> Candles {
    let mut start = Vec::new();
    let mut day = last;
    for _ in closes {
        start.push(instant(day, 9, 15));
        day = weekday(day, -1);
    }
    start.reverse();
    let close: Vec<i64> = closes.iter().map(|price| price.0).collect();
    Candles {
        symbol: symbol.to_owned(),
        start,
        open: close.clone(),
        high: close.clone(),
        low: close.clone(),
        volume: vec![1_000_000; close.len()],
        close,
    }
}

impl Candles {
    /// Its last `n` bars.
    fn truncated(mut self, n: usize) -> Self {
        let first = self.start.len().saturating_sub(n);
        self.start.drain(..first);
        self.volume.drain(..first);
        for column in [&mut self.open, &mut self.high, &mut self.low, &mut self.close] {
            column.drain(..first);
        }
        self
    }
}
