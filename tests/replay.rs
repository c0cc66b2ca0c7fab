//! `simulate --record` and `replay`: a month again to the same hash, and what another version would have
//! done, held against what the made-up prices say it must have done.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::account::{list, number, paise, word};
use support::made_up::{MadeUp, Packing, sessions_after};
use support::{run, run_fails, run_json, text};

/// Sessions of the month.
const DAYS: usize = 21;
/// The first of them: the averages are warm.
const FIRST: usize = 70;

/// A simulated month with its recording.
struct Recorded {
    folder: tempfile::TempDir,
    market: MadeUp,
    answer: Value,
}

impl Recorded {
    fn new(days: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let market = MadeUp::new(60, sessions_after("2025-01-06", 140), 1);
        let files = market.write(folder.path(), &[Packing::Plain]);
        let data = folder.path().join("data");
        let mut import = vec!["data", "import"];
        import.extend(files.iter().map(|file| text(file)));
        import.extend(["--into", text(&data)]);
        support::run_ok(&import);
        let mut it = Self { folder, market, answer: Value::Null };
        let (from, to) = (it.market.dates[FIRST].to_string(), it.market.dates[FIRST + days - 1].to_string());
        let recording = it.recording();
        it.answer = run_json(&[
            "simulate",
            "--data",
            text(&data),
            "--from",
            &from,
            "--to",
            &to,
            "--param",
            "buy.trend_ema=50",
            "--record",
            text(&recording),
            "--json",
        ]);
        it
    }

    fn recording(&self) -> PathBuf {
        self.folder.path().join("recording")
    }

    fn replay(&self, more: &[&str]) -> Value {
        let recording = self.recording();
        run_json(&[&["replay", "--from", text(&recording), "--json"], more].concat())
    }

    /// The buys of the simulation: (day, key) and the close at which each was decided.
    fn buys(&self) -> BTreeMap<(String, String), (i64, &Value)> {
        let buys = list(&self.answer, "orders").iter().filter(|order| word(order, "side") == "buy");
        buys.map(|order| {
            let (_, symbol) = word(order, "key").split_once(':').expect("buy:SYMBOL");
            let share = self.market.symbols.iter().position(|it| it == symbol).expect("a share");
            let nanos = order["at"].as_i64().expect("an instant");
            let day = model::Timestamp::from_nanos(nanos).ist_date();
            let at = self.market.dates.iter().position(|it| *it == day).expect("a session");
            let close = self.market.days[at][share].close;
            ((day.to_string(), word(order, "key").to_owned()), (close, order))
        })
        .collect()
    }
}

fn rows(answer: &Value) -> BTreeMap<(String, String), &Value> {
    let named = |row| ((word(row, "day").to_owned(), word(row, "key").to_owned()), row);
    list(answer, "orders").iter().map(named).collect()
}

