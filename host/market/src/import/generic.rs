//! CSV from anywhere: the header names the columns (any case), one line is a day or a minute.
//!
//! A date without a time, or at midnight, is a day; anything else a minute, in exchange time (IST) unless
//! the text carries an offset. Whole numbers are seconds or milliseconds since 1970.

use chrono::{DateTime, NaiveDateTime, NaiveTime};
use csv::ByteRecord;
use model::time::{MINUTE, SECOND};
use model::{Date, Timestamp};

use super::line::{Columns, Daily, Fault, Minute, Parsed, date, price, shorten, symbol, text, volume};
use crate::row::{MinuteRow, Row, RowSource, check_bar};

/// Where its columns are, and the symbol of lines that name none.
pub struct Layout {
    when: usize,
    time: Option<usize>,
    symbol: Option<usize>,
    series: Option<usize>,
    isin: Option<usize>,
    open: usize,
    high: usize,
    low: usize,
    close: usize,
    volume: usize,
    default_symbol: String,
}

/// The symbol that a file's name tells: what stands before its first dot.
pub fn symbol_of_file(name: &str) -> String {
    name.split('.').next().unwrap_or(name).trim().to_uppercase()
}

impl Layout {
    /// The layout, if the header names the needed columns.
    pub fn of(columns: &Columns, default_symbol: String) -> Option<Self> {
        let when = columns.find_any(&["DATETIME", "TIMESTAMP", "DATE", "TIME"])?;
        Some(Self {
            when,
            // `date` and `time` in two columns.
            time: columns.find("TIME").filter(|at| *at != when && columns.name(when) == "DATE"),
            symbol: columns.find_any(&["SYMBOL", "TICKER", "TCKRSYMB"]),
            series: columns.find("SERIES"),
            isin: columns.find("ISIN"),
            open: columns.find("OPEN")?,
            high: columns.find("HIGH")?,
            low: columns.find("LOW")?,
            close: columns.find("CLOSE")?,
            volume: columns.find_any(&["VOLUME", "VOL", "QTY"])?,
            default_symbol,
        })
    }

    /// One line.
    pub fn parse<'r>(&self, record: &'r ByteRecord) -> Result<Parsed<'r>, Fault> {
        let field = |at: usize, name: &'static str| text(record, at, || name.into());
        let name = match self.symbol {
            Some(at) => symbol(field(at, "symbol")?)?,
            None => symbol(&self.default_symbol)?,
        };
        let when = field(self.when, "date")?;
        let when = match self.time {
            Some(at) => instant(&format!("{when} {}", field(at, "time")?))?,
            None => instant(when)?,
        };
        let price_at = |at: usize, name: &'static str| price(record, at, || name.into());
        let (open, high) = (price_at(self.open, "open")?, price_at(self.high, "high")?);
        let (low, close) = (price_at(self.low, "low")?, price_at(self.close, "close")?);
        let volume = volume(record, self.volume, || "volume".into())?;
        check_bar(open, high, low, close, volume)?;
        Ok(match when {
            When::Day(date) => Parsed::Daily(Daily {
                symbol: name,
                isin: self.isin.and_then(|at| field(at, "isin").ok()).unwrap_or("").into(),
                series: self.series.and_then(|at| field(at, "series").ok()).unwrap_or("EQ").into(),
                date,
                row: Row {
                    open,
                    high,
                    low,
                    close,
                    prev_close: 0,
                    volume,
                    series: 0,
                    source: RowSource::ExchangeFile,
                },
            }),
            When::Minute(start) => {
                let start = start.nanos().div_euclid(MINUTE) * MINUTE;
                Parsed::Minute(Minute {
                    symbol: name,
                    start,
                    row: MinuteRow { open, high, low, close, volume },
                })
            }
        })
    }
}

/// What a line's date says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// A whole day.
    Day(Date),
    /// An instant within one.
    Minute(Timestamp),
}

