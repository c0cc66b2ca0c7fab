//! `--param STRATEGY.KEY=VALUE`, over what the file says.

use super::{Config, ConfigError};

/// The most characters of a parameter's value.
const VALUE_MAX: usize = 4096;

/// Key and value of `KEY=VALUE`.
pub fn parse_param(text: &str) -> Result<(String, String), ConfigError> {
    let bad = |reason: String| ConfigError::Param { text: text.chars().take(200).collect(), reason };
    let (key, value) = text.split_once('=').ok_or_else(|| bad("there is no `=`".to_owned()))?;
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() {
        return Err(bad("the key before `=` is empty".to_owned()));
    }
    if value.len() > VALUE_MAX {
        return Err(bad(format!("the value is longer than {VALUE_MAX} bytes")));
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// Sets parameters. A strategy that the configuration does not have is an error; whether a
/// strategy knows the key is its own to say.
pub(super) fn apply_params(config: &mut Config, params: &[String]) -> Result<(), ConfigError> {
    for text in params {
        let bad = |reason: String| ConfigError::Param { text: text.clone(), reason };
        let (path, value) = parse_param(text)?;
        let (strategy, key) =
            path.split_once('.').ok_or_else(|| bad("the strategy is missing before the key".to_owned()))?;
        let known = config.strategies.keys().map(model::StrategyName::as_str).collect::<Vec<_>>().join(", ");
        let Some(found) = config.strategies.get_mut(strategy) else {
            return Err(bad(format!("there is no strategy `{strategy}`; there are {known}")));
        };
        if key.is_empty() {
            return Err(bad("the key after the strategy is empty".to_owned()));
        }
        found.params.insert(key.to_owned(), value);
    }
    Ok(())
}
