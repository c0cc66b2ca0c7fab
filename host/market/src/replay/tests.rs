use model::Side;
use proptest::prelude::*;

use super::*;
use crate::row::{MinuteRow, Row, RowSource};
use crate::table::Table;

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

fn price(text: &str) -> Price {
    text.parse().expect("a price")
}

/// A week of `ABC` with a 2:1 split on Wednesday, of `OLD` that stops on Monday, and real minutes of `MIN`.
fn table(closes: [i64; 5]) -> Table {
    let mut table = Table::default();
    let eq = table.series_index("EQ").expect("room");
    let week = ["2025-03-03", "2025-03-04", "2025-03-05", "2025-03-06", "2025-03-07"].map(date);
    let mut before = 400 * 10_000;
    for (at, (day, close)) in week.into_iter().zip(closes).enumerate() {
        let close = close * 10_000;
        let prev_close = if at == 2 { before / 2 } else { before };
        let row = |close: i64| Row {
            open: close,
            high: close + 40_000,
            low: close - 20_000,
            close: close + 10_000,
            prev_close,
            volume: 375_000,
            series: eq,
            source: RowSource::ExchangeFile,
        };
        table.insert_daily("ABC", "INE1", day, row(close), true);
        if at == 0 {
            table.insert_daily("OLD", "", day, row(close), true);
        }
        before = close + 10_000;
    }
    for minute in [0_i64, 1, 4] {
        let start = Timestamp::at_ist(week[4], 9, 15).plus_minutes(minute).nanos();
        let base = 1_000_000 + minute * 10_000;
        let row =
            MinuteRow { open: base, high: base + 5_000, low: base - 5_000, close: base + 1_000, volume: 10 };
        table.insert_minute("MIN", start, row);
    }
    table
}

const CLOSES: [i64; 5] = [400, 410, 205, 207, 208];

fn market(closes: [i64; 5]) -> ReplayMarket {
    let calendar = Calendar::bundled();
    let data = Dataset::build(table(closes), &calendar);
    ReplayMarket::new(Arc::new(data), calendar, ReplayOptions::default())
}

fn at(day: &str, hour: u32, minute: u32) -> Timestamp {
    Timestamp::at_ist(date(day), hour, minute)
}

fn abc() -> Symbol {
    Symbol::from("ABC")
}

fn closes(market: &ReplayMarket, now: Timestamp) -> Vec<i64> {
    let candles = market.candles(&[abc()], Interval::Day, 10, now).expect("bounded");
    candles[0].close.iter().map(|close| close / 100).collect()
}

#[test]
fn a_day_is_seen_as_it_passes() {
    let market = market(CLOSES);
    let quote = |now| market.quote(&abc(), now).expect("a quote");
    let early = quote(at("2025-03-04", 9, 0));
    assert_eq!(
        (early.last, early.at),
        (price("401"), at("2025-03-03", 15, 30)),
        "the close, with its own time"
    );
    let open = quote(at("2025-03-04", 9, 15));
    assert_eq!((open.last, open.at, open.volume), (price("410"), at("2025-03-04", 9, 15), 0));
    assert_eq!((open.high, open.low, open.previous_close), (price("410"), price("410"), price("401")));
    let low = quote(at("2025-03-04", 9, 15).plus_minutes(125).plus_seconds(59));
    assert_eq!((low.last, low.high, low.volume), (price("408"), price("410"), 125_000));
    let after = quote(at("2025-03-04", 15, 45));
    assert_eq!((after.last, after.high, after.volume), (price("411"), price("414"), 375_000));
    assert_eq!(after.at, at("2025-03-04", 15, 30));
}

