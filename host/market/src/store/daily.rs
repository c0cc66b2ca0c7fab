//! Daily columns: dictionary of series, sessions per exchange, then each symbol's columns as differences.

use std::collections::BTreeMap;

use chrono::Datelike;
use model::{Date, Symbol};

use crate::row::{Row, RowSource};
use crate::table::{FileNote, SourceNote, SymbolTable, Table, exchange_of, slot};
use crate::wire::{Malformed, Reader, put, put_signed, put_text};

/// Columns of the daily part of `table`.
pub fn encode(table: &Table) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 16);
    put(&mut out, table.series.len() as u64);
    for name in &table.series {
        put_text(&mut out, name);
    }
    put(&mut out, table.files.len() as u64);
    for (name, note) in &table.files {
        put_text(&mut out, name);
        put(&mut out, note.rows);
        put(&mut out, note.not_equity);
        put(&mut out, note.rejected);
    }
    for sessions in &table.sessions {
        put(&mut out, sessions.len() as u64);
        let mut last = 0;
        for (date, whole) in sessions {
            let day = i64::from(date.num_days_from_ce());
            put_signed(&mut out, (day - last) * 2 + i64::from(*whole));
            last = day;
        }
    }
    let indices = [0, 1].map(|at: usize| {
        table.sessions[at]
            .keys()
            .enumerate()
            .map(|(index, date)| (*date, index as u64))
            .collect::<BTreeMap<_, _>>()
    });
    let kept = table.symbols.iter().filter(|(_, symbol)| !symbol.daily.is_empty());
    put(&mut out, kept.clone().count() as u64);
    for (name, symbol) in kept {
        encode_symbol(&mut out, name, symbol, &indices[slot(exchange_of(name.as_str()))]);
    }
    put(&mut out, table.notes.len() as u64);
    for (name, note) in &table.notes {
        put_text(&mut out, name.as_str());
        let (from, through) = note.asked.unzip();
        for date in [from, through, note.quiet] {
            put(&mut out, date.map_or(0, |date| zigzag(i64::from(date.num_days_from_ce())) + 1));
        }
    }
    out
}

fn encode_symbol(out: &mut Vec<u8>, name: &Symbol, symbol: &SymbolTable, index: &BTreeMap<Date, u64>) {
    put_text(out, name.as_str());
    put_text(out, &symbol.isin);
    put(out, symbol.daily.len() as u64);
    // Almost every price is a whole number of paise: the column is then written in paise.
    let whole_paise = symbol.daily.values().all(|row| {
        [row.open, row.high, row.low, row.close, row.prev_close].iter().all(|price| price % 100 == 0)
    });
    let scale = if whole_paise { 100 } else { 1 };
    put(out, scale as u64);
    let (mut last_index, mut last_close, mut last_series) = (0, 0, 0);
    for (date, row) in &symbol.daily {
        let at = index[date];
        // The low bit says whether the series changes here.
        let changed = row.series != last_series;
        put(out, (at - last_index) * 2 + u64::from(changed));
        if changed {
            put(out, u64::from(row.series));
        }
        put_signed(out, (row.close - last_close) / scale);
        put_signed(out, (row.open - row.close) / scale);
        put(out, ((row.high - row.open.max(row.close)) / scale) as u64);
        put(out, ((row.open.min(row.close) - row.low) / scale) as u64);
        let known = row.prev_close != 0;
        put(out, if known { zigzag((row.prev_close - last_close) / scale) + 1 } else { 0 });
        put(out, row.volume);
        (last_index, last_close, last_series) = (at, row.close, row.series);
    }
    encode_sources(out, symbol);
}

