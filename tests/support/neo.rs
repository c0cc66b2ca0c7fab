//! The real binary against `kotak-neo-sim` in this process, over loopback HTTP.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kotak_neo_sim::{Credentials, MachineClock, PacedClock, Server, Sim, SimConfig};
use market::demo::{SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL};
use market::{Dataset, PriceSource, ReplayMarket, ReplayOptions};
use model::clock::SharedClock;
use model::{Date, Money, Timestamp};

use super::{text, tradeagent};

/// Words that must never be seen outside of the credentials file.
pub const CANARIES: [&str; 5] =
    ["canary-key-7f3a91c2", "+919812345670", "CANRY", "MNQW4YLSPFRWC3TBOJ4WG2LN", "739104"];

/// A simulator in this process, and a folder with a configuration that points at it.
pub struct Scene {
    pub folder: tempfile::TempDir,
    pub clock: Arc<PacedClock>,
    pub sim: Arc<Sim>,
    pub server: Option<Server>,
}

impl Scene {
    pub fn new(from: Timestamp) -> Self {
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
    pub fn next_code(&self) {
        self.clock.advance(Duration::from_secs(31));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write_credentials(&self, [key, mobile, ucc, totp, mpin]: [&str; 5]) {
        let path = self.path("kotak_neo.env");
        let text = format!(
            "KOTAK_CONSUMER_KEY={key}\nKOTAK_MOBILE_NUMBER={mobile}\nKOTAK_UCC={ucc}\nKOTAK_TOTP_SECRET={totp}\nKOTAK_MPIN={mpin}\n"
        );
        std::fs::write(&path, text).expect("writable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mine");
    }

    pub fn write_config(&self, more: &str) {
        let address = self.server.as_ref().expect("it runs").address();
        let text = format!(
            "state_dir = \"state\"\n[account.main]\nbroker = \"kotak-neo\"\nbase_url = \"http://{address}\"\n\
             [lock]\ndir = \"locks\"\n[control]\nsocket = \"main.sock\"\n{more}"
        );
        std::fs::write(self.path("tradeagent.toml"), text).expect("writable");
    }

    /// The host's clock is the simulator's, all through `day` and the night after it.
    pub fn rehearse(&self, day: Date) {
        let next = day.succ_opt().expect("a day");
        self.write_config(&format!("[rehearsal]\nfrom = \"{day}T00:00\"\nuntil = \"{next}T06:00\"\n"));
    }

    pub fn run(&self, args: &[&str]) -> std::process::Output {
        let config = self.path("tradeagent.toml");
        tradeagent().args(args).args(["--config", text(&config)]).output().expect("the binary runs")
    }

    pub fn host(&self) -> Host {
        let config = self.path("tradeagent.toml");
        let log = std::fs::File::options().create(true).append(true).open(self.path("host.log"));
        let log = log.expect("a log");
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
    pub fn status_until(&self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
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
pub struct Host {
    pub child: Child,
}

impl Host {
    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is gone");
    }

    pub fn stop(self) -> std::process::ExitStatus {
        self.stop_within(Duration::from_secs(60))
    }

    /// SIGTERM, and its end; a failure when there is none within `bound`.
    #[expect(clippy::disallowed_methods, reason = "looks again at a real process")]
    pub fn stop_within(mut self, bound: Duration) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let step = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        while waited < bound {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            std::thread::sleep(step);
            waited += step;
        }
        panic!("no end {bound:?} after SIGTERM");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn told(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// No secret is in any file below `folder`, except for the credentials themselves.
pub fn no_canary_below(folder: &Path, sim: &Sim) {
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

pub fn no_canary(bytes: &[u8], what: &str, _sim: &Sim) {
    for canary in CANARIES {
        // The file's plain words; a six digit number is looked for as it would be told.
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "`{canary}` is in {what}");
    }
    // Every token that was ever given begins like this: a JSON web token's header.
    let found = bytes.windows(8).any(|window| window == b"eyJhbGci" || window == b"eyJ0eXAi");
    assert!(!found, "a token is in {what}");
}
