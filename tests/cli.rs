//! Bad input everywhere: what is told, how the program ends, and that nothing is lost.

mod support;

use std::path::{Path, PathBuf};

use support::account::{list, word};
use support::made_up::{MadeUp, Packing, sessions_after};
use support::{run_fails, run_json, run_ok, text, tradeagent};

/// A folder with a configuration whose every path lies inside.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().expect("a folder") };
        home.write("config.toml", &home.config(""));
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, words: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, words).expect("written");
        path
    }

    /// A configuration, with `more` tables at its end.
    fn config(&self, more: &str) -> String {
        let [state, lock, socket] = ["state", "lock", "socket"].map(|name| self.path(name));
        format!(
            "state_dir = {state:?}\n[account.main]\nbroker = \"paper\"\n[lock]\ndir = {lock:?}\n\
             [control]\nsocket = {socket:?}\n{more}"
        )
    }

    fn config_path(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// The journal, as the service left it after the demo's second day.
    fn rehearse(&self) -> PathBuf {
        let rehearsal = "[rehearsal]\nfrom = \"2026-05-13T15:55\"\nuntil = \"2026-05-13T18:05\"\n";
        let config = self.write("rehearsal.toml", &self.config(rehearsal));
        run_ok(&["run", "--config", text(&config)]);
        let journal = self.path("state/main.journal.sqlite");
        assert!(journal.is_file());
        journal
    }
}

/// A few sessions as a data folder.
fn data(home: &Home) -> PathBuf {
    let market = MadeUp::new(3, sessions_after("2025-03-02", 4), 5);
    let files = market.write(home.folder.path(), &[Packing::Plain]);
    let into = home.path("data");
    let mut args = vec!["data", "import"];
    args.extend(files.iter().map(|file| text(file)));
    args.extend(["--into", text(&into)]);
    run_ok(&args);
    into
}

/// Everything under a folder, to see that nothing was added, taken or changed.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_command_has_help_with_an_example() {
    let told = run_ok(&["--help"]);
    let listed: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(listed.len() >= 12, "{listed:?}");
    let mut commands: Vec<Vec<&str>> = listed.iter().map(|command| vec![*command]).collect();
    commands.push(vec!["orders", "resolve"]);
    // Of these two every part has its own.
    commands.retain(|command| !matches!(command[..], ["data" | "plugin"]));
    commands.extend([vec!["data", "import"], vec!["data", "info"], vec!["plugin", "inspect"]]);
    let without: Vec<String> = commands
        .iter()
        .filter(|command| !run_ok(&[&command[..], &["--help"]].concat()).contains("\n  tradeagent "))
        .map(|command| command.join(" "))
        .collect();
    assert!(without.is_empty(), "without an example: {without:?}");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for (args, says) in [
        (&["bogus"][..], "bogus"),
        (&["demo", "--bogus"], "--bogus"),
        (&["simulate"], "--data"),
        (&["simulate", "--data", "d", "--from", "2025-13-01"], "2025-13-01"),
        (&["simulate", "--data", "d", "--seed", "x"], "--seed"),
        (&["simulate", "--data", "d", "--cash", "-5"], "-5"),
        (&["backtest"], "--bars"),
        (&["data", "import", "f.csv"], "--into"),
        (&["orders", "resolve", "X"], "--not-placed"),
        (&["kill-switch", "maybe"], "maybe"),
        (&["paper-exchange", "--listen", "nowhere"], "nowhere"),
    ] {
        let told = run_fails(args, 2);
        assert!(told.contains(says), "{args:?} says {told}");
    }
}

#[test]
fn a_fault_in_the_configuration_ends_with_78_and_shows_the_line() {
    let home = Home::new();
    let state = home.path("state");
    for (words, line, says, help) in [
        ("[account.main]\nbroker = \"paper\"\ncsh = 5\n", 3, "csh", "did you mean `cash`?"),
        ("[account.main]\nbroker = \"pa", 2, "broker", ""),
        ("[account.main]\nbroker = \"paper\"\ncash = \"many\"\n", 3, "many", ""),
        ("[account.one]\n[account.two]\n", 0, "two", ""),
    ] {
        let config = home.write("bad.toml", words);
        for command in ["run", "status", "positions", "orders", "runs"] {
            let told = run_fails(&[command, "--config", text(&config)], 78);
            assert!(told.contains(says) && told.contains(help), "{command}: {told}");
            let place = format!("bad.toml:{line}:");
            assert!(line == 0 || told.contains(&place), "{place} in what {command} says: {told}");
        }
    }
    let missing = run_fails(&["run", "--config", text(&home.path("none.toml"))], 78);
    assert!(missing.contains("none.toml") && missing.contains("hint"), "{missing}");
    assert!(!state.exists(), "nothing was begun");
}

