use std::pin::pin;
use std::task::{Context, Poll, Waker};

use model::{Quantity, Series, Tick};

use super::*;
use crate::live::SourceError;
use crate::live::testkit::{FakeQuotes, HandClock, at, date, poll_once, run, rupees};
use crate::row::{Row, RowSource};
use crate::table::Table;

mod asking;

/// Thursday and Friday; shares without derivatives trade to 15:30.
const THURSDAY: &str = "2026-11-26";
const FRIDAY: &str = "2026-11-27";

struct World {
    market: LiveMarket,
    source: Arc<FakeQuotes>,
    clock: Arc<HandClock>,
    calendar: Calendar,
}

/// Bars of `names` for every session from 2 November through `last`, all at 100 rupees.
fn history(names: &[&str], last: &str, calendar: &Calendar) -> ReplayMarket {
    let mut table = Table::default();
    let series = table.series_index("EQ").expect("room");
    let price = rupees(100).units();
    let row = Row {
        open: price,
        high: price,
        low: price,
        close: price,
        prev_close: 0,
        volume: 1_000,
        series,
        source: RowSource::BrokerHistory,
    };
    for day in date("2026-11-02").iter_days().take_while(|day| *day <= date(last)) {
        if calendar.is_trading_day(Exchange::Nse, day).expect("known") {
            for name in names {
                table.insert_daily(name, "", day, row, false);
            }
        }
    }
    ReplayMarket::new(Arc::new(Dataset::build(table, calendar)), calendar.clone(), ReplayOptions::default())
}

impl World {
    /// Bars through Thursday, and the clock at `now`.
    fn new(now: Timestamp) -> Self {
        Self::with(now, LiveOptions::default())
    }

    fn with(now: Timestamp, options: LiveOptions) -> Self {
        let calendar = Calendar::bundled();
        let (source, clock) = (Arc::new(FakeQuotes::default()), Arc::new(HandClock::at(now)));
        let market = LiveMarket::new(
            history(&["AAA", "BBB"], THURSDAY, &calendar),
            source.clone(),
            calendar.clone(),
            clock.clone(),
            options,
        );
        Self { market, source, clock, calendar }
    }

    fn now(&self) -> Timestamp {
        model::Clock::now(&*self.clock)
    }

    fn put(&self, name: &str, last: i64) {
        self.source.put(name, last, Some(self.now()));
    }

    fn refresh(&self, names: &[&str]) {
        let symbols: Vec<Symbol> = names.iter().map(|name| Symbol::from(*name)).collect();
        run(self.market.refresh(&symbols)).expect("answered");
    }

    fn quote(&self, name: &str) -> Result<Quote, MarketError> {
        self.market.quote(&name.into(), self.now())
    }

    fn last(&self, name: &str) -> Price {
        self.quote(name).expect("a price").last
    }

    fn candles(&self, names: &[&str]) -> Result<Vec<Candles>, MarketError> {
        let symbols: Vec<Symbol> = names.iter().map(|name| Symbol::from(*name)).collect();
        self.market.candles(&symbols, Interval::Day, 30, self.now())
    }
}

#[test]
fn a_quote_is_a_price_for_ten_seconds_and_then_an_error() {
    let world = World::new(at(FRIDAY, 10, 0));
    assert_eq!(world.quote("AAA"), Err(MarketError::NoQuote { symbol: "AAA".into() }), "not yesterday's");
    assert!(matches!(world.quote("TYPO"), Err(MarketError::Unknown { .. })));
    world.put("AAA", 105);
    world.refresh(&["AAA"]);
    world.clock.pass_seconds(10);
    let quote = world.quote("AAA").expect("just fresh");
    assert_eq!((quote.last, quote.at, quote.volume), (rupees(105), at(FRIDAY, 10, 0), 500));
    world.clock.set(world.now().plus_nanos(1));
    let stale = world.quote("AAA").expect_err("too old");
    assert_eq!(stale, MarketError::StaleQuote { symbol: "AAA".into(), age_seconds: 11 });
    assert!(stale.is_stale() && stale.to_string().contains("11 s old"));
    world.put("AAA", 106);
    world.refresh(&["AAA"]);
    assert_eq!(world.last("AAA"), rupees(106));
}

