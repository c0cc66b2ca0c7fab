//! The scrip master: which instruments there are (facts 2.12).

mod columns;
mod row;

use crate::fields::{Fields, RowError};
use crate::json::Json;
use columns::Columns;

pub use row::ScripRow;

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScripFiles {
    /// `baseFolder`.
    pub base_folder: Option<String>,
    /// `filesPaths`: URLs, one for each segment.
    pub files: Vec<String>,
}

/// A file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScripMaster {
    /// The instruments, in the file's order.
    pub rows: Vec<ScripRow>,
    /// How many lines could not be read. A few are normal; a share of them is not, and is for the caller to
    /// judge.
    pub rejected: usize,
}

/// Why a file is no scrip master at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScripError {
    /// Empty: the broker has served such files (facts 6).
    #[error("the scrip master is empty; try again later")]
    Empty,
    /// A header that lacks what every row needs.
    #[error("the scrip master has no column `{0}`; its format has changed or it is another file")]
    NoColumn(&'static str),
    /// Not CSV.
    #[error("the scrip master is not CSV")]
    NotCsv,
}

impl ScripMaster {
    /// Reads a file. Names of columns are trimmed and lose their `;`; a line that cannot be read is counted.
    pub fn parse(bytes: &[u8]) -> Result<Self, ScripError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(ScripError::Empty);
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
        let columns = Columns::of(reader.byte_headers().map_err(|_| ScripError::NotCsv)?)?;
        let mut master = Self { rows: Vec::new(), rejected: 0 };
        for record in reader.byte_records() {
            let lines = record.as_ref().map_or(1, lines_of);
            match record.ok().filter(|_| lines == 1).and_then(|record| ScripRow::read(&columns, &record)) {
                Some(row) => master.rows.push(row),
                None => master.rejected += lines,
            }
        }
        Ok(master)
    }
}

/// A stray quote makes one record of many lines; each of them is a row that was not read.
fn lines_of(record: &csv::ByteRecord) -> usize {
    1 + record.as_slice().iter().filter(|byte| **byte == b'\n').count()
}

impl ScripFiles {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let data = Fields::of(json)?;
        let files = json.get("filesPaths").and_then(Json::list).ok_or("`filesPaths` is not a list")?;
        let file =
            |json: &Json| json.scalar().map(str::to_owned).ok_or_else(|| "a path is not a text".to_owned());
        Ok(Self {
            base_folder: data.text("baseFolder")?,
            files: files.iter().map(file).collect::<Result<_, RowError>>()?,
        })
    }
}
