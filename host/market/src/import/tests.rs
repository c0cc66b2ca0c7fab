use std::fs;
use std::io::Write as _;

use model::Date;

use super::*;

const SEC: &str = "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE, TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("writable");
        path
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn import(&self, files: &[PathBuf]) -> Result<ImportReport, ImportError> {
        import(files, &self.store(), &ImportOptions::default(), &Calendar::bundled(), |_| {})
    }

    fn data(&self) -> Dataset {
        Dataset::load(&self.store(), &Calendar::bundled()).expect("readable")
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("in memory");
    encoder.finish().expect("in memory")
}

fn sec_line(symbol: &str, series: &str, date: &str, prev: &str, close: &str) -> String {
    format!(
        "{symbol}, {series}, {date}, {prev}, {close}, {close}, {close}, {close}, {close}, {close}, 1000, 1.0, 5, -, -\n"
    )
}

#[test]
fn every_format_gives_the_same_day() {
    let sec = format!(
        "{SEC}ABC, EQ, 08-Jul-2024, 100.00, 101.50, 104.00, 99.05, 103, 103.20, 102, 5000, 5.1, 50, -, -\n\
         1018GS2026, GS, 08-Jul-2024, 112.00, 112, 112, 112, 112, 112, 112, 10, 0.01, 1, 10, 100\n"
    );
    let udiff = "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4\n\
        2024-07-08,2024-07-08,CM,NSE,STK,1,INE000A01010,ABC,EQ,,,,,ABC LTD,101.50,104.00,99.05,103.20,103,100.00,,103.2,,,5000,510000,50,F1,1,,,,,\n\
        2024-07-08,2024-07-08,CM,BSE,STK,500001,INE000A01010,ABC,A,,,,,ABC LTD,101.50,104.00,99.05,103.20,103,100.00,,103.2,,,5000,510000,50,F1,1,,,,,\n\
        2024-07-08,2024-07-08,CM,NSE,STK,2,INE000A07010,ABC,N1,,,,,ABC BOND,1,1,1,1,1,1,,1,,,5,5,1,F1,1,,,,,\n\
        2024-07-08,2024-07-08,FO,NSE,STF,3,,ABC,,2024-07-25,,,,ABC FUT,1,1,1,1,1,1,,1,,,5,5,1,F1,1,,,,,\n";
    let cm = "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,\n\
        ABC,EQ,101.5,104,99.05,103.2,103,100,5000,510000,08-JUL-2024,50,INE000A01010,\n";
    let plain = "date,Open,HIGH,low,close,Volume\n2024-07-08,101.5,104,99.05,103.2,5000\n";
    let folder = Folder::new();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [("BhavCopy_NSE_CM.csv", udiff), ("cm08JUL2024bhav.csv", cm)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("in memory");
        zip.write_all(text.as_bytes()).expect("in memory");
    }
    let files = [
        folder.file("sec.csv.gz", gzip(&sec)),
        folder.file("archive.zip", zip.finish().expect("in memory").into_inner()),
        folder.file("abc.csv", plain),
    ];
    let mut told = Vec::new();
    let report =
        import(&files, &folder.store(), &ImportOptions::default(), &Calendar::bundled(), |progress| {
            told.push((progress.files_done, progress.files, progress.rows));
        })
        .expect("sound files");
    assert_eq!(told.last(), Some(&(3, 3, report.rows)));
    assert_eq!((report.files, report.rows, report.unchanged, report.not_equity), (4, 5, 3, 3), "{report:?}");
    assert_eq!((report.rejected_total, report.symbols, report.sessions), (0, 2, 2), "{report:?}");
    let data = folder.data();
    for symbol in ["ABC", "BSE:ABC"] {
        let history = data.history(symbol).expect(symbol);
        assert_eq!((history.open[0], history.high[0], history.low[0]), (1_015_000, 1_040_000, 990_500));
        assert_eq!(
            (history.close[0], history.prev_close[0], history.volume[0]),
            (1_032_000, 1_000_000, 5_000)
        );
        assert_eq!(history.isin, "INE000A01010");
    }
    assert_eq!(data.series_of(data.history("BSE:ABC").expect("there"), 0).0, "A");
}

