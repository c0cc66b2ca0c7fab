//! The data set on disk: a folder with `daily.tac` (every symbol's daily columns) and
//! `minute/SYMBOL.tac` (one symbol's minutes each).
//!
//! A file is a 48-byte header (magic, kind, format version, blake3 of the rest) and variable-length
//! columns. A whole file is written beside its target, synced and renamed, so a reader sees the old data or
//! the new, never half of it. 101 sessions of the whole market are 4 MB and load in tens of milliseconds.

mod daily;
mod lock;
mod minute;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use model::Symbol;

use crate::table::Table;
pub use lock::{StoreLock, lock};

/// The newest format this build reads, and the one of the daily file it writes. Version 2 keeps with each row
/// where it is from, and what a broker was asked for; in a file of version 1 every row is from a file.
pub const VERSION: u32 = 2;
/// Minutes are still written as they always were, so that an older build reads them.
const MINUTE_VERSION: u32 = 1;
const VERSION_OF_FILES_ONLY: u32 = 1;
const MAGIC: &[u8; 8] = b"tradeagt";
const HEADER: usize = 48;
const DAILY: u32 = u32::from_le_bytes(*b"day1");
const MINUTE: u32 = u32::from_le_bytes(*b"min1");
/// Larger files are not ours: 100 years of the whole market are 1 GB.
const FILE_MAX: u64 = 4 << 30;

/// Why a store cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no data set in the folder.
    #[error("`{}` holds no market data: import some with `tradeagent data import FILES --into {}`", .0.display(), .0.display())]
    Missing(PathBuf),
    /// The operating system refused.
    #[error("cannot {doing} `{}`: {source}; check that the folder exists, is writable and has room", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Its answer.
        source: std::io::Error,
    },
    /// Not one of our files, or its contents changed after they were written.
    #[error("`{}` is damaged ({reason}): delete it and import the files again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// Another process, or another task of this one, is writing into the folder.
    #[error(
        "`{}` is being written by another tradeagent (a `data update` or `data import`): wait until it has finished, then do this again", .0.display()
    )]
    Busy(PathBuf),
    /// Written by a newer build.
    #[error(
        "`{}` has format {found}, this build reads up to {VERSION}: use the newer tradeagent, or import the files into another folder", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: u32,
    },
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { doing, path, source }
}

fn daily_path(dir: &Path) -> PathBuf {
    dir.join("daily.tac")
}

fn minute_dir(dir: &Path) -> PathBuf {
    dir.join("minute")
}

/// The file of a symbol's minutes: what a file system may dislike is written as `%XX`.
fn minute_path(dir: &Path, symbol: &str) -> PathBuf {
    let mut name = String::with_capacity(symbol.len() + 4);
    for byte in symbol.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    minute_dir(dir).join(name + ".tac")
}

/// Whether the folder holds a data set.
pub fn exists(dir: &Path) -> bool {
    daily_path(dir).is_file()
}

/// Reads the whole data set of a folder.
pub fn load(dir: &Path) -> Result<Table, StoreError> {
    if !exists(dir) {
        return Err(StoreError::Missing(dir.to_owned()));
    }
    let mut table = load_daily(dir)?;
    let minutes = minute_dir(dir);
    if minutes.is_dir() {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&minutes).map_err(io("read", &minutes))? {
            let path = entry.map_err(io("read", &minutes))?.path();
            if path.extension().is_some_and(|extension| extension == "tac") {
                paths.push(path);
            }
        }
        paths.sort();
        for path in paths {
            let (symbol, rows) = read_minutes(&path)?;
            table.symbols.entry(Symbol::from(symbol)).or_default().minutes = rows;
        }
    }
    Ok(table)
}

/// Reads the daily part alone.
pub fn load_daily(dir: &Path) -> Result<Table, StoreError> {
    let path = daily_path(dir);
    let (version, payload) = read(&path, DAILY)?;
    daily::decode(&payload[HEADER..], version > VERSION_OF_FILES_ONLY)
        .map_err(|_| StoreError::Damaged { path, reason: "its columns do not fit" })
}

/// Adds to `table` the stored minutes of one symbol, if there are any.
pub fn load_minutes(dir: &Path, table: &mut Table, symbol: &str) -> Result<(), StoreError> {
    let path = minute_path(dir, symbol);
    if path.is_file() {
        let (name, rows) = read_minutes(&path)?;
        table.symbols.entry(Symbol::from(name)).or_default().minutes = rows;
    }
    Ok(())
}

