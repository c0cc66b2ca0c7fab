//! Every command of the strategy author's guide, as it stands there, in a folder outside the repository.
#![cfg(unix)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::made_up::{MadeUp, Packing, sessions_after};
use support::neo::Host;
use support::without_outer_cargo;

const GUIDE: &str = include_str!("../plugins/README.md");

/// The commands of the blocks marked `sh`, in their order.
fn commands() -> Vec<&'static str> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in GUIDE.lines() {
        match line {
            "```sh" => inside = true,
            _ if line.starts_with("```") => inside = false,
            command if inside && !command.trim().is_empty() => commands.push(command),
            _ => {}
        }
    }
    commands
}

/// A reader of the guide, in a folder of their own.
struct Reader {
    home: tempfile::TempDir,
    folder: PathBuf,
}

impl Reader {
    /// With the exchange's files of some sessions downloaded.
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tradeagent"), home.path().join("tradeagent"))
            .expect("a link");
        let folder = home.path().to_owned();
        Self { home, folder }
    }

    /// A line of the guide, as its reader's shell runs it.
    fn shell(&self, line: &str) -> Command {
        let path = std::env::var_os("PATH").expect("a PATH");
        let folders = [self.home.path().to_owned()].into_iter().chain(std::env::split_paths(&path));
        let mut shell = Command::new("sh");
        without_outer_cargo(&mut shell)
            .args(["-c", &format!("exec {line}")])
            .current_dir(&self.folder)
            .env("PATH", std::env::join_paths(folders).expect("a PATH"))
            .stdin(Stdio::null());
        shell
    }

    fn runs(&self, line: &str) -> String {
        let output = self.shell(line).output().expect("a shell");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{line}: {}\n{said}", output.status);
        said
    }

    /// The editor's save, while `plugin dev` runs: told of in a line.
    fn works_on_it(&self, line: &str) {
        let child = self.shell(line).stdout(Stdio::piped()).spawn().expect("a shell");
        let mut dev = Host { child };
        let told = BufReader::new(dev.child.stdout.take().expect("its output"));
        let mut told = told.lines().map(|line| line.expect("UTF-8"));
        let mut until = |what: &str| {
            let mut seen = Vec::new();
            for line in told.by_ref() {
                if line.contains(what) {
                    return;
                }
                seen.push(line);
            }
            panic!("never `{what}`: {seen:#?}");
        };
        until("the days begin");
        let source = self.folder.join("src/lib.rs");
        let text = std::fs::read_to_string(&source).expect("the strategy");
        let changed = text.replace("\"step\", Percent::whole(1)", "\"step\", Percent::whole(2)");
        assert_ne!(changed, text, "its step of 1 %");
        let saved = real_now();
        std::fs::write(&source, changed).expect("saved");
        until("is live instead of");
        println!("  live {} ms after the save, cargo's build included", saved.elapsed().as_millis());
    }

    /// The host, and beside it the command of the line after.
    #[expect(clippy::disallowed_methods, reason = "looks again at a real process")]
    fn holds_the_account(&self, line: &str, beside: &str) {
        let child = self.shell(line).stderr(Stdio::null()).spawn().expect("a shell");
        let host = Host { child };
        let mut last = String::new();
        for _ in 0..300 {
            let output = self.shell(beside).output().expect("a shell");
            last = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            if output.status.success() && last.contains("dip-trader") && last.contains("as process") {
                return assert!(host.stop().success(), "{line} ends well when it is told to");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{line}: never running: {last}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a save is made in real time")]
fn real_now() -> Instant {
    Instant::now()
}

/// What cargo compiles is the same for every project: kept between runs, and used by `plugin_new` too.
fn share_target(project: &Path) {
    let shared = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-new");
    std::fs::create_dir_all(&shared).expect("made");
    std::os::unix::fs::symlink(shared, project.join("target")).expect("a link");
}

#[test]
fn every_command_of_the_guide_does_what_it_says() {
    let mut reader = Reader::new();
    let mut commands = commands().into_iter();
    let mut count = 0;
    while let Some(line) = commands.next() {
        count += 1;
        let command = line.split('#').next().expect("a command").trim();
        println!("$ {command}");
        if let Some(folder) = command.strip_prefix("cd ") {
            reader.folder.push(folder);
            share_target(&reader.folder);
            let mut market = MadeUp::new(12, sessions_after("2025-01-06", 42), 1);
            market.symbols[0] = "RELIANCE".to_owned();
            let downloads = reader.folder.join("downloads");
            std::fs::create_dir(&downloads).expect("made");
            market.write(&downloads, &[Packing::Plain]);
        } else if command == "tradeagent plugin dev ." {
            reader.works_on_it(command);
        } else if command.starts_with("tradeagent run ") {
            let beside = commands.next().expect("a command beside it");
            count += 1;
            reader.holds_the_account(command, beside.split('#').next().expect("a command").trim());
        } else {
            let said = reader.runs(command);
            if command.starts_with("tradeagent replay") {
                assert!(said.contains("runs"), "{said}");
            }
        }
    }
    assert!(count >= 15, "{count} commands");
}
