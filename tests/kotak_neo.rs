//! The real binary against `kotak-neo-sim` over loopback HTTP: logins, credentials, secrets, a day.

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kotak_neo_sim::{Credentials, Fault, Kind, MachineClock, PacedClock, Server, Sim, SimConfig};
use market::demo::{DAY0, DAY1, SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL};
use market::{Dataset, PriceSource, ReplayMarket, ReplayOptions};
use model::clock::SharedClock;
use model::{Money, Timestamp};
use support::{text, tradeagent};

/// Words that must never be seen outside of the credentials file.
const CANARIES: [&str; 5] =
    ["canary-key-7f3a91c2", "+919812345670", "CANRY", "MNQW4YLSPFRWC3TBOJ4WG2LN", "739104"];

/// A simulator in this process, and a folder with a configuration that points at it.
struct Scene {
    folder: tempfile::TempDir,
    clock: Arc<PacedClock>,
    sim: Arc<Sim>,
    server: Option<Server>,
}

impl Scene {
    fn new(from: Timestamp) -> Self {
        let data = Dataset::demo();
        let calendar = calendar::Calendar::bundled();
        let market =
            Arc::new(ReplayMarket::new(Arc::clone(&data), calendar.clone(), ReplayOptions::default()));
        let mut rules = paper::PaperConfig::new(Money::from_rupees(1_000_000));
        rules.opening = vec![paper::Opening {
            symbol: SEEDED_SYMBOL.into(),
            quantity: SEEDED_QUANTITY,
            price: SEEDED_ENTRY_PRICE,
            settles: calendar.known_from(),
        }];
        let source: Arc<dyn PriceSource> = Arc::clone(&market) as _;
        let exchange = Arc::new(Mutex::new(paper::Exchange::new(source, calendar.clone(), rules)));
        let listing = data.histories().iter().map(|history| history.symbol.clone());
        let mut config = SimConfig { calendar, ..SimConfig::new(listing) };
        let [key, mobile, ucc, totp, mpin] = CANARIES.map(str::to_owned);
        config.credentials = Credentials { ucc, mobile, consumer_key: key, totp_secret: totp, mpin };
        let clock = Arc::new(PacedClock::starting_at(from));
        let sim = Sim::new(config, exchange, market, Arc::clone(&clock) as SharedClock);
        sim.takes_codes_of(Arc::new(MachineClock));
        let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::clone(&sim)).expect("a free port");
        let folder = tempfile::tempdir().expect("a folder");
        let scene = Self { folder, clock, sim, server: Some(server) };
        scene.write_credentials(CANARIES);
        scene.write_config("");
        scene
    }

    /// A one-time code is good once: the next login is half a minute later.
    fn next_code(&self) {
        self.clock.advance(Duration::from_secs(31));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_credentials(&self, [key, mobile, ucc, totp, mpin]: [&str; 5]) {
        let path = self.path("kotak_neo.env");
        let text = format!(
            "KOTAK_CONSUMER_KEY={key}\nKOTAK_MOBILE_NUMBER={mobile}\nKOTAK_UCC={ucc}\nKOTAK_TOTP_SECRET={totp}\nKOTAK_MPIN={mpin}\n"
        );
        std::fs::write(&path, text).expect("writable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mine");
    }

    fn write_config(&self, more: &str) {
        let address = self.server.as_ref().expect("it runs").address();
        let text = format!(
            "state_dir = \"state\"\n[account.main]\nbroker = \"kotak-neo\"\nbase_url = \"http://{address}\"\n\
             [lock]\ndir = \"locks\"\n[control]\nsocket = \"main.sock\"\n{more}"
        );
        std::fs::write(self.path("tradeagent.toml"), text).expect("writable");
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        let config = self.path("tradeagent.toml");
        tradeagent().args(args).args(["--config", text(&config)]).output().expect("the binary runs")
    }

    fn host(&self) -> Host {
        let config = self.path("tradeagent.toml");
        let log = std::fs::File::create(self.path("host.log")).expect("a log");
        let child = tradeagent()
            .args(["run", "--config", text(&config)])
            .env("TRADEAGENT_LOG", "trace")
            .stdout(log.try_clone().expect("a copy"))
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("the binary runs");
        Host { child }
    }

    /// Asks `status` until `wanted` holds.
    #[expect(clippy::disallowed_methods, reason = "looks again at a real process")]
    fn status_until(&self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let mut last = serde_json::Value::Null;
        for _ in 0..600 {
            let output = self.run(&["status", "--json"]);
            if let Ok(status) = serde_json::from_slice::<serde_json::Value>(&output.stdout) {
                if wanted(&status) {
                    return status;
                }
                last = status;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = std::fs::read_to_string(self.path("host.log")).unwrap_or_default();
        panic!("never so: {last:#}\n{}", log.lines().rev().take(30).collect::<Vec<_>>().join("\n"));
    }
}

/// A host process; killed when it is dropped.
struct Host {
    child: Child,
}

impl Host {
    fn stop(mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// No secret is in any file below `folder`, except for the credentials themselves.
fn no_canary_below(folder: &Path, sim: &Sim) {
    let mut files = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name() != "kotak_neo.env" {
                files += 1;
                no_canary(
                    &std::fs::read(entry.path()).expect("readable"),
                    &entry.path().display().to_string(),
                    sim,
                );
            }
        }
    }
    assert!(files >= 3, "journal and log were looked at: {files} files");
}

fn no_canary(bytes: &[u8], what: &str, _sim: &Sim) {
    for canary in CANARIES {
        // The file's plain words; a six digit number is looked for as it would be told.
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "`{canary}` is in {what}");
    }
    // Every token that was ever given begins like this: a JSON web token's header.
    let found = bytes.windows(8).any(|window| window == b"eyJhbGci" || window == b"eyJ0eXAi");
    assert!(!found, "a token is in {what}");
}

#[test]
fn login_check_shows_the_session_and_no_secret() {
    let scene = Scene::new(Timestamp::at_ist(DAY1, 10, 0));
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let shown = told(&output);
    for word in ["base URL", "clock skew", "2026-05-14T00:00:00+05:30", "logged out"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    no_canary(shown.as_bytes(), "the output", &scene.sim);
    scene.next_code();
    let output = scene.run(&["login", "--check", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["kind"], "Trade");
    assert_eq!(scene.sim.audit().logins, 2);

    // What is wrong is told with its own exit code and what to do.
    scene.next_code();
    let [key, mobile, ucc, totp, _] = CANARIES;
    scene.write_credentials([key, mobile, ucc, totp, "111111"]);
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(78), "{}", told(&output));
    assert!(told(&output).contains("Invalid MPIN"), "{}", told(&output));
    scene.write_credentials(["", mobile, "", totp, "111111"]);
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(told(&output).contains("KOTAK_CONSUMER_KEY, KOTAK_UCC"), "{}", told(&output));
    std::fs::set_permissions(scene.path("kotak_neo.env"), std::fs::Permissions::from_mode(0o644))
        .expect("mine");
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(77));
    assert!(told(&output).contains("chmod 600"), "{}", told(&output));
    no_canary(told(&output).as_bytes(), "the output", &scene.sim);
}

#[test]
fn nobody_answers_is_unavailable() {
    let mut scene = Scene::new(Timestamp::at_ist(DAY1, 10, 0));
    scene.server.take().expect("it runs").stop();
    let output = scene.run(&["login", "--check"]);
    assert_eq!(output.status.code(), Some(69), "{}", told(&output));
    let paper = scene.path("paper.toml");
    std::fs::write(&paper, "[account.main]\nbroker = \"paper\"\n").expect("writable");
    let output = tradeagent().args(["login", "--check", "--config", text(&paper)]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(78));
    assert!(told(&output).contains("has no login"), "{}", told(&output));
}

#[test]
fn a_host_holds_the_session_tells_of_it_and_keeps_its_secrets() {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 12, 0));
    scene.write_config("[rehearsal]\nfrom = \"2026-05-12T12:00\"\nuntil = \"2026-05-12T18:00\"\n");
    // Everything that can go wrong with an answer is in the log too.
    for kind in [
        Kind::HtmlBody { after: false },
        Kind::ServerError { status: 502, html: true, after: false },
        Kind::RateLimited { retry_after_s: None },
    ] {
        scene.sim.faults().add(Fault::new(kind).every(7).times(2));
    }
    let host = scene.host();
    let status = scene.status_until(|status| status["session"]["state"] == "open");
    assert_eq!(status["broker"], "kotak-neo");
    assert_eq!(status["session"]["generation"], 1);
    assert!(status["session"]["age_seconds"].as_i64().is_some());
    assert_eq!(status["session"]["contested"], false);
    assert_eq!(status["host"]["rehearsal"], true);
    let shown = told(&scene.run(&["status"]));
    assert!(shown.contains("session") && shown.contains("generation 1"), "{shown}");
    no_canary(shown.as_bytes(), "status", &scene.sim);

    // The account is one program's.
    for args in [&["login", "--check"][..], &["data", "update"], &["run"]] {
        let output = scene.run(args);
        assert_eq!(output.status.code(), Some(75), "{args:?}: {}", told(&output));
    }
    assert!(told(&scene.run(&["data", "update"])).contains("data-update"));
    assert_eq!(scene.sim.audit().logins, 1, "nobody else logged in");

    let ended = host.stop();
    assert!(ended.success(), "{ended:?}");
    no_canary_below(scene.folder.path(), &scene.sim);
    let log = std::fs::read_to_string(scene.path("host.log")).expect("a log");
    assert!(log.contains("login 1"), "the log tells of the session");
}

