//! Reading bars from CSV: line by line through one small buffer.
//!
//! The ordinary line (unquoted fields, a plain date and time or a whole number, plain decimals) is taken
//! apart by hand; any other goes through the importer's slower reading, so both accept the same files.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use model::Timestamp;
use model::time::{MINUTE, SECOND};

use super::Bars;
use crate::import::generic::{self, When};
use crate::import::line::{self, Columns};
use crate::row::check_bar;

/// What the caller decides.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Take only this symbol's lines, where the file has a symbol column.
    pub symbol: Option<String>,
    /// Leave out lines that cannot be read or go back in time, instead of stopping. They are counted.
    pub skip_bad: bool,
}

/// Why a file's bars are not used.
#[derive(Debug, thiserror::Error)]
pub enum BarsError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}; check the path and the permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// Its header does not name the columns.
    #[error(
        "`{}` names no bars in its first line (`{header}`): it must name datetime (or date, time, timestamp), open, high, low, close and volume", .path.display()
    )]
    Header {
        /// The file.
        path: PathBuf,
        /// Its first line.
        header: String,
    },
    /// A line is broken.
    #[error("`{}`, line {line}: {reason}; correct it, or pass --skip-bad to leave such lines out", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, counted from one.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The file has lines of several symbols.
    #[error("`{}` holds several symbols ({first}, {second}, ...): name one with --symbol", .path.display())]
    SeveralSymbols {
        /// The file.
        path: PathBuf,
        /// One.
        first: String,
        /// Another.
        second: String,
    },
    /// There is no line to use.
    #[error("`{}` holds no bars{}", .path.display(), .symbol.as_ref().map_or_else(String::new, |symbol| format!(" of {symbol}")))]
    Empty {
        /// The file.
        path: PathBuf,
        /// The symbol that was asked for.
        symbol: Option<String>,
    },
}

/// What was read.
#[derive(Debug, Clone)]
pub struct BarsFile {
    /// The symbol: from the options, the file's column, or the file's name.
    pub symbol: String,
    /// Its bars, strictly ascending in time.
    pub bars: Bars,
    /// Lines left out (with `skip_bad`).
    pub skipped: u64,
}

/// Longer lines are not bars.
const LINE_MAX: u64 = 4_096;
/// At most this many bars are read (a hundred years of minutes).
const BARS_MAX: usize = 20_000_000;

/// Reads one symbol's bars from a CSV file, plain or gzip.
pub fn read(path: &Path, options: &ReadOptions) -> Result<BarsFile, BarsError> {
    let unreadable = |source| BarsError::Unreadable { path: path.to_owned(), source };
    let mut input = open(path).map_err(unreadable)?;
    let mut buffer = Vec::with_capacity(256);
    next_line(&mut *input, &mut buffer).map_err(unreadable)?;
    let header_text: String = String::from_utf8_lossy(&buffer).trim().chars().take(80).collect();
    let header = csv::ByteRecord::from(buffer.split(|byte| *byte == b',').collect::<Vec<_>>());
    let Some(layout) = Layout::of(&Columns::of(&header)) else {
        return Err(BarsError::Header { path: path.to_owned(), header: header_text });
    };
    let mut job = Job {
        path,
        options,
        layout,
        bars: Bars::default(),
        symbol: options.symbol.as_ref().map(|symbol| symbol.trim().to_uppercase()),
        last: i64::MIN,
        dates: DateCache::default(),
    };
    let (mut line, mut skipped) = (1_u64, 0_u64);
    loop {
        buffer.clear();
        let read = next_line(&mut *input, &mut buffer).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        line += 1;
        let text = buffer.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match job.line(text) {
            Ok(()) => {}
            Err(Bad::Stop(error)) => return Err(error),
            Err(Bad::Line(_)) if options.skip_bad => skipped += 1,
            Err(Bad::Line(reason)) => {
                return Err(BarsError::Line { path: path.to_owned(), line, reason });
            }
        }
    }
    if job.bars.is_empty() {
        return Err(BarsError::Empty { path: path.to_owned(), symbol: options.symbol.clone() });
    }
    job.bars.shrink();
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(BarsFile {
        symbol: job.symbol.unwrap_or_else(|| generic::symbol_of_file(&file)),
        bars: job.bars,
        skipped,
    })
}

fn open(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}

