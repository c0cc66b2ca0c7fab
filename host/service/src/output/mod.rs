//! What the terminal gets. stdout is data, stderr is talk; colour only on a terminal (and not where
//! `NO_COLOR` says so); tables fit its width; progress shows on stderr.

mod amount;
mod progress;
#[cfg(windows)]
mod service_log;
mod table;

use std::io::Write as _;

use serde::Serialize;

use crate::exit::{Exit, Failure};

pub use amount::{Grouping, grouped, money, price};
pub use progress::Progress;
#[cfg(windows)]
pub use service_log::{log_as_service, log_last_words};
pub use table::{Align, Table, table};

/// The version of every JSON answer.
pub const JSON_VERSION: u32 = 1;

/// Colours of meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// All is well.
    Good,
    /// To be looked at.
    Warn,
    /// To be looked at now.
    Bad,
    /// Beside the point.
    Dim,
    /// A heading.
    Bold,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Bad => "\x1b[1;31m",
            Self::Dim => "\x1b[2m",
            Self::Bold => "\x1b[1m",
        }
    }
}

/// `text` in a tone; what writes it to something other than a terminal takes the codes out again.
pub fn tinted(tone: Tone, text: &str) -> String {
    match tone {
        Tone::Plain => text.to_owned(),
        tone => format!("{}{text}\x1b[0m", tone.code()),
    }
}

/// Text that came from outside (a broker's words, a file), without what steers a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Writes a line to standard output. A reader that has gone away ends the program quietly, as it does
/// for `head`; an answer that cannot be written (a full disk) is no success.
pub fn line(text: &str) {
    let Err(error) = writeln!(anstream::stdout(), "{text}") else { return };
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(i32::from(Exit::Ok.code()));
    }
    talk(&format!("error: standard output cannot be written: {error}"));
    std::process::exit(i32::from(Exit::General.code()));
}

/// Writes a line to standard error: for people, not for programs.
pub fn talk(text: &str) {
    // Where standard error is gone there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Sends the log to standard error: `TRADEAGENT_LOG` says how much (such as `debug` or
/// `host=debug,warn`), `info` by default; JSON lines where `TRADEAGENT_LOG_FORMAT=json`. Calling it twice
/// does nothing.
pub fn log_to_stderr() {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("TRADEAGENT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let json = std::env::var_os("TRADEAGENT_LOG_FORMAT").is_some_and(|format| format == "json");
    // Whoever was first has set it.
    let _ = if json { log.json().try_init() } else { log.try_init() };
}

/// Writes `answer` as JSON to standard output. Answers carry `version`.
pub fn json<T: Serialize>(answer: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(answer).map_err(|error| {
        Failure::general(anyhow::Error::from(error).context("the answer cannot be written as JSON"))
    })?;
    line(&text);
    Ok(())
}

/// An answer with the version beside its own fields.
#[derive(Debug, Serialize)]
pub struct Versioned<T> {
    /// Of the answer's shape.
    pub version: u32,
    /// The answer.
    #[serde(flatten)]
    pub answer: T,
}

/// Writes an answer that has no version of its own.
pub fn json_versioned<T: Serialize>(answer: T) -> Result<(), Failure> {
    json(&Versioned { version: JSON_VERSION, answer })
}

/// A width in columns: the terminal's; elsewhere wide enough that a row stays one line.
pub(crate) fn width() -> u16 {
    use std::io::IsTerminal as _;
    const ELSEWHERE: u16 = 10_000;
    if !std::io::stdout().is_terminal() {
        return ELSEWHERE;
    }
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && size.ws_col >= 40
    {
        return size.ws_col;
    }
    80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_outside_do_not_steer_the_terminal() {
        assert_eq!(plain("RMS:\x1b[2J limit\nexceeded"), "RMS: [2J limit exceeded");
    }

    #[test]
    fn an_answer_carries_its_version() {
        #[derive(Serialize)]
        struct Answer {
            a: u8,
        }
        let text = serde_json::to_string(&Versioned { version: 1, answer: Answer { a: 2 } }).expect("json");
        assert_eq!(text, r#"{"version":1,"a":2}"#);
    }
}
