//! Candles as columns, adjusted as far as the instant of asking knows.

use model::{Symbol, Timestamp};

use super::ReplayMarket;
use super::clock::Visible;
use crate::dataset::History;
use crate::factor::Ratio;
use crate::view::{CANDLES_MAX, CANDLES_TOTAL_MAX, Candles, Interval, MarketError};

/// See [`crate::view::Market::candles`].
pub fn candles(
    market: &ReplayMarket,
    symbols: &[Symbol],
    interval: Interval,
    n: u32,
    now: Timestamp,
) -> Result<Vec<Candles>, MarketError> {
    let asked = symbols.len() as u64 * u64::from(n);
    if n > CANDLES_MAX {
        return Err(MarketError::TooMany { asked: u64::from(n), limit: u64::from(CANDLES_MAX) });
    }
    if asked > CANDLES_TOTAL_MAX {
        return Err(MarketError::TooMany { asked, limit: CANDLES_TOTAL_MAX });
    }
    let visible = [model::Exchange::Nse, model::Exchange::Bse].map(|exchange| market.visible(exchange, now));
    Ok(symbols
        .iter()
        .map(|symbol| {
            let Some(history) = market.data.history(symbol.as_str()) else {
                return Candles::empty(symbol.clone());
            };
            let visible = &visible[crate::table::slot(history.exchange)];
            match interval {
                Interval::Day => days(market, history, visible, n as usize),
                Interval::Minute => minutes(market, history, visible, n as usize),
            }
        })
        .collect())
}

fn days(market: &ReplayMarket, history: &History, visible: &Visible, n: usize) -> Candles {
    let rows = visible.last.map_or(0, |last| history.rows_through(last));
    let from = rows.saturating_sub(n);
    let hours = market.hours(history.exchange);
    let class = market.class_of(&history.symbol);
    let start = |session: &u32| hours[*session as usize].open(class).nanos();
    let mut columns = Candles {
        symbol: history.symbol.clone(),
        start: history.session[from..rows].iter().map(start).collect(),
        open: history.open[from..rows].to_vec(),
        high: history.high[from..rows].to_vec(),
        low: history.low[from..rows].to_vec(),
        close: history.close[from..rows].to_vec(),
        volume: history.volume[from..rows].to_vec(),
    };
    // Most shares have no factor at all: their columns are copied and done.
    let today = market.factor_today(history, visible);
    let known = history.factors.partition_point(|(row, _)| *row < rows);
    let mut ratio = today.map_or(Ratio::ONE, |factor| Ratio::ONE.times(factor));
    let mut end = rows;
    for (row, factor) in history.factors[..known].iter().rev() {
        scale(&mut columns, (*row).max(from) - from..end - from, ratio);
        end = (*row).max(from);
        ratio = ratio.times(factor);
    }
    scale(&mut columns, 0..end - from, ratio);
    columns
}

pub(crate) fn scale(columns: &mut Candles, range: std::ops::Range<usize>, ratio: Ratio) {
    if ratio.is_one() {
        return;
    }
    for prices in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
        for price in &mut prices[range.clone()] {
            *price = ratio.price(*price);
        }
    }
    for volume in &mut columns.volume[range] {
        *volume = ratio.volume(*volume);
    }
}

/// From the newest backwards, then turned round.
fn minutes(market: &ReplayMarket, history: &History, visible: &Visible, n: usize) -> Candles {
    let mut columns = Candles::empty(history.symbol.clone());
    let mut ratio = Ratio::ONE;
    let first_unseen = visible.today.or(visible.last).map_or(0, |session| history.rows_through(session));
    for row in (0..first_unseen).rev() {
        if columns.start.len() >= n {
            break;
        }
        let Some(day) = market.day(history, history.session[row]) else { continue };
        for (start, bar) in day.finished(visible.now).rev().take(n - columns.start.len()) {
            columns.start.push(start);
            columns.open.push(ratio.price(bar.open.units()));
            columns.high.push(ratio.price(bar.high.units()));
            columns.low.push(ratio.price(bar.low.units()));
            columns.close.push(ratio.price(bar.close.units()));
            columns.volume.push(ratio.volume(bar.volume));
        }
        let is_today = visible.today == Some(history.session[row]);
        let factor = if is_today { market.factor_today(history, visible) } else { history.factor_at(row) };
        if let Some(factor) = factor {
            ratio = ratio.times(factor);
        }
    }
    columns.start.reverse();
    for prices in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
        prices.reverse();
    }
    columns.volume.reverse();
    columns
}
