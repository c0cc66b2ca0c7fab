//! The operator's parameters.

use tradeagent_sdk::TaskError;
use tradeagent_sdk::params::Params;
use tradeagent_sdk::price::{Percent, RUPEE, Rupees};

/// What the operator can set; the table is in the README.
#[derive(Debug, Clone)]
pub struct Settings {
    pub series: Vec<String>,
    pub universe: Vec<String>,
    pub rsi_period: u32,
    pub rsi_above_trend: f64,
    pub rsi_below_trend: f64,
    pub trend_ema: u32,
    pub history: u32,
    pub volume_days: u32,
    pub volume_ratio: f64,
    pub volume_min: u64,
    pub price_min: Rupees,
    pub capital: Rupees,
    pub order_value_min: Rupees,
    pub cash_buffer: Percent,
    pub liquidity: [Percent; 4],
    pub positions_max: u32,
    pub limit_above_close: Percent,
}

impl Settings {
    /// The values of `params`, with defaults.
    ///
    /// # Errors
    /// `config` when a value is wrong or a name unknown.
    pub fn from_params(params: Params) -> Result<Self, TaskError> {
        let percent = Percent(0)..=Percent::whole(100);
        let rupees = Rupees(0)..=Rupees(100_000_000 * RUPEE);
        let tier = |name, default| params.within(name, Percent::whole(default), percent.clone());
        let settings = Self {
            series: list(&params.get("series", "EQ".to_owned())?),
            universe: list(&params.get("universe", String::new())?),
            rsi_period: params.within("rsi_period", 10, 2..=500)?,
            rsi_above_trend: params.within("rsi_above_trend", 30.0, 0.0..=100.0)?,
            rsi_below_trend: params.within("rsi_below_trend", 20.0, 0.0..=100.0)?,
            trend_ema: params.within("trend_ema", 200, 1..=2_000)?,
            history: params.within("history", 260, 1..=5_000)?,
            volume_days: params.within("volume_days", 50, 1..=500)?,
            volume_ratio: params.within("volume_ratio", 0.0, 0.0..=1_000.0)?,
            volume_min: params.within("volume_min", 10_000, 0..=1_000_000_000)?,
            price_min: params.within("price_min", Rupees(10 * RUPEE), rupees.clone())?,
            capital: params.within("capital_per_position", Rupees(20_000 * RUPEE), rupees.clone())?,
            order_value_min: params.within("order_value_min", Rupees(2_000 * RUPEE), rupees)?,
            cash_buffer: params.within("cash_buffer", Percent::whole(1), percent.clone())?,
            liquidity: [
                tier("liquidity_from_5000", 2)?,
                tier("liquidity_from_1000", 5)?,
                tier("liquidity_from_500", 10)?,
                tier("liquidity_below_500", 20)?,
            ],
            positions_max: params.within("max_positions", 50, 0..=1_000)?,
            limit_above_close: params.within("limit_above_close", Percent::whole(1), percent)?,
        };
        params.done()?;
        Ok(settings)
    }

    /// The fewest daily bars that every figure can be computed from.
    pub fn bars_min(&self) -> u32 {
        self.trend_ema.max(self.volume_days).max(self.rsi_period + 1)
    }

    /// The daily bars to ask for.
    pub fn bars_wanted(&self) -> u32 {
        self.bars_min().max(self.history)
    }

    /// The largest share of the average volume that one order may be, by price.
    pub fn liquidity_at(&self, price: i64) -> Percent {
        let tier = match price / RUPEE {
            5_000.. => 0,
            1_000.. => 1,
            500.. => 2,
            _ => 3,
        };
        self.liquidity[tier]
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
