//! The universe: which symbols the buying strategies look at.

use std::collections::BTreeSet;
use std::path::Path;

use runtime::Role;

use super::{Config, ConfigError};

/// The parameter that it becomes.
const PARAM: &str = "universe";
/// The most symbols: both exchanges list fewer.
const SYMBOLS_MAX: usize = 20_000;

impl Config {
    /// Reads symbols, one a line, and gives them to every strategy that buys, in place of what it had.
    pub fn set_universe(&mut self, path: &Path) -> Result<(), ConfigError> {
        let symbols = parse(path, &super::read(path)?)?;
        for strategy in self.strategies.values_mut().filter(|strategy| buys(strategy.role)) {
            strategy.params.insert(PARAM.to_owned(), symbols.clone());
        }
        self.data.universe = Some(path.to_owned());
        Ok(())
    }

    /// The file's own `data.universe`: a strategy's `universe` parameter goes before it.
    pub(super) fn apply_universe(&mut self) -> Result<(), ConfigError> {
        let Some(path) = &self.data.universe else { return Ok(()) };
        let symbols = parse(path, &super::read(path)?)?;
        for strategy in self.strategies.values_mut().filter(|strategy| buys(strategy.role)) {
            strategy.params.entry(PARAM.to_owned()).or_insert_with(|| symbols.clone());
        }
        Ok(())
    }
}

const fn buys(role: Role) -> bool {
    matches!(role, Role::Buy | Role::Trader)
}

fn parse(path: &Path, text: &str) -> Result<String, ConfigError> {
    let bad = |reason: String| ConfigError::Universe { path: path.to_owned(), reason };
    let mut symbols = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let symbol = line.split('#').next().unwrap_or_default().trim();
        if symbol.is_empty() {
            continue;
        }
        let known =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '&' | '-' | ':' | '_' | '.' | '*' | '$');
        if symbol.len() > 32 || !symbol.chars().all(known) {
            return Err(bad(format!(
                "line {}: `{}` is not a symbol",
                number + 1,
                symbol.chars().take(40).collect::<String>()
            )));
        }
        symbols.insert(symbol.to_uppercase());
    }
    if symbols.is_empty() {
        return Err(bad("it names no symbol".to_owned()));
    }
    if symbols.len() > SYMBOLS_MAX {
        return Err(bad(format!("it names {} symbols; the most is {SYMBOLS_MAX}", symbols.len())));
    }
    Ok(symbols.into_iter().collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_one_a_line_become_a_parameter() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("u.txt");
        std::fs::write(&path, "# mine\nTCS\n\nm&m  # cars\nTCS\n").expect("written");
        let mut config = Config::default();
        config.set_universe(&path).expect("symbols");
        assert_eq!(config.strategies["buy"].params["universe"], "M&M,TCS");
        assert!(config.strategies["sell"].params.is_empty());
    }

    #[test]
    fn a_bad_list_says_where() {
        let of = |text: &str| parse(Path::new("u.txt"), text).expect_err(text).to_string();
        assert_eq!(of("TCS\nwhat is this\n"), "the universe u.txt: line 2: `what is this` is not a symbol");
        assert_eq!(of("# nothing\n"), "the universe u.txt: it names no symbol");
        let missing = Config::default().set_universe(Path::new("/no/such")).expect_err("missing").to_string();
        assert!(missing.starts_with("/no/such cannot be read: "), "{missing}");
    }
}