fn next_line(input: &mut dyn BufRead, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    let read = input.take(LINE_MAX).read_until(b'\n', buffer)?;
    if read as u64 == LINE_MAX && buffer.last() != Some(&b'\n') {
        return Err(std::io::Error::other(format!("a line is longer than {LINE_MAX} bytes")));
    }
    Ok(read)
}

/// Where the columns are.
struct Layout {
    when: usize,
    time: Option<usize>,
    symbol: Option<usize>,
    open: usize,
    high: usize,
    low: usize,
    close: usize,
    volume: usize,
}

impl Layout {
    fn of(columns: &Columns) -> Option<Self> {
        let when = columns.find_any(&["DATETIME", "TIMESTAMP", "DATE", "TIME"])?;
        let layout = Self {
            when,
            time: columns.find("TIME").filter(|at| *at != when && columns.name(when) == "DATE"),
            symbol: columns.find_any(&["SYMBOL", "TICKER", "TCKRSYMB"]),
            open: columns.find("OPEN")?,
            high: columns.find("HIGH")?,
            low: columns.find("LOW")?,
            close: columns.find("CLOSE")?,
            volume: columns.find_any(&["VOLUME", "VOL", "QTY"])?,
        };
        let used = [layout.when, layout.open, layout.high, layout.low, layout.close, layout.volume];
        used.iter().chain(&layout.time).chain(&layout.symbol).all(|at| *at < FIELDS_MAX).then_some(layout)
    }
}

const FIELDS_MAX: usize = 32;

enum Bad {
    Line(String),
    Stop(BarsError),
}

impl From<line::Fault> for Bad {
    fn from(fault: line::Fault) -> Self {
        Self::Line(fault.to_string())
    }
}

struct Job<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    layout: Layout,
    bars: Bars,
    symbol: Option<String>,
    last: i64,
    dates: DateCache,
}

impl Job<'_> {
    fn line(&mut self, text: &[u8]) -> Result<(), Bad> {
        if text.contains(&b'"') {
            return self.quoted(text);
        }
        let mut fields = [&b""[..]; FIELDS_MAX];
        let mut count = 0;
        for field in text.split(|byte| *byte == b',').take(FIELDS_MAX) {
            fields[count] = field.trim_ascii();
            count += 1;
        }
        self.fields(&fields[..count])
    }

    /// A line with quotes, which may hold commas: csv takes it apart.
    fn quoted(&mut self, text: &[u8]) -> Result<(), Bad> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(text);
        let mut record = csv::ByteRecord::new();
        reader.read_byte_record(&mut record).map_err(|error| Bad::Line(error.to_string()))?;
        let fields: Vec<&[u8]> = record.iter().take(FIELDS_MAX).collect();
        self.fields(&fields)
    }

    fn fields(&mut self, fields: &[&[u8]]) -> Result<(), Bad> {
        if !self.is_wanted(fields)? {
            return Ok(());
        }
        let layout = &self.layout;
        let when = field(fields, layout.when, "date")?;
        let start = match layout.time {
            None => self.dates.instant(when)?,
            Some(at) => {
                let joined = [when, b" ", field(fields, at, "time")?].concat();
                self.dates.instant(&joined)?
            }
        };
        let open = price(fields, layout.open, "open")?;
        let high = price(fields, layout.high, "high")?;
        let low = price(fields, layout.low, "low")?;
        let close = price(fields, layout.close, "close")?;
        let volume = volume(fields, layout.volume)?;
        check_bar(open, high, low, close, volume).map_err(|fault| Bad::Line(fault.to_string()))?;
        if start <= self.last {
            let (now, last) = (Timestamp::from_nanos(start), Timestamp::from_nanos(self.last));
            return Err(Bad::Line(format!("{now} does not come after the line before it ({last})")));
        }
        if self.bars.len() >= BARS_MAX {
            return Err(Bad::Line(format!("more than {BARS_MAX} bars")));
        }
        self.last = start;
        self.bars.push(start, open, high, low, close, volume);
        Ok(())
    }

    /// Whether the line is of the symbol that is read; the first line decides where none was named.
    fn is_wanted(&mut self, fields: &[&[u8]]) -> Result<bool, Bad> {
        let Some(at) = self.layout.symbol else { return Ok(true) };
        let found = field(fields, at, "symbol")?;
        match &self.symbol {
            Some(wanted) if found.eq_ignore_ascii_case(wanted.as_bytes()) => Ok(true),
            Some(_) if self.options.symbol.is_some() => Ok(false),
            Some(first) => Err(Bad::Stop(BarsError::SeveralSymbols {
                path: self.path.to_owned(),
                first: first.clone(),
                second: String::from_utf8_lossy(found).into_owned(),
            })),
            None => {
                self.symbol = Some(line::symbol(&String::from_utf8_lossy(found))?);
                Ok(true)
            }
        }
    }
}

