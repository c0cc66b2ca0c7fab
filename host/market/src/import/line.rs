//! What the formats share: columns by name, fields to numbers, and why a line is refused.

use std::borrow::Cow;

use csv::ByteRecord;
use model::{Date, Price};

use crate::row::{MinuteRow, Row, RowFault, RowSource, check_bar};

/// Why a line is refused.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The line ends before the column.
    #[error("column {0} is missing")]
    Missing(String),
    /// The field is not text.
    #[error("column {0} is not UTF-8 text")]
    NotText(String),
    /// The field is not a number.
    #[error("{0}: `{1}` is not a number")]
    NotANumber(String, String),
    /// The field is not a date.
    #[error("`{0}` is not a date this format uses")]
    NotADate(String),
    /// The line names no symbol.
    #[error("the symbol is empty or longer than 64 bytes")]
    NoSymbol,
    /// The figures contradict each other.
    #[error(transparent)]
    Row(#[from] RowFault),
}

/// One daily row on its way into the table; `row.series` is not set yet.
#[derive(Debug)]
pub struct Daily<'a> {
    /// The symbol as the store knows it.
    pub symbol: String,
    /// ISIN or empty.
    pub isin: Cow<'a, str>,
    /// The series' name.
    pub series: Cow<'a, str>,
    /// The trading day.
    pub date: Date,
    /// The figures.
    pub row: Row,
}

/// One minute row on its way into the table.
#[derive(Debug)]
pub struct Minute {
    /// The symbol.
    pub symbol: String,
    /// Start of the minute, nanoseconds UTC.
    pub start: i64,
    /// The figures.
    pub row: MinuteRow,
}

/// What a line holds.
#[derive(Debug)]
pub enum Parsed<'a> {
    /// A day of a share.
    Daily(Daily<'a>),
    /// A minute of a share.
    Minute(Minute),
    /// Something that is not a share.
    NotEquity,
}

/// The header: where each column is.
pub struct Columns {
    names: Vec<String>,
    header: ByteRecord,
}

impl Columns {
    /// Reads a header: names are trimmed, upper-cased and freed of a byte-order mark.
    pub fn of(record: &ByteRecord) -> Self {
        let names = record
            .iter()
            .map(|name| {
                String::from_utf8_lossy(name)
                    .trim_matches(|c: char| c == '\u{feff}' || c == '"' || c.is_whitespace())
                    .to_uppercase()
            })
            .collect();
        Self { names, header: record.clone() }
    }

    /// The header as it stood, to skip repetitions of it.
    pub const fn header(&self) -> &ByteRecord {
        &self.header
    }

    /// Where the column of this (upper-case) name is.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Where the first of these columns is.
    pub fn find_any(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.find(name))
    }

    /// The name of a column, for messages.
    pub fn name(&self, at: usize) -> String {
        self.names.get(at).cloned().unwrap_or_else(|| format!("number {}", at + 1))
    }
}

/// A field as text.
pub fn text(record: &ByteRecord, at: usize, name: impl Fn() -> String) -> Result<&str, Fault> {
    let bytes = record.get(at).ok_or_else(|| Fault::Missing(name()))?;
    std::str::from_utf8(bytes).map_err(|_| Fault::NotText(name()))
}

/// A price in ten-thousandths. Finer prices (adjusted data of other vendors) are rounded.
pub fn price(record: &ByteRecord, at: usize, name: impl Fn() -> String + Copy) -> Result<i64, Fault> {
    let field = text(record, at, name)?;
    parse_price(field).ok_or_else(|| Fault::NotANumber(name(), shorten(field)))
}

/// A price that a source may leave out (`-`, empty, zero): zero then.
pub fn optional_price(
    record: &ByteRecord,
    at: Option<usize>,
    name: impl Fn() -> String + Copy,
) -> Result<i64, Fault> {
    let Some(at) = at else { return Ok(0) };
    match text(record, at, name)? {
        "" | "-" => Ok(0),
        field => match parse_price(field) {
            Some(price) if price >= 0 => Ok(price),
            _ => Err(Fault::NotANumber(name(), shorten(field))),
        },
    }
}

/// Text to ten-thousandths of a rupee.
pub fn parse_price(field: &str) -> Option<i64> {
    match field.parse::<Price>() {
        Ok(price) => Some(price.units()),
        Err(model::PriceError::TooFine(_)) => {
            field.trim().parse::<f64>().ok().and_then(Price::from_rupees_f64).map(Price::units)
        }
        Err(_) => None,
    }
}

/// A number of shares; `-` and empty mean none; `1234.0` is taken as 1234.
pub fn volume(record: &ByteRecord, at: usize, name: impl Fn() -> String + Copy) -> Result<u64, Fault> {
    let field = text(record, at, name)?;
    parse_volume(field).ok_or_else(|| Fault::NotANumber(name(), shorten(field)))
}

pub fn parse_volume(field: &str) -> Option<u64> {
    if matches!(field, "" | "-") {
        return Some(0);
    }
    if let Ok(shares) = field.parse::<u64>() {
        return Some(shares);
    }
    let shares = field.parse::<f64>().ok()?;
    (shares.is_finite() && (0.0..9.0e15).contains(&shares)).then_some(shares.round() as u64)
}

/// A symbol: trimmed, upper case, of a believable length.
pub fn symbol(field: &str) -> Result<String, Fault> {
    let symbol = field.trim().to_uppercase();
    if symbol.is_empty() || symbol.len() > 64 || symbol.contains(|c: char| c.is_control()) {
        return Err(Fault::NoSymbol);
    }
    Ok(symbol)
}

/// A date in one of the ways exchanges write it: `2025-01-31`, `31-Jan-2025`, `31-01-2025`, `20250131`.
pub fn date(field: &str) -> Result<Date, Fault> {
    for format in ["%Y-%m-%d", "%d-%b-%Y", "%d-%m-%Y", "%d/%m/%Y", "%Y/%m/%d"] {
        if let Ok(date) = Date::parse_from_str(field, format) {
            use chrono::Datelike as _;
            if (1900..=2200).contains(&date.year()) {
                return Ok(date);
            }
        }
    }
    if field.len() == 8
        && field.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(date) = Date::parse_from_str(field, "%Y%m%d")
    {
        return Ok(date);
    }
    Err(Fault::NotADate(shorten(field)))
}

/// Where the figures of a daily line are.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Column of the open.
    pub open: usize,
    /// Column of the high.
    pub high: usize,
    /// Column of the low.
    pub low: usize,
    /// Column of the close.
    pub close: usize,
    /// Column of the previous close.
    pub prev_close: Option<usize>,
    /// Column of the volume.
    pub volume: usize,
}

impl Figures {
    /// The figures of a line, checked.
    pub fn row(&self, columns: &Columns, record: &ByteRecord) -> Result<Row, Fault> {
        let price_at = |at: usize| price(record, at, || columns.name(at));
        let row = Row {
            open: price_at(self.open)?,
            high: price_at(self.high)?,
            low: price_at(self.low)?,
            close: price_at(self.close)?,
            prev_close: optional_price(record, self.prev_close, || "PREV_CLOSE".to_owned())?,
            volume: volume(record, self.volume, || columns.name(self.volume))?,
            series: 0,
            source: RowSource::ExchangeFile,
        };
        check_bar(row.open, row.high, row.low, row.close, row.volume)?;
        Ok(row)
    }
}

/// A field short enough for a message.
pub fn shorten(field: &str) -> String {
    field.chars().take(40).collect()
}