#[test]
fn parameters_of_nobody_are_refused_before_anything_runs() {
    let home = Home::new();
    let data = data(&home);
    for (param, says) in [
        ("nosuch.key=1", "there are buy, eod, monitor, sell"),
        ("buy=1", "missing"),
        ("buy.trend_ema", "buy.trend_ema"),
    ] {
        let told = run_fails(&["simulate", "--data", text(&data), "--param", param], 2);
        assert!(told.contains(says), "{param}: {told}");
    }
}

#[test]
fn dates_that_nobody_knows_are_told() {
    let home = Home::new();
    let data = data(&home);
    let simulate =
        |more: &[&str], code: i32| run_fails(&[&["simulate", "--data", text(&data)], more].concat(), code);
    for option in ["--from", "--to"] {
        let told = simulate(&[option, "2031-01-01"], 2);
        assert!(
            told.contains(option) && told.contains("2031-01-01 is not known to the exchange calendar"),
            "{told}"
        );
        let told = simulate(&[option, "2019-01-01"], 2);
        assert!(told.contains(option) && told.contains("2019-01-01"), "{told}");
    }
    let told = simulate(&["--from", "2025-03-06", "--to", "2025-03-04"], 2);
    assert!(told.contains("--from 2025-03-06 is after --to 2025-03-04"), "{told}");
    let told = simulate(&["--from", "2025-06-02"], 1);
    assert!(told.contains("no sessions with data") && told.contains("data info"), "{told}");
}

#[test]
fn missing_files_are_named_with_what_to_do() {
    let home = Home::new();
    let [none, text_file] = [home.path("none"), home.write("text.wasm", "hello")];
    let ema_cross = home.path("ema.wasm");
    std::fs::write(&ema_cross, bundle::EMA_CROSS).expect("written");
    let data = data(&home);
    for (args, code, says) in [
        (vec!["simulate", "--data", text(&none)], 1, "data import"),
        (vec!["data", "info", text(&none)], 1, "data import"),
        (vec!["data", "import", text(&none), "--into", text(&data)], 1, "nothing was imported"),
        (vec!["simulate", "--data", text(&data), "--universe", text(&none)], 78, "--universe"),
        (vec!["plugin", "inspect", text(&none)], 1, "none"),
        (vec!["plugin", "inspect", text(&text_file)], 1, "not a strategy component"),
        (vec!["backtest", text(&text_file), "--bars", text(&none)], 1, "not a strategy component"),
        (vec!["backtest", text(&ema_cross), "--bars", text(&none)], 1, "none"),
    ] {
        let told = run_fails(&args, code);
        assert!(told.contains(says), "{args:?} says {told}");
    }
}

#[test]
fn without_a_host_and_a_journal_there_is_nothing_to_read() {
    let home = Home::new();
    for command in ["status", "orders", "positions", "runs"] {
        let told = run_fails(&[command, "--config", text(&home.config_path())], 69);
        assert!(told.contains("tradeagent run"), "{command}: {told}");
    }
    assert!(!home.path("state").exists(), "who reads makes nothing");
}

#[test]
fn with_the_host_down_the_journal_answers() {
    let home = Home::new();
    let journal = home.rehearse();
    let config = home.config_path();
    let read = |args: &[&str]| run_json(&[args, &["--config", text(&config), "--json"]].concat());
    let runs = read(&["runs", "--day", "2026-05-13", "--limit", "1000"]);
    let done = |task: &str| {
        let of_it = list(&runs, "runs").iter().filter(|run| word(run, "task") == task);
        of_it.filter(|run| word(run, "outcome") == "done").count()
    };
    assert_eq!((done("buy"), done("eod")), (1, 1), "{runs}");
    let orders = read(&["orders", "--day", "2026-05-13"]);
    let placed = list(&orders, "orders");
    assert!(
        !placed.is_empty() && placed.iter().all(|order| word(order, "status") == "queued-amo"),
        "{orders}"
    );
    assert_eq!(list(&read(&["positions"]), "positions").len(), 0);

    // The switch is durable without a host, and whoever asks is told by the exit code.
    let bytes = std::fs::read(&journal).expect("the journal");
    run_ok(&["kill-switch", "show", "--config", text(&config)]);
    assert_eq!(std::fs::read(&journal).expect("the journal"), bytes, "who reads changes nothing");
    run_ok(&["kill-switch", "on", "--config", text(&config)]);
    run_fails(&["status", "--config", text(&config)], 12);
    run_ok(&["kill-switch", "off", "--config", text(&config)]);
    run_ok(&["status", "--config", text(&config)]);
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let home = Home::new();
    let journal = home.rehearse();
    // The schema's version stands in the header of the file, at 60, big-endian.
    let mut bytes = std::fs::read(&journal).expect("the journal");
    let version = u32::from_be_bytes(bytes[60..64].try_into().expect("four bytes"));
    assert!((1..99).contains(&version), "{version}");
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&journal, &bytes).expect("written");
    for command in [&["run"][..], &["status"], &["orders"], &["positions"], &["runs"], &["kill-switch", "on"]]
    {
        let told = run_fails(&[command, &["--config", text(&home.config_path())]].concat(), 1);
        assert!(told.contains("schema 99") && told.contains("newer tradeagent"), "{command:?}: {told}");
    }
    assert_eq!(std::fs::read(&journal).expect("the journal"), bytes, "not a byte is changed");
}