#[test]
fn a_recorded_month_replays_to_the_same_hash_and_the_table_names_exactly_what_differs() {
    let month = Recorded::new(DAYS);
    let again = month.replay(&[]);
    let runs = number(&again, "runs");
    assert!(runs > 21 * 375, "the month is there: {runs}");
    assert_eq!(number(&again, "same"), runs, "{}", again["different"]);
    assert_eq!((list(&again, "different").len(), list(&again, "cut_off").len()), (0, 0));
    assert_eq!(word(&again, "recorded"), word(&again, "replayed"));
    assert_eq!(month.replay(&[]), again, "and once more");

    // The same version in the overlay: the rules of the overlay themselves make no difference.
    for strategy in ["buy", "sell", "monitor", "eod"] {
        let param = format!(
            "{strategy}.{}",
            match strategy {
                "buy" => "trend_ema=50",
                "sell" => "ema_days=9",
                "monitor" => "ema_days=9",
                _ => "differences_max=50",
            }
        );
        let same = month.replay(&["--param", &param]);
        assert_eq!(same["unanswered"], serde_json::json!([]), "{strategy}");
        assert_eq!(list(&same, "ended").len(), 0, "{strategy}: {}", same["ended"]);
        assert_eq!(list(&same, "orders").len(), 0, "{strategy}: {}", list(&same, "orders")[0]);
        assert_eq!(list(&same, "alerts").len(), 0, "{strategy}: {}", same["alerts"]);
    }

    // A floor under the price: exactly the buys that were decided below it are gone.
    let buys = month.buys();
    let mut closes: Vec<i64> = buys.values().map(|(close, _)| *close).collect();
    closes.sort_unstable();
    let floor = closes[closes.len() / 3] / 100 + 1;
    let expected: BTreeSet<&(String, String)> =
        buys.iter().filter(|(_, (close, _))| *close < floor * 100).map(|(key, _)| key).collect();
    assert!(!expected.is_empty() && expected.len() < buys.len(), "{} of {}", expected.len(), buys.len());
    let answer = month.replay(&["--param", &format!("buy.price_min={floor}")]);
    let found = rows(&answer);
    assert_eq!(found.keys().collect::<BTreeSet<_>>(), expected);
    assert!(found.values().all(|row| word(row, "what") == "only-before"), "{}", answer["orders"]);
    assert_eq!(number(&answer, "runs") as usize, DAYS, "only the strategy whose parameter it is");

    // Another limit: every buy, at the price that the close of its day gives, and no other order.
    let answer = month.replay(&["--param", "buy.limit_above_close=2"]);
    let found = rows(&answer);
    assert_eq!(found.keys().collect::<Vec<_>>(), buys.keys().collect::<Vec<_>>());
    for (key, row) in found {
        let (close, order) = buys[&key];
        assert_eq!(word(row, "what"), "changed", "{row}");
        let (before, now) = (paise(&row["before"]["price"]), paise(&row["now"]["price"]));
        assert_eq!(before, paise(&order["price"]), "{row}");
        let tick =
            [1, 5, 10, 50, 100].into_iter().rev().find(|tick| close * 101 / 100 / tick * tick == before);
        let tick = tick.unwrap_or_else(|| panic!("a limit of 1% above {close}: {row}"));
        assert!((close * 102 / 100 - now) < tick.max(5) && now <= close * 102 / 100, "{close}: {row}");
        let quantity = number(&row["now"], "quantity");
        assert!(quantity * now <= 2_000_000, "of at most 20,000 rupees: {row}");
        assert!(word(row, "text").starts_with("changed price "), "{row}");
    }

    // Another average asks another price for every sale, lowers it at other minutes, and is still one line each:
    // nothing follows from what the account looked like with the recorded orders in it.
    let answer = month.replay(&["--param", "sell.ema_days=5"]);
    let found = rows(&answer);
    let sells = list(&month.answer, "orders").iter().filter(|order| word(order, "strategy") == "sell");
    let sells: BTreeMap<&str, &Value> = sells.map(|order| (word(order, "id"), order)).collect();
    assert_eq!(found.len(), list(&answer, "orders").len(), "one line each");
    assert!(sells.len() > 50 && found.len() * 2 > sells.len(), "{} of {} sells", found.len(), sells.len());
    for row in found.values() {
        assert_eq!(word(row, "what"), "changed", "{row}");
        assert_eq!(paise(&row["before"]["price"]), paise(&sells[word(row, "order")]["price"]), "{row}");
        assert_ne!(row["before"], row["now"], "{row}");
        assert_eq!(row["now"]["cancelled"], Value::Bool(false), "{row}");
    }
    assert_eq!(answer["unanswered"], serde_json::json!([]));
}