#[test]
fn importing_twice_or_in_any_order_changes_nothing() {
    let folder = Folder::new();
    let files: Vec<PathBuf> = ["02-Jan-2025", "03-Jan-2025", "06-Jan-2025"]
        .iter()
        .map(|date| {
            folder.file(&format!("{date}.csv"), format!("{SEC}{}", sec_line("A", "EQ", date, "10", "11")))
        })
        .collect();
    folder.import(&[files[2].clone(), files[0].clone()]).expect("sound");
    folder.import(&[files[1].clone()]).expect("sound");
    let once = fs::read(folder.store().join("daily.tac")).expect("there");
    let report = folder.import(&files).expect("sound");
    assert_eq!((report.rows, report.unchanged, report.sessions_stored), (3, 3, 3));
    assert_eq!(fs::read(folder.store().join("daily.tac")).expect("there"), once);
}

#[test]
fn a_broken_line_is_told_and_the_others_are_kept() {
    let folder = Folder::new();
    let date = "02-Jan-2025";
    let mut text = SEC.as_bytes().to_vec();
    text.extend(sec_line("GOOD", "EQ", date, "10", "11").bytes());
    for (bad, reason) in BAD_LINES {
        assert!(!reason.is_empty());
        text.extend_from_slice(bad);
        text.push(b'\n');
    }
    text.extend(sec_line("LAST", "BE", date, "-", "12").bytes());
    let report = folder.import(&[folder.file("x.csv", text)]).expect("a file with broken lines");
    assert_eq!((report.rows, report.rejected_total), (2, BAD_LINES.len() as u64), "{report:?}");
    for (at, ((_, reason), rejected)) in BAD_LINES.iter().zip(&report.rejected).enumerate() {
        assert_eq!(rejected.line, at as u64 + 3);
        assert!(
            rejected.reason.contains(reason) && rejected.file.ends_with("x.csv"),
            "{rejected:?} {reason}"
        );
    }
    let summary = folder.data().summary();
    assert_eq!((summary.symbols, summary.rejected), (2, BAD_LINES.len() as u64));
    assert_eq!(reasons(&report.rejected).iter().map(|(_, count)| count).sum::<u64>(), report.rejected_total);
}

const BAD_LINES: [(&[u8], &str); 9] = [
    (b"A, EQ, 02-Jan-2025, 10, x, 11, 11, 11, 11, 11, 1, 1, 1, -, -", "`x` is not a number"),
    (b"A, EQ, 02-Jan-2025, 10, 11, 10, 11, 11, 11, 11, 1, 1, 1, -, -", "outside low..high"),
    (b"A, EQ, 02-Jan-2025, 10, 0, 11, 0, 11, 11, 11, 1, 1, 1, -, -", "not above zero"),
    (b"A, EQ, 32-Jan-2025, 10, 11, 11, 11, 11, 11, 11, 1, 1, 1, -, -", "not a date"),
    (b"A, EQ, 02-Jan-2025, 10, 11", "is missing"),
    (b", EQ, 02-Jan-2025, 10, 11, 11, 11, 11, 11, 11, 1, 1, 1, -, -", "symbol is empty"),
    (b"A, EQ, 02-Jan-2025, 10, 11, 11, 11, 11, \xff\xfe, 11, 1, 1, 1, -, -", "not UTF-8"),
    (b"A, EQ, 02-Jan-2025, 10, 11, 11, 11, 11, 11, 11, -5, 1, 1, -, -", "`-5` is not a number"),
    (
        b"GOOD, EQ, 02-Jan-2025, 10, 12, 12, 12, 12, 12, 12, 1, 1, 1, -, -",
        "other figures for 2025-01-02 already",
    ),
];

