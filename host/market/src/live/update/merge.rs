//! The broker's bars of one share into the table.

use std::collections::BTreeMap;

use calendar::Calendar;
use model::{Date, Price};

use super::report::Mismatch;
use crate::live::port::{DailyBar, Listed};
use crate::row::{Row, RowSource, check_bar};
use crate::table::{Inserted, Table, exchange_of};

/// Closes that differ by more than this part (2 %) are not a matter of last trade or official close.
const TOLERANCE_PART: i64 = 50;

/// What became of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// New rows.
    pub added: u64,
    /// Rows in the place of others.
    pub replaced: u64,
    /// Bars of days that a better source has.
    pub outranked: u64,
    /// Bars not taken.
    pub refused: u64,
    /// Bars of days that are no sessions.
    pub not_sessions: u64,
    /// The newest day whose close differs from the exchange's file.
    pub differs: Option<Mismatch>,
}

/// Takes `bars`, but for those that may be in other terms than the exchange's files.
pub fn take(
    table: &mut Table,
    calendar: &Calendar,
    share: &Listed,
    mut bars: BTreeMap<Date, DailyBar>,
) -> Taken {
    let mut taken = Taken::default();
    let exchange = exchange_of(share.symbol.as_str());
    bars.retain(|date, bar| {
        let is_session = calendar.is_trading_day(exchange, *date).unwrap_or(true);
        let is_bar = is_believable(bar);
        taken.not_sessions += u64::from(!is_session);
        taken.refused += u64::from(is_session && !is_bar);
        is_session && is_bar
    });
    taken.differs = difference(table, share, &bars, RowSource::ExchangeFile);
    let Some(series) = table.series_index(&share.series.0) else {
        taken.refused += bars.len() as u64;
        return taken;
    };
    for (date, bar) in bars {
        let is_doubtful = taken.differs.as_ref().is_some_and(|differs| date <= differs.date);
        if is_doubtful && stored(table, share, date).is_none_or(|row| row.source != RowSource::ExchangeFile) {
            taken.refused += 1;
            continue;
        }
        match table.insert_daily(share.symbol.as_str(), &share.isin, date, row(&bar, series), false) {
            Inserted::New => taken.added += 1,
            Inserted::Replaced | Inserted::Superseded => taken.replaced += 1,
            Inserted::Outranked | Inserted::Conflict => taken.outranked += 1,
            Inserted::Same => {}
        }
    }
    taken
}

/// The newest of `bars` whose close is another than the stored one of this source.
pub fn difference(
    table: &Table,
    share: &Listed,
    bars: &BTreeMap<Date, DailyBar>,
    source: RowSource,
) -> Option<Mismatch> {
    bars.iter().rev().find_map(|(date, bar)| {
        let row = stored(table, share, *date).filter(|row| row.source == source)?;
        let differs = (row.close - bar.close.units()).abs() > row.close / TOLERANCE_PART;
        differs.then(|| Mismatch {
            symbol: share.symbol.clone(),
            date: *date,
            known: Price::from_units(row.close),
            broker: bar.close,
            source,
        })
    })
}

fn is_believable(bar: &DailyBar) -> bool {
    check_bar(bar.open.units(), bar.high.units(), bar.low.units(), bar.close.units(), bar.volume).is_ok()
}

const fn row(bar: &DailyBar, series: u8) -> Row {
    Row {
        open: bar.open.units(),
        high: bar.high.units(),
        low: bar.low.units(),
        close: bar.close.units(),
        prev_close: 0,
        volume: bar.volume,
        series,
        source: RowSource::BrokerHistory,
    }
}

fn stored<'a>(table: &'a Table, share: &Listed, date: Date) -> Option<&'a Row> {
    table.symbols.get(&share.symbol)?.daily.get(&date)
}
