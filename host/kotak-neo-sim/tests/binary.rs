//! The program: what it prints, what it takes, what it refuses.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const SIM: &str = env!("CARGO_BIN_EXE_kotak-neo-sim");

struct Running {
    child: Child,
    address: String,
    rest: BufReader<ChildStdout>,
}

impl Running {
    fn with(args: &[&str]) -> Self {
        let mut child = Command::new(SIM)
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut rest = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        rest.read_line(&mut line).expect("a greeting");
        let address =
            line.trim().rsplit_once("http://").unwrap_or_else(|| panic!("no address: {line}")).1.to_owned();
        Self { child, address, rest }
    }

    /// The body of an answer.
    fn ask(&self, method: &str, target: &str, body: &str) -> serde_json::Value {
        let mut socket = TcpStream::connect(&self.address).expect("it listens");
        let length = body.len();
        write!(
            socket,
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.address
        )
        .expect("sent");
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("an answer");
        let body = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}")).1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then has seen.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn once(args: &[&str]) -> Output {
    Command::new(SIM).args(args).stdin(Stdio::null()).output().expect("it runs")
}

#[test]
fn it_says_where_it_is_and_serves_with_its_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("bad-day.toml");
    std::fs::write(&script, "[[fault]]\nkind = \"foreign-login\"\nafter_s = 13\n").expect("writable");
    let script = script.to_str().expect("text");
    let mut sim =
        Running::with(&["--script", script, "--from", "2026-05-13T11:30", "--one-session", "false"]);
    let state = sim.ask("GET", "/_sim/state", "");
    assert!(state["now"].as_str().is_some_and(|now| now.starts_with("2026-05-13T11:3")), "{state}");
    assert_eq!(state["faults"][0]["kind"], "foreign-login");
    assert_eq!(state["one_session"], false);
    let state = sim.ask("POST", "/_sim/clock", "{\"advance_s\": 3600}");
    assert!(state["now"].as_str().is_some_and(|now| now.starts_with("2026-05-13T12:3")), "{state}");
    sim.child.kill().expect("it ran until now");
    let mut greeting = String::new();
    sim.rest.read_to_string(&mut greeting).expect("text");
    for piece in
        ["Faults set: 1", "KOTAK_UCC=SIM01", "KOTAK_TOTP_SECRET=", "SESSION_PROD_BASE_URL", &sim.address]
    {
        assert!(greeting.contains(piece), "{piece} is not in {greeting}");
    }
}

#[test]
fn the_credentials_can_be_pasted() {
    let output = once(&["--print-credentials"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["KOTAK_CONSUMER_KEY", "KOTAK_MOBILE_NUMBER", "KOTAK_UCC", "KOTAK_TOTP_SECRET", "KOTAK_MPIN"]
    );
}

#[test]
fn the_help_has_examples() {
    let output = once(&["--help"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(
        text.contains("Examples:") && text.contains("--script") && text.contains("/_sim/faults"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, "[[fault]]\nkind = \"earthquake\"\n").expect("writable");
    let wrong = wrong.to_str().expect("text");
    let empty = folder.path().join("nowhere");
    let empty = empty.to_str().expect("text");
    for (args, piece) in [
        (vec!["--script", wrong], "earthquake"),
        (vec!["--script", empty], "cannot read"),
        (vec!["--data", empty], "nowhere"),
        (vec!["--from", "yesterday"], "2026-05-13T10:00"),
        (vec!["--listen", "203.0.113.1:1"], "cannot listen on 203.0.113.1:1"),
    ] {
        let output = once(&args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(piece), "{args:?}: {text}");
    }
}
