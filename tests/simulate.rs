//! `data import` and `simulate`: made-up sessions from files to an account that balances every day.

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::account::{balances_every_day, by_id, fills, list, number, owned, word};
use support::made_up::{MadeUp, Packing, sessions_after, write_packed};
use support::{exchange_files, run_fails, run_json, run_ok, text};

const PACKINGS: [Packing; 3] = [Packing::Plain, Packing::Gzip, Packing::Zip];

/// 60 shares over 140 sessions of 2025, in the exchange's format.
fn market() -> MadeUp {
    MadeUp::new(60, sessions_after("2025-01-06", 140), 1)
}

fn import(files: &[PathBuf], into: &Path) -> Value {
    let mut args = vec!["data", "import"];
    args.extend(files.iter().map(|file| text(file)));
    args.extend(["--into", text(into), "--json"]);
    run_json(&args)
}

/// The imported market.
struct Imported {
    folder: tempfile::TempDir,
    dates: Vec<String>,
}

impl Imported {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let market = market();
        let files = market.write(folder.path(), &PACKINGS);
        let imported = Self { dates: market.dates.iter().map(ToString::to_string).collect(), folder };
        let report = import(&files, &imported.path());
        assert_eq!(number(&report, "files"), 140);
        imported
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Arguments for `days` sessions from the 71st on: an EMA50 is warm, and shares fall and rise.
    fn arguments(&self, days: usize, more: &[&str]) -> Vec<String> {
        let (from, to) = (&self.dates[70], &self.dates[70 + days - 1]);
        let path = self.path();
        let mut arguments: Vec<String> =
            ["simulate", "--data", text(&path), "--from", from, "--to", to].map(str::to_owned).into();
        arguments.extend(more.iter().map(|&more| more.to_owned()));
        arguments
    }

