//! From published files to the store: recognise a file by its header, check every line, merge.
//!
//! A broken line is reported with its file, line and reason and never stops the others. A file that
//! cannot be opened, unpacked or recognised stops the import before anything is written.

mod cm_bhav;
pub(crate) mod generic;
pub(crate) mod line;
mod sec_bhavdata;
mod source;
mod udiff;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use calendar::Calendar;
use serde::Serialize;

use crate::dataset::Dataset;
use crate::store::{self, StoreError};
use crate::summary::Gap;
use crate::table::{FileNote, Inserted, Table, exchange_of};
use line::{Columns, Daily, Minute, Parsed};

/// At most this many refused lines are listed; all are counted.
pub const REJECTED_LISTED_MAX: usize = 10_000;
/// How often progress is told, in lines.
const PROGRESS_EVERY: u64 = 4_096;

/// What the caller decides.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The symbol of generic CSV files that have no symbol column; else the file's name is taken.
    pub symbol: Option<String>,
}

/// How far the import is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Files finished.
    pub files_done: usize,
    /// Files in all.
    pub files: usize,
    /// The file being read.
    pub file: &'a Path,
    /// Rows taken so far.
    pub rows: u64,
}

/// One refused line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The file; for an archive, `archive.zip/member.csv`.
    pub file: String,
    /// Its line, counted from one.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImportReport {
    /// Files (members of archives count one each).
    pub files: u64,
    /// Lines taken: new, or the same as what was there.
    pub rows: u64,
    /// Of these, lines whose figures were there already.
    pub unchanged: u64,
    /// Lines of a second series of a symbol and day, where one row was kept (EQ, BE, BZ, then others).
    pub superseded: u64,
    /// Rows from a broker that a line of these files replaced.
    pub replaced: u64,
    /// Provisional rows taken out, as their share is not in the file of the whole market of that day.
    pub dropped_provisional: u64,
    /// Lines of instruments that are not shares.
    pub not_equity: u64,
    /// Symbols in these files.
    pub symbols: u64,
    /// Sessions in these files.
    pub sessions: u64,
    /// Sessions in the store after the import.
    pub sessions_stored: u64,
    /// Symbols in the store after the import.
    pub symbols_stored: u64,
    /// Sessions of the store's span without a file.
    pub gaps: Vec<Gap>,
    /// Factors that the store's published previous closes give.
    pub factors: u64,
    /// Breaks inferred from opens outside of every price band.
    pub inferred_factors: u64,
    /// Refused lines in all.
    pub rejected_total: u64,
    /// The first refused lines.
    pub rejected: Vec<Rejected>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No file was named, or the folders hold none.
    #[error("there is nothing to import: name .csv, .csv.gz or .zip files, or a folder that holds some")]
    Nothing,
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}; nothing was imported, check the path and the permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's or the decompressor's answer.
        source: std::io::Error,
    },
    /// An archive is broken.
    #[error("`{}` is not a sound zip archive ({reason}); nothing was imported, download it again", .path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The first line names no known set of columns.
    #[error(
        "`{file}` is in no format known here (its header is `{header}`); nothing was imported. Known: NSE sec_bhavdata_full, UDiFF bhavcopy of NSE and BSE, NSE cm..bhav, and CSV with a header naming date (or datetime, timestamp), open, high, low, close, volume"
    )]
    Unrecognised {
        /// The file.
        file: String,
        /// The beginning of its first line.
        header: String,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads `files` (folders stand for the files in them) and merges them into the store at `into`.
pub fn import(
    files: &[PathBuf],
    into: &Path,
    options: &ImportOptions,
    calendar: &Calendar,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<ImportReport, ImportError> {
    let files = source::expand(files)?;
    if files.is_empty() {
        return Err(ImportError::Nothing);
    }
    // A folder that is not there yet is made by the save: nobody else can be writing in it.
    let _alone = if into.is_dir() { Some(store::lock(into)?) } else { None };
    let table = if store::exists(into) { store::load_daily(into)? } else { Table::default() };
    let mut job = Job { table, into, options, report: ImportReport::default(), seen: Seen::default() };
    for (done, path) in files.iter().enumerate() {
        source::open(path, &mut |name, reader| {
            job.file(name, reader, &mut |rows| {
                progress(Progress { files_done: done, files: files.len(), file: path, rows });
            })
        })?;
        progress(Progress { files_done: done + 1, files: files.len(), file: path, rows: job.report.rows });
    }
    store::save(into, &job.table)?;
    job.finish(calendar)
}

#[derive(Default)]
struct Seen {
    symbols: BTreeSet<String>,
    dates: BTreeSet<(usize, model::Date)>,
    minutes_loaded: BTreeSet<String>,
}

struct Job<'a> {
    table: Table,
    into: &'a Path,
    options: &'a ImportOptions,
    report: ImportReport,
    seen: Seen,
}

impl Job<'_> {
    fn file(
        &mut self,
        name: &str,
        reader: &mut dyn Read,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ImportError> {
        let unreadable = |source| ImportError::Unreadable { path: PathBuf::from(name), source };
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .buffer_capacity(1 << 16)
            .from_reader(reader);
        let mut record = csv::ByteRecord::new();
        let read = |csv: &mut csv::Reader<_>, record: &mut csv::ByteRecord| {
            csv.read_byte_record(record).map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(source) => unreadable(source),
                other => unreadable(std::io::Error::other(format!("{other:?}"))),
            })
        };
        if !read(&mut csv, &mut record)? {
            return Err(ImportError::Unrecognised { file: name.to_owned(), header: String::new() });
        }
        let columns = Columns::of(&record);
        let Some(format) = Format::of(&columns, name, self.options) else {
            let header = String::from_utf8_lossy(record.as_slice()).chars().take(80).collect();
            return Err(ImportError::Unrecognised { file: name.to_owned(), header });
        };
        let mut note = FileNote::default();
        let mut days = BTreeSet::new();
        let mut lines = 0_u64;
        while read(&mut csv, &mut record)? {
            let line = record.position().map_or(0, csv::Position::line);
            if record.iter().all(<[u8]>::is_empty) || record == *columns.header() {
                continue;
            }
            match format.parse(&columns, &record) {
                Ok(Parsed::NotEquity) => note.not_equity += 1,
                Ok(Parsed::Daily(row)) => match self.daily(&row, format.whole_market()) {
                    Ok(()) => {
                        note.rows += 1;
                        days.insert((exchange_of(&row.symbol), row.date));
                    }
                    Err(reason) => self.reject(name, line, reason, &mut note),
                },
                Ok(Parsed::Minute(row)) => match self.minute(&row)? {
                    Ok(()) => note.rows += 1,
                    Err(reason) => self.reject(name, line, reason, &mut note),
                },
                Err(reason) => self.reject(name, line, reason.to_string(), &mut note),
            }
            lines += 1;
            if lines.is_multiple_of(PROGRESS_EVERY) {
                progress(self.report.rows + note.rows);
            }
        }
        // A refused line may have been anybody's: then nobody is said not to have traded.
        if format.whole_market() && note.rejected == 0 {
            for (exchange, date) in days {
                self.report.dropped_provisional += self.table.drop_provisional(exchange, date);
            }
        }
        self.report.files += 1;
        self.report.rows += note.rows;
        self.report.not_equity += note.not_equity;
        self.table.files.insert(base_name(name).to_owned(), note);
        Ok(())
    }

    fn daily(&mut self, row: &Daily<'_>, whole: bool) -> Result<(), String> {
        let Some(series) = self.table.series_index(&row.series) else {
            return Err(format!("series `{}` is one too many: 255 are known already", row.series));
        };
        let stored = crate::row::Row { series, ..row.row };
        match self.table.insert_daily(&row.symbol, &row.isin, row.date, stored, whole) {
            Inserted::New => {}
            Inserted::Replaced => self.report.replaced += 1,
            Inserted::Same => self.report.unchanged += 1,
            Inserted::Superseded => self.report.superseded += 1,
            Inserted::Conflict | Inserted::Outranked => {
                return Err(format!("{} has other figures for {} already; those stay", row.symbol, row.date));
            }
        }
        self.seen.dates.insert((crate::table::slot(crate::table::exchange_of(&row.symbol)), row.date));
        if !self.seen.symbols.contains(row.symbol.as_str()) {
            self.seen.symbols.insert(row.symbol.clone());
        }
        Ok(())
    }

    fn minute(&mut self, row: &Minute) -> Result<Result<(), String>, ImportError> {
        if !self.seen.minutes_loaded.contains(&row.symbol) {
            store::load_minutes(self.into, &mut self.table, &row.symbol)?;
            self.seen.minutes_loaded.insert(row.symbol.clone());
            self.seen.symbols.insert(row.symbol.clone());
        }
        let start = model::Timestamp::from_nanos(row.start);
        self.seen
            .dates
            .insert((crate::table::slot(crate::table::exchange_of(&row.symbol)), start.ist_date()));
        Ok(match self.table.insert_minute(&row.symbol, row.start, row.row) {
            Inserted::New | Inserted::Superseded | Inserted::Replaced => Ok(()),
            Inserted::Same => {
                self.report.unchanged += 1;
                Ok(())
            }
            Inserted::Conflict | Inserted::Outranked => {
                Err(format!("{} has other figures for {start} already; those stay", row.symbol))
            }
        })
    }

    fn reject(&mut self, file: &str, line: u64, reason: String, note: &mut FileNote) {
        note.rejected += 1;
        self.report.rejected_total += 1;
        if self.report.rejected.len() < REJECTED_LISTED_MAX {
            self.report.rejected.push(Rejected { file: file.to_owned(), line, reason });
        }
    }

    fn finish(self, calendar: &Calendar) -> Result<ImportReport, ImportError> {
        let Self { mut report, seen, into, table, .. } = self;
        report.symbols = seen.symbols.len() as u64;
        report.sessions = seen.dates.len() as u64;
        // Read back what was written: the figures are of the store, minutes of other imports included.
        drop(table);
        let summary = Dataset::load(into, calendar)?.summary();
        report.sessions_stored = summary.sessions;
        report.symbols_stored = summary.symbols;
        report.gaps = summary.gaps;
        report.factors = summary.factors.len() as u64;
        report.inferred_factors = summary.inferred_factors.len() as u64;
        Ok(report)
    }
}

fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// A known layout, told by the header.
enum Format {
    SecBhavdata(sec_bhavdata::Layout),
    Udiff(udiff::Layout),
    CmBhav(cm_bhav::Layout),
    Generic(generic::Layout),
}

impl Format {
    fn of(columns: &Columns, file: &str, options: &ImportOptions) -> Option<Self> {
        if let Some(layout) = sec_bhavdata::Layout::of(columns) {
            return Some(Self::SecBhavdata(layout));
        }
        if let Some(layout) = udiff::Layout::of(columns) {
            return Some(Self::Udiff(layout));
        }
        if let Some(layout) = cm_bhav::Layout::of(columns) {
            return Some(Self::CmBhav(layout));
        }
        let symbol = options.symbol.clone().unwrap_or_else(|| generic::symbol_of_file(base_name(file)));
        generic::Layout::of(columns, symbol).map(Self::Generic)
    }

    const fn whole_market(&self) -> bool {
        !matches!(self, Self::Generic(_))
    }

    fn parse<'r>(&self, columns: &Columns, record: &'r csv::ByteRecord) -> Result<Parsed<'r>, line::Fault> {
        match self {
            Self::SecBhavdata(layout) => layout.parse(columns, record),
            Self::Udiff(layout) => layout.parse(columns, record),
            Self::CmBhav(layout) => layout.parse(columns, record),
            Self::Generic(layout) => layout.parse(record),
        }
    }
}

/// Rejected lines by reason, most frequent first: what a terminal shows instead of thousands of lines.
pub fn reasons(rejected: &[Rejected]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for line in rejected {
        *counts.entry(&line.reason).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

#[cfg(test)]
mod tests;
