//! The operator's parameters.

use tradeagent_sdk::TaskError;
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::Percent;

/// What the operator can set; the table is in the README.
#[derive(Debug, Clone)]
pub struct Settings {
    pub ema_days: u32,
    pub history: u32,
    pub history_age_days_max: u32,
    pub loss_max: Percent,
    pub sell_unsettled: bool,
    pub attempts_max: u32,
}

impl Settings {
    /// The values of `params`, with defaults.
    ///
    /// # Errors
    /// `config` when a value is wrong or a name unknown.
    pub fn from_params(params: Params) -> Result<Self, TaskError> {
        let ema_days = params.within("ema_days", 9, 1..=500)?;
        let settings = Self {
            ema_days,
            history: params.within("history", 200, ema_days..=5_000)?,
            history_age_days_max: params.within("history_age_days_max", 7, 1..=60)?,
            loss_max: params.within("loss_max", Percent::whole(5), Percent(0)..=Percent::whole(100))?,
            sell_unsettled: params.get("sell_unsettled", false)?,
            attempts_max: params.within("attempts_max", 5, 1..=100)?,
        };
        params.done()?;
        Ok(settings)
    }
}
