use model::{Symbol, Tick, Timestamp};

use super::*;
use crate::replay::{ReplayMarket, ReplayOptions};
use crate::view::{InstrumentFilter, Interval, Market, PriceSource};

/// Wilder's RSI over closes.
fn rsi(closes: &[f64], n: usize) -> f64 {
    let changes: Vec<f64> = closes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = |sign: f64| changes[..n].iter().map(|change| (change * sign).max(0.0)).sum::<f64>() / n as f64;
    let (mut gain, mut loss) = (mean(1.0), mean(-1.0));
    for change in &changes[n..] {
        gain = (gain * (n as f64 - 1.0) + change.max(0.0)) / n as f64;
        loss = (loss * (n as f64 - 1.0) + (-change).max(0.0)) / n as f64;
    }
    if loss == 0.0 { 100.0 } else { 100.0 - 100.0 / (1.0 + gain / loss) }
}

fn ema(closes: &[f64], n: usize) -> f64 {
    let alpha = 2.0 / (n as f64 + 1.0);
    closes[1..].iter().fold(closes[0], |ema, close| ema + (close - ema) * alpha)
}

struct Close {
    closes: Vec<f64>,
    volumes: Vec<f64>,
}

fn at_close(symbol: &str, date: Date) -> Option<Close> {
    let data = Dataset::demo();
    let history = data.history(symbol)?;
    let session = data.sessions(Exchange::Nse).index_of(date)?;
    history.row_of(session)?;
    let rows = history.rows_through(session);
    Some(Close {
        closes: history.close[..rows].iter().map(|close| *close as f64 / 10_000.0).collect(),
        volumes: history.volume[..rows].iter().map(|volume| *volume as f64).collect(),
    })
}

/// The buy screen: oversold above the EMA200 (or deeply below it), enough volume, enough history.
fn qualifies(symbol: &str, date: Date) -> bool {
    let Some(Close { closes, volumes }) = at_close(symbol, date) else { return false };
    if closes.len() < 200 {
        return false;
    }
    let (rsi, trend, last) = (rsi(&closes, 10), ema(&closes, 200), closes[closes.len() - 1]);
    let volume = volumes[volumes.len() - 1];
    let mean = volumes.iter().rev().take(50).sum::<f64>() / 50.0;
    let oversold = if last > trend { rsi < 30.0 } else { rsi < 20.0 };
    oversold && volume >= mean && volume >= 150_000.0 && last >= 50.0
}

#[test]
fn each_close_offers_exactly_its_share() {
    for (date, expected) in [(DAY0, BOUGHT_AFTER_DAY0), (DAY1, BOUGHT_AFTER_DAY1)] {
        let found: Vec<&str> =
            CAST.iter().map(|role| role.symbol).filter(|symbol| qualifies(symbol, date)).collect();
        assert_eq!(found, [expected], "{date}");
        let Close { closes, .. } = at_close(expected, date).expect("traded");
        let rsi = rsi(&closes, 10);
        assert!((10.0..27.0).contains(&rsi), "clear of the line: {rsi}");
        assert!(closes[closes.len() - 1] > ema(&closes, 200) * 1.02, "clear of the EMA200");
    }
    let Close { closes, .. } = at_close(BOUGHT_AFTER_DAY1, DAY0).expect("traded");
    assert!(rsi(&closes, 10) > 33.0, "not yet on day 0: {}", rsi(&closes, 10));
    let Close { closes, .. } = at_close("DEMOETA", DAY0).expect("traded");
    assert!(rsi(&closes, 10) < 30.0, "only its volume keeps it out");
}

#[test]
fn day_1_opens_below_the_after_market_limit() {
    let market = ReplayMarket::new(Dataset::demo(), Calendar::bundled(), ReplayOptions::default());
    let symbol = Symbol::from(BOUGHT_AFTER_DAY0);
    let close = market.auction_price(&symbol, DAY0).expect("traded");
    let instrument = market.instrument(&symbol, Timestamp::at_ist(DAY0, 16, 5)).expect("known");
    let limit = instrument.tick.round_down(close.plus_bps(100));
    assert!(limit <= instrument.band.1);
    let open = market.minute(&symbol, DAY1, 0).expect("trades").open;
    assert!(open < limit && open > close, "{close} {open} {limit}");
}

