//! The operator's parameters.

use tradeagent_sdk::TaskError;
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::Percent;

/// What the operator can set; the table is in the README.
#[derive(Debug, Clone)]
pub struct Settings {
    pub ema_days: u32,
    pub rsi_period: u32,
    pub history: u32,
    pub history_age_days_max: u32,
    pub rsi_warning: f64,
    pub rsi_critical: f64,
    pub average_first: f64,
    pub average_second: f64,
    pub move_min: Percent,
}

impl Settings {
    /// The values of `params`, with defaults.
    ///
    /// # Errors
    /// `config` when a value is wrong or a name unknown.
    pub fn from_params(params: Params) -> Result<Self, TaskError> {
        let level = |name, default| params.within(name, default, 0.0..=100.0);
        let settings = Self {
            ema_days: params.within("ema_days", 9, 1..=500)?,
            rsi_period: params.within("rsi_period", 10, 2..=500)?,
            history: params.within("history", 200, 1..=5_000)?,
            history_age_days_max: params.within("history_age_days_max", 7, 1..=60)?,
            rsi_warning: level("rsi_warning", 45.0)?,
            rsi_critical: level("rsi_critical", 50.0)?,
            average_first: level("average_first", 20.0)?,
            average_second: level("average_second", 10.0)?,
            move_min: params.within("move_min", Percent::whole(3), Percent(1)..=Percent::whole(1_000))?,
        };
        params.done()?;
        Ok(settings)
    }

    /// The fewest daily bars that the figures can be computed from.
    pub fn bars_min(&self) -> u32 {
        self.ema_days.max(self.rsi_period + 1)
    }
}