    fn simulate(&self, days: usize, more: &[&str]) -> Value {
        let arguments = self.arguments(days, &[more, &["--json"]].concat());
        run_json(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

const EMA50: [&str; 2] = ["--param", "buy.trend_ema=50"];

#[test]
fn every_day_balances_and_nothing_is_sold_that_is_not_owned() {
    let answer = Imported::new().simulate(40, &EMA50);
    assert_eq!(balances_every_day(&answer), 40);
    let fills = fills(&answer);
    let (buys, sells): (Vec<_>, Vec<_>) = fills.iter().partition(|fill| fill.buys);
    assert!(buys.len() >= 20 && sells.len() >= 10, "{} buys and {} sells", buys.len(), sells.len());
    assert!(fills.iter().all(|fill| fill.session.as_str() >= word(&answer, "from")));

    let owned = owned(&answer);
    let last = list(&answer, "days").last().expect("a day");
    assert_eq!(number(last, "positions"), owned.len() as i64);

    let orders = by_id(&answer);
    let filled = |side: &str| {
        let by: std::collections::BTreeSet<&str> = fills
            .iter()
            .filter(|fill| fill.buys == (side == "buy"))
            .map(|fill| fill.order.as_str())
            .collect();
        by.len() as i64
    };
    assert_eq!(number(&answer, "buys_filled"), filled("buy"));
    assert_eq!(number(&answer, "sells_filled"), filled("sell"));
    for fill in &fills {
        let order = orders[fill.order.as_str()];
        assert_eq!(word(order, "symbol"), fill.symbol);
        assert_eq!(word(order, "for_session"), fill.session, "an order trades in its session only");
        if fill.buys {
            assert!(fill.price <= support::account::paise(&order["price"]), "within its limit: {fill:?}");
        }
    }
    for order in orders.values() {
        let told: i64 =
            fills.iter().filter(|fill| fill.order == word(order, "id")).map(|fill| fill.quantity).sum();
        let (asked, status) = (number(order, "quantity"), word(order, "status"));
        assert!(told <= asked || word(order, "strategy") == "sell", "{order}");
        assert_eq!(status == "filled", told > 0 && told == asked, "{status} with {told} of {asked}: {order}");
    }
}

#[test]
fn another_process_leaves_the_same_trace() {
    let data = Imported::new();
    let (one, two) = (data.simulate(15, &EMA50), data.simulate(15, &EMA50));
    assert_eq!(word(&one, "trace_hash"), word(&two, "trace_hash"));
    assert_eq!(one, two, "and prints the same");
    let other = data.simulate(15, &[&EMA50[..], &["--param", "buy.max_positions=5"]].concat());
    assert_ne!(word(&one, "trace_hash"), word(&other, "trace_hash"), "the hash sees a difference");
}

#[test]
fn a_long_average_that_cannot_warm_buys_nothing_and_says_so_in_one_line() {
    let data = Imported::new();
    let answer = data.simulate(5, &[]);
    assert_eq!(list(&answer, "orders").len(), 0);
    assert_eq!(balances_every_day(&answer), 5);
    let last = answer["last_summary"]["buy"].as_str().expect("a summary");
    assert!(
        !last.contains('\n') && last.contains("60 of 60 symbols have fewer than 200 daily bars"),
        "{last}"
    );

    let arguments = data.arguments(2, &[]);
    let told = run_ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let lines =
        told.lines().filter(|line| line.contains("60 of 60 symbols have fewer than 200 daily bars")).count();
    assert_eq!(lines, 1, "{told}");
}

#[test]
fn the_report_is_one_page_that_loads_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("out.html");
    let answer = Imported::new().simulate(20, &[&EMA50[..], &["--report", text(&page)]].concat());
    assert!(!list(&answer, "fills").is_empty(), "something was traded");
    let html = std::fs::read_to_string(&page).expect("the report");
    assert!(html.trim_start().to_lowercase().starts_with("<!doctype html>"));
    for part in ["<svg", "<table", "<style", "equity", word(&answer, "trace_hash")] {
        assert!(html.to_lowercase().contains(part), "{part} in the report");
    }
    // A namespace is a name; everything else that begins like an address would be loaded.
    let loads = html.replace("http://www.w3.org/2000/svg", "");
    for load in ["http://", "https://", "src=\"", "@import", "url(", "<link"] {
        assert!(!loads.contains(load), "{load} in the report");
    }
    for fill in fills(&answer) {
        assert!(html.contains(&fill.symbol), "{} was traded", fill.symbol);
    }
    for order in list(&answer, "orders") {
        assert!(html.contains(word(order, "id")), "the page tells of order {}", word(order, "id"));
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told() {
    let data = Imported::new();
    let missing = "/no/such/folder/out.html";
    let arguments = data.arguments(1, &["--report", missing]);
    let told = run_fails(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    assert!(told.contains(missing), "{told}");
}

#[test]
fn an_import_tells_what_it_read_and_does_not_read_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let market = MadeUp::new(3, sessions_after("2025-03-02", 9), 5);
    let files = market.write(folder.path(), &PACKINGS);
    let into = folder.path().join("data");
    let first = import(&files, &into);
    for (name, expected) in
        [("files", 9), ("rows", 27), ("unchanged", 0), ("symbols", 3), ("sessions", 9), ("rejected_total", 0)]
    {
        assert_eq!(number(&first, name), expected, "{name}");
    }
    let kept = std::fs::read(into.join("daily.tac")).expect("the data");
    let again = import(&files, &into);
    assert_eq!(number(&again, "unchanged"), 27);
    assert_eq!(number(&again, "sessions_stored"), 9);
    assert_eq!(std::fs::read(into.join("daily.tac")).expect("the data"), kept, "not a byte differs");
    let info = run_json(&["data", "info", text(&into), "--json"]);
    assert_eq!((number(&info, "sessions"), number(&info, "symbols"), number(&info, "rows")), (9, 3, 27));
}

#[test]
fn a_session_without_a_file_is_a_gap_and_no_factor_crosses_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let dates = sessions_after("2025-01-28", 5);
    // 2025-02-01 is a Saturday on which the exchange traded.
    let saturday = dates.iter().position(|date| date.to_string() == "2025-02-01").expect("a session");
    let market = MadeUp::new(20, dates, 3);
    let mut files = market.write(folder.path(), &PACKINGS);
    files.remove(saturday);
    let report = import(&files, &folder.path().join("data"));
    let gaps: Vec<&str> = list(&report, "gaps").iter().map(|gap| word(gap, "date")).collect();
    assert_eq!(gaps, ["2025-02-01"]);
    assert_eq!((number(&report, "factors"), number(&report, "inferred_factors")), (0, 0));
}

#[test]
fn a_broken_line_is_told_with_file_line_and_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let market = MadeUp::new(3, sessions_after("2025-03-02", 1), 5);
    let broken = market.text(0).replacen("MADE002, EQ, 03-Mar-2025, ", "MADE002, EQ, 03-Mar-2025, x", 1);
    let file =
        write_packed(folder.path(), "sec_bhavdata_full_03032025.csv", broken.as_bytes(), Packing::Plain);
    let into = folder.path().join("data");
    let report = import(std::slice::from_ref(&file), &into);
    assert_eq!((number(&report, "rows"), number(&report, "rejected_total")), (2, 1));
    let [rejected] = list(&report, "rejected") else { panic!("{report}") };
    assert!(word(rejected, "file").ends_with("sec_bhavdata_full_03032025.csv"), "{rejected}");
    assert_eq!(number(rejected, "line"), 3);
    assert!(word(rejected, "reason").contains("is not a number"), "{rejected}");
    // For a person too.
    let output = support::run(&["data", "import", text(&file), "--into", text(&into)]);
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("is not a number"), "{told}");
}

#[test]
fn a_file_that_cannot_be_read_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let market = MadeUp::new(3, sessions_after("2025-03-02", 3), 5);
    let files = market.write(folder.path(), &[Packing::Plain, Packing::Gzip, Packing::Zip]);
    let into = folder.path().join("data");
    import(&files[..1], &into);
    let kept = std::fs::read(into.join("daily.tac")).expect("the data");
    let truncated = |from: &Path, name: &str| {
        let bytes = std::fs::read(from).expect("a file");
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes[..bytes.len() * 2 / 3]).expect("written");
        path
    };
    let unknown = write_packed(folder.path(), "notes.csv", b"a,b\n1,2\n", Packing::Plain);
    for (file, says) in [
        (truncated(&files[1], "half.csv.gz"), "half.csv.gz"),
        (truncated(&files[2], "half.csv.zip"), "half.csv.zip"),
        (unknown, "in no format known here"),
        (folder.path().join("missing.csv"), "missing.csv"),
    ] {
        let told = run_fails(&["data", "import", text(&files[1]), text(&file), "--into", text(&into)], 1);
        assert!(told.contains(says) && told.contains("nothing was imported"), "{told}");
        assert_eq!(std::fs::read(into.join("daily.tac")).expect("the data"), kept, "{says}");
    }
}

#[test]
fn the_exchanges_own_sessions() {
    let Some(folder) = exchange_files() else {
        println!("skipped: the exchange's files are not beside the project (shared/data/nse-eod)");
        return;
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let into = scratch.path().join("data");
    let report = import(&[folder], &into);
    assert_eq!(number(&report, "sessions"), 101);
    assert_eq!(number(&report, "rejected_total"), 0);
    let gaps: Vec<&str> = list(&report, "gaps").iter().map(|gap| word(gap, "date")).collect();
    assert_eq!(gaps, ["2025-02-01"]);

    let args = ["simulate", "--data", text(&into), "--param", "buy.trend_ema=50", "--json"];
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run_json(&args));
        (run_json(&args), other.join().expect("the other process"))
    });
    assert_eq!(word(&one, "trace_hash"), word(&two, "trace_hash"));
    assert_eq!(balances_every_day(&one), 101);
    owned(&one);
    let (buys, sells) = (number(&one, "buys_filled"), number(&one, "sells_filled"));
    assert!(buys >= 100 && sells >= 50, "{buys} buys and {sells} sells filled");
}