type MinuteRows = std::collections::BTreeMap<i64, crate::row::MinuteRow>;

fn read_minutes(path: &Path) -> Result<(String, MinuteRows), StoreError> {
    let (_, payload) = read(path, MINUTE)?;
    minute::decode(&payload[HEADER..])
        .map_err(|_| StoreError::Damaged { path: path.to_owned(), reason: "its columns do not fit" })
}

/// Writes the table: every file complete beside its target first, then renamed, the daily file last.
pub fn save(dir: &Path, table: &Table) -> Result<(), StoreError> {
    fs::create_dir_all(dir).map_err(io("create", dir))?;
    let mut renames = Vec::new();
    let written = write_all(dir, table, &mut renames);
    if written.is_err() {
        for (temporary, _) in &renames {
            // Best effort: the store itself is untouched whatever becomes of these.
            let _ = fs::remove_file(temporary);
        }
    }
    written?;
    for (temporary, path) in &renames {
        fs::rename(temporary, path).map_err(io("replace", path))?;
    }
    Ok(())
}

fn write_all(dir: &Path, table: &Table, renames: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), StoreError> {
    let mut made_folder = false;
    for (symbol, rows) in &table.symbols {
        if rows.minutes.is_empty() {
            continue;
        }
        if !made_folder {
            let folder = minute_dir(dir);
            fs::create_dir_all(&folder).map_err(io("create", &folder))?;
            made_folder = true;
        }
        write(
            minute_path(dir, symbol.as_str()),
            MINUTE,
            &minute::encode(symbol.as_str(), &rows.minutes),
            renames,
        )?;
    }
    write(daily_path(dir), DAILY, &daily::encode(table), renames)
}

fn write(
    path: PathBuf,
    kind: u32,
    payload: &[u8],
    renames: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<(), StoreError> {
    let temporary = path.with_extension("tac.part");
    renames.push((temporary.clone(), path));
    let mut file = fs::File::create(&temporary).map_err(io("write", &temporary))?;
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&kind.to_le_bytes());
    let version = if kind == MINUTE { MINUTE_VERSION } else { VERSION };
    header.extend_from_slice(&version.to_le_bytes());
    header.extend_from_slice(blake3::hash(payload).as_bytes());
    file.write_all(&header)
        .and_then(|()| file.write_all(payload))
        .and_then(|()| file.sync_all())
        .map_err(io("write", &temporary))
}

fn read(path: &Path, kind: u32) -> Result<(u32, Vec<u8>), StoreError> {
    let damaged = |reason| StoreError::Damaged { path: path.to_owned(), reason };
    if fs::metadata(path).map_err(io("read", path))?.len() > FILE_MAX {
        return Err(damaged("it is too large to be one of ours"));
    }
    let bytes = fs::read(path).map_err(io("read", path))?;
    if bytes.len() < HEADER || &bytes[..8] != MAGIC {
        return Err(damaged("it is not a tradeagent data file"));
    }
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if word(8) != kind {
        return Err(damaged("it is another kind of file"));
    }
    if word(12) > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found: word(12) });
    }
    if blake3::hash(&bytes[HEADER..]).as_bytes()[..] != bytes[16..HEADER] {
        return Err(damaged("its checksum does not match"));
    }
    Ok((word(12), bytes))
}

#[cfg(test)]
mod tests {
    use model::Date;

    use super::*;
    use crate::row::{MinuteRow, Row, RowSource};
    use crate::table::SourceNote;

