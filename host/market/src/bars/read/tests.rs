use model::Date;

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
    std::fs::write(file.path(), text).expect("writable");
    file
}

fn at(hour: u32, minute: u32) -> i64 {
    Timestamp::at_ist(Date::from_ymd_opt(2025, 3, 4).expect("a date"), hour, minute).nanos()
}

#[test]
fn every_way_to_write_a_line_gives_the_same_bar() {
    for (header, line) in [
        ("datetime,open,high,low,close,volume", "2025-03-04 09:15:00,100.5,101,99.25,100.75,1234"),
        ("datetime,open,high,low,close,volume", "2025-03-04T09:15,100.50,101.00,99.25,100.7500,1234.0"),
        ("Date,Time,Open,High,Low,Close,Volume", "2025-03-04,09:15:00,100.5,101,99.25,100.75,1234"),
        ("Timestamp,Symbol,Volume,Close,Low,High,Open", "1741059900,ABC,1234,100.75,99.25,101,100.5"),
        ("time, open, high, low, close, volume", "1741059900000, 100.5, 101, 99.25, 100.75, 1234"),
        ("datetime,open,high,low,close,volume", "2025-03-04T03:45:00Z,1.005e2,101,99.25,100.75,1234"),
        ("datetime,open,high,low,close,volume", "\"2025-03-04 09:15:00\",\"100.5\",101,99.25,100.75,1234"),
    ] {
        let file = file(&format!("{header}\r\n{line}\r\n\r\n"));
        let read = read(file.path(), &ReadOptions::default()).expect(line);
        let expected = super::super::Bar {
            start: at(9, 15),
            open: 1_005_000,
            high: 1_010_000,
            low: 992_500,
            close: 1_007_500,
            volume: 1_234,
        };
        assert_eq!((read.bars.len(), read.bars.get(0)), (1, expected), "{line}");
    }
}

const HEADER: &str = "datetime,open,high,low,close,volume";

#[test]
fn a_broken_line_stops_with_its_number_unless_told_to_skip() {
    for (bad, reason) in [
        ("2025-03-04 09:16:00,x,101,99,100,1", "open: `x` is not a number"),
        ("2025-03-04 09:16:00,100,101,99,98,1", "close lies outside"),
        ("2025-03-04 09:16:00,100,101,99,100,-5", "volume"),
        ("2025-03-04 09:16:00,100,101", "low is missing"),
        ("2025-03-04 25:16:00,100,101,99,100,1", "not a date"),
        ("2025-03-04 09:15:00,100,101,99,100,1", "does not come after"),
    ] {
        let file = file(&format!(
            "{HEADER}\n2025-03-04 09:15,100,101,99,100,1\n{bad}\n2025-03-04 09:17,100,101,99,100,1\n"
        ));
        let error = read(file.path(), &ReadOptions::default()).expect_err(bad).to_string();
        assert!(error.contains("line 3") && error.contains(reason), "{error}");
        let options = ReadOptions { skip_bad: true, ..ReadOptions::default() };
        let read = read(file.path(), &options).expect(bad);
        assert_eq!((read.bars.len(), read.skipped), (2, 1), "{bad}");
    }
}

#[test]
fn one_symbol_of_several_is_taken() {
    let text = "symbol,date,open,high,low,close,volume\nAAA,2025-03-03,1,1,1,1,1\nBBB,2025-03-03,2,2,2,2,1\nAAA,2025-03-04,3,3,3,3,1\n";
    let file = file(text);
    let error = read(file.path(), &ReadOptions::default()).expect_err("two symbols").to_string();
    assert!(error.contains("--symbol"), "{error}");
    let named = |symbol: &str| ReadOptions { symbol: Some(symbol.into()), skip_bad: false };
    let found = read(file.path(), &named("aaa")).expect("there");
    assert_eq!((found.symbol.as_str(), found.bars.len(), found.bars.get(1).close), ("AAA", 2, 30_000));
    assert!(matches!(read(file.path(), &named("CCC")), Err(BarsError::Empty { .. })));
}

#[test]
fn files_that_are_no_bars_are_refused() {
    let missing = read(Path::new("no-such-file.csv"), &ReadOptions::default()).expect_err("missing");
    assert!(missing.to_string().contains("check the path"));
    for text in ["", "a,b,c\n1,2,3\n"] {
        assert!(matches!(read(file(text).path(), &ReadOptions::default()), Err(BarsError::Header { .. })));
    }
    assert!(matches!(read(file(HEADER).path(), &ReadOptions::default()), Err(BarsError::Empty { .. })));
    let long = format!("{HEADER}\n{}\n", "9".repeat(10_000));
    assert!(matches!(read(file(&long).path(), &ReadOptions::default()), Err(BarsError::Unreadable { .. })));
}

#[test]
fn gzip_is_unpacked_on_the_way() {
    use std::io::Write as _;
    let packed = tempfile::NamedTempFile::new().expect("a file");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(format!("{HEADER}\n2025-03-04 09:15,100,101,99,100,1\n").as_bytes())
        .expect("in memory");
    std::fs::write(packed.path(), encoder.finish().expect("in memory")).expect("writable");
    assert_eq!(read(packed.path(), &ReadOptions::default()).expect("readable").bars.get(0).start, at(9, 15));
}
