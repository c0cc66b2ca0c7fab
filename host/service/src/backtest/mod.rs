//! One `trader` component, bar by bar, on the in-memory journal.
//!
//! Market orders fill at the next bar's open; one pending at the last bar is dropped. Charges, ticks,
//! bands and cash are looked at only when asked for. Every limit of the sandbox is on.

mod broker;
mod market;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::broker::Broker;
use ::market::Interval;
use ::market::bars::Bars;
use calendar::{AmoWindow, Calendar};
use journal::MemoryJournal;
use model::clock::SharedClock;
use model::{
    Account, Date, Exchange, Money, Origin, Price, Quantity, RunId, Side, StrategyName, Symbol, Timestamp,
};
use oms::{Blocking, Desk, DeskConfig, DeskError};
use runtime::{Bar, Feed, InlineInstance, Loaded, Mode, Outcome, RunInfo, RunResult, Services};

pub use self::broker::{BarBroker, Checks};
pub use self::market::BarMarket;
use crate::clock::ManualClock;
use crate::services::{HostServices, Sessions};

/// What a backtest is asked.
pub struct Backtest {
    /// The component, loaded by a deterministic runtime with the role `trader`.
    pub loaded: Loaded,
    /// Its name.
    pub name: StrategyName,
    /// The symbol of the bars.
    pub symbol: Symbol,
    /// The bars.
    pub bars: Arc<Bars>,
    /// Cash at the start.
    pub cash: Money,
    /// The component's parameters.
    pub params: BTreeMap<String, String>,
    /// What is checked beyond the rule itself.
    pub checks: Checks,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Cash and open quantity times the last close.
    pub final_equity: Money,
    /// Round trips from flat to flat.
    pub n_trades: u64,
    /// Orders that filled.
    pub fills: u64,
}