/// Runs of rows of one source: nearly always a single one, or what is new at the end of what is old.
fn encode_sources(out: &mut Vec<u8>, symbol: &SymbolTable) {
    let mut runs: Vec<(u64, RowSource)> = Vec::new();
    for row in symbol.daily.values() {
        match runs.last_mut() {
            Some((count, source)) if *source == row.source => *count += 1,
            _ => runs.push((1, row.source)),
        }
    }
    put(out, runs.len() as u64);
    for (count, source) in runs {
        let code = match source {
            RowSource::ExchangeFile => 0,
            RowSource::BrokerHistory => 1,
            RowSource::Quotes => 2,
        };
        put(out, count * 4 + code);
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The daily part that [`encode`] wrote; `with_sources` is false for version 1, which did not keep them.
pub fn decode(bytes: &[u8], with_sources: bool) -> Result<Table, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut table = Table::default();
    for _ in 0..reader.count()? {
        table.series.push(reader.text()?.to_owned());
    }
    for _ in 0..reader.count()? {
        let name = reader.text()?.to_owned();
        let note = FileNote { rows: reader.get()?, not_equity: reader.get()?, rejected: reader.get()? };
        table.files.insert(name, note);
    }
    let mut dates: [Vec<Date>; 2] = Default::default();
    for (sessions, dates) in table.sessions.iter_mut().zip(&mut dates) {
        let mut day = 0_i64;
        for _ in 0..reader.count()? {
            let step = reader.get_signed()?;
            day = day.checked_add(step >> 1).ok_or(Malformed)?;
            let date = i32::try_from(day).ok().and_then(Date::from_num_days_from_ce_opt).ok_or(Malformed)?;
            sessions.insert(date, step & 1 == 1);
            dates.push(date);
        }
    }
    for _ in 0..reader.count()? {
        let name = reader.text()?;
        let dates = &dates[slot(exchange_of(name))];
        let mut symbol = decode_symbol(&mut reader, dates, table.series.len())?;
        if with_sources {
            decode_sources(&mut reader, &mut symbol)?;
        }
        table.symbols.insert(Symbol::from(name), symbol);
    }
    if with_sources {
        for _ in 0..reader.count()? {
            let name = Symbol::from(reader.text()?);
            let dates = [date(&mut reader)?, date(&mut reader)?, date(&mut reader)?];
            let note = SourceNote { asked: dates[0].zip(dates[1]), quiet: dates[2] };
            table.notes.insert(name, note);
        }
    }
    if reader.is_empty() { Ok(table) } else { Err(Malformed) }
}

/// A date that may be none.
fn date(reader: &mut Reader<'_>) -> Result<Option<Date>, Malformed> {
    let Some(value) = reader.get()?.checked_sub(1) else { return Ok(None) };
    let day = (value >> 1) as i64 ^ -((value & 1) as i64);
    i32::try_from(day).ok().and_then(Date::from_num_days_from_ce_opt).map(Some).ok_or(Malformed)
}

fn decode_sources(reader: &mut Reader<'_>, symbol: &mut SymbolTable) -> Result<(), Malformed> {
    let mut rows = symbol.daily.values_mut();
    for _ in 0..reader.count()? {
        let run = reader.get()?;
        let source = match run & 3 {
            0 => RowSource::ExchangeFile,
            1 => RowSource::BrokerHistory,
            2 => RowSource::Quotes,
            _ => return Err(Malformed),
        };
        for _ in 0..run >> 2 {
            rows.next().ok_or(Malformed)?.source = source;
        }
    }
    if rows.next().is_none() { Ok(()) } else { Err(Malformed) }
}

fn decode_symbol(
    reader: &mut Reader<'_>,
    dates: &[Date],
    series_count: usize,
) -> Result<SymbolTable, Malformed> {
    let isin = reader.text()?.to_owned();
    let count = reader.count()?;
    let scale = i64::try_from(reader.get()?).map_err(|_| Malformed)?;
    let mut rows = Vec::with_capacity(count);
    let (mut index, mut last_close, mut series) = (0_usize, 0_i64, 0_u8);
    let scaled = |value: i64| value.checked_mul(scale).ok_or(Malformed);
    let unsigned = |value: u64| i64::try_from(value).map_err(|_| Malformed);
    for _ in 0..count {
        let step = reader.get()?;
        index = index.checked_add(usize::try_from(step >> 1).map_err(|_| Malformed)?).ok_or(Malformed)?;
        let date = *dates.get(index).ok_or(Malformed)?;
        if step & 1 == 1 {
            series = u8::try_from(reader.get()?).map_err(|_| Malformed)?;
        }
        if usize::from(series) >= series_count {
            return Err(Malformed);
        }
        let close = last_close.checked_add(scaled(reader.get_signed()?)?).ok_or(Malformed)?;
        let open = close.checked_add(scaled(reader.get_signed()?)?).ok_or(Malformed)?;
        let high = open.max(close).checked_add(scaled(unsigned(reader.get()?)?)?).ok_or(Malformed)?;
        let low = open.min(close).checked_sub(scaled(unsigned(reader.get()?)?)?).ok_or(Malformed)?;
        let prev_close = match reader.get()? {
            0 => 0,
            known => {
                let value = known - 1;
                let difference = (value >> 1) as i64 ^ -((value & 1) as i64);
                last_close.checked_add(scaled(difference)?).ok_or(Malformed)?
            }
        };
        let volume = reader.get()?;
        let source = RowSource::ExchangeFile;
        rows.push((date, Row { open, high, low, close, prev_close, volume, series, source }));
        last_close = close;
    }
    // Sorted already: building from a sorted run is linear.
    Ok(SymbolTable { isin, daily: rows.into_iter().collect(), minutes: BTreeMap::new() })
}