#[test]
fn what_cannot_be_read_imports_nothing() {
    let folder = Folder::new();
    let good = folder.file("good.csv", format!("{SEC}{}", sec_line("A", "EQ", "02-Jan-2025", "10", "11")));
    let mut cut = gzip(&format!("{SEC}{}", sec_line("A", "EQ", "02-Jan-2025", "10", "11")));
    cut.truncate(cut.len() - 12);
    for (bad, expected) in [
        (folder.0.path().join("missing.csv"), "cannot read"),
        (folder.file("cut.csv.gz", cut), "cannot read"),
        (folder.file("strange.csv", "a,b\n1,2\n"), "no format known here"),
        (folder.file("empty.csv", ""), "no format known here"),
        (folder.file("broken.zip", b"PK\x03\x04 and no more"), "not a sound zip"),
    ] {
        let error = folder.import(&[good.clone(), bad]).expect_err(expected).to_string();
        assert!(error.contains(expected) && error.contains("nothing was imported"), "{error}");
        assert!(!folder.store().exists(), "nothing is written");
    }
    assert!(matches!(folder.import(&[]), Err(ImportError::Nothing)));
}

#[test]
fn previous_close_is_compared_with_the_session_before_and_never_across_a_gap() {
    let folder = Folder::new();
    // Friday 31 January; Saturday 1 February 2025 was a session and has no file; Monday 3 February.
    let days = [("30-Jan-2025", "100", "100"), ("31-Jan-2025", "50", "51"), ("03-Feb-2025", "77", "78")];
    let mut files = Vec::new();
    for (date, prev, close) in days {
        let mut text =
            SEC.to_owned() + &sec_line("SPLIT", if prev == "50" { "BE" } else { "EQ" }, date, prev, close);
        if date != "31-Jan-2025" {
            // Did not trade on the 31st, though its file is there.
            text += &sec_line("QUIET", "EQ", date, "10", "10");
        }
        text += &sec_line("SAME", "EQ", date, "20.01", "20");
        files.push(folder.file(&format!("{date}.csv"), text));
    }
    // A split of 2:1 shown by PREV_CLOSE, within the same history though the series changed.
    let report = folder.import(&files).expect("sound");
    assert_eq!((report.factors, report.inferred_factors), (1, 0));
    let gap = Date::from_ymd_opt(2025, 2, 1).expect("a date");
    assert_eq!(report.gaps.iter().map(|gap| gap.date).collect::<Vec<_>>(), [gap]);
    let data = folder.data();
    let found: Vec<_> = data
        .factors()
        .map(|(symbol, factor)| (symbol.as_str(), factor.numerator, factor.denominator))
        .collect();
    assert_eq!(found, [("SPLIT", 1, 2)]);
    assert!(
        serde_json::to_string(&data.summary()).expect("plain data").contains("\"source\":\"previous-close\"")
    );
    // With the Saturday's file there, Monday may be compared with it.
    let saturday =
        folder.file("sat.csv", format!("{SEC}{}", sec_line("SPLIT", "EQ", "01-Feb-2025", "51", "154")));
    assert_eq!(folder.import(&[saturday]).expect("sound").factors, 2, "154, then a previous close of 77");
}

#[test]
fn minutes_are_kept_apart_and_make_their_days() {
    let folder = Folder::new();
    let text = "datetime,open,high,low,close,volume\n2025-01-02 09:15:00,10,12,9,11,100\n2025-01-02 09:16:00,11,13,10,12,50\n2025-01-03 09:15:00,12,12,12,12,1\n";
    let file = folder.file("minutes.csv", text);
    let options = ImportOptions { symbol: Some("M&M".into()) };
    let report = import(&[file], &folder.store(), &options, &Calendar::bundled(), |_| {}).expect("sound");
    assert_eq!((report.rows, report.sessions, report.symbols_stored), (3, 2, 1));
    let other = "datetime,open,high,low,close,volume\n2025-01-02 09:15:00,10,12,9,11,999\n2025-01-03 09:16:00,12,14,12,13,2\n";
    let later = folder.file("later.csv", other);
    let report = import(&[later], &folder.store(), &options, &Calendar::bundled(), |_| {}).expect("sound");
    assert_eq!((report.rows, report.rejected_total), (1, 1), "the first figures of a minute stay");
    let data = folder.data();
    let history = data.history("M&M").expect("there");
    assert_eq!(
        (history.open[0], history.high[0], history.low[0], history.close[0]),
        (100_000, 130_000, 90_000, 120_000)
    );
    assert_eq!(history.volume, [150, 3]);
    assert_eq!(history.minutes.as_ref().map(|minutes| minutes.bars.len()), Some(4));
}
