//! A clock by hand, sources that say what a test tells them, and an executor that can drop a future midway.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use model::{BoxFuture, Clock, Date, Price, Symbol, Timestamp};

use super::port::{DailyBar, HistorySource, Listed, LiveQuote, QuoteSource, SourceError};

pub fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

pub fn rupees(rupees: i64) -> Price {
    Price::from_rupees(rupees)
}

pub fn at(day: &str, hour: u32, minute: u32) -> Timestamp {
    Timestamp::at_ist(date(day), hour, minute)
}

pub fn listed(names: &[&str]) -> Vec<Listed> {
    names.iter().map(|name| Listed::by_name(Symbol::from(*name))).collect()
}

/// Runs a future that needs no one else; panics when it waits for something that never comes.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    poll_once(future).expect("nothing to wait for")
}

/// The result, or none where the future waits: it is then dropped, as by a kill.
pub fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// A clock that stands until it is set; waiting sets it.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.nanos()))
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.nanos(), Ordering::SeqCst);
    }

    pub fn pass_seconds(&self, seconds: i64) {
        self.set(self.now().plus_seconds(seconds));
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        self.set(self.now().max(at));
        Box::pin(std::future::ready(()))
    }
}

/// A broker's candles.
#[derive(Default)]
pub struct FakeHistory {
    pub bars: Mutex<BTreeMap<Symbol, BTreeMap<Date, DailyBar>>>,
    /// Every request.
    pub asked: Mutex<Vec<(Symbol, Date, Date)>>,
    /// Errors of the next requests, before anything else is answered.
    pub errors: Mutex<VecDeque<SourceError>>,
    /// From this request on (counted from 0) no answer ever comes.
    pub silent_from: Mutex<Option<usize>>,
}

impl FakeHistory {
    /// Of every share, a bar for each of `dates` with its close given by `close`.
    pub fn with(names: &[&str], dates: &[Date], close: impl Fn(&str, Date) -> Price) -> Self {
        let fake = Self::default();
        for name in names {
            for date in dates {
                fake.put(name, *date, close(name, *date));
            }
        }
        fake
    }

    pub fn put(&self, name: &str, date: Date, close: Price) {
        let bar = DailyBar { date, open: close, high: close, low: close, close, volume: 1_000 };
        self.bars.lock().expect("sound").entry(Symbol::from(name)).or_default().insert(date, bar);
    }

    pub fn requests(&self) -> usize {
        self.asked.lock().expect("sound").len()
    }
}

impl HistorySource for FakeHistory {
    fn daily<'a>(
        &'a self,
        symbol: &'a Symbol,
        from: Date,
        to: Date,
    ) -> BoxFuture<'a, Result<Vec<DailyBar>, SourceError>> {
        let number = {
            let mut asked = self.asked.lock().expect("sound");
            asked.push((symbol.clone(), from, to));
            asked.len() - 1
        };
        assert!((to - from).num_days() < super::HISTORY_DAYS_MAX && from <= to, "{from}..{to}");
        if self.silent_from.lock().expect("sound").is_some_and(|from| number >= from) {
            return Box::pin(std::future::pending());
        }
        if let Some(error) = self.errors.lock().expect("sound").pop_front() {
            return Box::pin(std::future::ready(Err(error)));
        }
        let bars = self.bars.lock().expect("sound");
        let found: Vec<DailyBar> = bars
            .get(symbol)
            .into_iter()
            .flat_map(|bars| bars.range(from..=to))
            .map(|(_, bar)| *bar)
            .collect();
        let answer = if found.is_empty() { Err(SourceError::NoData) } else { Ok(found) };
        Box::pin(std::future::ready(answer))
    }
}

/// A broker's quotes.
#[derive(Default)]
pub struct FakeQuotes {
    pub quotes: Mutex<BTreeMap<Symbol, LiveQuote>>,
    /// Every request.
    pub asked: Mutex<Vec<Vec<Symbol>>>,
    /// Errors of the next requests.
    pub errors: Mutex<VecDeque<SourceError>>,
    /// While set, answers do not come.
    pub is_held: Mutex<bool>,
}

impl FakeQuotes {
    /// A quote of `name` at `last` rupees, of a trade at `time`.
    pub fn put(&self, name: &str, last: i64, time: Option<Timestamp>) -> LiveQuote {
        let quote = LiveQuote {
            symbol: Symbol::from(name),
            last: rupees(last),
            open: rupees(last - 1),
            high: rupees(last + 2),
            low: rupees(last - 2),
            previous_close: rupees(last),
            volume: 500,
            exchange_time: time,
        };
        self.quotes.lock().expect("sound").insert(quote.symbol.clone(), quote.clone());
        quote
    }

    pub fn change(&self, name: &str, change: impl Fn(&mut LiveQuote)) {
        change(self.quotes.lock().expect("sound").get_mut(name).expect("put before"));
    }

    pub fn requests(&self) -> usize {
        self.asked.lock().expect("sound").len()
    }

    pub fn hold(&self, held: bool) {
        *self.is_held.lock().expect("sound") = held;
    }
}

impl QuoteSource for FakeQuotes {
    fn quotes<'a>(&'a self, symbols: &'a [Symbol]) -> BoxFuture<'a, Result<Vec<LiveQuote>, SourceError>> {
        assert!((1..=super::QUOTES_MAX).contains(&symbols.len()), "{}", symbols.len());
        self.asked.lock().expect("sound").push(symbols.to_vec());
        Box::pin(std::future::poll_fn(move |_| {
            if *self.is_held.lock().expect("sound") {
                return Poll::Pending;
            }
            if let Some(error) = self.errors.lock().expect("sound").pop_front() {
                return Poll::Ready(Err(error));
            }
            let quotes = self.quotes.lock().expect("sound");
            Poll::Ready(Ok(symbols.iter().filter_map(|symbol| quotes.get(symbol)).cloned().collect()))
        }))
    }
}