#[test]
fn the_held_share_is_sold_by_a_lowered_target() {
    let market = ReplayMarket::new(Dataset::demo(), Calendar::bundled(), ReplayOptions::default());
    let symbol = Symbol::from(SEEDED_SYMBOL);
    let Close { closes, .. } = at_close(SEEDED_SYMBOL, DAY0).expect("traded");
    let ema9 = ema(&closes, 9);
    let tick: Tick = market.instrument(&symbol, Timestamp::at_ist(DAY1, 9, 15)).expect("known").tick;
    let (mut lowest, mut first, mut lowered, mut sold) = (None::<Price>, None, 0, None);
    for minute in 0..375_i64 {
        let now = Timestamp::at_ist(DAY1, 9, 15).plus_minutes(minute);
        let last = market.quote(&symbol, now).expect("a quote").last.as_rupees_f64();
        let target = tick.round_up(Price::from_rupees_f64(0.2 * last + 0.8 * ema9).expect("a price"));
        first.get_or_insert(target);
        if lowest.is_none_or(|lowest| target < lowest) {
            lowered += i32::from(lowest.is_some());
            lowest = Some(target);
        }
        let bar = market.minute(&symbol, DAY1, minute as u32).expect("trades");
        if sold.is_none() && lowest.is_some_and(|limit| bar.high >= limit) {
            sold = Some((minute, lowest));
        }
    }
    let (minute, at) = sold.expect("the target is reached");
    assert!(lowered >= 3 && minute > 125 && minute < 300, "{lowered} {minute}");
    assert!(at < first, "sold at a lower target than the first");
    let (at, entry) = (at.expect("set").as_rupees_f64(), SEEDED_ENTRY_PRICE.as_rupees_f64());
    assert!(at > entry * 0.95, "never more than 5 % under entry");
    assert!(at > entry * 1.005 && at < entry * 1.05, "a modest profit: {entry} {at}");
}

#[test]
fn the_demo_is_whole_and_always_the_same() {
    let data = Dataset::demo();
    let summary = data.summary();
    assert_eq!((summary.sessions, summary.symbols), (WARM_UP_SESSIONS as u64 + 2, CAST.len() as u64));
    assert_eq!((summary.gaps.len(), summary.factors.len(), summary.inferred_factors.len()), (0, 0, 0));
    let dates = &data.sessions(Exchange::Nse).dates;
    assert_eq!(dates[WARM_UP_SESSIONS..], [DAY0, DAY1]);
    for history in data.histories() {
        assert!(history.symbol.as_str().starts_with("DEMO"));
        for row in 0..history.close.len() {
            let (open, high, low, close) =
                (history.open[row], history.high[row], history.low[row], history.close[row]);
            assert_eq!(crate::row::check_bar(open, high, low, close, history.volume[row]), Ok(()));
        }
    }
    let (again, one) = (Dataset::demo(), data.history(BOUGHT_AFTER_DAY0).expect("there"));
    assert_eq!(again.history(BOUGHT_AFTER_DAY0).expect("there").close, one.close);
    let market = ReplayMarket::new(data.clone(), Calendar::bundled(), ReplayOptions::default());
    let now = Timestamp::at_ist(DAY0, 16, 5);
    let listed = market.instruments(&InstrumentFilter::default(), now).expect("known");
    assert_eq!(listed.len(), CAST.len() - 1, "the suspended one is not offered");
    let symbols = [Symbol::from(BOUGHT_AFTER_DAY0)];
    let candles = market.candles(&symbols, Interval::Day, 5_000, now).expect("bounded");
    assert_eq!(candles[0].close.len(), WARM_UP_SESSIONS + 1, "day 0's own bar is there, day 1's is not");
}
