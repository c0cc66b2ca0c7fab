//! What the end-to-end tests share: the real binary, scratch folders, made-up data.
#![allow(dead_code, reason = "each test target uses its part of this")]

pub mod account;
pub mod made_up;
#[cfg(unix)]
pub mod neo;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use model::clock::Rng;

/// The binary under test.
pub fn tradeagent() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradeagent"));
    command.env("NO_COLOR", "1").env_remove("TRADEAGENT_LOG").env_remove("TRADEAGENT_CONFIG");
    command
}

/// Runs it and answers with what it said.
pub fn run(args: &[&str]) -> Output {
    tradeagent().args(args).output().expect("the binary runs")
}

/// Runs it, insists on exit code 0, answers with its standard output.
pub fn run_ok(args: &[&str]) -> String {
    let output = run(args);
    assert!(
        output.status.success(),
        "tradeagent {args:?} ended with {:?}\nstdout: {}\nstderr: {}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs it and reads its standard output as JSON.
pub fn run_json(args: &[&str]) -> serde_json::Value {
    let text = run_ok(args);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in the output of {args:?}:\n{text}"))
}

/// Runs it, insists on `code`, answers with its standard error.
pub fn run_fails(args: &[&str], code: i32) -> String {
    let output = run(args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.code(),
        Some(code),
        "tradeagent {args:?}\nstdout: {}\nstderr: {stderr}",
        String::from_utf8_lossy(&output.stdout)
    );
    stderr
}

/// Takes away what an outer cargo has set for the host's build: a strategy is built as its author builds it.
pub fn without_outer_cargo(command: &mut Command) -> &mut Command {
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_TARGET_DIR",
        "RUSTC_WRAPPER",
        "CARGO_MAKEFLAGS",
        "MAKEFLAGS",
    ] {
        command.env_remove(name);
    }
    command
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// The exchange's own files, where somebody has put them beside the project.
pub fn exchange_files() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/nse-eod");
    folder.is_dir().then_some(folder)
}

/// Writes `count` minute bars of a made-up random walk, six and a quarter hours a day on weekdays, and
/// answers with the closes and opens in ten-thousandths.
pub fn write_minute_bars(path: &Path, count: usize, seed: u64) -> Vec<(i64, i64)> {
    use std::io::Write as _;
    let mut rng = Rng::new(seed);
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    writeln!(out, "timestamp,open,high,low,close,volume").expect("written");
    let mut bars = Vec::with_capacity(count);
    let mut day: model::Date = "2015-01-01".parse().expect("a date");
    let mut price = 50_000_i64;
    'days: loop {
        day = day.succ_opt().expect("a date");
        if matches!(chrono::Datelike::weekday(&day), chrono::Weekday::Sat | chrono::Weekday::Sun) {
            continue;
        }
        for minute in 0..375_u32 {
            if bars.len() == count {
                break 'days;
            }
            let step = |rng: &mut Rng| rng.below(201) as i64 - 100;
            let open = (price + step(&mut rng)).max(1_000);
            let close = (open + step(&mut rng)).max(1_000);
            let high = open.max(close) + rng.below(50) as i64;
            let low = open.min(close) - rng.below(50) as i64;
            let (hour, minute_of_hour) = ((555 + minute) / 60, (555 + minute) % 60);
            let volume = 1_000 + rng.below(10_000);
            let show = |paise: i64| format!("{}.{:02}", paise / 100, paise % 100);
            writeln!(
                out,
                "{day}T{hour:02}:{minute_of_hour:02}:00+05:30,{},{},{},{},{volume}",
                show(open),
                show(high),
                show(low),
                show(close)
            )
            .expect("written");
            bars.push((open * 100, close * 100));
            price = close;
        }
    }
    out.flush().expect("written");
    bars
}