fn field<'f>(fields: &[&'f [u8]], at: usize, name: &str) -> Result<&'f [u8], Bad> {
    fields.get(at).copied().ok_or_else(|| Bad::Line(format!("column {name} is missing")))
}

fn price(fields: &[&[u8]], at: usize, name: &str) -> Result<i64, Bad> {
    let bytes = field(fields, at, name)?;
    plain_decimal(bytes)
        .or_else(|| std::str::from_utf8(bytes).ok().and_then(line::parse_price))
        .ok_or_else(|| Bad::Line(format!("{name}: `{}` is not a number", String::from_utf8_lossy(bytes))))
}

/// `123.45` to ten-thousandths; `None` for anything unusual.
fn plain_decimal(bytes: &[u8]) -> Option<i64> {
    let mut value = 0_i64;
    let mut decimals = None::<u32>;
    if bytes.is_empty() || bytes.len() > 15 {
        return None;
    }
    for byte in bytes {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                if let Some(decimals) = &mut decimals {
                    *decimals += 1;
                }
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    match decimals.unwrap_or(0) {
        decimals @ 0..=4 => value.checked_mul(10_i64.pow(4 - decimals)),
        _ => None,
    }
}

fn volume(fields: &[&[u8]], at: usize) -> Result<u64, Bad> {
    let bytes = field(fields, at, "volume")?;
    let bad = || Bad::Line(format!("volume: `{}` is not a number of shares", String::from_utf8_lossy(bytes)));
    // A whole number is the ordinary case; `1234.0` and an empty field are read as the importer reads them.
    match plain_decimal(bytes) {
        Some(units) => u64::try_from((units + 5_000) / 10_000).map_err(|_| bad()),
        None => std::str::from_utf8(bytes).ok().and_then(line::parse_volume).ok_or_else(bad),
    }
}

/// Most lines have the date of the line before: its midnight is computed once.
#[derive(Default)]
struct DateCache {
    date: [u8; 10],
    midnight: i64,
}

impl DateCache {
    /// Start of a line's bar in nanoseconds UTC. A date without a time is its midnight in Mumbai.
    fn instant(&mut self, field: &[u8]) -> Result<i64, Bad> {
        if let Some(start) = self.plain(field) {
            return Ok(start);
        }
        let text = std::str::from_utf8(field).map_err(|_| Bad::Line("the date is not UTF-8 text".into()))?;
        Ok(match generic::instant(text)? {
            When::Day(date) => Timestamp::at_ist(date, 0, 0).nanos(),
            When::Minute(at) => at.nanos(),
        })
    }

    /// `YYYY-MM-DD hh:mm[:ss]` (blank or T); `None` for anything unusual.
    fn plain(&mut self, field: &[u8]) -> Option<i64> {
        if !(field.len() == 16 || field.len() == 19) || !matches!(field[10], b' ' | b'T') || field[13] != b':'
        {
            return None;
        }
        let two = |at: usize| {
            let (tens, ones) = (field[at].wrapping_sub(b'0'), field[at + 1].wrapping_sub(b'0'));
            (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
        };
        let (hour, minute) = (two(11)?, two(14)?);
        let second = if field.len() == 19 { (field[16] == b':').then(|| two(17))?? } else { 0 };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        if field[..10] != self.date {
            let text = std::str::from_utf8(&field[..10]).ok()?;
            let date = model::Date::parse_from_str(text, "%Y-%m-%d").ok()?;
            self.midnight = Timestamp::at_ist(date, 0, 0).nanos();
            self.date.copy_from_slice(&field[..10]);
        }
        Some(self.midnight + hour * 60 * MINUTE + minute * MINUTE + second * SECOND)
    }
}

#[cfg(test)]
mod tests;