/// Seconds beyond this are milliseconds (the year 2286 in seconds).
const SECONDS_MAX: i64 = 10_000_000_000;
/// Milliseconds up to the year 2200.
const MILLIS_MAX: i64 = 7_258_118_400_000;

/// Reads a date, a date with a time, or a number since 1970.
pub fn instant(field: &str) -> Result<When, Fault> {
    let bad = || Fault::NotADate(shorten(field));
    if field.len() > 8 && field.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = field.parse().map_err(|_| bad())?;
        let nanos = match number {
            0..SECONDS_MAX => number * SECOND,
            SECONDS_MAX..MILLIS_MAX => number * 1_000_000,
            _ => return Err(bad()),
        };
        let at = Timestamp::from_nanos(nanos);
        // A day is written as its midnight, in Mumbai or in UTC.
        let midnight_utc = nanos % (86_400 * SECOND) == 0;
        return Ok(if midnight_utc { When::Day(at.ist_date()) } else { day_or_minute(at) });
    }
    if let Ok(date) = date(field) {
        return Ok(When::Day(date));
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(field)
        .or_else(|_| DateTime::parse_from_str(field, "%Y-%m-%d %H:%M:%S%:z"))
        .or_else(|_| DateTime::parse_from_str(field, "%Y-%m-%d %H:%M:%S%z"))
        .or_else(|_| DateTime::parse_from_str(field, "%Y-%m-%dT%H:%M:%S%z"))
        .or_else(|_| DateTime::parse_from_str(field, "%Y-%m-%d %H:%M%:z"))
    {
        if at.time() == NaiveTime::MIN {
            return Ok(When::Day(at.date_naive()));
        }
        return at
            .timestamp_nanos_opt()
            .map(|nanos| day_or_minute(Timestamp::from_nanos(nanos)))
            .ok_or_else(bad);
    }
    for format in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%d-%m-%Y %H:%M:%S",
        "%d-%m-%Y %H:%M",
        "%d-%b-%Y %H:%M:%S",
        "%d/%m/%Y %H:%M:%S",
        "%d/%m/%Y %H:%M",
        "%Y%m%d %H:%M:%S",
        "%Y%m%d %H:%M",
    ] {
        if let Ok(at) = NaiveDateTime::parse_from_str(field, format) {
            use chrono::Datelike as _;
            if !(1900..=2200).contains(&at.year()) {
                return Err(bad());
            }
            return Ok(day_or_minute(Timestamp::from_ist(at.date(), at.time())));
        }
    }
    Err(bad())
}

fn day_or_minute(at: Timestamp) -> When {
    if at.ist_time() == NaiveTime::MIN { When::Day(at.ist_date()) } else { When::Minute(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        let day = Date::from_ymd_opt(2025, 1, 31).expect("a date");
        let nine_fifteen = When::Minute(Timestamp::at_ist(day, 9, 15));
        for (text, expected) in [
            ("2025-01-31", When::Day(day)),
            ("31-Jan-2025", When::Day(day)),
            ("31-JAN-2025", When::Day(day)),
            ("20250131", When::Day(day)),
            ("2025-01-31 00:00:00", When::Day(day)),
            ("2025-01-31T00:00:00+05:30", When::Day(day)),
            ("1738281600", When::Day(day)),
            ("1738261800", When::Day(day)),
            ("2025-01-31 09:15", nine_fifteen),
            ("2025-01-31 09:15:00", nine_fifteen),
            ("2025-01-31T09:15:00+05:30", nine_fifteen),
            ("2025-01-31T03:45:00Z", nine_fifteen),
            ("2025-01-31 09:15:00+0530", nine_fifteen),
            ("1738295100", nine_fifteen),
            ("1738295100000", nine_fifteen),
        ] {
            assert_eq!(instant(text).expect(text), expected, "{text}");
        }
        for text in ["", "yesterday", "2025-13-01", "99999999999999", "0025-01-31"] {
            assert!(instant(text).is_err(), "{text}");
        }
        assert_eq!(symbol_of_file("infy.NS.csv.gz"), "INFY");
    }
}
