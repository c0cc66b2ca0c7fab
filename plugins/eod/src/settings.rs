//! The operator's parameters.

use tradeagent_sdk::TaskError;
use tradeagent_sdk::params::Params;

/// What the operator can set; the table is in the README.
#[derive(Debug, Clone)]
pub struct Settings {
    pub cancel_stale: bool,
    pub differences_max: u32,
}

impl Settings {
    /// The values of `params`, with defaults.
    ///
    /// # Errors
    /// `config` when a value is wrong or a name unknown.
    pub fn from_params(params: Params) -> Result<Self, TaskError> {
        let settings = Self {
            cancel_stale: params.get("cancel_stale", true)?,
            differences_max: params.within("differences_max", 50, 1..=1_000)?,
        };
        params.done()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_tells_every_parameter_and_its_default() {
        tradeagent_sdk::params::assert_documented(include_str!("../README.md"), Settings::from_params);
    }
}