#[test]
fn an_answer_that_took_long_is_as_old_as_its_question() {
    let world = World::new(at(FRIDAY, 10, 0));
    world.put("AAA", 105);
    world.source.hold(true);
    {
        let symbols = ["AAA".into()];
        let mut refresh = pin!(world.market.refresh(&symbols));
        let mut context = Context::from_waker(Waker::noop());
        assert!(refresh.as_mut().poll(&mut context).is_pending());
        world.clock.pass_seconds(11);
        world.source.hold(false);
        assert_eq!(refresh.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    }
    let stale = world.quote("AAA").expect_err("asked for 11 s ago");
    assert_eq!(stale, MarketError::StaleQuote { symbol: "AAA".into(), age_seconds: 11 });
}

#[test]
fn an_illiquid_share_keeps_its_price_and_a_dead_feed_is_noticed() {
    let options = LiveOptions { pulse: vec!["PULSE".into()], ..LiveOptions::default() };
    let world = World::with(at(FRIDAY, 12, 0), options);
    world.source.put("AAA", 105, Some(at(FRIDAY, 10, 30)));
    world.put("PULSE", 10);
    world.refresh(&["AAA"]);
    assert_eq!(world.source.asked.lock().expect("sound")[0].len(), 2, "the pulse rides along");
    let quote = world.quote("AAA").expect("an hour and a half without a trade is no fault");
    assert_eq!((quote.last, quote.at), (rupees(105), at(FRIDAY, 10, 30)));
    // Answers come, and say the same as ever.
    for second in [60, 120, 180, 240, 300] {
        world.clock.set(at(FRIDAY, 12, 0).plus_seconds(second));
        world.refresh(&["AAA"]);
        assert!(world.quote("AAA").is_ok(), "{second} s of silence");
    }
    world.clock.pass_seconds(1);
    world.refresh(&["AAA"]);
    let silent = MarketError::SilentFeed { exchange: Exchange::Nse, silent_seconds: 301 };
    assert_eq!(world.quote("AAA"), Err(silent), "every share of the exchange");
    world.put("PULSE", 11);
    world.clock.pass_seconds(6);
    world.refresh(&["AAA"]);
    assert!(world.quote("AAA").is_ok(), "it moves again");
}

#[test]
fn a_feed_gets_five_minutes_from_the_open_and_a_clock_ahead_gets_no_more() {
    let world = World::new(at(FRIDAY, 9, 20));
    world.source.put("AAA", 105, Some(at(THURSDAY, 15, 29)));
    world.refresh(&["AAA"]);
    assert_eq!(world.quote("AAA").expect("five minutes from the open").at, at(THURSDAY, 15, 29));
    world.clock.pass_seconds(1);
    world.refresh(&["AAA"]);
    assert!(matches!(world.quote("AAA"), Err(MarketError::SilentFeed { .. })));
    // A quote from the future counts as of now.
    world.source.put("AAA", 105, Some(at(FRIDAY, 15, 0)));
    world.refresh(&["AAA"]);
    assert!(world.quote("AAA").expect("fresh").at <= world.now());
    world.clock.pass_seconds(301);
    world.refresh(&["AAA"]);
    assert!(world.quote("AAA").is_ok(), "asked for now, and its time is not before now");
    // A feed without times is dead five minutes after the open.
    let world = World::new(at(FRIDAY, 9, 21));
    world.source.put("AAA", 105, None);
    world.refresh(&["AAA"]);
    assert!(matches!(world.quote("AAA"), Err(MarketError::SilentFeed { .. })));
}

#[test]
fn an_answer_older_than_the_one_kept_does_not_make_it_young() {
    let world = World::new(at(FRIDAY, 10, 0));
    world.put("AAA", 105);
    world.refresh(&["AAA"]);
    world.clock.pass_seconds(8);
    world.source.put("AAA", 99, Some(at(FRIDAY, 9, 59)));
    world.refresh(&["AAA"]);
    assert_eq!(world.last("AAA"), rupees(105), "never back in time");
    world.clock.pass_seconds(3);
    assert!(matches!(world.quote("AAA"), Err(MarketError::StaleQuote { age_seconds: 11, .. })));
    world.source.put("AAA", 0, Some(world.now()));
    world.source.put("BBB", 7, Some(world.now()));
    world.refresh(&["AAA"]);
    assert!(world.quote("AAA").is_err(), "no price is no quote");
    assert!(world.quote("BBB").is_err(), "not asked for");
}

#[test]
fn at_rest_the_last_sessions_price_holds_and_no_other() {
    let world = World::new(at(FRIDAY, 9, 0));
    let quote = world.quote("AAA").expect("Thursday's close");
    assert_eq!((quote.last, quote.at), (rupees(100), at(THURSDAY, 15, 30)), "as a replay shows it");
    // A price of the morning is not the price of the evening, nor is yesterday's close.
    world.clock.set(at(FRIDAY, 11, 0));
    world.put("AAA", 105);
    world.refresh(&["AAA"]);
    world.clock.set(at(FRIDAY, 15, 45));
    assert!(matches!(world.quote("AAA"), Err(MarketError::StaleQuote { .. })));
    assert!(
        matches!(world.quote("BBB"), Err(MarketError::Stale { last_seen, .. }) if last_seen == date(THURSDAY))
    );
    // Asked for after the end it holds over the weekend.
    world.source.put("AAA", 107, Some(at(FRIDAY, 15, 29)));
    run(world.market.ensure_fresh(&"AAA".into())).expect("answered");
    for now in [at(FRIDAY, 15, 45), at("2026-11-29", 12, 0), at("2026-11-30", 9, 14)] {
        world.clock.set(now);
        assert_eq!(world.last("AAA"), rupees(107), "{now}");
    }
    world.clock.set(at("2026-11-30", 9, 15));
    assert!(matches!(world.quote("AAA"), Err(MarketError::StaleQuote { .. })), "the next session has begun");
}

#[test]
fn a_price_of_a_dead_feed_is_not_the_last_one_of_the_day() {
    let world = World::new(at(FRIDAY, 16, 0));
    world.source.put("AAA", 105, Some(at(FRIDAY, 11, 0)));
    world.refresh(&["AAA"]);
    assert!(matches!(world.quote("AAA"), Err(MarketError::SilentFeed { silent_seconds: 16_200, .. })));
}

#[test]
fn the_days_own_bar_takes_over_half_an_hour_after_the_close() {
    let world = World::new(at(FRIDAY, 15, 45));
    world.put("AAA", 107);
    world.refresh(&["AAA"]);
    world.market.set_history(history(&["AAA", "BBB"], FRIDAY, &world.calendar));
    assert_eq!(world.last("AAA"), rupees(107));
    assert_eq!(world.last("BBB"), rupees(100), "the bar is there, though not in the candles yet");
    assert_eq!(world.candles(&["AAA"]).expect("ready")[0].len(), 17);
    world.clock.set(at(FRIDAY, 16, 0));
    assert_eq!(world.last("AAA"), rupees(100));
    assert_eq!(world.candles(&["AAA"]).expect("ready")[0].len(), 18);
}

#[test]
fn old_bars_are_refused_with_the_count() {
    let world = World::new(at(FRIDAY, 9, 0));
    let names = ["AAA", "BBB", "C", "D", "E", "F", "G", "H", "I", "J"];
    let mut all = history(&names, FRIDAY, &world.calendar);
    // Friday evening with bars through Thursday: nobody has Friday's.
    world.clock.set(at(FRIDAY, 16, 30));
    let error = world.candles(&["AAA", "BBB"]).expect_err("Thursday's bars");
    assert_eq!(error, MarketError::StaleHistory { stale: 2, of: 2, last: date(FRIDAY) });
    assert!(error.to_string().contains("2 of 2 shares") && error.to_string().contains("data update"));
    assert!(matches!(world.candles(&["AAA"]), Err(MarketError::StaleHistory { stale: 1, of: 1, .. })));
    let everything = InstrumentFilter::default();
    let refused = world.market.instruments(&everything, world.now());
    assert!(matches!(refused, Err(MarketError::StaleHistory { stale: 2, .. })), "{refused:?}");
    // Half past the close counts, not the close.
    world.clock.set(at(FRIDAY, 15, 59));
    assert!(world.candles(&["AAA", "BBB"]).is_ok());
    world.clock.set(at(FRIDAY, 16, 30));
    world.market.set_history(all);
    assert!(world.candles(&names).is_ok());
    // One of nine lacks it (11 %): a single one is let pass; two of eleven (18 %) are not; one of one is not.
    let mut asked: Vec<&str> = names[..8].to_vec();
    asked.push("NIL");
    assert!(world.candles(&asked).expect("one lacks it")[8].is_empty());
    let mut asked = names.to_vec();
    asked.extend(["NIL"]);
    assert!(world.candles(&asked).is_ok());
    asked[0] = "NULL";
    assert!(matches!(world.candles(&asked), Err(MarketError::StaleHistory { stale: 2, of: 11, .. })));
    assert!(matches!(world.candles(&["NIL"]), Err(MarketError::StaleHistory { stale: 1, of: 1, .. })));
    let minutes = world.market.candles(&["AAA".into()], Interval::Minute, 5, world.now());
    assert_eq!(minutes, Err(MarketError::NoMinutes));
    all = history(&names, THURSDAY, &world.calendar);
    world.market.set_history(all);
    let ready = world.market.readiness(&["AAA".into(), "NIL".into()], world.now()).expect("known");
    assert_eq!((ready.fresh, ready.stale.len(), ready.missing.len()), (0, 1, 1));
    assert_eq!(
        ready.to_string(),
        "0 of 2 shares have the bar of 2026-11-27, behind: 1 (the furthest is AAA, last on 2026-11-26, sessions since: 1), without bars: 1: run `tradeagent data update --config CONFIG`"
    );
}

#[test]
fn instruments_are_the_brokers_of_today() {
    let world = World::new(at(FRIDAY, 10, 0));
    let announced = |name: &str, series: &str| Instrument {
        symbol: name.into(),
        exchange: Exchange::Nse,
        isin: "INE1".into(),
        series: Series(series.into()),
        tick: Tick::PAISA,
        lot: Quantity::new(1),
        freeze: Quantity::new(900),
        band: (rupees(95), rupees(105)),
        previous_close: rupees(100),
        has_derivatives: false,
    };
    let everything = InstrumentFilter::default();
    let names = |filter: &InstrumentFilter| {
        let found = world.market.instruments(filter, world.now()).expect("known");
        found.iter().map(|it| it.symbol.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&everything), "AAA BBB", "without a list, those with bars");
    world.market.set_instruments(date(FRIDAY), vec![announced("NEW", "BE"), announced("AAA", "EQ")]);
    assert_eq!(world.market.instruments_session(), Some(date(FRIDAY)));
    assert_eq!(names(&everything), "AAA NEW");
    assert_eq!(names(&InstrumentFilter { series: vec!["BE".into()], ..everything.clone() }), "NEW");
    assert_eq!(names(&InstrumentFilter { symbols: vec!["AAA".into()], ..everything.clone() }), "AAA");
    assert_eq!(names(&InstrumentFilter { exchange: Some(Exchange::Bse), ..everything }), "");
    let instrument = |name: &str| world.market.instrument(&name.into(), world.now()).expect("known");
    assert_eq!(instrument("AAA"), announced("AAA", "EQ"));
    assert_eq!(instrument("BBB").freeze, Quantity::ZERO, "not in the list: from the bars");
    assert!(matches!(world.quote("NEW"), Err(MarketError::NoQuote { .. })), "known, and not quoted yet");
}

#[test]
fn on_the_morning_of_a_split_bars_and_quotes_are_in_the_same_terms() {
    let world = World::new(at(FRIDAY, 9, 30));
    let closes = || world.candles(&["AAA"]).expect("ready")[0].close.clone();
    let old = rupees(100).units();
    world.put("AAA", 20);
    world.refresh(&["AAA"]);
    assert!(closes().iter().all(|close| *close == old / 5), "the stated previous close is 20");
    // Small differences are left to the file of the day.
    world.put("AAA", 20);
    world.source.change("AAA", |quote| quote.previous_close = rupees(96));
    world.refresh(&["AAA"]);
    assert!(closes().iter().all(|close| *close == old));
    // A quote that has not traded today says nothing about today.
    world.source.change("AAA", |quote| (quote.previous_close, quote.volume) = (rupees(20), 0));
    world.refresh(&["AAA"]);
    assert!(closes().iter().all(|close| *close == old));
}

#[test]
fn bars_are_taken_from_the_folder_when_they_change() {
    let world = World::new(at(FRIDAY, 16, 30));
    let dir = tempfile::tempdir().expect("a folder");
    assert!(world.market.reload(dir.path()).is_err());
    assert!(world.market.history().data().history("AAA").is_some(), "the bars shown stay");
    for name in ["AAA", "BBB"] {
        world.source.put(name, 107, Some(at(FRIDAY, 15, 29)));
    }
    let shares = crate::live::testkit::listed(&["AAA", "BBB"]);
    let closing =
        crate::live::close(dir.path(), &shares, date(FRIDAY), &world.calendar, &*world.source, &*world.clock);
    run(closing).expect("over");
    world.market.reload(dir.path()).expect("readable");
    assert_eq!(world.last("AAA"), rupees(107));
    let ready = world.market.readiness(&["AAA".into(), "BBB".into()], world.now()).expect("known");
    assert_eq!((ready.fresh, ready.provisional), (2, 2), "{ready}");
}

#[test]
fn its_futures_can_cross_threads() {
    fn sendable<T: Send>(_: &T) {}
    let world = World::new(at(FRIDAY, 10, 0));
    let (symbol, symbols) = ("AAA".into(), ["AAA".into()]);
    sendable(&world.market.refresh(&symbols));
    sendable(&world.market.ensure_fresh(&symbol));
    let source = crate::live::testkit::FakeHistory::default();
    let mut ignore = |_: crate::live::UpdateProgress<'_>| {};
    let updating = crate::live::update(
        std::path::Path::new("nowhere"),
        &[],
        &world.calendar,
        &source,
        &*world.clock,
        crate::live::UpdateOptions::default(),
        &mut ignore,
    );
    sendable(&updating);
    assert!(poll_once(updating).expect("at once").is_err());
}