#[test]
fn a_days_own_bar_comes_half_an_hour_after_the_close() {
    let market = market(CLOSES);
    assert_eq!(closes(&market, at("2025-03-04", 15, 59)), [40_100]);
    assert_eq!(closes(&market, at("2025-03-04", 16, 0)), [40_100, 41_100]);
    let minutes = market.candles(&[abc()], Interval::Minute, 400, at("2025-03-04", 9, 17)).expect("bounded");
    assert_eq!(minutes[0].len(), 377, "yesterday's and two of today");
    assert_eq!(minutes[0].start[376], at("2025-03-04", 9, 16).nanos());
}

#[test]
fn a_split_counts_from_its_open() {
    let market = market(CLOSES);
    let before = at("2025-03-05", 9, 14);
    assert_eq!(closes(&market, before), [40_100, 41_100]);
    assert_eq!(market.quote(&abc(), before).expect("a quote").last, price("411"));
    let open = at("2025-03-05", 9, 15);
    assert_eq!(closes(&market, open), [20_050, 20_550]);
    let quote = market.quote(&abc(), open).expect("a quote");
    assert_eq!((quote.last, quote.previous_close), (price("205"), price("205.50")));
    assert_eq!(closes(&market, at("2025-03-06", 16, 0)), [20_050, 20_550, 20_600, 20_800]);
    let volumes = market.candles(&[abc()], Interval::Day, 3, at("2025-03-06", 9, 0)).expect("bounded")[0]
        .volume
        .clone();
    assert_eq!(volumes, [750_000, 750_000, 375_000]);
    let minutes = market.candles(&[abc()], Interval::Minute, 2, open.plus_minutes(1)).expect("bounded");
    assert_eq!(minutes[0].close[0], 2_055_000, "yesterday's last minute in today's terms");
    let factor = market.corporate_action(&abc(), date("2025-03-05")).expect("a split");
    assert_eq!((factor.numerator, factor.denominator), (1, 2));
    assert_eq!(market.corporate_action(&abc(), date("2025-03-06")), None);
}

#[test]
fn instruments_are_those_of_the_session_before() {
    let market = market(CLOSES);
    let all = |now| market.instruments(&InstrumentFilter::default(), now).expect("known");
    let names = |now| all(now).into_iter().map(|i| i.symbol.to_string()).collect::<Vec<_>>();
    assert_eq!(names(at("2025-03-03", 12, 0)), [""; 0], "nothing was before the first session");
    assert_eq!(names(at("2025-03-04", 12, 0)), ["ABC", "OLD"]);
    assert_eq!(names(at("2025-03-05", 8, 0)), ["ABC"]);
    // After Tuesday's close the instrument is Wednesday's: the split is not known yet.
    let evening = market.instrument(&abc(), at("2025-03-04", 16, 5)).expect("known");
    assert_eq!((evening.previous_close, evening.band), (price("411"), (price("328.80"), price("493.20"))));
    let morning = market.instrument(&abc(), at("2025-03-05", 9, 15)).expect("known");
    assert_eq!((morning.previous_close, morning.band), (price("205.50"), (price("164.40"), price("246.60"))));
    assert_eq!(market.instrument_on(&abc(), date("2025-03-05")), Some(morning));
    assert_eq!(market.instrument_on(&abc(), date("2025-03-03")), None);
    let other = InstrumentFilter { series: vec!["BE".into()], ..InstrumentFilter::default() };
    assert_eq!(market.instruments(&other, at("2025-03-05", 8, 0)), Ok(vec![]));
}