#[test]
fn one_run_a_tampered_file_and_what_is_not_there_are_told() {
    let days = Recorded::new(2);
    let recording = days.recording();
    let day = days.market.dates[FIRST].to_string();
    let run_id = format!("sell@{day}T10:00:00");
    let one = days.replay(&[&run_id]);
    assert_eq!((number(&one, "runs"), number(&one, "same")), (1, 1), "{one}");
    let last = days.replay(&["--since", "1d"]);
    assert_eq!(word(&last, "from"), days.market.dates[FIRST + 1].to_string());

    let folder = text(&recording);
    let told = run_fails(&["replay", &format!("sell@{day}T03:00:00"), "--from", folder], 1);
    assert!(told.contains("is not recorded") && told.contains(&format!("sell@{day}T09:15:00")), "{told}");
    let told = run_fails(&["replay", "sell@2020-01-01T10:00:00", "--from", folder], 1);
    assert!(told.contains("no recording of 2020-01-01; there are 2 days"), "{told}");
    let told = run_fails(&["replay", "--from", "/no/such/folder"], 1);
    assert!(told.contains("there is no recording in /no/such/folder"), "{told}");
    let told = run_fails(&["replay", "--from", folder, "--param", "nobody.x=1"], 1);
    assert!(told.contains("`nobody`") && told.contains("buy, eod, monitor, sell"), "{told}");

    // What is there and not asked for is not "not recorded".
    let told = run_fails(&["replay", &run_id, "--from", folder, "--since", "1d"], 1);
    assert!(told.contains(&format!("{day} is not among the last 1 days")), "{told}");
    let strange = ["replay", "--from", folder, "--strategy", "sell", "--param", "buy.trend_ema=50"];
    let told = run_fails(&strange, 2);
    assert!(told.contains("--strategy buy") && told.contains("--param sell.KEY=VALUE"), "{told}");

    // Another version up to one run: of its strategy, on its day.
    let until = days.replay(&[&run_id, "--param", "sell.ema_days=9"]);
    assert_eq!((word(&until, "from"), word(&until, "to")), (day.as_str(), day.as_str()));
    let whole_day = number(&days.replay(&["--since", "1d", "--param", "sell.ema_days=9"]), "runs");
    assert!((1..whole_day).contains(&number(&until, "runs")), "{} of {whole_day}", until["runs"]);
    let told = run_fails(&["replay", &run_id, "--from", folder, "--param", "buy.trend_ema=50"], 2);
    assert!(told.contains("`sell`") && told.contains("`buy`"), "{told}");

    // Whose place a component takes is seen by its imports.
    let shipped = days.folder.path().join("new.wasm");
    std::fs::write(&shipped, bundle::find("sell").expect("shipped").bytes).expect("written");
    let same = days.replay(&["--since", "1d", "--with", text(&shipped)]);
    assert_eq!((number(&same, "runs"), list(&same, "orders").len()), (whole_day, 0), "{}", same["orders"]);

    // The end of a file that was not written: left out, and said.
    let path = recording.join(format!("{day}.runs"));
    let whole = std::fs::read(&path).expect("the recording");
    std::fs::write(&path, &whole[..whole.len() - 3]).expect("written");
    let output = run(&["replay", "--from", folder]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("not written to its end"), "{said}");
    // A bit in the middle, in a length, in the head.
    for at in [whole.len() / 2, 8, 3] {
        flip(&path, &whole, at);
        let told = fails_in_all(folder);
        assert!(told.contains(&format!("FAILED {day}: ")), "{at}: {told}");
        assert!(told.contains("is damaged") || told.contains("is not a recording"), "{at}: {told}");
    }
    // The other day is had again all the same.
    let output = run(&["replay", "--from", folder, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let other: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(word(&list(&other, "failed")[0], "day"), day);
    assert!(list(&other, "failed").len() == 1 && number(&other, "runs") > 0, "{other}");
    assert_eq!(
        (&other["same"], number(&other, "not_recorded")),
        (&other["runs"], 0),
        "{}",
        other["different"]
    );
    std::fs::write(&path, &whole).expect("restored");

    // A component that is another, or is not there.
    let component = std::fs::read_dir(recording.join("components")).expect("components").next();
    let component = component.expect("one").expect("readable").path();
    let bytes = std::fs::read(&component).expect("bytes");
    flip(&component, &bytes, bytes.len() / 2);
    let told = fails_in_all(folder);
    assert!(told.contains("the file of its name has other bytes"), "{told}");
    std::fs::remove_file(&component).expect("removed");
    let told = fails_in_all(folder);
    assert!(told.contains("the component") && told.contains("is not in"), "{told}");
}

/// Replays all of it, insists on exit code 1, answers with its standard output.
fn fails_in_all(folder: &str) -> String {
    let output = run(&["replay", "--from", folder]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}{}", String::from_utf8_lossy(&output.stderr));
    told
}

fn flip(path: &Path, whole: &[u8], at: usize) {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).expect("written");
}

/// The service itself on two simulated days, in its own clock: what it recorded is had again without fibers and
/// epochs, and a recorder that cannot write changes nothing.
#[cfg(unix)]
#[test]
fn the_service_records_what_it_runs_and_trades_when_it_cannot() {
    let folder = tempfile::tempdir().expect("a folder");
    let trade = |state: &str| {
        let path = folder.path().join(format!("{state}.toml"));
        let lines = format!(
            "state_dir = \"{state}\"\n[lock]\ndir = \"lock-{state}\"\n[control]\nsocket = \"{state}.sock\"\n\
             [account.main]\n[rehearsal]\nfrom = \"2026-05-12T15:55\"\nuntil = \"2026-05-13T18:05\"\n"
        );
        std::fs::write(&path, lines).expect("written");
        std::fs::create_dir(folder.path().join(format!("lock-{state}"))).expect("a folder");
        let output = run(&["run", "--config", text(&path)]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        (path, said)
    };
    let (config, said) = trade("well");
    assert!(!said.contains("not recorded"), "{said}");
    let again = run_json(&["replay", "--config", text(&config), "--json"]);
    assert!(number(&again, "runs") > 375, "{again}");
    assert_eq!(again["same"], again["runs"], "{}", again["different"]);
    assert_eq!(word(&again, "recorded"), word(&again, "replayed"));

    // A file is where the folder should be.
    std::fs::create_dir(folder.path().join("ill")).expect("a folder");
    std::fs::write(folder.path().join("ill/recordings"), "in the way").expect("written");
    let (config, said) = trade("ill");
    assert!(said.contains("runs are not recorded"), "{said}");
    let orders = |config: &Path| {
        ["2026-05-12", "2026-05-13"].map(|day| {
            let answer = run_json(&["orders", "--config", text(config), "--day", day, "--json"]);
            list(&answer, "orders").len()
        })
    };
    let traded = orders(&folder.path().join("well.toml"));
    assert!(traded.iter().sum::<usize>() > 0, "there is something to compare");
    assert_eq!(orders(&config), traded, "it traded all the same");
}
