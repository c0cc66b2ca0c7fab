//! A fault in the configuration, shown where it is: file, line, the line's text, a caret, a help.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why a configuration is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// Something in it is wrong.
    Fault(Box<Fault>),
    /// The calendar file is not one.
    Calendar {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The list of symbols is not one.
    Universe {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A `--param` is wrong.
    Param {
        /// As it was typed.
        text: String,
        /// What is wrong.
        reason: String,
    },
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// Its line, counted from one.
    pub line: usize,
    /// The column, counted from one, in characters.
    pub column: usize,
    /// The line's text.
    pub text: String,
    /// How many characters are meant.
    pub width: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl Fault {
    /// The fault at `span` (bytes) of `source`.
    pub fn at(path: &Path, source: &str, span: Range<usize>, what: String, help: String) -> Self {
        let start = floor_boundary(source, span.start);
        let end = floor_boundary(source, span.end).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[line_start..].find('\n').map_or(source.len(), |at| line_start + at);
        let text = source[line_start..line_end].trim_end_matches('\r').replace('\t', " ");
        let column = source[line_start..start].chars().count() + 1;
        let width = source[start..end.min(line_end).max(start)].chars().count().max(1);
        Self {
            path: path.to_owned(),
            line: source[..start].matches('\n').count() + 1,
            column,
            text,
            width,
            what,
            help,
        }
    }
}

fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let margin = " ".repeat(self.line.to_string().len());
        writeln!(f, "{}", self.what)?;
        writeln!(f, "{margin}--> {}:{}:{}", self.path.display(), self.line, self.column)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{} | {}", self.line, self.text)?;
        write!(f, "{margin} | {}{}", " ".repeat(self.column - 1), "^".repeat(self.width))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => {
                write!(f, "{} cannot be read: {reason}", path.display())
            }
            Self::Calendar { path, reason } => write!(f, "the calendar {}: {reason}", path.display()),
            Self::Universe { path, reason } => write!(f, "the universe {}: {reason}", path.display()),
            Self::Fault(fault) => fault.fmt(f),
            Self::Param { text, reason } => write!(f, "--param {text}: {reason}"),
        }
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// What to do about it.
    pub fn help(&self) -> &str {
        match self {
            Self::Unreadable { .. } => {
                "check the path (--config, TRADEAGENT_CONFIG, --universe) and its permissions"
            }
            Self::Calendar { .. } => {
                "correct the file, or take `calendar.file` out to use the embedded calendar"
            }
            Self::Universe { .. } => "write one symbol a line; what follows a `#` is a remark",
            Self::Fault(fault) => &fault.help,
            Self::Param { .. } => "write --param STRATEGY.KEY=VALUE, such as --param buy.max_positions=5",
        }
    }
}

/// A TOML or serde error as a fault.
pub(super) fn from_toml(path: &Path, source: &str, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or(0..0);
    let message = error.message();
    let (what, help) = explain(message);
    ConfigError::Fault(Box::new(Fault::at(path, source, span, what, help)))
}

/// Serde's `unknown field` in words of ours, with the nearest known key.
fn explain(message: &str) -> (String, String) {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let key = quoted.next().unwrap_or_default();
        let known: Vec<&str> = quoted.collect();
        let what = format!("unknown key `{key}`");
        return (what, nearest(key, &known));
    }
    if message.starts_with("unknown variant") {
        let value = quoted.next().unwrap_or_default();
        let known: Vec<&str> = quoted.collect();
        return (format!("`{value}` is not a value of this key"), nearest(value, &known));
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return (format!("the key {key} is missing here"), format!("add {key}"));
    }
    (
        message.trim_end().to_owned(),
        "correct the value; deploy/tradeagent.toml shows every key with its default".to_owned(),
    )
}

/// A help that names the nearest of `known`, or all.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    let close = known.iter().map(|name| (distance(word, name), *name)).min();
    match close {
        None => "this table takes no keys".to_owned(),
        Some((far, name)) if far <= 1 + word.chars().count() / 4 => format!("did you mean `{name}`?"),
        Some(_) => format!("known here: {}", known.join(", ")),
    }
}

/// Edits (insert, delete, replace, swap of neighbours) that make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_points_at_its_characters() {
        let source = "a = 1\nséries = \"ü\" # x\nb = 2\n";
        let start = source.find("\"ü").expect("there");
        let fault = Fault::at(Path::new("t.toml"), source, start..start + 4, "bad".into(), "fix".into());
        assert_eq!((fault.line, fault.column, fault.width), (2, 10, 3));
        let shown = fault.to_string();
        assert_eq!(shown, "bad\n --> t.toml:2:10\n  |\n2 | séries = \"ü\" # x\n  |          ^^^");
    }

    #[test]
    fn a_span_over_lines_or_past_the_end_still_points() {
        let source = "[x]\ny = \"\"\"\nlong\n\"\"\"";
        let fault = Fault::at(Path::new("t"), source, 8..source.len() + 9, "bad".into(), String::new());
        assert_eq!((fault.line, fault.width), (2, 3));
        let end = Fault::at(Path::new("t"), "", 3..4, "bad".into(), String::new());
        assert_eq!((end.line, end.column, end.width), (1, 1, 1));
    }

    #[test]
    fn the_nearest_key_is_named() {
        assert_eq!(nearest("cahs", &["broker", "cash"]), "did you mean `cash`?");
        assert_eq!(nearest("zebra", &["broker", "cash"]), "known here: broker, cash");
    }
}