#[test]
fn a_second_run_ends_with_75() {
    let home = Home::new();
    std::fs::create_dir(home.path("lock")).expect("made");
    let file = std::fs::File::create(home.path("lock/main.lock")).expect("made");
    file.try_lock().expect("nobody else has it");
    let told = run_fails(&["run", "--config", text(&home.config_path())], 75);
    assert!(told.contains("account `main` is held") && told.contains("tradeagent status"), "{told}");
    assert!(!home.path("state/main.journal.sqlite").exists(), "no journal was touched");
    // The lock goes with who holds it.
    drop(file);
    home.rehearse();
}

#[test]
fn folders_that_cannot_be_written_to_end_with_77() {
    let home = Home::new();
    // Tests may run as root, whom permissions do not stop; a file in a folder's place stops everybody.
    let file = home.write("plain", "a file");
    let state = home.path("state");
    let bad_state = home.config("").replacen(text(&state), text(&file), 1);
    let bad_lock = home.config("").replacen(text(&home.path("lock")), text(&file), 1);
    for (words, says) in [(bad_state, "state_dir"), (bad_lock, "[lock] dir")] {
        let config = home.write("bad.toml", &words);
        let told = run_fails(&["run", "--config", text(&config)], 77);
        assert!(told.contains(says) && told.contains(text(&file)), "{told}");
    }
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "a file");
}

#[test]
fn what_is_there_already_is_not_written_over() {
    let home = Home::new();
    let data = data(&home);
    let file = home.write("plain", "a file");
    let bars = home.path("sec_bhavdata_full_03032025.csv");
    let before = contents(&data);
    run_fails(&["data", "import", text(&bars), "--into", text(&file)], 1);
    let told = run_fails(&["simulate", "--data", text(&data), "--journal", text(&file)], 1);
    assert!(told.contains("exists already"), "{told}");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "a file");
    assert_eq!(contents(&data), before);
}

/// Runs with files bounded to so many blocks: a write beyond fails, as on a full disk.
#[cfg(unix)]
fn run_bounded(blocks: u32, args: &[&str]) -> std::process::Output {
    let program = tradeagent();
    std::process::Command::new("sh")
        .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
        .arg(program.get_program())
        .args(args)
        .env("NO_COLOR", "1")
        .output()
        .expect("a shell")
}

#[cfg(unix)]
#[test]
fn a_journal_that_cannot_grow_stops_everything_with_69() {
    let home = Home::new();
    let data = data(&home);
    // The demo's ends before it has begun, in the middle of the day; the simulation's in its first day.
    for blocks in [100, 400] {
        let keep = home.path(&format!("keep-{blocks}"));
        let journal = home.path(&format!("simulation-{blocks}.sqlite"));
        for args in [
            vec!["demo", "--json", "--keep", text(&keep)],
            vec!["simulate", "--json", "--data", text(&data), "--journal", text(&journal)],
        ] {
            let output = run_bounded(blocks, &args);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(69), "{args:?}: {told}");
            assert!(told.contains("journal cannot be written") && told.contains("free disk space"), "{told}");
            assert!(output.stdout.is_empty(), "half a day is not told as a whole one");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_not_a_success() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("the full device");
    let output = tradeagent().args(["demo", "--json"]).stdout(full).output().expect("it runs");
    assert_ne!(output.status.code(), Some(0), "the answer is lost: that must be told");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("standard output"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut child = tradeagent()
        .arg("demo")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("panicked") && !told.contains("error"), "{told}");
    assert_eq!(output.status.code(), Some(0), "{told}");
}
