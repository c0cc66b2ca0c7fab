//! What lies in the future decides nothing: every price after an instant is altered, and no order, change
//! or fill before it differs. Something after it does, so the test can fail.

mod support;

use std::path::{Path, PathBuf};

use model::{Date, Timestamp};
use serde_json::Value;
use support::account::{list, number, word};
use support::made_up::{MadeUp, Minute, Packing, minutes_csv, sessions_after, write_packed};
use support::{run_json, run_ok, text};

const SHARES: usize = 60;
const SESSIONS: usize = 110;
/// The first day that is traded: an EMA50 is warm.
const FIRST: usize = 70;

fn market() -> MadeUp {
    MadeUp::new(SHARES, sessions_after("2025-01-06", SESSIONS), 1)
}

/// Imports the market's files and `more`, and simulates from day [`FIRST`] to day `last`.
fn simulate(market: &MadeUp, last: usize, more: &[(&str, String)]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("data");
    let import = |files: &[PathBuf]| {
        let mut args = vec!["data", "import"];
        args.extend(files.iter().map(|file: &PathBuf| text(file)));
        args.extend(["--into", text(&into)]);
        run_ok(&args);
    };
    import(&market.write(folder.path(), &[Packing::Plain]));
    let write = |(name, csv): &(&str, String)| {
        write_packed(folder.path(), &format!("{name}.csv"), csv.as_bytes(), Packing::Plain)
    };
    let files: Vec<PathBuf> = more.iter().map(write).collect();
    if !files.is_empty() {
        import(&files);
    }
    simulate_folder(&into, market.dates[FIRST], market.dates[last])
}

fn simulate_folder(data: &Path, from: Date, to: Date) -> Value {
    let (from, to) = (from.to_string(), to.to_string());
    let args = ["simulate", "--data", text(data), "--from", &from, "--to", &to];
    run_json(&[&args[..], &["--param", "buy.trend_ema=50", "--json"]].concat())
}

/// Everything that the desk did, was told and booked, one line each: before `t`, and from `t` to the end
/// of its day.
fn split(answer: &Value, t: Timestamp) -> (Vec<String>, Vec<String>) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let midnight = Timestamp::at_ist(t.ist_date(), 23, 59);
    let mut add = |at: i64, line: String| {
        if at < t.nanos() {
            before.push(line);
        } else if at < midnight.nanos() {
            after.push(line);
        }
    };
    for order in list(answer, "orders") {
        let terms: Vec<String> =
            ["id", "strategy", "key", "reason", "for_session", "symbol", "side", "quantity", "price"]
                .iter()
                .map(|name| order[*name].to_string())
                .collect();
        add(number(order, "at"), format!("order {}", terms.join(" ")));
        for step in list(order, "trail") {
            add(step[0].as_i64().expect("an instant"), format!("{} {step}", word(order, "id")));
        }
    }
    for fill in list(answer, "fills") {
        add(number(fill, "at"), format!("fill {fill}"));
    }
    (before, after)
}

/// Insists that two answers are the same before `t`, and that the rest of its day differs.
fn same_before(one: &Value, other: &Value, t: Timestamp) {
    let ((before_one, after_one), (before_other, after_other)) = (split(one, t), split(other, t));
    assert!(before_one.len() > 100, "there is something to compare: {} lines", before_one.len());
    for (one, other) in before_one.iter().zip(&before_other) {
        assert_eq!(one, other, "before {t} nothing may differ");
    }
    assert_eq!(before_one.len(), before_other.len(), "before {t} nothing may be added or lost");
    assert!(!after_one.is_empty() && !after_other.is_empty());
    assert_ne!(after_one, after_other, "altered prices after {t} must be seen after it");
}

#[test]
fn altered_days_change_nothing_before_them() {
    let market = market();
    let (last, altered_from) = (SESSIONS - 1, 90);
    let as_it_was = simulate(&market, last, &[]);
    for seed in [2, 3] {
        let mut altered = market.clone();
        altered.walk(altered_from, seed);
        assert_eq!(altered.days[..altered_from], market.days[..altered_from]);
        // Nothing trades between the last unaltered day and the open of the first altered one.
        let t = Timestamp::at_ist(market.dates[altered_from], 9, 15);
        same_before(&as_it_was, &simulate(&altered, last, &[]), t);
    }
}

/// One day's minutes of every share, from minute `from` on made anew with another close.
fn altered_minutes(market: &MadeUp, altered: &mut MadeUp, day: usize, from: usize) -> Vec<Vec<Minute>> {
    (0..SHARES)
        .map(|share| {
            let mut minutes = market.minutes(day, share, 7);
            let bar = altered.days[day][share];
            // Down by up to 4 % or up by up to 4 %, in a straight line from where the price stood.
            let stood = minutes[from].open;
            let goal = stood * if share % 2 == 0 { 96 } else { 104 } / 100 / 5 * 5;
            let count = (minutes.len() - from) as i64;
            let mut last = stood;
            for (step, minute) in (1..).zip(&mut minutes[from..]) {
                minute.open = last;
                minute.close = (stood + (goal - stood) * step / count) / 5 * 5;
                minute.volume += 17;
                last = minute.close;
            }
            let prices = || minutes.iter().flat_map(|minute| [minute.open, minute.close]);
            let day = &mut altered.days[day][share];
            day.close = last;
            day.high = bar.high.max(prices().max().expect("minutes"));
            day.low = bar.low.min(prices().min().expect("minutes"));
            day.volume = bar.volume + 1;
            minutes
        })
        .collect()
}

#[test]
fn altered_minutes_change_nothing_before_them() {
    let market = market();
    let day = 80;
    let csv = |all: &[Vec<Minute>]| -> Vec<(&'static str, String)> {
        let text: Vec<String> =
            all.iter().zip(&market.symbols).map(|(minutes, symbol)| minutes_csv(symbol, minutes)).collect();
        // One header, then the rows of every share.
        let header = text[0].lines().next().expect("a header").to_owned() + "\n";
        let rows = text
            .iter()
            .flat_map(|text| text.lines().skip(1))
            .fold(String::new(), |rows, line| rows + line + "\n");
        vec![("minutes", header + &rows)]
    };
    let as_it_was: Vec<Vec<Minute>> = (0..SHARES).map(|share| market.minutes(day, share, 7)).collect();
    let one = simulate(&market, day + 4, &csv(&as_it_was));
    for minute in [1, 133, 374] {
        let mut altered = market.clone();
        let minutes = altered_minutes(&market, &mut altered, day, minute);
        // The days after go on from the altered close.
        altered.walk(day + 1, 9);
        let t = Timestamp::at_ist(market.dates[day], 9, 15).plus_minutes(minute as i64);
        same_before(&one, &simulate(&altered, day + 4, &csv(&minutes)), t);
    }
}
