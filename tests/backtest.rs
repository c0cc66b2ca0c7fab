//! `backtest` of the EMA cross against a plain loop of the same rule.

mod support;

use support::{run_fails, run_json, text, write_minute_bars};

const CASH: i64 = 1_000_000 * 10_000;

/// The rule in twenty lines: signals on closes, fills at the next open, one pending at the last bar is
/// dropped. Answers with final equity (ten-thousandths) and closed round trips.
fn plain_loop(bars: &[(i64, i64)]) -> (i64, u64) {
    let (fast_alpha, slow_alpha) = (2.0 / 11.0, 2.0 / 21.0);
    let (mut fast, mut slow) = (0.0_f64, 0.0_f64);
    let (mut cash, mut held, mut trades) = (CASH, 0_i64, 0_u64);
    let mut pending = 0_i64;
    for (at, &(open, close)) in bars.iter().enumerate() {
        if pending != 0 {
            cash -= pending * open;
            held += pending;
            trades += u64::from(held == 0);
            pending = 0;
        }
        let price = close as f64 / 10_000.0;
        if at == 0 {
            (fast, slow) = (price, price);
        } else {
            fast += fast_alpha * (price - fast);
            slow += slow_alpha * (price - slow);
        }
        if at + 1 >= 20 {
            if held == 0 && fast > slow {
                pending = 10;
            } else if held > 0 && fast < slow {
                pending = -held;
            }
        }
    }
    (cash + held * bars.last().expect("bars").1, trades)
}

fn ema_cross() -> tempfile::TempPath {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    std::io::Write::write_all(&mut file, bundle::EMA_CROSS).expect("written");
    file.into_temp_path()
}

fn backtest(count: usize, seed: u64) -> (serde_json::Value, (i64, u64)) {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("bars.csv");
    let bars = write_minute_bars(&csv, count, seed);
    let component = ema_cross();
    let result =
        run_json(&["backtest", text(&component), "--bars", text(&csv), "--cash", "1000000", "--json"]);
    (result, plain_loop(&bars))
}

#[test]
fn equity_and_trades_equal_the_plain_loop() {
    for (count, seed) in [(100_000, 1), (20_001, 2), (40, 3), (20, 4), (1, 5)] {
        let (result, (equity, trades)) = backtest(count, seed);
        let shown: model::Money =
            result["final_equity"].to_string().trim_matches('"').parse().expect("money");
        assert_eq!(shown.units(), equity, "final equity over {count} bars");
        assert_eq!(result["n_trades"].as_u64(), Some(trades), "round trips over {count} bars");
        assert_eq!(result["bars"].as_u64(), Some(count as u64));
        if count == 100_000 {
            assert!(trades > 1_000, "the rule trades: {trades}");
        }
    }
}

#[test]
fn the_answer_is_one_line_with_the_promised_fields() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("bars.csv");
    write_minute_bars(&csv, 500, 9);
    let component = ema_cross();
    let output = support::run_ok(&["backtest", text(&component), "--bars", text(&csv)]);
    let last = output.lines().last().expect("a line");
    let result: serde_json::Value = serde_json::from_str(last).expect("one line of JSON");
    for field in ["name", "bars", "seconds", "bars_per_s", "final_equity", "n_trades", "peak_rss_mb"] {
        assert!(!result[field].is_null(), "{field} in {last}");
    }
}

#[test]
fn broken_input_is_told_with_line_and_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("bars.csv");
    let component = ema_cross();
    let missing = run_fails(&["backtest", text(&component), "--bars", text(&csv)], 1);
    assert!(missing.contains("bars.csv"), "{missing}");
    std::fs::write(&csv, "timestamp,open,high,low,close,volume\n2025-01-01T09:15:00,1,2,0.5,1.5,10\n2025-01-01T09:16:00,1,oops,1,1,1\n")
        .expect("written");
    let broken = run_fails(&["backtest", text(&component), "--bars", text(&csv)], 1);
    assert!(broken.contains('3') && broken.contains("oops"), "{broken}");
    std::fs::write(&csv, "not,a,price,file\n1,2,3,4\n").expect("written");
    run_fails(&["backtest", text(&component), "--bars", text(&csv)], 1);
    let not_component = run_fails(&["backtest", text(&csv), "--bars", text(&csv)], 1);
    assert!(not_component.contains("not a"), "{not_component}");
}