#[test]
fn a_refused_login_stops_until_the_operator_acts_and_says_so() {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 12, 0));
    scene.write_config("[rehearsal]\nfrom = \"2026-05-12T12:00\"\nuntil = \"2026-05-12T18:00\"\n");
    let [key, mobile, ucc, totp, _] = CANARIES;
    scene.write_credentials([key, mobile, ucc, totp, "111111"]);
    let host = scene.host();
    let status = scene.status_until(|status| status["session"]["state"] == "wrong credentials");
    let why = status["not_trading"].as_str().expect("a sentence");
    assert!(why.contains("refused the credentials"), "{why}");
    assert_eq!(scene.sim.audit().codes, 1, "nobody hammers");
    drop(host);
}

#[test]
fn data_update_fills_the_bars_and_a_second_run_has_nothing_to_do() {
    let scene = Scene::new(Timestamp::at_ist(DAY0, 17, 0));
    // The binary's clock is the machine's; the demo's bars end long before.
    let output = scene.run(&["data", "update", "--bars", "30", "--json"]);
    assert!(matches!(output.status.code(), Some(0 | 69)), "{}", told(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let asked = json["history"]["requests"].as_u64().expect("a count");
    assert!(asked > 0, "{json:#}");
    scene.next_code();
    let output = scene.run(&["data", "update", "--bars", "30", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(json["history"]["requests"].as_u64().expect("a count") <= asked, "{json:#}");
}
