//! On the morning of a split: bars in the terms of today's quotes.
//!
//! The bars end yesterday in old terms, the quotes are in new ones, and the day's own row, which shows the
//! break to [`crate::factor`], comes only after the close. What tells it now is the previous close that the
//! exchange states with today's quotes.

use model::Date;

use super::quotes::Kept;
use crate::factor::{Ratio, from_previous_close};
use crate::replay::ReplayMarket;
use crate::replay::candles::scale;
use crate::view::Candles;

/// Stated and known closes that differ by less (5 %) are one provisional, the other official, or a dividend:
/// only the file of the day decides about those.
const LEAST_BREAK_PART: i64 = 20;

/// Brings daily `columns` that end before `today` into the terms of `kept`, a quote of today's trading.
pub fn to_terms_of(kept: &Kept, history: &ReplayMarket, columns: &mut Candles, today: Date) {
    let quote = &kept.quote;
    let traded_today = quote.volume > 0 && quote.exchange_time.is_some_and(|time| time.ist_date() == today);
    let Some(close) = columns.close.last().copied() else { return };
    let data = history.data();
    let sessions = data.sessions(crate::table::exchange_of(columns.symbol.as_str()));
    // With a row of today the bars know about the break themselves.
    if !traded_today || sessions.index_of(today).is_some() {
        return;
    }
    let stated = quote.previous_close.units();
    if (stated - close).abs() < close / LEAST_BREAK_PART {
        return;
    }
    // The factor is measured from the bar of the session before: an older one may differ by its own moves.
    let ends_with_last = data.history(columns.symbol.as_str()).is_some_and(|bars| {
        bars.session.last().map(|at| *at as usize) == sessions.dates.len().checked_sub(1)
    });
    if let Some(factor) = from_previous_close(today, close, stated).filter(|_| ends_with_last) {
        scale(columns, 0..columns.len(), Ratio::ONE.times(&factor));
    }
}