/// Why a backtest stopped.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// There is nothing to run on.
    #[error("there are no bars")]
    NoBars,
    /// The desk could not stand up or keep something.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The desk failed in the middle.
    #[error("at bar {bar}: {reason}")]
    Halted {
        /// Which bar, from 1.
        bar: usize,
        /// Why.
        reason: String,
    },
    /// The strategy stopped, or said it cannot go on.
    #[error("at bar {bar} ({at}): {reason}")]
    Strategy {
        /// Which bar, from 1.
        bar: usize,
        /// Its start.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

/// The position as fills make it.
#[derive(Debug, Default)]
struct Tally {
    cash: Money,
    held: i64,
    result: Summary,
}

impl Tally {
    fn fill(&mut self, side: Side, quantity: Quantity, price: Price) {
        let value = price * quantity;
        let shares = i64::from(quantity.get());
        match side {
            Side::Buy => {
                self.cash -= value;
                self.held += shares;
            }
            Side::Sell => {
                self.cash += value;
                self.held -= shares;
            }
        }
        self.result.fills += 1;
        self.result.n_trades += u64::from(self.held == 0);
    }
}

/// A backtest that stands ready: what [`Prepared::run`] takes is the bar loop alone.
pub struct Prepared {
    bars: Arc<Bars>,
    clock: Arc<ManualClock>,
    book: BarBroker,
    market: BarMarket,
    desk: Desk,
    instance: InlineInstance,
    info: RunInfo,
    cash: Money,
    step: i64,
}

impl Backtest {
    /// Puts desk, journal, book and instance in place.
    pub fn prepare(self) -> Result<Prepared, BacktestError> {
        if self.bars.is_empty() {
            return Err(BacktestError::NoBars);
        }
        let first = Timestamp::from_nanos(self.bars.start(0));
        let step =
            if self.bars.len() > 1 { self.bars.start(1) - self.bars.start(0) } else { model::time::MINUTE };
        let clock = ManualClock::at(first);
        let shared: SharedClock = clock.clone();
        let market = BarMarket::new(self.symbol.clone(), Arc::clone(&self.bars));
        let book = BarBroker::new(self.cash, self.checks);
        let mut config = DeskConfig::new(Account::from("backtest"));
        config.limits = model::risk::Limits::none();
        config.blocking = Blocking::Inline;
        config.charges = None;
        let account = config.account.clone();
        let desk = Desk::open(
            config,
            Box::new(MemoryJournal::bounded()),
            Arc::new(book.clone()) as Arc<dyn Broker>,
            Arc::clone(&shared),
            Arc::new(market.clone()),
        )?;
        let services: Arc<dyn Services> = Arc::new(HostServices {
            desk: desk.clone(),
            market: Arc::new(market.clone()),
            quotes: None,
            sessions: Sessions {
                calendar: Calendar::bundled(),
                exchange: Exchange::Nse,
                amo: AmoWindow::default(),
            },
            clock: shared,
            orders_per_day: BTreeMap::new(),
        });
        let info = RunInfo {
            id: RunId::from("backtest"),
            task: "backtest".to_owned(),
            origin: Origin {
                account,
                strategy: self.name,
                component: self.loaded.hash().clone(),
                run: RunId::from("backtest"),
                day: first.ist_date(),
            },
            scheduled: first,
            mode: Mode::Backtest,
            attempt: 1,
            for_session: None,
            feeds: Arc::from([Feed { symbol: self.symbol, interval: Interval::Minute }]),
            params: Arc::new(self.params),
        };
        let instance = InlineInstance::new(self.loaded, services, info.clone());
        Ok(Prepared { bars: self.bars, clock, book, market, desk, instance, info, cash: self.cash, step })
    }
}

impl Prepared {
    /// The bar loop.
    pub fn run(&mut self) -> Result<Summary, BacktestError> {
        let mut tally = Tally { cash: self.cash, ..Tally::default() };
        let bars = Arc::clone(&self.bars);
        let mut day_ends = Timestamp::from_nanos(i64::MIN);
        for at in 0..bars.len() {
            let bar = bars.get(at);
            // A bar is told when it has ended.
            let now = Timestamp::from_nanos(bar.start + self.step);
            if now >= day_ends {
                day_ends = self.begin_day(now.ist_date(), now);
            }
            self.clock.set(now);
            if self.book.meet(&bar, now) {
                self.take_ended(&mut tally, at)?;
            }
            self.market.set_seen(at + 1);
            let event = Bar {
                start: Timestamp::from_nanos(bar.start),
                open: Price::from_units(bar.open),
                high: Price::from_units(bar.high),
                low: Price::from_units(bar.low),
                close: Price::from_units(bar.close),
                volume: bar.volume,
            };
            self.instance.bar(now, 0, &event).map_err(|outcome| stopped(at, event.start, &outcome))?;
        }
        let last = Price::from_units(bars.close(bars.len() - 1));
        let held = Quantity::new(u32::try_from(tally.held.unsigned_abs()).unwrap_or(u32::MAX));
        let open = last * held;
        tally.cash -= self.book.charges();
        tally.result.final_equity = if tally.held < 0 { tally.cash - open } else { tally.cash + open };
        Ok(tally.result)
    }

    fn begin_day(&mut self, day: Date, now: Timestamp) -> Timestamp {
        self.info.origin.day = day;
        self.info.scheduled = now;
        self.instance.set_info(self.info.clone());
        Timestamp::at_ist(day, 0, 0).plus_minutes(24 * 60)
    }

    fn take_ended(&mut self, tally: &mut Tally, at: usize) -> Result<(), BacktestError> {
        for (order, trade) in self.book.take_ended() {
            if let Some(trade) = &trade {
                tally.fill(trade.side, trade.quantity, trade.price);
            }
            let trades = trade.as_slice();
            self.desk.absorb(std::slice::from_ref(&order), trades);
        }
        self.desk.halted().map_or(Ok(()), |reason| Err(BacktestError::Halted { bar: at + 1, reason }))
    }
}

fn stopped(at: usize, start: Timestamp, outcome: &Outcome) -> BacktestError {
    let reason = match &outcome.result {
        RunResult::Stopped(reason) => reason.to_string(),
        RunResult::Failed(_, reason) => reason.clone(),
        RunResult::Done(_) => "it ended".to_owned(),
    };
    BacktestError::Strategy { bar: at + 1, at: start, reason }
}
