//! One symbol's minute columns as differences.

use std::collections::BTreeMap;

use crate::row::MinuteRow;
use crate::wire::{Malformed, Reader, put, put_signed, put_text};

const MINUTE: i64 = model::time::MINUTE;

/// Columns of one symbol's minutes; starts are whole minutes.
pub fn encode(symbol: &str, rows: &BTreeMap<i64, MinuteRow>) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 8 + 64);
    put_text(&mut out, symbol);
    put(&mut out, rows.len() as u64);
    let (mut last_start, mut last_close) = (0, 0);
    for (start, row) in rows {
        put_signed(&mut out, start.div_euclid(MINUTE) - last_start);
        put_signed(&mut out, row.open - last_close);
        put_signed(&mut out, row.close - row.open);
        put(&mut out, (row.high - row.open.max(row.close)) as u64);
        put(&mut out, (row.open.min(row.close) - row.low) as u64);
        put(&mut out, row.volume);
        (last_start, last_close) = (start.div_euclid(MINUTE), row.close);
    }
    out
}

/// What [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<(String, BTreeMap<i64, MinuteRow>), Malformed> {
    let mut reader = Reader::new(bytes);
    let symbol = reader.text()?.to_owned();
    let mut rows = Vec::with_capacity(reader.count().map(|count| count.min(1 << 20))?);
    let (mut minute, mut close) = (0_i64, 0_i64);
    while !reader.is_empty() {
        minute = minute.checked_add(reader.get_signed()?).ok_or(Malformed)?;
        let open = close.checked_add(reader.get_signed()?).ok_or(Malformed)?;
        close = open.checked_add(reader.get_signed()?).ok_or(Malformed)?;
        let unsigned = |value: u64| i64::try_from(value).map_err(|_| Malformed);
        let high = open.max(close).checked_add(unsigned(reader.get()?)?).ok_or(Malformed)?;
        let low = open.min(close).checked_sub(unsigned(reader.get()?)?).ok_or(Malformed)?;
        let volume = reader.get()?;
        let start = minute.checked_mul(MINUTE).ok_or(Malformed)?;
        rows.push((start, MinuteRow { open, high, low, close, volume }));
    }
    Ok((symbol, rows.into_iter().collect()))
}