#[test]
fn what_is_unknown_stale_or_too_much_is_said() {
    let market = market(CLOSES);
    let old = Symbol::from("OLD");
    assert!(market.quote(&old, at("2025-03-04", 9, 0)).is_ok(), "the session before");
    let stale = market.quote(&old, at("2025-03-05", 9, 0)).expect_err("two sessions ago");
    assert_eq!(stale, MarketError::Stale { symbol: old, last_seen: date("2025-03-03") });
    assert!(market.quote(&abc(), at("2025-03-11", 9, 0)).is_ok(), "one session without data may lie between");
    assert!(matches!(market.quote(&abc(), at("2025-03-12", 9, 0)), Err(MarketError::Stale { .. })));
    assert!(matches!(market.quote(&abc(), at("2025-03-01", 9, 0)), Err(MarketError::TooEarly { .. })));
    let typo = Symbol::from("ABCD");
    assert!(matches!(market.quote(&typo, at("2025-03-04", 9, 0)), Err(MarketError::Unknown { .. })));
    assert!(
        market.candles(&[typo], Interval::Day, 5, at("2025-03-05", 9, 0)).expect("bounded")[0].is_empty()
    );
    let many = market.candles(&[abc()], Interval::Day, 5_001, at("2025-03-05", 9, 0));
    assert!(matches!(many, Err(MarketError::TooMany { .. })));
}

#[test]
fn real_minutes_take_the_place_of_the_path() {
    let market = market(CLOSES);
    let (symbol, day) = (Symbol::from("MIN"), date("2025-03-07"));
    let bar = market.minute(&symbol, day, 1).expect("traded");
    assert_eq!((bar.open, bar.close, bar.volume), (price("101"), price("101.10"), 10));
    assert_eq!(market.minute(&symbol, day, 2), None, "nothing traded");
    assert_eq!(market.minute(&symbol, day, 375), None);
    assert_eq!(market.auction_price(&symbol, day), Some(price("104.10")));
    let day = market.data().history("MIN").and_then(|history| market.day(history, 4)).expect("its day");
    let seen = |minutes| {
        let seen = day.seen_at(at("2025-03-07", 9, 15).plus_minutes(minutes));
        seen.map(|seen| seen.quote(&symbol, Price::ZERO))
    };
    assert!(seen(-1).is_none());
    let first = seen(0).expect("opened");
    assert_eq!((first.last, first.high, first.volume), (price("100"), price("100"), 0));
    let third = seen(3).expect("open");
    assert_eq!((third.last, third.at), (price("101.10"), at("2025-03-07", 9, 17)));
    assert_eq!((third.high, third.low, third.volume), (price("101.50"), price("99.50"), 20));
}

#[test]
fn a_sides_best_case_never_beats_the_days_range() {
    // What the exchange trades at and what a watcher sees are the same path.
    let market = market(CLOSES);
    for side in [Side::Buy, Side::Sell] {
        for minute in 0..375 {
            let bar = market.minute(&abc(), date("2025-03-06"), minute).expect("trades");
            let quote =
                market.quote(&abc(), at("2025-03-06", 9, 15).plus_minutes(i64::from(minute))).expect("open");
            assert_eq!(quote.last, bar.open);
            let best = if side == Side::Buy { bar.low } else { bar.high };
            assert!(best >= price("205") && best <= price("211"));
        }
    }
}

proptest! {
    /// Whatever happens on later days, nothing seen before them changes.
    #[test]
    fn the_future_is_not_visible(
        cut in 1_usize..5, later in prop::collection::vec(150_i64..600, 5), minutes in 0_i64..(24 * 60),
    ) {
        let mut other = CLOSES;
        for (at, close) in later.into_iter().enumerate().skip(cut) {
            other[at] = close;
        }
        let (one, two) = (market(CLOSES), market(other));
        // Any instant up to the open of the first day that differs.
        let days = ["2025-03-03", "2025-03-04", "2025-03-05", "2025-03-06", "2025-03-07"];
        let now = at(days[cut], 9, 14).plus_minutes(-minutes);
        prop_assert_eq!(one.quote(&abc(), now), two.quote(&abc(), now));
        prop_assert_eq!(one.instrument(&abc(), now), two.instrument(&abc(), now));
        let all = InstrumentFilter::default();
        prop_assert_eq!(one.instruments(&all, now), two.instruments(&all, now));
        for interval in [Interval::Day, Interval::Minute] {
            prop_assert_eq!(one.candles(&[abc()], interval, 1_000, now), two.candles(&[abc()], interval, 1_000, now));
        }
    }
}