    fn sample() -> Table {
        let mut table = Table::default();
        let eq = table.series_index("EQ").expect("room");
        let be = table.series_index("BE").expect("room");
        for day in 1..=9_u32 {
            let date = Date::from_ymd_opt(2025, 1, day).expect("a date");
            let close = 1_000_000 + i64::from(day) * 12_300;
            let row = Row {
                open: close - 100,
                high: close + 500,
                low: close - 900,
                close,
                prev_close: if day == 4 { 0 } else { close - 12_300 },
                volume: u64::from(day) * 1_000_003,
                series: if day < 5 { eq } else { be },
                source: match day {
                    1..=6 => RowSource::ExchangeFile,
                    7..=8 => RowSource::BrokerHistory,
                    _ => RowSource::Quotes,
                },
            };
            table.insert_daily("M&M", "INE101A01026", date, row, true);
            if day % 2 == 0 {
                table.insert_daily("BSE:ODD", "", date, Row { open: close - 1, ..row }, false);
            }
        }
        for minute in 0..5 {
            let row = MinuteRow { open: 7, high: 9, low: 5, close: 6 + minute, volume: 3 };
            let row = MinuteRow { high: row.high.max(row.close), ..row };
            table.insert_minute("M&M", 1_699_999_980_000_000_000 + minute * 60_000_000_000, row);
        }
        let day = |day| Date::from_ymd_opt(2025, 1, day).expect("a date");
        let asked = Some((day(1), day(8)));
        table.notes.insert("M&M".into(), SourceNote { asked, quiet: None });
        table.notes.insert("NEW".into(), SourceNote { asked, quiet: Some(day(9)) });
        table.files.insert("a.csv".into(), crate::table::FileNote { rows: 9, not_equity: 2, rejected: 1 });
        table
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let dir = tempfile::tempdir().expect("a folder");
        let table = sample();
        save(dir.path(), &table).expect("writable");
        assert_eq!(load(dir.path()).expect("readable"), table);
        assert!(dir.path().join("minute/M%26M.tac").is_file());
        let left: Vec<_> =
            fs::read_dir(dir.path()).expect("folder").flatten().map(|e| e.file_name()).collect();
        assert_eq!(left.len(), 2, "no temporary file is left: {left:?}");
    }

    #[test]
    fn damage_and_newer_formats_are_refused_with_the_fix() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(load(dir.path()).expect_err("empty").to_string().contains("data import"));
        save(dir.path(), &sample()).expect("writable");
        let path = dir.path().join("daily.tac");
        let good = fs::read(&path).expect("readable");
        for (at, expected) in [
            (0, "not a tradeagent"),
            (9, "another kind"),
            (12, "newer tradeagent"),
            (good.len() - 3, "checksum"),
        ] {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            fs::write(&path, &bad).expect("writable");
            let message = load(dir.path()).expect_err("damaged").to_string();
            assert!(message.contains(expected), "{at}: {message}");
        }
        fs::write(&path, &good[..20]).expect("writable");
        assert!(load(dir.path()).expect_err("cut").to_string().contains("damaged"));
    }

    /// Two days of two shares as the build before broker data wrote them.
    const VERSION_1: &str = "74726164656167746461793101000000c1d97c8eadee2ff6a49bac0f011d7d214b755ffcc45f3ce4273fb14701\
        42ee09020245510242450208646179312e63737602000008646179322e63737602000002d6bdb4010600020341\
        424300026400a0a101d30250f501a19c01882702a001f30300f50180058827034d264d0002640101b410646496\
        01d10f460200646496016446";

    #[test]
    fn a_file_of_the_first_version_is_read_as_what_the_exchange_said() {
        let dir = tempfile::tempdir().expect("a folder");
        let digits: Vec<u8> = VERSION_1.bytes().collect();
        let byte = |pair: &[u8]| {
            u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("a byte in hex")
        };
        fs::write(dir.path().join("daily.tac"), digits.chunks(2).map(byte).collect::<Vec<_>>())
            .expect("writable");
        let table = load(dir.path()).expect("the old format is read");
        let closes: Vec<i64> = table.symbols["ABC"].daily.values().map(|row| row.close).collect();
        assert_eq!(closes, [1_032_000, 1_040_000]);
        let rows = table.symbols.values().flat_map(|symbol| symbol.daily.values());
        assert_eq!(rows.filter(|row| row.source == RowSource::ExchangeFile).count(), 4);
        assert!(table.notes.is_empty() && table.files.len() == 2);
        save(dir.path(), &table).expect("writable");
        assert_eq!(load(dir.path()).expect("readable"), table, "saved as the present version");
        assert_eq!(fs::read(dir.path().join("daily.tac")).expect("readable")[12], 2);
    }

    #[test]
    fn one_writes_at_a_time() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = lock(dir.path()).expect("nobody writes");
        let message = lock(dir.path()).expect_err("somebody writes").to_string();
        assert!(message.contains("another tradeagent"), "{message}");
        drop(first);
        lock(dir.path()).expect("free again");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("file");
        fs::write(&file, "x").expect("writable");
        let message = save(&file.join("data"), &sample()).expect_err("a file is in the way").to_string();
        assert!(message.contains("cannot create"), "{message}");
    }
}
